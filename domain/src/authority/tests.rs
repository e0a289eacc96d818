//! Who may what, person by person.

use super::*;
use crate::testing::{acme, acme_id, at, people};

/// R-ACCESS-3.
#[test]
fn r_access_3_a_grant_holds_from_its_instant_on_inclusive_and_is_pending_before() {
    let access = acme().pending("erin", at(100)).build();
    let erin = people("erin");
    let authority = |second| Authority::of(&erin, &acme_id(), &access, at(second));
    assert_eq!(authority(99).open_to(Action::ReadCases), Err(AccessRefusal::AccessPending { from: at(100) }));
    assert_eq!(authority(99).visibility(), VisibilityScope::Nothing);
    assert_eq!(authority(100).open_to(Action::ReadCases), Ok(()));
}

/// R-ACCESS-7.
#[test]
fn r_access_7_being_listed_is_not_enough_to_contact_support() {
    let access = acme().build();
    let dave = Authority::of(&people("dave"), &acme_id(), &access, at(0));
    for action in [Action::ReadCases, Action::FileCase, Action::CommentOnCase] {
        assert_eq!(dave.open_to(action), Err(AccessRefusal::NoSupportPrivilege), "{action:?}");
    }
}

/// R-CASE-4.
#[test]
fn r_case_4_viewers_read_and_do_nothing_else() {
    let access = acme().build();
    let compute = ProductId::new("compute").unwrap();
    let carol = Authority::of(&people("carol"), &acme_id(), &access, at(0));
    assert_eq!(carol.require(Action::ReadCases, &compute), Ok(()));
    for action in
        [Action::FileCase, Action::CommentOnCase, Action::EditCase, Action::CloseCase, Action::EscalateCase]
    {
        assert_eq!(
            carol.require(action, &compute),
            Err(AccessRefusal::RoleTooLow { needed: Role::Editor }),
            "{action:?}"
        );
    }
}

#[test]
fn a_role_on_one_product_opens_no_other() {
    let access = acme().build();
    let bob = Authority::of(&people("bob"), &acme_id(), &access, at(0));
    let identity = ProductId::new("identity").unwrap();
    assert!(bob.require(Action::FileCase, &ProductId::new("compute").unwrap()).is_ok());
    assert_eq!(
        bob.require(Action::ReadCases, &identity),
        Err(AccessRefusal::RoleTooLow { needed: Role::Viewer })
    );
    assert!(!bob.visibility().contains(&acme_id(), &identity));
}

#[test]
fn an_outsider_learns_nothing_whether_or_not_the_organization_exists() {
    let peter = people("peter");
    let known = Authority::of(&peter, &acme_id(), &acme().build(), at(0));
    let unknown = Authority::of(&peter, &OrganizationId::new("nowhere").unwrap(), &Access::default(), at(0));
    assert_eq!(known.open_to(Action::ReadCases), Err(AccessRefusal::NotAMember));
    assert_eq!(unknown.open_to(Action::ReadCases), Err(AccessRefusal::NotAMember));
    assert_eq!(known.visibility(), VisibilityScope::Nothing);
}

#[test]
fn staff_without_a_role_for_cases_sees_none() {
    let access = acme().build();
    let operator = Authority::of(&people("operator"), &acme_id(), &access, at(0));
    assert_eq!(operator.visibility(), VisibilityScope::Nothing);
    assert!(operator.open_to(Action::AdministerOrganizations).is_ok());
}

/// R-AUDIT-1 and R-ANALYTICS-1: the two who read history, each their own.
#[test]
fn r_audit_1_an_auditor_replays_history_and_an_analyst_consumes_events_and_nobody_else_does() {
    let access = acme().build();
    for name in ["alice", "dave", "peter", "agent-north", "engineer", "auditor", "analyst", "operator"] {
        let authority = Authority::of(&people(name), &acme_id(), &access, at(0));
        assert_eq!(authority.open_to(Action::ReadHistory).is_ok(), name == "auditor", "{name}");
        let across = Authority::across_organizations(&people(name));
        assert_eq!(across.open_to(Action::ReadEventFeed), authority.open_to(Action::ReadEventFeed), "{name}");
        assert_eq!(across.open_to(Action::ReadEventFeed).is_ok(), name == "analyst", "{name}");
        assert_eq!(across.visibility(), VisibilityScope::Nothing, "{name}");
    }
}

#[test]
fn what_spans_organizations_is_refused_with_the_same_words_whoever_asks() {
    let access = acme().pending("erin", at(100)).build();
    for name in ["alice", "dave", "erin", "peter"] {
        let refused = Authority::of(&people(name), &acme_id(), &access, at(0)).open_to(Action::ReadEventFeed);
        assert_eq!(refused, Err(AccessRefusal::NotForYou { who: "support staff" }), "{name}");
    }
}
