//! Follows the log for one reactor: acts, and only then moves the checkpoint. What happens between the two may happen again,
//! under the same command id, which is applied once.

use std::convert::Infallible;
use std::sync::Arc;

use dossier_commands::Request;
use dossier_eventlog::RecordedEvent;

use super::lead::{Act, Following, Lead, Setback};
use super::{Issue, IssueError, Reactor, Trigger, command_id};

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
        let mut following = self.lead.follow().await?;
        loop {
            let events = following.next().await?;
            for (index, event) in events.iter().enumerate() {
                following.keep_lease().await?;
                // An event that called for nothing is looked at again after a crash: that costs no write.
                if self.take(event, &mut following).await? || index + 1 == events.len() {
                    let (from, to) = following.checkpoints(event);
                    self.lead.work.advance(self.reactor.name(), Some(from), &to).await?;
                    following.stored(to);
                }
            }
        }
    }
}

impl Runner {
    /// Executes what an event calls for; answers whether that was anything. Thousands of orders take longer than a lease, which
    /// is renewed between them.
    async fn take(&self, event: &RecordedEvent, following: &mut Following<'_>) -> Result<bool, Setback> {
        let name = self.reactor.name();
        let trigger = Trigger { event };
        let orders = self.reactor.react(&trigger).await?;
        if orders.is_empty() {
            return Ok(false);
        }
        let correlation_id = trigger.metadata()?.correlation_id;
        for (index, order) in orders.iter().enumerate() {
            following.keep_lease().await?;
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
}

#[cfg(test)]
mod tests;
