//! Raising suspicions from the volume (R-KI-2). The rule is the domain's; the read model `volume` holds what is counted, each
//! act with its place in the log. The watch asks for what lay in the log up to the very event it looks at, so that it gives the
//! same answer whenever it looks, however far the read model has come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dossier_domain::catalogue::VolumePolicy;
use dossier_domain::known_issue::{KnownIssueCommand, SuspectKnownIssue};
use dossier_domain::volume_watch::{CountedAct, burst_begun, hours_needed};
use dossier_domain::{Actor, ProductId, StaffRole};
use dossier_eventlog::{Position, Sealer};
use dossier_projections::ReadModels;
use dossier_projections::volume::VolumeQueries;
use jiff::Timestamp;

use crate::reactor::{Begin, Order, ReactError, Reactor, Trigger, system_actor};

/// The reactor's name.
pub const NAME: &str = "volume_watch";
/// How long the read model may take to come as far as an event.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was counted.
#[async_trait]
pub trait VolumeCounts: Send + Sync + 'static {
    /// Cases and calls of a product in these hours, of those that lie in the log up to a position.
    ///
    /// # Errors
    /// [`ReactError`].
    async fn counts(
        &self,
        product: &ProductId,
        hours: &[Timestamp],
        until: Position,
    ) -> Result<BTreeMap<Timestamp, u32>, ReactError>;
}

/// The read model, waited for where it is behind.
pub struct ReadVolume {
    /// All read models.
    pub models: Arc<ReadModels>,
    /// The model's queries.
    pub queries: VolumeQueries,
}

#[async_trait]
impl VolumeCounts for ReadVolume {
    async fn counts(
        &self,
        product: &ProductId,
        hours: &[Timestamp],
        until: Position,
    ) -> Result<BTreeMap<Timestamp, u32>, ReactError> {
        let unavailable = |why: String| ReactError::Unavailable(why);
        self.models.wait_for_volume(until, PATIENCE).await.map_err(|error| unavailable(error.to_string()))?;
        let counts = self.queries.counts_until(product, hours, until).await;
        counts.map_err(|error| unavailable(error.to_string()))
    }
}

/// The watch over the volume.
pub struct VolumeWatch {
    actor: Actor,
    counts: Arc<dyn VolumeCounts>,
    policy: VolumePolicy,
}

impl VolumeWatch {
    /// The watch, with the name of the system's actor made by a sealer.
    pub fn new(sealer: &Sealer, counts: Arc<dyn VolumeCounts>, policy: VolumePolicy) -> Self {
        Self { actor: system_actor(sealer, NAME, [StaffRole::System]), counts, policy }
    }
}

#[async_trait]
impl Reactor for VolumeWatch {
    fn name(&self) -> &'static str {
        NAME
    }

    /// A burst of days ago raises nothing, as the domain decides, so that the operator has nothing to choose after a loss.
    fn begins(&self) -> Begin {
        Begin::AtBeginning
    }

    fn actor(&self) -> &Actor {
        &self.actor
    }

    async fn react(&self, trigger: &Trigger<'_>) -> Result<Vec<Order>, ReactError> {
        let event = trigger.event;
        let act = match (trigger.case()?, trigger.phone_call()?) {
            (Some((_, event)), _) => CountedAct::of_case(&event, trigger.metadata()?.occurred_at),
            (_, Some(event)) => Some(CountedAct::of_phone_call(&event)),
            _ => None,
        };
        let Some(act) = act.filter(|act| !act.imported) else { return Ok(Vec::new()) };
        let hour = act.hour(event.recorded_at);
        let counts = self.counts.counts(&act.product, &hours_needed(hour), event.position).await?;
        let count = |hour: Timestamp| counts.get(&hour).copied().unwrap_or_default();
        let begun = burst_begun(self.policy, hour, &count);
        Ok(begun
            .map(|figures| Order::KnownIssue {
                issue: None,
                command: Box::new(KnownIssueCommand::Suspect(SuspectKnownIssue::by_volume(
                    act.product,
                    figures,
                ))),
            })
            .into_iter()
            .collect())
    }
}

#[cfg(test)]
mod tests;
