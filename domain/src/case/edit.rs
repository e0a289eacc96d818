//! Editing the three fields that may be patched: title, priority (R-PRIO-1) and subscribers.

use super::escalate::require_capability;
use super::events::{CaseEvent, CaseRenamed, PriorityChanged, SubscribersChanged};
use super::file::{check_priority_offered, check_subscribers, check_text, check_title};
use super::rejection::CaseRejection;
use super::response;
use super::state::{Case, check_not_merged, check_open};
use crate::authority::Side;
use crate::catalogue::{Capability, Priority};
use crate::context::Context;
use crate::personal::Personal;

/// Longest reason of support for what it does, in characters.
pub(super) const MAX_REASON_CHARS: usize = 1_000;

/// Edits the case; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct EditCase {
    /// New title.
    pub title: Option<Personal<String>>,
    /// New priority.
    pub priority: Option<Priority>,
    /// Why the priority changes; support must say.
    pub priority_reason: Option<Personal<String>>,
    /// The whole new list of subscribers.
    pub subscribers: Option<Vec<Personal<String>>>,
}

impl EditCase {
    /// One event per field that really changes; none when nothing does.
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        let mut events = Vec::new();
        if let Some(title) = &self.title {
            check_title(title)?;
            if title.open() != case.title.open() {
                events.push(CaseRenamed { title: title.clone() }.into());
            }
        }
        if let Some(priority) = self.priority
            && priority != case.priority
        {
            let reason = self.priority_reason.as_ref();
            events.extend(change_priority(priority, reason, case, context)?);
        }
        if let Some(subscribers) = &self.subscribers {
            check_subscribers(subscribers)?;
            let same = subscribers.len() == case.subscribers.len()
                && subscribers.iter().zip(&case.subscribers).all(|(new, old)| new.open() == old.open());
            if !same {
                events.push(SubscribersChanged { subscribers: subscribers.clone() }.into());
            }
        }
        Ok(events)
    }
}

/// Changes the priority, as support (R-PRIO-1).
#[derive(Clone, Debug)]
pub struct ChangePriority {
    /// To which.
    pub priority: Priority,
    /// Why; must be given.
    pub reason: Option<Personal<String>>,
}

impl ChangePriority {
    /// Changing it to what it is changes nothing.
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        if self.priority == case.priority {
            return Ok(Vec::new());
        }
        change_priority(self.priority, self.reason.as_ref(), case, context)
    }
}

fn change_priority(
    priority: Priority,
    reason: Option<&Personal<String>>,
    case: &Case,
    context: &Context<'_>,
) -> Result<Vec<CaseEvent>, CaseRejection> {
    let side = context.authority.side();
    check_redefine(case, context)?;
    match side {
        Side::Customer | Side::Reseller => check_priority_offered(priority, &case.product, context)?,
        Side::Support => {
            check_text("reason", reason.ok_or(CaseRejection::ReasonRequired)?, 1, MAX_REASON_CHARS)?;
        }
    }
    let changed = PriorityChanged { from: case.priority, to: priority, side, reason: reason.cloned() };
    let promise = response::reprioritized(case, priority, context);
    Ok([changed.into()].into_iter().chain(promise).collect())
}

/// Whether the priority can be redefined (R-PRIO-1): support may at any time, but not of what goes on elsewhere.
pub(super) fn check_redefine(case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
    check_not_merged(case)?;
    if context.authority.side() == Side::Support {
        return Ok(());
    }
    check_open(case)?;
    require_capability(case, Capability::RedefinePriority, context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CaseCommand;
    use crate::testing::{Given, acme, close, personal};

    fn edit(change: impl FnOnce(&mut EditCase)) -> CaseCommand {
        let mut command = EditCase::default();
        change(&mut command);
        CaseCommand::Edit(command)
    }

    #[test]
    fn only_what_really_changes_becomes_an_event() {
        let all = edit(|command| {
            command.title = Some(personal("renamed"));
            command.priority = Some(Priority::P1);
            command.subscribers = Some(vec![personal("three@example.com")]);
        });
        let given = Given::filed();
        let types: Vec<_> = given
            .clone()
            .when("alice", 1, &all)
            .events()
            .iter()
            .map(crate::DomainEvent::event_type)
            .collect();
        assert_eq!(types, ["CaseRenamed", "PriorityChanged", "SubscribersChanged"]);
        assert_eq!(given.and("alice", 1, &all).when("alice", 2, &all).events(), vec![]);
    }

    #[test]
    fn an_empty_list_clears_the_subscribers() {
        let given = Given::filed().and(
            "alice",
            1,
            &edit(|command| command.subscribers = Some(vec![personal("a@b.example")])),
        );
        let state = given.when("alice", 2, &edit(|command| command.subscribers = Some(vec![]))).state();
        assert!(state.filed().unwrap().subscribers.is_empty());
    }

    #[test]
    fn an_empty_title_or_a_bad_address_is_refused_and_nothing_changes() {
        let bad_title = edit(|command| command.title = Some(personal("")));
        let bad_address = edit(|command| {
            command.title = Some(personal("fine"));
            command.subscribers = Some(vec![personal("nobody")]);
        });
        assert_eq!(Given::filed().when("alice", 1, &bad_title).rejection().field(), Some("displayName"));
        assert_eq!(
            Given::filed().when("alice", 1, &bad_address).rejection().field(),
            Some("subscriberEmailAddresses")
        );
    }

    /// R-PRIO-1.
    #[test]
    fn r_prio_1_redefining_the_priority_needs_the_capability_and_an_open_case() {
        let raise = edit(|command| command.priority = Some(Priority::P1));
        let gold = acme().without_entitlements().entitled("compute", "gold").build();
        let refused = Given::filed().in_access(gold.clone()).when("alice", 1, &raise).rejection();
        assert_eq!(refused.reason(), "CAPABILITY_MISSING");
        assert_eq!(refused.metadata()[1], ("plans", "premier".to_owned()));
        let unchanged = edit(|command| command.priority = Some(Priority::P3));
        assert_eq!(Given::filed().in_access(gold).when("alice", 1, &unchanged).events(), vec![]);
        let closed = Given::filed().and("alice", 1, &close());
        assert_eq!(closed.when("alice", 2, &raise).rejection().reason(), "CASE_CLOSED");
    }

    /// R-PRIO-1.
    #[test]
    fn r_prio_1_support_changes_it_at_any_time_with_a_reason() {
        let without = edit(|command| command.priority = Some(Priority::P1));
        let with = edit(|command| {
            command.priority = Some(Priority::P1);
            command.priority_reason = Some(personal("an outage"));
        });
        let closed = Given::filed().and("alice", 1, &close());
        assert_eq!(closed.clone().when("agent-north", 2, &without).rejection().reason(), "REASON_REQUIRED");
        assert_eq!(closed.when("agent-north", 2, &with).events().len(), 1);
    }

    /// R-PRIO-1.
    #[test]
    fn r_prio_1_changing_the_priority_is_supports_and_says_why() {
        let given = Given::filed();
        let without = CaseCommand::ChangePriority(ChangePriority { priority: Priority::P1, reason: None });
        assert_eq!(given.clone().when("agent-north", 1, &without).rejection().reason(), "REASON_REQUIRED");
        let to = |priority| crate::testing::change_priority(priority);
        let events = given.clone().when("agent-north", 1, &to(Priority::P0)).events();
        assert!(matches!(&events[..], [CaseEvent::PriorityChanged(event)] if event.side == Side::Support));
        assert_eq!(given.clone().when("agent-north", 1, &to(Priority::P3)).events(), vec![]);
        assert_eq!(given.when("alice", 1, &to(Priority::P1)).rejection().reason(), "NOT_FOR_YOU");
    }
}
