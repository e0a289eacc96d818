//! Follows the log for one reactor: acts, and only then moves the checkpoint. What happens between the two may happen again,
//! under the same command id, which is applied once.

use std::convert::Infallible;
use std::sync::Arc;

use dossier_commands::Request;
use dossier_eventlog::{RecordedEvent, Subscription};
use tokio::time::Instant;

use super::lead::{Act, Lead, Setback};
use super::{Issue, IssueError, Reactor, Trigger, command_id};
use crate::work_store::WorkCheckpoint;

/// Most events read at once.
const BATCH_EVENTS: usize = 256;

/// One reactor at work.
pub(super) struct Runner {
    pub(super) reactor: Arc<dyn Reactor>,
    pub(super) issuer: Arc<dyn Issue>,
    pub(super) lead: Lead,
}

impl Act for Runner {
    fn lead(&self) -> &Lead {
        &self.lead
    }

    async fn act(&self) -> Result<Infallible, Setback> {
        let mut renew_at = self.lead.renew().await?;
        let mut checkpoint = self.lead.resume().await?;
        self.lead.acts();
        let mut subscription = Subscription::new(self.lead.store.clone(), checkpoint.position);
        loop {
            let events = tokio::select! {
                biased;
                () = tokio::time::sleep_until(renew_at) => Vec::new(),
                events = subscription.next_batch(BATCH_EVENTS) => events?,
            };
            let Some(last) = events.len().checked_sub(1) else {
                renew_at = self.lead.renew().await?;
                continue;
            };
            for (index, event) in events.iter().enumerate() {
                if renew_at <= Instant::now() {
                    renew_at = self.lead.renew().await?;
                }
                // An event that called for nothing is looked at again after a crash: that costs no write.
                if self.take(event, &mut renew_at).await? || index == last {
                    self.advance(&mut checkpoint, event).await?;
                }
            }
        }
    }
}

impl Runner {
    /// Executes what an event calls for; answers whether that was anything. Thousands of orders take longer than a lease, which
    /// is renewed between them.
    async fn take(&self, event: &RecordedEvent, renew_at: &mut Instant) -> Result<bool, Setback> {
        let name = self.reactor.name();
        let trigger = Trigger { event };
        let orders = self.reactor.react(&trigger).await?;
        if orders.is_empty() {
            return Ok(false);
        }
        let correlation_id = trigger.metadata()?.correlation_id;
        for (index, order) in orders.iter().enumerate() {
            if *renew_at <= Instant::now() {
                *renew_at = self.lead.renew().await?;
            }
            let command_id = command_id(name, event.event_id, index);
            let request = Request {
                command_id,
                // The id is derived from all that the order is made of: there is no other body under it.
                fingerprint: "reactor".to_owned(),
                actor: self.reactor.actor().clone(),
                acting_for: None,
                correlation_id: correlation_id.clone(),
                causation_id: Some(event.event_id.to_string()),
                if_match: None,
            };
            let outcome = match self.issuer.issue(&request, order).await {
                Ok(issued) => issued.as_str(),
                Err(IssueError::Refused(why)) => {
                    tracing::warn!(reactor = name, trigger = %event.event_id, command_id = %command_id.0, why, "refused, passed over");
                    let refusal = format!("event {} at position {}: {why}", event.event_id, event.position);
                    self.lead.status.send_modify(|status| status.last_refusal = Some(refusal));
                    "refused"
                }
                Err(IssueError::Unavailable(why)) => return Err(Setback::Passing(why)),
                Err(IssueError::Damaged(why)) => return Err(Setback::Halted(why)),
            };
            metrics::counter!("dossier_reactor_commands_total", "reactor" => name, "outcome" => outcome)
                .increment(1);
        }
        Ok(true)
    }

    async fn advance(&self, checkpoint: &mut WorkCheckpoint, event: &RecordedEvent) -> Result<(), Setback> {
        let to = WorkCheckpoint {
            position: event.position,
            event_id: Some(event.event_id),
            log_id: checkpoint.log_id,
        };
        self.lead.work.advance(self.reactor.name(), Some(checkpoint), &to).await?;
        *checkpoint = to;
        self.lead.report(to.position);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
