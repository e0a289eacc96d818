//! A relay that stands by: it watches the bus, and is ready to publish when the bus no longer moves although it should.

use std::sync::Arc;
use std::time::Duration;

use super::{Place, Relay, RelayState, Setback};
use crate::envelope::Position;
use crate::subscription::Subscription;

/// Looks at the bus, at least, in the time it must stand still. They are counted, not timed: a relay that was paused itself
/// has not seen the bus stand still.
const LOOKS: u32 = 8;
/// Longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// Most events read at once to see whether there is something to publish.
const READ_EVENTS: usize = 64;

impl Relay {
    /// Waits until there is something to publish and the bus has not moved for long enough.
    pub(super) async fn stand_by(&mut self) -> Result<(), Setback> {
        let mut seen = None;
        let mut searched = Position::START;
        loop {
            let place = self.place().await?;
            self.status.is(RelayState::StandingBy);
            if seen.replace(place) != Some(place) {
                searched = place.after;
            }
            // An idle bus is looked at now and then: it may have been emptied.
            let searching = self.search(&mut searched);
            let found = match tokio::time::timeout(self.options.idle_check, searching).await {
                Ok(found) => found.map(|()| true)?,
                Err(_) => false,
            };
            if found && self.stands_still(place).await? {
                return Ok(());
            }
        }
    }

    /// Waits until the log holds an event that belongs on the bus and is not there. What lies before `searched` needs no
    /// second look.
    async fn search(&self, searched: &mut Position) -> Result<(), Setback> {
        let mut subscription = Subscription::new(Arc::clone(&self.store), *searched);
        loop {
            let events = subscription.next_batch(READ_EVENTS).await?;
            if self.destination.carries_any(&events) {
                return Ok(());
            }
            *searched = subscription.position();
        }
    }

    async fn stands_still(&self, place: Place) -> Result<bool, Setback> {
        let mut left = self.options.take_over_after;
        let pause = (left / LOOKS).clamp(Duration::from_millis(1), LONGEST_PAUSE);
        while !left.is_zero() {
            left = left.saturating_sub(pause);
            tokio::time::sleep(pause).await;
            let last = self.destination.last_published().await?;
            if last.map(|(position, _)| position) != place.last {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
