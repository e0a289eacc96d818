//! Filing a case (R-CASE-1, R-CASE-4, R-PLAN-1).

use super::events::{
    CaseEvent, CaseFiled, ClassificationRef, HelpReference, ObjectiveCause, Problem, ResponseKind,
    RoutingCause,
};
use super::follow_up::FollowUpOf;
use super::rejection::CaseRejection;
use super::response::ToAnswer;
use super::state::CaseState;
use super::{channel, route};
use crate::access::Entitlement;
use crate::authority::{AccessRefusal, Action, Side};
use crate::catalogue::{Catalogue, Channel, Classification, Priority};
use crate::context::Context;
use crate::ids::{CaseId, OrganizationId, PlanId, ProductId};
use crate::personal::Personal;

/// Longest title, in characters.
pub const MAX_TITLE_CHARS: usize = 1_000;
/// Longest description, in characters.
pub const MAX_DESCRIPTION_CHARS: usize = 60_000;
/// Most subscribers of one case.
pub(super) const MAX_SUBSCRIBERS: usize = 100;
/// Longest of the other texts, in characters.
const MAX_TEXT_CHARS: usize = 60_000;

/// Files a case.
#[derive(Clone, Debug)]
pub struct FileCase {
    /// Key of the classification.
    pub classification: String,
    /// Short summary.
    pub title: Personal<String>,
    /// The whole story.
    pub description: Personal<String>,
    /// Urgency; must be given.
    pub priority: Option<Priority>,
    /// Language wished for.
    pub language: String,
    /// IANA name or offset.
    pub time_zone: Option<String>,
    /// Address to reach the filer at.
    pub contact_email: Option<Personal<String>>,
    /// Addresses that get updates.
    pub subscribers: Vec<Personal<String>>,
    /// Not to be worked on.
    pub test_case: bool,
    /// More about the problem.
    pub problem: Option<Problem>,
    /// By which channel; the web where it is not given.
    pub channel: Option<Channel>,
    /// The closed case that it follows up, which only [`super::follow_up`] names.
    pub follow_up_of: Option<FollowUpOf>,
    /// The session with the help assistant that it came of.
    pub help: Option<HelpReference>,
}

impl FileCase {
    pub(super) fn decide(
        &self,
        state: &CaseState,
        context: &Context<'_>,
    ) -> Result<Vec<CaseEvent>, CaseRejection> {
        if state.filed().is_some() {
            return Err(CaseRejection::AlreadyFiled);
        }
        let qualified = self.qualify(context)?;
        let filed = CaseFiled {
            case: CaseId::derived(context.command_id),
            organization: qualified.organization,
            product: qualified.product,
            classification: qualified.classification,
            title: self.title.clone(),
            description: self.description.clone(),
            priority: qualified.priority,
            language: qualified.language,
            time_zone: self.time_zone.clone(),
            contact_email: self.contact_email.clone(),
            subscribers: self.subscribers.clone(),
            test_case: self.test_case,
            problem: self.problem.clone(),
            filer: context.actor.contact.clone(),
            side: qualified.side,
            manager: qualified.manager,
            access_revision: qualified.access_revision,
            entitlement: qualified.entitlement,
            channel: self.channel,
            follow_up_of: self.follow_up_of.map(FollowUpOf::case),
            imported_from: None,
            help: self.help.clone(),
            known_issue: None,
        };
        Ok(with_routing_and_promise(filed, context))
    }

    /// What filing this takes from the catalogue and the organization's access at this moment: all that later decisions and reads
    /// want of it. Files nothing.
    ///
    /// # Errors
    /// [`CaseRejection`] says why it would be refused.
    pub fn qualify(&self, context: &Context<'_>) -> Result<QualifiedFiling, CaseRejection> {
        let (classification, priority) = self.checked(context.catalogue)?;
        let product = &classification.product;
        // A product on which the filer has no role is as unknown to them as its cases.
        context.authority.require(Action::FileCase, product)?;
        let entitlement =
            context.access.entitlement_to_file(product, context.catalogue, context.now)?.clone();
        check_priority_offered(priority, product, context)?;
        let language = context.catalogue.language(&self.language);
        let facts = route::facts(product, &language, self.channel.unwrap_or(Channel::Web), context);
        channel::check(&facts, context)?;
        Ok(QualifiedFiling {
            organization: context.organization.ok_or(AccessRefusal::NotAMember)?.clone(),
            product: product.clone(),
            classification: ClassificationRef {
                id: classification.id.clone(),
                display_name: classification.display_name.clone(),
            },
            priority,
            language,
            side: context.authority.side(),
            manager: context.access.manager().cloned(),
            access_revision: context.access_revision,
            entitlement,
        })
    }

    /// What it is about and how urgent it is, once all that was given fits.
    pub(super) fn checked<'a>(
        &self,
        catalogue: &'a Catalogue,
    ) -> Result<(&'a Classification, Priority), CaseRejection> {
        check_title(&self.title)?;
        check_text("description", &self.description, 1, MAX_DESCRIPTION_CHARS)?;
        let priority = self
            .priority
            .ok_or_else(|| CaseRejection::invalid("priority", "give one of P0, P1, P2, P3, P4"))?;
        if self.classification.is_empty() {
            return Err(CaseRejection::invalid(
                "classification.id",
                "give the id of a classification; caseClassifications:search lists them",
            ));
        }
        let classification = catalogue.classification(&self.classification).ok_or_else(|| {
            CaseRejection::invalid(
                "classification.id",
                "no such classification; caseClassifications:search lists them",
            )
        })?;
        check_subscribers(&self.subscribers)?;
        if let Some(contact_email) = &self.contact_email {
            check_address("contactEmail", contact_email)?;
        }
        if let Some(problem) = &self.problem {
            check_problem(problem)?;
        }
        Ok((classification, priority))
    }
}

/// What a filing takes from the catalogue and the organization's access at its moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QualifiedFiling {
    /// Whose case it is.
    pub organization: OrganizationId,
    /// The product, from the classification.
    pub product: ProductId,
    /// What it is about.
    pub classification: ClassificationRef,
    /// Urgency.
    pub priority: Priority,
    /// Language support answers in.
    pub language: String,
    /// From which side it is filed.
    pub side: Side,
    /// The reseller that manages the organization (R-RES-3).
    pub manager: Option<OrganizationId>,
    /// Revision of the access state that it relies on.
    pub access_revision: Option<u64>,
    /// The entitlement that makes it eligible (R-PLAN-1).
    pub entitlement: Entitlement,
}

/// A filing, to whom it goes, and when support promises to answer.
pub(super) fn with_routing_and_promise(filed: CaseFiled, context: &Context<'_>) -> Vec<CaseEvent> {
    let facts = route::facts(&filed.product, &filed.language, filed.channel.unwrap_or(Channel::Web), context);
    let routed = route::routed(&facts, None, RoutingCause::Filing, context.catalogue);
    let to_answer = ToAnswer {
        kind: ResponseKind::First,
        cause: ObjectiveCause::Filing,
        product: &filed.product,
        priority: filed.priority,
        provider: routed.as_ref().map(|routed| &routed.provider),
        test_case: filed.test_case,
    };
    let promise = to_answer.promise(context);
    [filed.into()].into_iter().chain(routed.map(CaseEvent::from)).chain(promise).collect()
}

/// Whether the organization's plan offers a priority for a product (R-PLAN-3).
pub(super) fn check_priority_offered(
    priority: Priority,
    product: &ProductId,
    context: &Context<'_>,
) -> Result<(), CaseRejection> {
    if context.access.offers_priority(product, priority, context.catalogue, context.now) {
        return Ok(());
    }
    let plans: Vec<PlanId> = context
        .catalogue
        .plans
        .iter()
        .filter(|plan| plan.priorities.contains(&priority))
        .map(|plan| plan.id.clone())
        .collect();
    Err(CaseRejection::PriorityNotOffered { priority, plans })
}

pub(super) fn check_title(title: &Personal<String>) -> Result<(), CaseRejection> {
    check_text("displayName", title, 1, MAX_TITLE_CHARS)
}

/// Checks the length of an open text in characters; one of blanks only counts as empty.
pub(super) fn check_text(
    field: &'static str,
    text: &Personal<String>,
    min_chars: usize,
    max_chars: usize,
) -> Result<(), CaseRejection> {
    let text = text.open().map(String::as_str).unwrap_or_default();
    if min_chars > 0 && text.trim().is_empty() {
        return Err(CaseRejection::invalid(field, "must not be empty"));
    }
    // Bytes bound characters from above, so most texts are never counted.
    if text.len() > max_chars && text.chars().count() > max_chars {
        return Err(CaseRejection::invalid(field, format!("must have at most {max_chars} characters")));
    }
    Ok(())
}

pub(super) fn check_subscribers(subscribers: &[Personal<String>]) -> Result<(), CaseRejection> {
    if subscribers.len() > MAX_SUBSCRIBERS {
        return Err(CaseRejection::invalid(
            "subscriberEmailAddresses",
            format!("must have at most {MAX_SUBSCRIBERS} addresses"),
        ));
    }
    subscribers.iter().try_for_each(|address| check_address("subscriberEmailAddresses", address))
}

/// Shape only: whether mail may go there is decided when it would be sent (R-NOTIFY-1).
fn check_address(field: &'static str, address: &Personal<String>) -> Result<(), CaseRejection> {
    let text = address.open().map(String::as_str).unwrap_or_default();
    let shaped = text.len() <= 320
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
        && text.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if shaped {
        Ok(())
    } else {
        Err(CaseRejection::invalid(field, "wanted email addresses, such as ada@acme.example"))
    }
}

fn check_problem(problem: &Problem) -> Result<(), CaseRejection> {
    if let (Some(start), Some(end)) = (problem.start, problem.end)
        && end < start
    {
        return Err(CaseRejection::invalid("problem.end", "must not be before problem.start"));
    }
    if problem.end.is_some() && problem.start.is_none() {
        return Err(CaseRejection::invalid("problem.start", "must be given with problem.end"));
    }
    if problem.affected_user_percent.is_some_and(|percent| percent > 100) {
        return Err(CaseRejection::invalid("problem.affectedUserPercent", "must be from 0 to 100"));
    }
    if problem.version.as_ref().is_some_and(|version| version.chars().count() > MAX_TITLE_CHARS) {
        return Err(CaseRejection::invalid(
            "problem.version",
            format!("must have at most {MAX_TITLE_CHARS} characters"),
        ));
    }
    let texts = [
        ("problem.logEntries", &problem.log_entries),
        ("problem.code", &problem.code),
        ("problem.applicationFlow", &problem.application_flow),
        ("problem.userImpact", &problem.user_impact),
    ];
    texts
        .into_iter()
        .filter_map(|(field, text)| text.as_ref().map(|text| (field, text)))
        .try_for_each(|(field, text)| check_text(field, text, 0, MAX_TEXT_CHARS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseCommand, Reproducible, Status};
    use crate::testing::{Given, acme, at, file_case, personal};

    fn filed(change: impl FnOnce(&mut FileCase)) -> CaseCommand {
        let mut command = file_case();
        change(&mut command);
        CaseCommand::File(Box::new(command))
    }

    /// R-CASE-1.
    #[test]
    fn r_case_1_filing_keeps_everything_that_was_given() {
        let command = filed(|command| {
            command.subscribers = vec![personal("one@example.com")];
            command.time_zone = Some("Europe/Paris".to_owned());
            command.test_case = true;
            command.problem = Some(Problem {
                start: Some(at(-60)),
                end: Some(at(-30)),
                version: Some("1.2".to_owned()),
                log_entries: Some(personal("panicked at …")),
                reproducible: Some(Reproducible::Unknown),
                code: Some(personal("fn main() {}")),
                application_flow: Some(personal("a → b")),
                affected_user_percent: Some(100),
                user_impact: Some(personal("nobody can sign in")),
            });
        });
        let state = Given::nothing().when("alice", 0, &command).state();
        let case = state.filed().expect("filed");
        let CaseCommand::File(command) = command else { unreachable!() };
        assert_eq!(case.status, Status::New);
        assert_eq!(case.filed_at, at(0));
        assert_eq!((&case.title, &case.description), (&command.title, &command.description));
        assert_eq!(case.subscribers, command.subscribers);
        assert_eq!(case.time_zone, command.time_zone);
        assert_eq!(case.problem, command.problem);
        assert!(case.test_case);
        assert_eq!(case.entitlement.plan.as_str(), "platinum");
        assert_eq!(case.classification.display_name, "Compute > Virtual machines");
    }

    /// R-CASE-1.
    #[test]
    fn r_case_1_what_is_missing_or_does_not_fit_is_refused_by_field() {
        let cases: [(&str, CaseCommand); 12] = [
            ("displayName", filed(|c| c.title = personal(" "))),
            ("displayName", filed(|c| c.title = personal(&"x".repeat(MAX_TITLE_CHARS + 1)))),
            ("description", filed(|c| c.description = personal(""))),
            ("description", filed(|c| c.description = personal(&"é".repeat(MAX_DESCRIPTION_CHARS + 1)))),
            ("priority", filed(|c| c.priority = None)),
            ("classification.id", filed(|c| c.classification = String::new())),
            ("classification.id", filed(|c| c.classification = "nope".to_owned())),
            ("subscriberEmailAddresses", filed(|c| c.subscribers = vec![personal("nobody")])),
            ("contactEmail", filed(|c| c.contact_email = Some(personal("a b@example.com")))),
            (
                "problem.end",
                filed(|c| {
                    c.problem = Some(Problem { start: Some(at(1)), end: Some(at(0)), ..Problem::default() });
                }),
            ),
            (
                "problem.start",
                filed(|c| c.problem = Some(Problem { end: Some(at(0)), ..Problem::default() })),
            ),
            (
                "problem.affectedUserPercent",
                filed(|c| {
                    c.problem = Some(Problem { affected_user_percent: Some(101), ..Problem::default() });
                }),
            ),
        ];
        for (field, command) in cases {
            let rejection = Given::nothing().when("alice", 0, &command).rejection();
            assert_eq!(rejection.field(), Some(field), "{rejection}");
        }
    }

    /// R-CASE-1.
    #[test]
    fn r_case_1_fifty_thousand_characters_of_description_are_taken() {
        let command = filed(|c| c.description = personal(&"漢".repeat(50_000)));
        assert_eq!(Given::nothing().when("alice", 0, &command).events().len(), 1);
    }

    /// R-CASE-1.
    #[test]
    fn r_case_1_an_unknown_language_becomes_english_and_a_regional_one_its_base() {
        for (wish, language) in [("fr-CA", "fr"), ("xx", "en"), ("", "en"), ("ja", "ja")] {
            let state = Given::nothing().when("alice", 0, &filed(|c| c.language = wish.to_owned())).state();
            assert_eq!(state.filed().unwrap().language, language, "{wish:?}");
        }
    }

    /// R-CASE-4.
    #[test]
    fn r_case_4_filing_needs_editor_and_the_support_privilege() {
        assert_eq!(Given::nothing().when("bob", 0, &filed(|_| ())).events().len(), 1);
        for (who, reason) in [
            ("carol", "ROLE_TOO_LOW"),
            ("dave", "NO_SUPPORT_PRIVILEGE"),
            ("peter", "NOT_A_MEMBER"),
            ("agent-north", "NOT_FOR_YOU"),
        ] {
            assert_eq!(Given::nothing().when(who, 0, &filed(|_| ())).rejection().reason(), reason, "{who}");
        }
    }

    /// R-PLAN-1.
    #[test]
    fn r_plan_1_filing_without_an_eligible_plan_names_the_plans_that_would_do() {
        let rejection = Given::nothing()
            .in_access(acme().without_entitlements().build())
            .when("alice", 0, &filed(|_| ()))
            .rejection();
        assert_eq!(rejection.reason(), "NO_ELIGIBLE_PLAN");
        assert_eq!(rejection.metadata()[1], ("plans", "gold, platinum, silver".to_owned()));
    }

    /// R-PLAN-2.
    #[test]
    fn r_plan_2_once_a_products_support_has_moved_only_the_exempted_file_for_it_and_others_get_the_pointer() {
        let command = filed(|command| command.classification = "search-index".to_owned());
        let moved = acme().without_entitlements().entitled("search", "gold");
        let moved = moved.granted("alice", &[("search", crate::Role::Owner)]);
        let file_at = |access: &crate::testing::AccessBuilder, second| {
            Given::nothing().in_access(access.clone().build()).when("alice", second, &command).result().err()
        };
        assert_eq!(file_at(&moved, 5_999), None, "announced only");
        let refused = file_at(&moved, 6_000).unwrap();
        assert_eq!(refused.reason(), "PRODUCT_MOVED");
        assert_eq!(
            refused.metadata()[1..],
            [
                ("successor", "Search Partners".to_owned()),
                ("url", "https://search.example/support".to_owned()),
            ]
        );
        assert_eq!(file_at(&moved.entitled("storage", "silver"), 6_000), None, "storage exempts");
    }

    /// R-PLAN-3.
    #[test]
    fn r_plan_3_p0_is_filed_only_with_a_plan_that_offers_it() {
        let p0 = filed(|c| c.priority = Some(Priority::P0));
        assert_eq!(Given::nothing().when("alice", 0, &p0).events().len(), 1);
        let gold = acme().without_entitlements().entitled("compute", "gold").build();
        let rejection = Given::nothing().in_access(gold).when("alice", 0, &p0).rejection();
        assert_eq!((rejection.reason(), rejection.field()), ("PRIORITY_NOT_OFFERED", Some("priority")));
        assert_eq!(rejection.metadata(), vec![("plans", "premier".to_owned())]);
    }

    /// R-RES-3.
    #[test]
    fn r_res_3_the_manager_of_the_moment_and_the_access_revision_stand_in_the_filing() {
        let managed = acme().managed_by("nimbus").build();
        let events = Given::nothing().in_access(managed).when("alice", 0, &filed(|_| ())).events();
        let [CaseEvent::CaseFiled(event)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(event.manager.as_ref().map(crate::OrganizationId::as_str), Some("nimbus"));
        assert_eq!(event.access_revision, Some(7));
    }
}
