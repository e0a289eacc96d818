//! How each event changes a case.

use jiff::Timestamp;

use super::super::events::{CaseEvent, CaseFiled, ResponseKind};
use super::{
    Assignment, Case, CaseState, EscalationStatus, FirstResponse, LinkedIssue, OpenObjective,
    ProposedSolution, Status,
};
use crate::authority::Side;
use crate::catalogue::Channel;
use crate::event::{Aggregate, EventAudience};

impl Aggregate for CaseState {
    type Event = CaseEvent;

    /// For an event that was taken over from elsewhere `at` is when it occurred, not when it was recorded.
    fn evolve(&mut self, event: &CaseEvent, at: Timestamp) {
        if let CaseEvent::CaseFiled(filed) = event {
            self.0 = Some(Box::new(Case::filed(filed, at)));
        } else if let Some(case) = self.0.as_deref_mut() {
            case.evolve(event, at);
        }
    }

    fn audience(event: &CaseEvent) -> EventAudience {
        event.audience()
    }
}

impl Case {
    fn filed(filed: &CaseFiled, at: Timestamp) -> Self {
        Self {
            id: filed.case,
            organization: filed.organization.clone(),
            product: filed.product.clone(),
            classification: filed.classification.clone(),
            title: filed.title.clone(),
            description: filed.description.clone(),
            priority: filed.priority,
            language: filed.language.clone(),
            time_zone: filed.time_zone.clone(),
            contact_email: filed.contact_email.clone(),
            subscribers: filed.subscribers.clone(),
            test_case: filed.test_case,
            problem: filed.problem.clone(),
            filer: filed.filer.clone(),
            side: filed.side,
            manager: filed.manager.clone(),
            access_revision: filed.access_revision,
            entitlement: filed.entitlement.clone(),
            status: Status::New,
            escalation: EscalationStatus::None,
            outstanding_requests: 0,
            filed_at: at,
            closings: 0,
            reopen_window_ends_at: None,
            reopen_window_end_recorded: false,
            channel: filed.channel.unwrap_or(Channel::Web),
            follow_up_of: filed.follow_up_of,
            imported_from: filed.imported_from.clone(),
            known_issue: None,
            help: filed.help.clone(),
            provider: None,
            assignment: None,
            notes: [].into(),
            links: [].into(),
            merged_into: None,
            owed_when_merged: None,
            merged_cases: [].into(),
            solutions: 0,
            solution: None,
            surveys_answered: [].into(),
            notifications_stopped: [].into(),
            answered: false,
            objective: None,
            first_response: None,
        }
    }

    fn evolve(&mut self, event: &CaseEvent, at: Timestamp) {
        match event {
            CaseEvent::CaseFiled(_) | CaseEvent::AttachmentAdded(_) | CaseEvent::NoteAttachmentAdded(_) => {}
            CaseEvent::CommentAdded(comment) => {
                if comment.side.is_customer_side() {
                    self.outstanding_requests = 0;
                }
                self.answered |= comment.side == Side::Support;
            }
            CaseEvent::CaseStateChanged(change) => self.status = change.to,
            CaseEvent::CaseRenamed(renamed) => self.title = renamed.title.clone(),
            CaseEvent::SubscribersChanged(changed) => self.subscribers.clone_from(&changed.subscribers),
            CaseEvent::PriorityChanged(changed) => self.priority = changed.to,
            CaseEvent::CaseEscalated(_) => self.escalation = EscalationStatus::Requested,
            CaseEvent::EscalationAcknowledged(_) => self.escalation = EscalationStatus::Acknowledged,
            CaseEvent::EscalationResolved(_) => self.escalation = EscalationStatus::Resolved,
            CaseEvent::InformationRequested(_) => {
                self.status = Status::ActionRequired;
                self.outstanding_requests = self.outstanding_requests.saturating_add(1);
                self.answered = true;
            }
            CaseEvent::CaseClosed(closed) => {
                self.end();
                self.closings = closed.closing;
                self.reopen_window_ends_at = Some(closed.reopen_window_ends_at);
                self.reopen_window_end_recorded = false;
            }
            CaseEvent::ReopenedWithin30Days(_) => {
                self.status = Status::InProgress;
                self.reopen_window_ends_at = None;
            }
            CaseEvent::ReopenWindowEnded(_) => self.reopen_window_end_recorded = true,
            CaseEvent::SolutionProposed(_)
            | CaseEvent::ClosingAnnounced(_)
            | CaseEvent::ServiceCreditRequested(_)
            | CaseEvent::IncidentReportRequested(_) => self.evolve_solution(event, at),
            CaseEvent::SurveyAnswered(answered) => {
                self.surveys_answered.insert(answered.closing);
            }
            CaseEvent::NotificationsStopped(stopped) => {
                self.notifications_stopped.insert(stopped.recipient);
            }
            CaseEvent::NotificationsResumed(resumed) => {
                self.notifications_stopped.remove(&resumed.recipient);
            }
            CaseEvent::ResponseObjectiveSet(_)
            | CaseEvent::ResponseClockSet(_)
            | CaseEvent::ResponseWarned(_)
            | CaseEvent::ResponseMissed(_)
            | CaseEvent::ResponseGiven(_) => self.evolve_objective(event),
            CaseEvent::CaseRouted(_)
            | CaseEvent::CaseAssigned(_)
            | CaseEvent::CaseUnassigned(_)
            | CaseEvent::InternalNoteAdded(_)
            | CaseEvent::CasesLinked(_)
            | CaseEvent::CasesUnlinked(_)
            | CaseEvent::CaseMerged(_)
            | CaseEvent::MergeUndone(_)
            | CaseEvent::MergedCaseReceived(_)
            | CaseEvent::MergedCaseReturned(_)
            | CaseEvent::KnownIssueLinked(_)
            | CaseEvent::KnownIssueUnlinked(_) => self.evolve_support(event),
        }
    }

    /// What a closing and a merging have in common.
    fn end(&mut self) {
        self.status = Status::Closed;
        self.escalation = EscalationStatus::None;
        self.outstanding_requests = 0;
        // What support had promised ends unjudged, unless it was missed before.
        self.objective = None;
    }

    fn evolve_solution(&mut self, event: &CaseEvent, at: Timestamp) {
        match (event, &mut self.solution) {
            (CaseEvent::SolutionProposed(proposed), _) => {
                self.status = Status::SolutionProvided;
                self.answered = true;
                self.solutions = self.solutions.saturating_add(1);
                if let Some(linked) =
                    self.known_issue.as_mut().filter(|linked| proposed.known_issue == Some(linked.issue))
                {
                    linked.resolved_by_solution = Some(self.solutions);
                }
                self.solution = Some(ProposedSolution {
                    number: self.solutions,
                    kind: proposed.solution,
                    proposed_at: at,
                    announced_from: proposed.automatic_closing.map(|closing| closing.announced_from),
                    closes_at: proposed.automatic_closing.map(|closing| closing.closes_at),
                    announced: false,
                    credit_requested: false,
                    report_requested: false,
                });
            }
            (CaseEvent::ClosingAnnounced(announced), Some(solution)) => {
                solution.announced = true;
                solution.closes_at = Some(announced.closes_at);
            }
            (CaseEvent::ServiceCreditRequested(_), Some(solution)) => solution.credit_requested = true,
            (CaseEvent::IncidentReportRequested(_), Some(solution)) => solution.report_requested = true,
            _ => {}
        }
    }

    fn evolve_objective(&mut self, event: &CaseEvent) {
        match (event, &mut self.objective) {
            (CaseEvent::ResponseObjectiveSet(set), objective) => {
                *objective = Some(OpenObjective {
                    kind: set.kind,
                    due_at: set.due_at,
                    from: set.from,
                    priority: set.priority,
                    plan: set.plan.clone(),
                    cause: set.cause,
                    warn_at: None,
                    warned: false,
                    missed: false,
                });
            }
            (CaseEvent::ResponseClockSet(clock), Some(objective)) => objective.warn_at = Some(clock.warn_at),
            (CaseEvent::ResponseWarned(_), Some(objective)) => objective.warned = true,
            (CaseEvent::ResponseMissed(missed), objective) => {
                if let Some(objective) = objective {
                    objective.missed = true;
                }
                if missed.kind == ResponseKind::First {
                    self.first_response =
                        Some(FirstResponse { due_at: missed.due_at, given_at: None, on_time: false });
                }
            }
            (CaseEvent::ResponseGiven(given), objective) => {
                *objective = None;
                if given.kind == ResponseKind::First {
                    self.first_response = Some(FirstResponse {
                        due_at: given.due_at,
                        given_at: Some(given.at),
                        on_time: given.on_time,
                    });
                }
            }
            _ => {}
        }
    }

    fn evolve_support(&mut self, event: &CaseEvent) {
        match event {
            CaseEvent::CaseRouted(routed) => {
                // Who works for another provider cannot have it any more.
                if self.provider.as_ref() != Some(&routed.provider) {
                    self.assignment = None;
                }
                self.provider = Some(routed.provider.clone());
            }
            CaseEvent::CaseAssigned(assigned) => {
                self.assignment = Some(Assignment {
                    agent: assigned.agent,
                    contact: assigned.contact.clone(),
                    provider: assigned.provider.clone(),
                });
            }
            CaseEvent::CaseUnassigned(_) => self.assignment = None,
            CaseEvent::InternalNoteAdded(added) => {
                self.notes.insert(added.note);
            }
            CaseEvent::CasesLinked(linked) => {
                self.links.insert((linked.other, linked.kind));
            }
            CaseEvent::CasesUnlinked(unlinked) => {
                self.links.remove(&(unlinked.other, unlinked.kind));
            }
            CaseEvent::CaseMerged(merged) => {
                self.owed_when_merged = self.objective.as_ref().map(|open| open.kind);
                self.end();
                self.merged_into = Some(merged.target);
            }
            CaseEvent::MergeUndone(_) => {
                self.status = Status::InProgress;
                self.merged_into = None;
            }
            CaseEvent::MergedCaseReceived(received) => {
                self.merged_cases.insert(received.source);
            }
            CaseEvent::MergedCaseReturned(returned) => {
                self.merged_cases.remove(&returned.source);
            }
            CaseEvent::KnownIssueLinked(linked) => {
                self.known_issue = Some(LinkedIssue { issue: linked.issue, resolved_by_solution: None });
            }
            CaseEvent::KnownIssueUnlinked(_) => self.known_issue = None,
            _ => {}
        }
    }
}
