//! Who may what, person by person.

use super::*;
use crate::testing::{AccessBuilder, acme, acme_id, at, people, reseller};

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

/// R-ACCESS-7: a role alone reads; contacting support needs the privilege too.
#[test]
fn r_access_7_an_editor_without_the_support_privilege_reads_and_does_nothing_else() {
    let mut access = acme().build();
    let grant = access.members.get_mut(&people("bob").account).and_then(|bob| bob.grant.as_mut());
    grant.unwrap().support_privilege = false;
    let bob = Authority::of(&people("bob"), &acme_id(), &access, at(0));
    assert_eq!(bob.open_to(Action::ReadCases), Ok(()));
    for action in [Action::FileCase, Action::CommentOnCase, Action::EscalateCase, Action::AddMembers] {
        assert_eq!(bob.open_to(action), Err(AccessRefusal::NoSupportPrivilege), "{action:?}");
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
    let compute = ProductId::new("compute").unwrap();
    assert!(bob.visibility().contains(&acme_id(), &compute));
    assert!(!bob.visibility().contains(&OrganizationId::new("initech").unwrap(), &compute));
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
        assert_eq!(across.open_to(Action::ReadKnownIssueHistory).is_ok(), name == "auditor", "{name}");
        let has_queues = matches!(name, "agent-north" | "engineer");
        assert_eq!(across.visibility() != VisibilityScope::Nothing, has_queues, "{name}");
    }
}

#[test]
fn what_spans_organizations_is_refused_with_the_same_words_whoever_asks() {
    let access = acme().pending("erin", at(100)).build();
    for name in ["alice", "dave", "erin", "peter"] {
        for action in [Action::ReadEventFeed, Action::ReadKnownIssueHistory] {
            let of_acme = Authority::of(&people(name), &acme_id(), &access, at(0));
            for authority in [of_acme, Authority::across_organizations(&people(name))] {
                let refused = authority.open_to(action);
                assert_eq!(refused, Err(AccessRefusal::NotForYou { who: "support staff" }), "{name}");
            }
        }
    }
}

fn nimbus_id() -> OrganizationId {
    OrganizationId::new("nimbus").unwrap()
}

/// The authority of somebody who acts for nimbus towards acme.
fn acting_for_nimbus(who: &str, acme: &Access, nimbus: &Access, now: Timestamp) -> Authority {
    let (actor, organization) = (people(who), nimbus_id());
    let centre = CentreAccess::of(&organization, nimbus, [acme], &crate::testing::catalogue(), now);
    let acting_for = Some(ActingFor { organization: &organization, access: nimbus, centre });
    Authority::towards(&Principal { acting_for, ..Principal::direct(&actor) }, &acme_id(), acme, now)
}

/// R-RES-1.
#[test]
fn r_res_1_a_reseller_acts_for_a_customer_only_when_it_says_so() {
    let (acme, nimbus) = (acme().letting_in("nimbus").build(), reseller("nimbus").build());
    let acting = acting_for_nimbus("nina", &acme, &nimbus, at(0));
    assert_eq!((acting.open_to(Action::FileCase), acting.side()), (Ok(()), Side::Reseller));
    let directly = Authority::of(&people("nina"), &acme_id(), &acme, at(0));
    assert_eq!(directly.open_to(Action::ReadCases), Err(AccessRefusal::NotAMember));
    let own = Authority::of(&people("nina"), &nimbus_id(), &nimbus, at(0));
    assert_eq!((own.open_to(Action::FileCase), own.side()), (Ok(()), Side::Customer));
    assert!(
        matches!(own.visibility(), VisibilityScope::Organization { organization, .. } if organization == nimbus_id())
    );
}

/// R-RES-1: who belongs to both acts for one, and explicitly.
#[test]
fn r_res_1_somebody_of_both_organizations_has_the_rights_of_the_one_they_act_for() {
    let both = acme().letting_in("nimbus").granted("nina", &[("compute", Role::Owner)]).build();
    let viewer = reseller("nimbus").granted("nina", &[("compute", Role::Viewer)]).build();
    let acting = acting_for_nimbus("nina", &both, &viewer, at(0));
    assert_eq!(acting.open_to(Action::FileCase), Err(AccessRefusal::RoleTooLow { needed: Role::Editor }));
    assert!(matches!(acting.visibility(), VisibilityScope::Reseller { .. }));
    let directly = Authority::of(&people("nina"), &acme_id(), &both, at(0));
    assert_eq!(directly.open_to(Action::ManageMembers), Ok(()));
    let acme = acme_id();
    let itself = ActingFor { organization: &acme, access: &both, centre: CentreAccess::Closed };
    let actor = people("nina");
    let principal = Principal { acting_for: Some(itself), ..Principal::direct(&actor) };
    assert_eq!(
        Authority::towards(&principal, &acme, &both, at(0)),
        directly,
        "acting for the very organization"
    );
}

/// R-RES-2, R-RES-6 and R-ACCESS-6: each refusal has its reason, and a stranger's is the same as for no such organization.
#[test]
fn r_res_2_each_relation_of_a_reseller_has_its_own_answer() {
    let refused = |who, acme: &AccessBuilder, nimbus: &AccessBuilder| {
        let authority = acting_for_nimbus(who, &acme.clone().build(), &nimbus.clone().build(), at(0));
        authority.open_to(Action::ReadCases).err()
    };
    let not_allowed = |because| Some(AccessRefusal::ResellerNotAllowed { because });
    let (let_in, nimbus) = (acme().letting_in("nimbus"), reseller("nimbus"));
    assert_eq!(refused("nina", &let_in, &nimbus), None);
    assert_eq!(
        refused("nina", &acme().managed_by("nimbus"), &nimbus),
        not_allowed(ResellerRefusal::NotLetIn)
    );
    let (poor, poor_nimbus) = (let_in.clone().without_entitlements(), nimbus.clone().without_entitlements());
    assert_eq!(refused("nina", &poor, &nimbus), None);
    assert_eq!(refused("nina", &let_in, &poor_nimbus), None);
    assert_eq!(refused("nina", &poor, &poor_nimbus), not_allowed(ResellerRefusal::NoEligiblePlan));
    let stranger = Some(AccessRefusal::NotAMember);
    assert_eq!(refused("nina", &acme(), &nimbus), stranger);
    assert_eq!(refused("nina", &acme().letting_in("stratus"), &nimbus), stranger);
    assert_eq!(refused("sam", &let_in, &nimbus), stranger);
    assert_eq!(
        refused("nina", &let_in, &acme().granted("nina", &[("compute", Role::Owner)])),
        stranger,
        "no reseller"
    );
    assert_eq!(refused("agent-north", &let_in, &nimbus), stranger, "staff act for nobody");
    assert_eq!(
        refused("nick", &let_in, &nimbus.clone().listed("nick")),
        Some(AccessRefusal::NoSupportPrivilege)
    );
    let later = nimbus.pending("nick", at(9));
    assert_eq!(refused("nick", &let_in, &later), Some(AccessRefusal::AccessPending { from: at(9) }));
}

/// R-RES-1.
#[test]
fn r_res_1_a_reseller_manages_neither_members_nor_its_own_admission() {
    let (acme, nimbus) = (acme().letting_in("nimbus").build(), reseller("nimbus").build());
    let nina = acting_for_nimbus("nina", &acme, &nimbus, at(0));
    for action in Action::ALL {
        let case_work = [
            Action::ReadClassifications,
            Action::ReadCases,
            Action::FileCase,
            Action::CommentOnCase,
            Action::AttachToCase,
            Action::EditCase,
            Action::CloseCase,
            Action::EscalateCase,
            Action::ReadOneself,
            Action::RequestAccountRecovery,
            Action::SendFeedback,
            Action::UseHelpAssistant,
            Action::RequestCompensation,
            Action::AnswerSurvey,
            Action::FollowKnownIssues,
            Action::JoinKnownIssue,
            Action::LeaveKnownIssue,
            Action::ChangeNotifications,
        ];
        assert_eq!(nina.open_to(action).is_ok(), case_work.contains(&action), "{action:?}");
    }
}

/// R-RES-3: of a customer that lets it in, only what was filed under its own management, on its people's products.
#[test]
fn r_res_3_the_scope_admits_what_was_filed_under_the_reseller_where_it_is_let_in() {
    let (acme, nimbus) = (acme().letting_in("nimbus").build(), reseller("nimbus").build());
    let here = acting_for_nimbus("nina", &acme, &nimbus, at(0)).visibility();
    let (acme_id, compute, stratus) =
        (acme_id(), ProductId::new("compute").unwrap(), OrganizationId::new("stratus").unwrap());
    let nimbus = nimbus_id();
    let fits = CaseFacts {
        organization: &acme_id,
        product: &compute,
        manager_at_filing: Some(&nimbus),
        allowed_reseller: Some(&nimbus),
        provider: None,
    };
    assert!(here.admits(&fits));
    for wrong in [
        CaseFacts { organization: &stratus, ..fits },
        CaseFacts { product: &ProductId::new("identity").unwrap(), ..fits },
        CaseFacts { manager_at_filing: Some(&stratus), ..fits },
        CaseFacts { manager_at_filing: None, ..fits },
        CaseFacts { allowed_reseller: Some(&stratus), ..fits },
        CaseFacts { allowed_reseller: None, ..fits },
    ] {
        assert!(!here.admits(&wrong), "{wrong:?}");
    }
    assert!(!here.contains(&acme_id, &compute), "without the filing nothing is known to be admitted");
}

/// A deactivated account is out at once, whatever it may do; who was never known is told so.
#[test]
fn a_deactivated_account_has_no_authority_anywhere_and_an_unknown_stranger_learns_that_there_is_no_account() {
    let access = acme().build();
    for who in ["alice", "peter", "agent-north", "auditor", "operator"] {
        let actor = people(who);
        let out = Principal { account: AccountStatus::Deactivated, ..Principal::direct(&actor) };
        for authority in
            [Authority::towards(&out, &acme_id(), &access, at(0)), Authority::across(&out, at(0))]
        {
            for action in Action::ALL {
                let refused = Err(AccessRefusal::NoAccount { deactivated: true });
                assert_eq!(authority.open_to(action), refused, "{who}: {action:?}");
            }
            assert_eq!(authority.visibility(), VisibilityScope::Nothing);
        }
    }
    let unknown = |who: &str| {
        let actor = people(who);
        let principal = Principal { account: AccountStatus::Unknown, ..Principal::direct(&actor) };
        Authority::towards(&principal, &acme_id(), &access, at(0)).open_to(Action::ReadCases).err()
    };
    assert_eq!(unknown("peter"), Some(AccessRefusal::NoAccount { deactivated: false }));
    assert_eq!(unknown("alice"), None, "a member whom the operator added before they ever signed in");
    assert_eq!(unknown("agent-north"), None);
    assert_eq!(unknown("operator"), Some(AccessRefusal::NotForYou { who: "other roles" }));
}

/// R-ACCESS-1, R-ACCESS-2, R-RES-2: the policy of an organization's own affairs.
#[test]
fn r_access_2_owners_manage_editors_and_viewers_add_and_read_and_outsiders_nothing() {
    let access = acme().build();
    let open = |who, action| Authority::of(&people(who), &acme_id(), &access, at(0)).open_to(action).is_ok();
    let readers = ["alice", "bob", "carol", "operator"];
    let owners = ["alice", "operator"];
    for who in [
        "alice",
        "bob",
        "carol",
        "dave",
        "peter",
        "agent-north",
        "auditor",
        "analyst",
        "operator",
        "provisioner",
    ] {
        for action in
            [Action::ReadOrganization, Action::ReadMembers, Action::ReadSupportProfile, Action::AddMembers]
        {
            assert_eq!(open(who, action), readers.contains(&who), "{who}: {action:?}");
        }
        for action in [
            Action::ManageMembers,
            Action::ManageResellerAccess,
            Action::EditOrganization,
            Action::ClaimDomain,
            Action::ManageEventDelivery,
        ] {
            assert_eq!(open(who, action), owners.contains(&who), "{who}: {action:?}");
        }
        assert_eq!(open(who, Action::DirectEventDelivery), who == "alice", "{who}");
        assert_eq!(open(who, Action::ProvisionAccounts), ["operator", "provisioner"].contains(&who), "{who}");
        assert_eq!(open(who, Action::ExplainAccess), ["operator", "auditor"].contains(&who), "{who}");
        assert!(open(who, Action::RequestAccountRecovery), "{who}");
        let support = ["operator", "agent-north"].contains(&who);
        assert_eq!(open(who, Action::HandleAccountRecovery), support, "{who}");
    }
}

/// A machine that feeds one organization's accounts is nobody elsewhere, and nobody at all while it is bound to none.
#[test]
fn a_provisioner_is_one_only_in_the_organization_that_it_is_bound_to() {
    let bound = people("provisioner");
    let unbound = Actor { bound_to: None, ..bound.clone() };
    let may = |actor: &Actor, organization: &OrganizationId| {
        Authority::of(actor, organization, &acme().build(), at(0)).open_to(Action::ProvisionAccounts).is_ok()
    };
    assert!(may(&bound, &acme_id()));
    assert!(!may(&bound, &nimbus_id()));
    assert!(!may(&unbound, &acme_id()));
    assert!(Authority::across_organizations(&bound).open_to(Action::ProvisionAccounts).is_err());
    let agent = Actor { bound_to: Some(nimbus_id()), ..people("agent-north") };
    let reads = Authority::of(&agent, &acme_id(), &acme().build(), at(0)).open_to(Action::ReadCases);
    assert!(reads.is_ok(), "only provisioners are bound");
}

/// R-RES-1.
#[test]
fn r_res_1_staff_act_for_nobody_and_who_tries_is_answered_as_a_stranger() {
    let (acme, nimbus) = (acme().managed_by("nimbus").build(), reseller("nimbus").build());
    let (agent, nimbus_id) = (people("agent-north"), nimbus_id());
    for account in [AccountStatus::Unknown, AccountStatus::Active] {
        let acting_for =
            Some(ActingFor { organization: &nimbus_id, access: &nimbus, centre: CentreAccess::Open });
        let principal = Principal { actor: &agent, account, acting_for };
        let towards = Authority::towards(&principal, &acme_id(), &acme, at(0));
        for authority in [towards, Authority::across(&principal, at(0))] {
            assert_eq!(authority.open_to(Action::ReadCases), Err(AccessRefusal::NotAMember), "{account:?}");
            assert_eq!(authority.visibility(), VisibilityScope::Nothing);
        }
    }
}

#[test]
fn a_reseller_is_on_the_customers_side_of_a_case_and_support_is_not() {
    assert!(Side::Customer.is_customer_side() && Side::Reseller.is_customer_side());
    assert!(!Side::Support.is_customer_side());
}

/// R-ROUTE-1: in an organization and across all of them.
#[test]
fn r_route_1_an_agent_sees_what_was_routed_to_their_provider_and_engineers_and_the_system_see_all() {
    let (north, south) = (ProviderId::new("north").unwrap(), ProviderId::new("south").unwrap());
    let (acme_id, compute) = (acme_id(), ProductId::new("compute").unwrap());
    let facts = |provider| CaseFacts {
        organization: &acme_id,
        product: &compute,
        manager_at_filing: None,
        allowed_reseller: None,
        provider,
    };
    let access = acme().build();
    let sees = |actor: &Actor| {
        let here = Authority::of(actor, &acme_id, &access, at(0)).visibility();
        let across = Authority::across_organizations(actor).visibility();
        let elsewhere = Authority::of(actor, &nimbus_id(), &Access::default(), at(0)).visibility();
        [Some(&north), Some(&south), None].map(|provider| {
            let facts = facts(provider);
            assert_eq!(here.admits(&facts), across.admits(&facts), "{here:?}");
            assert!(!elsewhere.admits(&facts), "{elsewhere:?}");
            here.admits(&facts)
        })
    };
    assert_eq!(sees(&people("agent-north")), [true, false, true]);
    assert_eq!(sees(&people("agent-south")), [false, true, true]);
    assert_eq!(
        sees(&Actor { provider: None, ..people("agent-north") }),
        [false, false, true],
        "nobody's agent sees what nobody has, which is nothing as soon as there are providers"
    );
    assert_eq!(sees(&people("engineer")), [true; 3]);
    assert_eq!(sees(&people("system")), [true; 3]);
    for nobody in ["operator", "auditor", "analyst", "provisioner", "peter"] {
        assert_eq!(sees(&people(nobody)), [false; 3], "{nobody}");
    }
}

/// No sign-in makes anybody the system.
#[test]
fn only_the_system_acts_as_the_system_and_no_claim_names_it() {
    assert_eq!(StaffRole::from_claim("system"), None);
    let open = |who, action| Authority::across_organizations(&people(who)).open_to(action).is_ok();
    for who in ["alice", "agent-north", "engineer", "auditor", "analyst", "operator", "provisioner"] {
        assert!(!open(who, Action::ActAsSystem), "{who}");
        assert_eq!(open(who, Action::ImportCases), who == "operator", "{who}");
    }
    assert!(open("system", Action::ActAsSystem) && open("system", Action::WorkOnCase));
    assert!(!open("system", Action::ReadCases) && !open("system", Action::CommentOnCase));
}
