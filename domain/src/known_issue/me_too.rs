//! 'Me too' (R-KI-4, R-KI-5): a user says that the issue affects them.

use super::events::{AffectedUserJoined, AffectedUserRejoined, AffectedUserResubscribed, KnownIssueEvent};
use super::rejection::KnownIssueRejection;
use super::{KnownIssue, KnownIssueStatus};
use crate::case::{CaseState, FileCase, MAX_DESCRIPTION_CHARS};
use crate::catalogue::Priority;
use crate::context::Context;
use crate::ids::CaseId;
use crate::personal::{Personal, Subject};

/// Says that it affects one.
#[derive(Clone, Debug)]
pub struct MeToo {
    /// The case that was filed for them before, as loaded; nothing where there is none, or it is not filed yet. The append
    /// must guard its revision.
    pub case: CaseState,
    /// Urgency of the case; P3 where it is not given.
    pub priority: Option<Priority>,
    /// Language wished for.
    pub language: String,
    /// IANA name or offset.
    pub time_zone: Option<String>,
    /// What they say themselves.
    pub description: Option<String>,
}

impl MeToo {
    pub(super) fn decide(
        &self,
        issue: &KnownIssue,
        context: &Context<'_>,
    ) -> Result<Vec<KnownIssueEvent>, KnownIssueRejection> {
        if issue.publication.is_none() {
            return Err(KnownIssueRejection::NotFound);
        }
        let filing = self.filing(issue, context)?;
        let qualified = filing.qualify(context)?;
        if issue.status == KnownIssueStatus::Resolved {
            return Err(KnownIssueRejection::Resolved);
        }
        let (account, organization) = (context.actor.account, qualified.organization);
        let Some(user) = issue.affected.get(&organization, account) else {
            let description = self.description.is_some().then_some(filing.description);
            return Ok(vec![
                AffectedUserJoined {
                    account,
                    organization,
                    case: CaseId::derived(context.command_id),
                    contact: context.actor.contact.clone(),
                    side: qualified.side,
                    classification: qualified.classification,
                    priority: qualified.priority,
                    language: qualified.language,
                    time_zone: self.time_zone.clone(),
                    description,
                    manager: qualified.manager,
                    access_revision: qualified.access_revision,
                    entitlement: qualified.entitlement,
                }
                .into(),
            ]);
        };
        let case = user.case;
        // A case that the reactor has not filed yet is as good as open.
        let is_open = self.case.filed().is_none_or(|case| case.status.is_open());
        Ok(if !user.affected && is_open {
            vec![AffectedUserRejoined { account, organization, case }.into()]
        } else if user.subscribed {
            Vec::new()
        } else {
            vec![AffectedUserResubscribed { account, organization, case }.into()]
        })
    }

    /// The case that would be filed: refused as any other would be (R-KI-4).
    fn filing(&self, issue: &KnownIssue, context: &Context<'_>) -> Result<FileCase, KnownIssueRejection> {
        let of_product =
            || context.catalogue.classifications.iter().filter(|one| one.product == issue.product);
        let classification = of_product().find(|one| one.listed).or_else(|| of_product().next());
        let said = self.description.as_deref();
        if said.is_some_and(|said| said.trim().is_empty() || said.chars().count() > MAX_DESCRIPTION_CHARS) {
            let why = format!("must have 1 to {MAX_DESCRIPTION_CHARS} characters, or be left out");
            return Err(KnownIssueRejection::invalid("description", why));
        }
        let own = |text: &str| Personal::new(Subject::account(context.actor.account), text.to_owned());
        Ok(FileCase {
            classification: classification.map(|one| one.id.clone()).unwrap_or_default(),
            // What stands in for the summary, which the reactor reads.
            title: own("known issue"),
            description: own(said.unwrap_or("known issue")),
            priority: self.priority.or(Some(Priority::P3)),
            language: self.language.clone(),
            time_zone: self.time_zone.clone(),
            contact_email: None,
            subscribers: Vec::new(),
            test_case: false,
            problem: None,
            channel: None,
            follow_up_of: None,
            help: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::AffectedUser;
    use super::super::testing::{Given, confirm, me_too, me_too_with, not_affected, resolve, unsubscribe};
    use super::*;
    use crate::known_issue::CustomerImpact;
    use crate::testing::{acme, at, people, reseller};

    fn user(given: &Given, who: &str) -> AffectedUser {
        given.issue().affected.get(&crate::testing::acme_id(), people(who).account).expect("joined")
    }

    /// R-KI-4.
    #[test]
    fn r_ki_4_me_too_counts_and_subscribes_and_names_the_case_with_all_that_filing_it_takes() {
        let command = me_too_with(|it| {
            it.description = Some("since nine".to_owned());
            it.language = "fr-BE".to_owned();
        });
        let events = Given::published().when("alice", 5, &command).events();
        let [KnownIssueEvent::AffectedUserJoined(joined)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(joined.account, people("alice").account);
        assert_eq!((joined.priority, joined.language.as_str()), (Priority::P3, "fr"));
        assert_eq!((joined.classification.id.as_str(), joined.access_revision), ("compute-vm", Some(7)));
        assert_eq!(joined.entitlement.plan.as_str(), "platinum");
        assert_eq!(joined.description.as_ref().unwrap().open().unwrap(), "since nine");
        assert_eq!(joined.description.as_ref().unwrap().subject(), people("alice").contact.subject());
        let given = Given::published().and("alice", 5, &command);
        let joined = user(&given, "alice");
        assert!(joined.affected && joined.subscribed);
        let counts = |given: &Given| {
            (given.issue().affected.organizations_count(), given.issue().affected.users_count())
        };
        assert_eq!(counts(&given), (1, 1));
        assert_eq!(given.clone().when("alice", 6, &me_too()).events(), vec![], "repeating changes nothing");
        assert_eq!(counts(&given.and("bob", 7, &me_too())), (1, 2));
    }

    /// R-KI-4.
    #[test]
    fn r_ki_4_me_too_is_refused_as_filing_would_be() {
        let refused = |who: &str| Given::published().when(who, 5, &me_too()).reason();
        assert_eq!(refused("carol"), "ROLE_TOO_LOW");
        assert_eq!(refused("dave"), "NO_SUPPORT_PRIVILEGE");
        assert_eq!(refused("peter"), "NOT_A_MEMBER");
        assert_eq!(refused("engineer"), "NOT_FOR_YOU");
        let without = Given::published().in_access(acme().without_entitlements().build());
        assert_eq!(without.when("alice", 5, &me_too()).reason(), "NO_ELIGIBLE_PLAN");
        let p0 = me_too_with(|it| it.priority = Some(Priority::P0));
        let silver = acme().without_entitlements().entitled("compute", "silver").build();
        let refused = Given::published().in_access(silver).when("alice", 5, &p0);
        assert_eq!((refused.reason(), refused.field()), ("PRIORITY_NOT_OFFERED", Some("priority")));
        let mute = me_too_with(|it| it.description = Some(" ".to_owned()));
        assert_eq!(Given::published().when("alice", 5, &mute).field(), Some("description"));
    }

    /// R-PLAN-4.
    #[test]
    fn r_plan_4_nobody_joins_or_joins_again_once_the_plan_has_ended_or_the_product_moved() {
        let left = Given::published().and("alice", 5, &me_too()).and("alice", 6, &not_affected());
        let without = left.in_access(acme().without_entitlements().build());
        assert_eq!(without.when("alice", 7, &me_too()).reason(), "NO_ELIGIBLE_PLAN");
        let moved = Given::published_for("search").in_access(acme().entitled("search", "gold").build());
        assert_eq!(moved.clone().when("alice", 5_500, &me_too()).reason(), "ROLE_TOO_LOW");
        let roles = [("search", crate::Role::Owner)];
        let access = acme().without_entitlements().entitled("search", "gold").granted("alice", &roles);
        let moved = moved.in_access(access.build());
        assert_eq!(moved.clone().when("alice", 5_999, &me_too()).events().len(), 1);
        assert_eq!(moved.when("alice", 6_000, &me_too()).reason(), "PRODUCT_MOVED");
    }

    /// R-KI-4.
    #[test]
    fn r_ki_4_an_issue_that_was_not_published_is_not_there_for_users() {
        for given in [
            Given::nothing(),
            Given::suspected(),
            Given::suspected().and("engineer", 1, &confirm(CustomerImpact::High)),
        ] {
            assert_eq!(given.when("alice", 5, &me_too()).reason(), "KNOWN_ISSUE_NOT_FOUND");
        }
    }

    /// R-KI-5.
    #[test]
    fn r_ki_5_me_too_again_resubscribes_the_same_case_or_relinks_it_and_counts_again() {
        let joined = Given::published().and("alice", 5, &me_too());
        let case = user(&joined, "alice").case;
        let unsubscribed = joined.clone().and("alice", 6, &unsubscribe());
        let events = unsubscribed.when("alice", 7, &me_too()).events();
        let [KnownIssueEvent::AffectedUserResubscribed(again)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(again.case, case);
        let left = joined.and("alice", 6, &not_affected());
        let events = left.clone().when("alice", 7, &me_too()).events();
        let [KnownIssueEvent::AffectedUserRejoined(again)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(again.case, case);
        assert_eq!(left.and("alice", 7, &me_too()).issue().affected.users_count(), 1);
    }

    /// R-KI-5.
    #[test]
    fn r_ki_5_on_a_closed_case_me_too_again_only_resubscribes_and_on_a_resolved_issue_it_is_refused() {
        let closed = crate::testing::Given::filed().and("alice", 1, &crate::testing::close()).state();
        let on_closed = me_too_with(|it| it.case = closed);
        let left = Given::published().and("alice", 5, &me_too()).and("alice", 6, &not_affected());
        let again = left.clone().and("alice", 7, &on_closed);
        let now = user(&again, "alice");
        assert!(now.subscribed && !now.affected);
        assert_eq!(again.issue().affected.users_count(), 0);
        assert_eq!(again.clone().when("alice", 8, &on_closed).events(), vec![]);
        let gone = again.and("alice", 8, &unsubscribe());
        assert!(!user(&gone, "alice").subscribed);
        for given in [Given::published(), left] {
            let resolved = given.and("engineer", 8, &resolve());
            assert_eq!(resolved.when("alice", 9, &me_too()).reason(), "KNOWN_ISSUE_RESOLVED");
        }
    }

    /// R-KI-4, R-RES-1.
    #[test]
    fn r_ki_4_a_reseller_who_is_let_in_says_so_on_behalf_and_its_case_will_be_of_its_period() {
        let managed = acme().letting_in("nimbus").build();
        let given = Given::published().in_access(managed).for_reseller(reseller("nimbus").build());
        let events = given.when("nina", 5, &me_too()).events();
        let [KnownIssueEvent::AffectedUserJoined(joined)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(joined.side, crate::Side::Reseller);
        assert_eq!(joined.manager.as_ref().map(crate::OrganizationId::as_str), Some("nimbus"));
        let shut = Given::published().in_access(acme().managed_by("nimbus").build());
        let shut = shut.for_reseller(reseller("nimbus").build());
        assert_eq!(shut.when("nina", 5, &me_too()).reason(), "RESELLER_NOT_ALLOWED");
    }

    #[test]
    fn one_who_speaks_for_two_organizations_has_two_cases_and_is_one_user() {
        let given = Given::published().and("alice", 5, &me_too());
        let other = crate::OrganizationId::new("globex").unwrap();
        let events = given.clone().for_organization(other).when("alice", 6, &me_too()).events();
        let mut state = given.state();
        crate::Aggregate::evolve(&mut state, &events[0], at(6));
        let affected = &state.suspected().unwrap().affected;
        assert_eq!((affected.organizations_count(), affected.users_count()), (2, 1));
        let cases: std::collections::BTreeSet<_> = affected.affected().map(|user| user.case).collect();
        assert_eq!(cases.len(), 2);
    }
}
