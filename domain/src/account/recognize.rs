//! Recognizing agents: who is one, and of which provider, is in their token alone, and others need to know it to give them
//! cases (R-ROUTE-1). So what a sign-in says is recorded where it is new; nothing is granted by it.

use super::events::{AccountEvent, StaffRecognized};
use super::state::{Account, AccountStatus};
use crate::authority::{Actor, StaffRole};
use crate::context::Context;

/// Whether a sign-in says something new: of an agent, or of somebody who was one. Of others nothing is recorded.
pub fn is_news(account: &Account, actor: &Actor) -> bool {
    let is_agent = actor.staff_roles.contains(&StaffRole::Agent);
    if account.status() == AccountStatus::Deactivated {
        return false;
    }
    match account.staff() {
        None => is_agent,
        Some(known) if is_agent => {
            known.roles != actor.staff_roles
                || known.provider != actor.provider
                || known.contact.open() != actor.contact.open()
        }
        Some(known) => known.roles.contains(&StaffRole::Agent),
    }
}

/// Records on the actor's own account what their sign-in says.
pub fn recognize(account: &Account, context: &Context<'_>) -> Vec<AccountEvent> {
    let actor = context.actor;
    if !is_news(account, actor) {
        return Vec::new();
    }
    vec![
        StaffRecognized {
            roles: actor.staff_roles.clone(),
            provider: actor.provider.clone(),
            contact: actor.contact.clone(),
        }
        .into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountCommand, DeactivateAccount};
    use crate::event::{Aggregate, EventAudience};
    use crate::ids::ProviderId;
    use crate::testing::{acme, decide_account, evolved, opened, people, recognized};

    fn said(account: &Account, actor: &Actor) -> Vec<AccountEvent> {
        recognized(account, actor)
    }

    /// R-ROUTE-1.
    #[test]
    fn r_route_1_an_agent_is_recorded_once_and_again_when_provider_roles_or_name_change() {
        let mut north = people("agent-north");
        let events = said(&Account::default(), &north);
        assert!(matches!(&events[..], [AccountEvent::StaffRecognized(_)]), "{events:?}");
        assert_eq!(Account::audience(&events[0]), EventAudience::Internal);
        let mut known = evolved(&Account::default(), &events);
        assert_eq!(known.agent().unwrap().provider, ProviderId::new("north").ok());
        assert_eq!(known.status(), AccountStatus::Unknown, "no organization has opened it");
        assert_eq!(said(&known, &north), vec![]);
        north.provider = ProviderId::new("south").ok();
        known = evolved(&known, &said(&known, &north));
        assert_eq!(known.agent().unwrap().provider, ProviderId::new("south").ok());
        north.staff_roles.insert(StaffRole::Engineer);
        assert_eq!(said(&known, &north).len(), 1);
        north.staff_roles.clear();
        known = evolved(&known, &said(&known, &north));
        assert!(known.agent().is_none() && known.staff().is_some());
        assert_eq!(said(&known, &north), vec![], "who is none any more is said once");
    }

    #[test]
    fn others_leave_no_record_and_who_is_out_is_no_agent() {
        for who in ["alice", "engineer", "auditor", "operator", "provisioner"] {
            assert_eq!(said(&Account::default(), &people(who)), vec![], "{who}");
        }
        let mut erin = people("erin");
        erin.staff_roles.insert(StaffRole::Agent);
        let account = opened("erin");
        let account = evolved(&account, &said(&account, &erin));
        assert!(account.agent().is_some());
        let out = AccountCommand::Deactivate(DeactivateAccount {});
        let events = decide_account(&account, "erin", &out, "provisioner", &acme().build()).unwrap();
        let account = evolved(&account, &events);
        assert!(account.agent().is_none());
        erin.provider = ProviderId::new("north").ok();
        assert_eq!(said(&account, &erin), vec![]);
    }
}
