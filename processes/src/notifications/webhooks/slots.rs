//! The messages that a courier has on their way: how many there may be, of all endpoints together and of one, so that one that
//! does not answer leaves room for the others.

use std::collections::HashMap;

use tokio::task::{Id, JoinError, JoinSet};

/// Messages on their way at once.
const IN_FLIGHT: usize = 64;
/// Of these, most to one endpoint.
const OF_ONE_ENDPOINT: usize = 4;

/// Messages on their way.
#[derive(Default)]
pub(super) struct Slots {
    tasks: JoinSet<()>,
    endpoints: HashMap<Id, String>,
}

/// What may be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// So many messages, were they all of one endpoint.
    pub(super) limit: u32,
    /// None of these endpoints, which have all that they may have.
    pub(super) except: Vec<String>,
}

impl Slots {
    /// What may be claimed now.
    pub(super) fn room(&self) -> Room {
        let mut held: HashMap<&String, usize> = HashMap::new();
        for endpoint in self.endpoints.values() {
            *held.entry(endpoint).or_default() += 1;
        }
        let is_full = |count: &usize| *count >= OF_ONE_ENDPOINT;
        let most = held.values().copied().filter(|count| !is_full(count)).max().unwrap_or_default();
        let free = IN_FLIGHT.saturating_sub(self.endpoints.len());
        let mut except: Vec<_> = held
            .iter()
            .filter(|(_, count)| is_full(count))
            .map(|(endpoint, _)| (*endpoint).clone())
            .collect();
        except.sort_unstable();
        let limit = free.min(OF_ONE_ENDPOINT - most);
        Room { limit: u32::try_from(limit).unwrap_or(u32::MAX), except }
    }

    /// Sends a message on its way to an endpoint.
    pub(super) fn send(&mut self, endpoint: String, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.endpoints.insert(id, endpoint);
    }

    /// Gives free what those had that have arrived.
    pub(super) fn settle(&mut self) {
        while let Some(done) = self.tasks.try_join_next_with_id() {
            self.forget(done);
        }
    }

    /// Waits until one arrives; `None` when none is on its way.
    pub(super) async fn next(&mut self) -> Option<()> {
        let done = self.tasks.join_next_with_id().await?;
        self.forget(done);
        Some(())
    }

    fn forget(&mut self, done: Result<(Id, ()), JoinError>) {
        let id = done.map_or_else(|error| error.id(), |(id, ())| id);
        self.endpoints.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    fn four() -> u32 {
        u32::try_from(OF_ONE_ENDPOINT).unwrap()
    }

    #[tokio::test]
    async fn an_endpoint_holds_its_share_and_leaves_room_for_the_others() {
        let mut slots = Slots::default();
        assert_eq!(slots.room(), Room { limit: four(), except: vec![] });
        slots.send("dead".to_owned(), pending());
        assert_eq!(slots.room().limit, four() - 1, "all that is claimed may be its own");
        for _ in 1..OF_ONE_ENDPOINT {
            slots.send("dead".to_owned(), pending());
        }
        assert_eq!(slots.room(), Room { limit: four(), except: vec!["dead".to_owned()] });
        slots.send("well".to_owned(), async {});
        assert_eq!(slots.room().limit, four() - 1);
        slots.next().await;
        assert_eq!(slots.room(), Room { limit: four(), except: vec!["dead".to_owned()] });
    }

    #[tokio::test]
    async fn there_is_no_room_when_all_slots_are_taken_and_what_panics_gives_its_slot_back() {
        let mut slots = Slots::default();
        for number in 0..IN_FLIGHT - 1 {
            slots.send(format!("endpoint {number}"), pending());
        }
        slots.send("broken".to_owned(), async { panic!("a bug") });
        assert_eq!(slots.room().limit, 0);
        slots.next().await;
        assert_eq!(slots.room().limit, 1);
    }
}
