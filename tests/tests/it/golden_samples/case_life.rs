//! What support does to a case, what it promises, and what customers ask for after a solution.

use dossier_domain::calendar::OpenInterval;
use dossier_domain::case::{
    CaseAssigned, CaseEvent, CaseMerged, CaseRouted, CaseUnassigned, CasesLinked, CasesUnlinked,
    ClosingAnnounced, IncidentReportRequested, InternalNoteAdded, KnownIssueLinked, KnownIssueUnlinked,
    LinkKind, MergeUndone, MergedCaseReceived, MergedCaseReturned, NoteAttachmentAdded, NotificationsChannel,
    NotificationsResumed, NotificationsStopped, ObjectiveCause, ReopenWindowEnded, ResponseClockSet,
    ResponseGiven, ResponseKind, ResponseMissed, ResponseObjectiveSet, ResponseWarned, RoutingCause,
    ServiceCreditRequested, SurveyAnswered, SurveyChannel,
};
use dossier_domain::catalogue::{Priority, ResponseObjective};
use dossier_domain::notification::RecipientKey;
use dossier_domain::routing::{Considered, Exclusion, Routing};
use dossier_domain::{AttachmentId, CalendarId, CaseId, EmailKey, KnownIssueId, NoteId, ProviderId, Side};
use ulid::Ulid;

use super::{account, alice, at, plan, words};

pub(super) fn events() -> Vec<CaseEvent> {
    let provider = |name: &str| ProviderId::new(name).unwrap();
    let (note, other) = (NoteId(Ulid::from(20)), CaseId(Ulid::from(21)));
    let (first, issue) = (ResponseKind::First, KnownIssueId(Ulid::from(24)));
    let mut events: Vec<CaseEvent> = vec![
        CaseRouted {
            provider: provider("north"),
            from: Some(provider("south")),
            cause: RoutingCause::HandOver,
            default_queue: true,
            routing: Some(Routing {
                provider: provider("north"),
                default_queue: true,
                considered: vec![Considered {
                    provider: provider("south"),
                    excluded: vec![Exclusion::Language, Exclusion::Region],
                }],
            }),
            reason: Some(words("They speak French.")),
        }
        .into(),
        CaseAssigned { agent: account(), contact: alice(), provider: Some(provider("north")) }.into(),
        CaseUnassigned { agent: account() }.into(),
        InternalNoteAdded { note, body: words("Looks like the case of last week."), author: alice() }.into(),
        NoteAttachmentAdded {
            note,
            attachment: AttachmentId(Ulid::from(22)),
            filename: words("trace.txt"),
            media_type: "text/plain".to_owned(),
            size_bytes: 512,
            sha256: words("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            blob: "0123456789abcdef0123456789abcdef".to_owned(),
            author: alice(),
        }
        .into(),
        CasesLinked { other, kind: LinkKind::Duplicate }.into(),
        CasesUnlinked { other, kind: LinkKind::CausedBy }.into(),
        CaseMerged { target: other, escalation_ended: true }.into(),
        MergeUndone { target: other }.into(),
        MergedCaseReceived { source: other }.into(),
        MergedCaseReturned { source: other }.into(),
        KnownIssueLinked { issue }.into(),
        KnownIssueUnlinked { issue }.into(),
        ServiceCreditRequested { solution: 1, side: Side::Customer }.into(),
        IncidentReportRequested { solution: 1, side: Side::Reseller }.into(),
        ClosingAnnounced { solution: 2, closes_at: at(604_800) }.into(),
        SurveyAnswered { closing: 1, rating: 5, text: Some(words("Quick.")), via: SurveyChannel::Link }
            .into(),
        NotificationsStopped {
            recipient: RecipientKey::Address(EmailKey(Ulid::from(23))),
            via: NotificationsChannel::Link,
        }
        .into(),
        NotificationsResumed {
            recipient: RecipientKey::Account(account()),
            via: NotificationsChannel::SignedIn,
        }
        .into(),
        ReopenWindowEnded { closing: 1 }.into(),
    ];
    events.extend([
        ResponseObjectiveSet {
            kind: first,
            due_at: at(86_400),
            from: at(0),
            priority: Priority::P3,
            plan: plan(),
            objective: ResponseObjective::BusinessDays(1),
            cause: ObjectiveCause::PriorityChange,
        }
        .into(),
        ResponseClockSet {
            kind: first,
            due_at: at(86_400),
            warn_at: at(79_200),
            calendar: CalendarId::new("europe").unwrap(),
            counted: vec![OpenInterval { from: at(0), until: at(28_800) }],
        }
        .into(),
        ResponseWarned { kind: first, due_at: at(86_400) }.into(),
        ResponseMissed { kind: ResponseKind::Next, due_at: at(86_400) }.into(),
        ResponseGiven { kind: first, due_at: at(86_400), at: at(3_600), on_time: true }.into(),
    ]);
    events
}
