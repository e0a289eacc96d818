//! Subscribing to what happens to an organization's cases.

use super::{
    EventSubscription, EventSubscriptionCreated, EventSubscriptionEvent, EventSubscriptionRejection, Topic,
};
use crate::context::Context;
use crate::ids::{EventSubscriptionId, OrganizationId};

/// Makes a subscription. Nobody is asked whether anybody serves the topic: a webhook may be made for it later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateEventSubscription {
    /// Where notifications go.
    pub topic: Topic,
}

impl CreateEventSubscription {
    /// What was made already stays as it is.
    pub(super) fn decide(
        &self,
        state: &EventSubscription,
        organization: &OrganizationId,
        context: &Context<'_>,
    ) -> Result<Vec<EventSubscriptionEvent>, EventSubscriptionRejection> {
        if context.access.registration.is_none() {
            return Err(EventSubscriptionRejection::NotRegistered);
        }
        if state.is_known() {
            return Ok(Vec::new());
        }
        Ok(vec![
            EventSubscriptionCreated {
                subscription: EventSubscriptionId::derived(context.command_id),
                organization: organization.clone(),
                topic: self.topic.clone(),
            }
            .into(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{after, create, created, decide_as, reason, topic};
    use super::super::{
        ChangeTopic, DeleteEventSubscription, EventSubscriptionCommand, SubscriptionState,
        UndeleteEventSubscription, decide,
    };
    use super::*;
    use crate::access::Access;
    use crate::testing::{Circumstances, acme, acme_id, at, people};

    /// R-NOTIFY-3: it is told what its maker may see, and the operator sees no case.
    #[test]
    fn r_notify_3_owners_subscribe_and_nobody_else_does_the_operator_neither() {
        let nothing = EventSubscription::default();
        assert_eq!(reason("alice", &nothing, &create("cases"), 0), None);
        let delete = EventSubscriptionCommand::Delete(DeleteEventSubscription {});
        let undelete = EventSubscriptionCommand::Undelete(UndeleteEventSubscription {});
        let change = EventSubscriptionCommand::ChangeTopic(ChangeTopic { topic: topic("other") });
        assert_eq!(reason("operator", &created(), &change, 0), Some("NOT_FOR_YOU"));
        let deleted = after("operator", &created(), &delete, 1);
        assert_eq!(reason("operator", &deleted, &undelete, 2), Some("NOT_FOR_YOU"));
        assert_eq!(reason("alice", &deleted, &undelete, 2), None);
        for (who, why) in [
            ("bob", "ROLE_TOO_LOW"),
            ("carol", "ROLE_TOO_LOW"),
            ("dave", "NO_SUPPORT_PRIVILEGE"),
            ("peter", "NOT_A_MEMBER"),
            ("agent-north", "NOT_FOR_YOU"),
            ("operator", "NOT_FOR_YOU"),
            ("engineer", "NOT_FOR_YOU"),
            ("system", "NOT_FOR_YOU"),
        ] {
            assert_eq!(reason(who, &nothing, &create("cases"), 0), Some(why), "{who}");
        }
    }

    #[test]
    fn a_new_subscription_works_until_something_else_is_known() {
        let state = created();
        let known = state.at(at(0)).unwrap();
        assert_eq!((known.state(), &known.topic), (SubscriptionState::Working, &topic("cases")));
        assert_eq!((known.created_at, known.updated_at, &known.organization), (at(0), at(0), &acme_id()));
        assert_eq!(decide_as("alice", &state, &create("other"), 1), Ok(Vec::new()), "it is made once");
    }

    #[test]
    fn an_organization_that_is_not_registered_has_none() {
        let access = Access { registration: None, ..acme().build() };
        let alice = people("alice");
        let refused = Circumstances::new(&access, &alice, at(0))
            .decide(|context| decide(&EventSubscription::default(), &create("cases"), context));
        assert_eq!(refused, Err(EventSubscriptionRejection::NotRegistered));
    }

    /// R-RES-1: what concerns the organization itself is not a reseller's matter.
    #[test]
    fn r_res_1_a_reseller_neither_subscribes_for_its_customer_nor_changes_a_subscription() {
        let access = acme().letting_in("nimbus").build();
        let nina = people("nina");
        let nimbus = (OrganizationId::new("nimbus").unwrap(), crate::testing::reseller("nimbus").build());
        let circumstances =
            Circumstances { acting_for: Some(nimbus), ..Circumstances::new(&access, &nina, at(0)) };
        for state in [EventSubscription::default(), created()] {
            let refused = circumstances.decide(|context| decide(&state, &create("cases"), context));
            assert_eq!(refused.map_err(|rejection| rejection.reason()), Err("NOT_FOR_YOU"));
        }
    }
}
