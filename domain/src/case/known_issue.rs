//! What a case has to do with a known issue (R-KI-4..6). The issue's stream says who is affected; a reactor files, links and
//! unlinks the cases by these commands, and proposes the resolution on each. Only the system issues them, and each changes
//! nothing where it was executed before or the case has moved on.

use super::events::{
    AutomaticClosing, CaseEvent, CaseFiled, CaseStateChanged, KnownIssueLinked, KnownIssueUnlinked,
    ObjectiveCause, SolutionKind, SolutionParticulars, SolutionProposed, StateChangeCause,
};
use super::file::with_routing_and_promise;
use super::rejection::CaseRejection;
use super::response;
use super::state::{Case, Status};
use crate::authority::AccessRefusal;
use crate::catalogue::Channel;
use crate::context::Context;
use crate::ids::KnownIssueId;
use crate::known_issue::AffectedUserJoined;
use crate::personal::{Contact, Personal};

/// Files the case of somebody whom a known issue affects, linked with the issue. Whether they may was decided when they said
/// so, with all that filing takes from that moment; nothing is asked again here.
#[derive(Clone, Debug)]
pub struct FileForKnownIssue {
    /// The known issue.
    pub issue: KnownIssueId,
    /// What was written of it when they said that it affects them, personal values open.
    pub joined: AffectedUserJoined,
    /// Short summary.
    pub title: Personal<String>,
    /// The whole story.
    pub description: Personal<String>,
}

impl FileForKnownIssue {
    pub(super) fn decide(&self, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        let joined = &self.joined;
        if context.organization != Some(&joined.organization) {
            return Err(AccessRefusal::NotAMember.into());
        }
        let filed = CaseFiled {
            case: joined.case,
            organization: joined.organization.clone(),
            product: joined.entitlement.product.clone(),
            classification: joined.classification.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            priority: joined.priority,
            language: joined.language.clone(),
            time_zone: joined.time_zone.clone(),
            contact_email: None,
            subscribers: Vec::new(),
            test_case: false,
            problem: None,
            filer: joined.contact.clone(),
            side: joined.side,
            manager: joined.manager.clone(),
            access_revision: joined.access_revision,
            entitlement: joined.entitlement.clone(),
            channel: Some(Channel::Web),
            follow_up_of: None,
            imported_from: None,
            help: None,
            known_issue: Some(self.issue),
        };
        let mut events = with_routing_and_promise(filed, context);
        events.insert(1, KnownIssueLinked { issue: self.issue }.into());
        Ok(events)
    }
}

/// Links the case with a known issue again: an open one that has none.
#[derive(Clone, Debug)]
pub struct LinkKnownIssue {
    /// The known issue.
    pub issue: KnownIssueId,
}

impl LinkKnownIssue {
    pub(super) fn decide(&self, case: &Case) -> Vec<CaseEvent> {
        if case.status.is_open() && case.known_issue.is_none() {
            vec![KnownIssueLinked { issue: self.issue }.into()]
        } else {
            Vec::new()
        }
    }
}

/// Takes the link with a known issue away: the case goes back to individual support (R-KI-5). Where the issue's resolution
/// was proposed and nobody has answered it, support owes an answer of its own again.
#[derive(Clone, Debug)]
pub struct UnlinkKnownIssue {
    /// The known issue.
    pub issue: KnownIssueId,
}

impl UnlinkKnownIssue {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Vec<CaseEvent> {
        let Some(linked) = case.known_issue.filter(|linked| linked.issue == self.issue) else {
            return Vec::new();
        };
        let mut events = vec![KnownIssueUnlinked { issue: self.issue }.into()];
        let was_resolution = linked.resolved_by_solution.is_some_and(|number| number == case.solutions);
        if case.status == Status::SolutionProvided && was_resolution {
            events.push(
                CaseStateChanged {
                    from: Status::SolutionProvided,
                    to: Status::InProgress,
                    cause: StateChangeCause::KnownIssueUnlinked,
                }
                .into(),
            );
            events.extend(response::awaits(case, ObjectiveCause::KnownIssueUnlinked, context));
        }
        events
    }
}

/// Proposes the resolution of the known issue that the case is about (R-KI-6), once, while it is open.
#[derive(Clone, Debug)]
pub struct ProposeResolution {
    /// The known issue.
    pub issue: KnownIssueId,
    /// The solution, in support's words.
    pub text: Personal<String>,
    /// Who resolved the issue.
    pub author: Personal<Contact>,
    /// The outage on the status dashboard, where the issue names one: then the customer side may ask for a service credit.
    pub outage_url: Option<String>,
}

impl ProposeResolution {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Vec<CaseEvent> {
        let waits = case
            .known_issue
            .is_some_and(|linked| linked.issue == self.issue && linked.resolved_by_solution.is_none());
        if !waits || !case.status.is_open() {
            return Vec::new();
        }
        let closing = context.catalogue.closing.instants(context.now);
        let proposed = SolutionProposed {
            solution: if self.outage_url.is_some() { SolutionKind::Outage } else { SolutionKind::Solved },
            text: self.text.clone(),
            author: self.author.clone(),
            particulars: SolutionParticulars {
                outage_url: self.outage_url.clone(),
                ..SolutionParticulars::default()
            },
            automatic_closing: closing
                .map(|(announced_from, closes_at)| AutomaticClosing { announced_from, closes_at }),
            known_issue: Some(self.issue),
        };
        [proposed.into()].into_iter().chain(response::answers(case, context)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseCommand, CaseEvent};
    use crate::event::EventAudience;
    use crate::ids::CaseId;
    use crate::known_issue::{KnownIssueEvent, testing as issues};
    use crate::testing::{Given, acme, ask, close, comment, people, personal, propose, supported_catalogue};

    fn issue() -> KnownIssueId {
        KnownIssueId(ulid::Ulid::from(9_u128))
    }

    fn joined() -> AffectedUserJoined {
        let events = issues::Given::published().when("alice", 5, &issues::me_too()).events();
        let [KnownIssueEvent::AffectedUserJoined(joined)] = &events[..] else { panic!("{events:?}") };
        joined.clone()
    }

    fn file() -> CaseCommand {
        let (title, description) = (personal("Machines do not start"), personal("me too"));
        CaseCommand::FileForKnownIssue(Box::new(FileForKnownIssue {
            issue: issue(),
            joined: joined(),
            title,
            description,
        }))
    }

    fn link() -> CaseCommand {
        CaseCommand::LinkKnownIssue(LinkKnownIssue { issue: issue() })
    }

    fn unlink() -> CaseCommand {
        CaseCommand::UnlinkKnownIssue(UnlinkKnownIssue { issue: issue() })
    }

    fn resolution() -> CaseCommand {
        resolution_with(None)
    }

    fn resolution_with(outage_url: Option<&str>) -> CaseCommand {
        CaseCommand::ProposeResolution(Box::new(ProposeResolution {
            issue: issue(),
            text: personal("start them again"),
            author: people("engineer").contact,
            outage_url: outage_url.map(str::to_owned),
        }))
    }

    fn linked() -> Given {
        Given::nothing().in_catalogue(supported_catalogue()).and("system", 10, &file())
    }

    fn done(given: &Given, second: i64, command: &CaseCommand) -> Vec<CaseEvent> {
        given.clone().when("system", second, command).events()
    }

    fn status(given: &Given) -> Status {
        given.clone().state().filed().unwrap().status
    }

    /// R-KI-4.
    #[test]
    fn r_ki_4_the_case_is_filed_once_as_its_user_would_have_linked_routed_and_promised_an_answer() {
        // The plan has ended meanwhile: what was qualified when they said so holds.
        let events = done(
            &Given::nothing()
                .in_catalogue(supported_catalogue())
                .in_access(acme().without_entitlements().build()),
            10,
            &file(),
        );
        let [CaseEvent::CaseFiled(filed), CaseEvent::KnownIssueLinked(link), CaseEvent::CaseRouted(_)] =
            &events[..]
        else {
            panic!("{events:?}")
        };
        assert_eq!((filed.case, filed.known_issue, link.issue), (joined().case, Some(issue()), issue()));
        assert_eq!(filed.filer, people("alice").contact);
        assert_eq!(filed.entitlement.plan.as_str(), "platinum");
        assert_eq!(events[1].audience(), EventAudience::Customer);
        let given = linked();
        assert!(given.clone().state().filed().unwrap().objective.is_some());
        assert_eq!(done(&given, 11, &file()), [], "once");
        assert_eq!(given.and("alice", 12, &comment("more")).state().filed().unwrap().id, joined().case);
    }

    /// R-KI-5.
    #[test]
    fn r_ki_5_unlinking_returns_the_case_to_individual_support_and_linking_again_undoes_that() {
        let given = linked();
        assert_eq!(done(&given, 11, &unlink()).len(), 1);
        let back = given.and("system", 11, &unlink());
        assert_eq!(back.clone().state().filed().unwrap().known_issue, None);
        assert_eq!(done(&back, 12, &unlink()), []);
        assert_eq!(done(&back, 12, &resolution()), [], "its resolution is none of its business");
        let again = back.and("system", 12, &link());
        assert_eq!(again.clone().state().filed().unwrap().known_issue.unwrap().issue, issue());
        assert_eq!(done(&again, 13, &link()), []);
    }

    /// R-KI-5.
    #[test]
    fn r_ki_5_a_case_whose_solution_was_the_issues_goes_back_in_progress_and_is_promised_an_answer() {
        let solved = linked().and("system", 20, &resolution());
        let events = done(&solved, 30, &unlink());
        assert!(matches!(
            &events[..],
            [
                CaseEvent::KnownIssueUnlinked(_),
                CaseEvent::CaseStateChanged(_),
                CaseEvent::ResponseObjectiveSet(_),
                CaseEvent::ResponseClockSet(_)
            ]
        ));
        let back = solved.clone().and("system", 30, &unlink());
        assert_eq!(status(&back), Status::InProgress);
        // What support proposed by itself, or the customer has closed, stays as it is.
        let own = solved.clone().and("agent-north", 25, &propose());
        assert_eq!(done(&own, 30, &unlink()).len(), 1);
        let closed = solved.and("alice", 25, &close());
        assert_eq!(done(&closed, 30, &unlink()).len(), 1);
        assert_eq!(
            done(&closed.and("system", 30, &unlink()), 31, &link()),
            [],
            "a closed case stays unlinked"
        );
    }

    /// R-KI-6.
    #[test]
    fn r_ki_6_the_resolution_is_proposed_once_on_a_linked_open_case_in_the_name_of_who_resolved_it() {
        let events = done(&linked(), 20, &resolution());
        let [CaseEvent::SolutionProposed(proposed), CaseEvent::ResponseGiven(_)] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!((proposed.solution, proposed.known_issue), (SolutionKind::Solved, Some(issue())));
        assert_eq!(proposed.author.open().unwrap().display_name, "engineer");
        let solved = linked().and("agent-north", 15, &ask()).and("system", 20, &resolution());
        assert_eq!(status(&solved), Status::SolutionProvided);
        assert_eq!(done(&solved, 21, &resolution()), [], "once");
        let answered = solved.and("alice", 22, &comment("not for me"));
        assert_eq!(done(&answered, 23, &resolution()), [], "nor a second time");
        assert_eq!(done(&linked().and("alice", 15, &close()), 20, &resolution()), []);
        let outage = done(&linked(), 20, &resolution_with(Some("https://status.example/7")));
        let CaseEvent::SolutionProposed(proposed) = &outage[0] else { panic!("{outage:?}") };
        assert_eq!(proposed.solution, SolutionKind::Outage, "so that a service credit may be asked for");
    }

    #[test]
    fn nobody_but_the_system_links_files_or_resolves_for_a_known_issue() {
        for who in ["alice", "agent-north", "engineer"] {
            for command in [link(), unlink(), resolution()] {
                let refused = linked().when(who, 20, &command).rejection();
                assert_eq!(refused.reason(), "NOT_FOR_YOU", "{who}");
            }
            assert_eq!(Given::nothing().when(who, 20, &file()).rejection().reason(), "NOT_FOR_YOU");
        }
        let mut elsewhere = joined();
        elsewhere.organization = crate::OrganizationId::new("globex").unwrap();
        let file = FileForKnownIssue {
            issue: issue(),
            joined: elsewhere,
            title: personal("t"),
            description: personal("d"),
        };
        let file = CaseCommand::FileForKnownIssue(Box::new(file));
        assert_eq!(Given::nothing().when("system", 20, &file).rejection().reason(), "NOT_A_MEMBER");
        assert_ne!(joined().case, CaseId(ulid::Ulid::nil()));
    }
}
