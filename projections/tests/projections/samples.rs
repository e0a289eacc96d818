//! People, cases and events that the tests speak of, and random histories of them.

use dossier_domain::access::{AccessEvent, Entitlement};
use dossier_domain::account::AccountEvent;
use dossier_domain::case::{
    AttachmentAdded, CaseAssigned, CaseClosed, CaseEscalated, CaseEvent, CaseFiled, CaseMerged, CaseRenamed,
    CaseRouted, CaseStateChanged, CaseUnassigned, CasesLinked, CasesUnlinked, ClassificationRef,
    ClosingAnnounced, CommentAdded, EscalationAcknowledged, EscalationReason, EscalationResolved,
    IncidentReportRequested, InformationKind, InformationRequested, InternalNoteAdded, LinkKind, MergeUndone,
    MergedCaseReceived, MergedCaseReturned, NoteAttachmentAdded, NotificationsChannel, NotificationsResumed,
    NotificationsStopped, ObjectiveCause, PriorityChanged, ReopenWindowEnded, ReopenedWithin30Days,
    ResponseClockSet, ResponseGiven, ResponseKind, ResponseMissed, ResponseObjectiveSet, ResponseWarned,
    RoutingCause, ServiceCreditRequested, SolutionKind, SolutionParticulars, SolutionProposed,
    StateChangeCause, Status, SubscribersChanged, SurveyAnswered, SurveyChannel,
};
use dossier_domain::catalogue::{Priority, ResponseObjective};
use dossier_domain::event_subscription::EventSubscriptionEvent;
use dossier_domain::feedback::FeedbackEvent;
use dossier_domain::help_session::HelpSessionEvent;
use dossier_domain::known_issue::KnownIssueEvent;
use dossier_domain::notification::RecipientKey;
use dossier_domain::phone_call::PhoneCallEvent;
use dossier_domain::saved_view::SavedViewEvent;
use dossier_domain::webhook::WebhookEvent;
use dossier_domain::{
    AccountId, AttachmentId, CalendarId, CaseId, CommentId, Contact, EventAudience, EventSubscriptionId,
    FeedbackId, HelpSessionId, KnownIssueId, NoteId, OrganizationId, Personal, PhoneCallId, PlanId,
    ProductId, ProviderId, SavedViewId, Side, Subject, VisibilityScope, WebhookId,
};
use dossier_eventlog::{Audience, StreamName};
use jiff::Timestamp;
use proptest::prelude::*;
use ulid::Ulid;

use crate::access::{access_event, registered};
use crate::accounts::account_fact;
use crate::event_delivery::delivery_fact;
use crate::help::help_fact;
use crate::issues::{call_fact, issue_fact};
use crate::saved_views::view_fact;
use crate::world::stream;

/// Something that is in the log.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) stream: StreamName,
    pub(crate) event: FactEvent,
    pub(crate) audience: Audience,
    /// Instead of the usual.
    pub(crate) metadata: Option<Vec<u8>>,
}

#[derive(Clone, Debug)]
pub(crate) enum FactEvent {
    Case(Box<CaseEvent>),
    Access(AccessEvent),
    Account(AccountEvent),
    Subscription(EventSubscriptionEvent),
    Webhook(WebhookEvent),
    KnownIssue(Box<KnownIssueEvent>),
    PhoneCall(PhoneCallEvent),
    Feedback(FeedbackEvent),
    HelpSession(HelpSessionEvent),
    SavedView(SavedViewEvent),
    Raw { event_type: String, version: u16, payload: Vec<u8> },
}

impl Fact {
    fn new(stream: StreamName, event: FactEvent) -> Self {
        Self { stream, event, audience: Audience::Customer, metadata: None }
    }

    pub(crate) fn of_case(number: u8, event: impl Into<CaseEvent>) -> Self {
        Self::new(stream(&format!("case-{}", case(number))), FactEvent::Case(Box::new(event.into())))
    }

    pub(crate) fn raw(name: &str, event_type: &str, version: u16, payload: &[u8]) -> Self {
        let event = FactEvent::Raw { event_type: event_type.to_owned(), version, payload: payload.to_vec() };
        Self::new(stream(name), event)
    }

    pub(crate) fn of_access(organization: &str, event: impl Into<AccessEvent>) -> Self {
        Self::new(stream(&format!("access-{organization}")), FactEvent::Access(event.into()))
    }

    pub(crate) fn of_account(account: AccountId, event: impl Into<AccountEvent>) -> Self {
        Self::new(stream(&format!("account-{account}")), FactEvent::Account(event.into()))
    }

    pub(crate) fn of_subscription(id: EventSubscriptionId, event: impl Into<EventSubscriptionEvent>) -> Self {
        Self::new(stream(&format!("event_subscription-{id}")), FactEvent::Subscription(event.into()))
    }

    pub(crate) fn of_webhook(id: WebhookId, event: impl Into<WebhookEvent>) -> Self {
        Self::new(stream(&format!("webhook-{id}")), FactEvent::Webhook(event.into()))
    }

    pub(crate) fn of_known_issue(issue: KnownIssueId, event: impl Into<KnownIssueEvent>) -> Self {
        Self::new(stream(&format!("known_issue-{issue}")), FactEvent::KnownIssue(Box::new(event.into())))
    }

    pub(crate) fn of_phone_call(call: PhoneCallId, event: impl Into<PhoneCallEvent>) -> Self {
        Self::new(stream(&format!("phone_call-{call}")), FactEvent::PhoneCall(event.into()))
    }

    pub(crate) fn of_feedback(feedback: FeedbackId, event: impl Into<FeedbackEvent>) -> Self {
        Self::new(stream(&format!("feedback-{feedback}")), FactEvent::Feedback(event.into()))
    }

    pub(crate) fn of_help(session: HelpSessionId, event: impl Into<HelpSessionEvent>) -> Self {
        Self::new(stream(&format!("help_session-{session}")), FactEvent::HelpSession(event.into()))
    }

    pub(crate) fn of_saved_view(view: SavedViewId, event: impl Into<SavedViewEvent>) -> Self {
        Self::new(stream(&format!("saved_view-{view}")), FactEvent::SavedView(event.into())).for_support()
    }

    /// For those who may ever learn of it, as a command would store it.
    pub(crate) fn heard(self) -> Self {
        let for_support =
            matches!(&self.event, FactEvent::Case(event) if event.audience() == EventAudience::Support);
        if for_support { self.for_support() } else { self }
    }

    pub(crate) fn for_support(mut self) -> Self {
        self.audience = Audience::Support;
        self
    }

    pub(crate) fn with_metadata(mut self, bytes: &[u8]) -> Self {
        self.metadata = Some(bytes.to_vec());
        self
    }
}

/// So many seconds after the tests' time began.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(crate) fn micros(second: i64) -> i64 {
    at(second).as_microsecond()
}

pub(crate) fn case(number: u8) -> CaseId {
    CaseId(Ulid::from(u128::from(number) + 1))
}

pub(crate) fn comment_id(number: u64) -> CommentId {
    CommentId(Ulid::from(u128::from(number) + 1_000_000))
}

pub(crate) fn organization(name: &str) -> OrganizationId {
    OrganizationId::new(name).unwrap()
}

pub(crate) fn acme() -> OrganizationId {
    organization("acme")
}

pub(crate) fn product(name: &str) -> ProductId {
    ProductId::new(name).unwrap()
}

/// Everything of an organization.
pub(crate) fn all_of(name: &str) -> VisibilityScope {
    VisibilityScope::Organization { organization: organization(name), products: None }
}

pub(crate) fn products_of(name: &str, products: &[&str]) -> VisibilityScope {
    VisibilityScope::Organization {
        organization: organization(name),
        products: Some(products.iter().map(|name| product(name)).collect()),
    }
}

/// What the agents of a provider, or of none, see.
pub(crate) fn of_provider(name: Option<&str>, of: Option<&str>) -> VisibilityScope {
    VisibilityScope::Provider { provider: name.map(provider), organization: of.map(organization) }
}

/// The subject whose key seals what alice says.
pub(crate) fn alice() -> Subject {
    Subject::contact(1)
}

pub(crate) fn contact(name: &str) -> Personal<Contact> {
    let subject = Subject::contact(name.bytes().map(u128::from).sum::<u128>() + 100);
    Personal::new(subject, Contact { email: format!("{name}@acme.example"), display_name: name.to_owned() })
}

pub(crate) fn text(text: &str) -> Personal<String> {
    Personal::new(alice(), text.to_owned())
}

pub(crate) fn filing(number: u8) -> CaseFiled {
    CaseFiled {
        case: case(number),
        organization: acme(),
        product: product("compute"),
        classification: ClassificationRef {
            id: "compute-vm".to_owned(),
            display_name: "Compute > VM".to_owned(),
        },
        title: text(&format!("title {number}")),
        description: text("description"),
        priority: Priority::P3,
        language: "en".to_owned(),
        time_zone: None,
        contact_email: None,
        subscribers: Vec::new(),
        test_case: false,
        problem: None,
        channel: None,
        follow_up_of: None,
        help: None,
        imported_from: None,
        known_issue: None,
        filer: contact("alice"),
        side: Side::Customer,
        manager: None,
        access_revision: None,
        entitlement: Entitlement {
            product: product("compute"),
            plan: PlanId::new("gold").unwrap(),
            from: at(0),
            until: None,
        },
    }
}

pub(crate) fn filed(number: u8) -> Fact {
    Fact::of_case(number, filing(number))
}

pub(crate) fn comment(number: u64, body: &str) -> CommentAdded {
    CommentAdded {
        comment: comment_id(number),
        body: text(body),
        author: contact("bob"),
        side: Side::Customer,
    }
}

pub(crate) fn commented(of_case: u8, number: u64) -> Fact {
    Fact::of_case(of_case, comment(number, &format!("comment {number}")))
}

pub(crate) fn attachment_id(number: u64) -> AttachmentId {
    AttachmentId(Ulid::from(u128::from(number) + 2_000_000))
}

pub(crate) fn attachment(number: u64) -> AttachmentAdded {
    AttachmentAdded {
        attachment: attachment_id(number),
        filename: text(&format!("file {number}.log")),
        media_type: "text/plain".to_owned(),
        size_bytes: number,
        sha256: text(&"00".repeat(32)),
        blob: format!("cases/c/{number}"),
        author: contact("bob"),
        side: Side::Customer,
    }
}

pub(crate) fn closed() -> CaseClosed {
    CaseClosed {
        closing: 1,
        side: Side::Customer,
        reopen_window_ends_at: at(9_000),
        escalation_ended: false,
        automatic: false,
    }
}

pub(crate) fn provider(name: &str) -> ProviderId {
    ProviderId::new(name).unwrap()
}

pub(crate) const PROVIDERS: [&str; 2] = ["north", "south"];

pub(crate) fn routed(to: &str) -> CaseRouted {
    CaseRouted {
        provider: provider(to),
        from: None,
        cause: RoutingCause::HandOver,
        default_queue: to == "south",
        routing: None,
        reason: None,
    }
}

pub(crate) fn agent(number: u64) -> AccountId {
    AccountId(Ulid::from(u128::from(number) + 4_000_000))
}

pub(crate) fn assigned(number: u64) -> CaseAssigned {
    let contact = contact(if number.is_multiple_of(2) { "ann" } else { "ben" });
    CaseAssigned { agent: agent(number), contact, provider: Some(provider("north")) }
}

pub(crate) fn response_set(kind: ResponseKind, due: i64) -> ResponseObjectiveSet {
    ResponseObjectiveSet {
        kind,
        due_at: at(due),
        from: at(due - 100),
        priority: Priority::P3,
        plan: PlanId::new("gold").unwrap(),
        objective: ResponseObjective::BusinessMinutes(480),
        cause: ObjectiveCause::Comment,
    }
}

pub(crate) fn clock_set(kind: ResponseKind, due: i64, warn: i64) -> ResponseClockSet {
    let calendar = CalendarId::new("paris").unwrap();
    ResponseClockSet { kind, due_at: at(due), warn_at: at(warn), calendar, counted: Vec::new() }
}

pub(crate) fn solved(number: u64) -> SolutionProposed {
    SolutionProposed {
        solution: SolutionKind::Outage,
        text: text(&format!("so {number}")),
        author: contact("agent"),
        particulars: SolutionParticulars::default(),
        automatic_closing: None,
        known_issue: None,
    }
}

pub(crate) fn asked() -> InformationRequested {
    InformationRequested {
        information: InformationKind::ExactSteps,
        text: text("how?"),
        author: contact("agent"),
    }
}

pub(crate) fn note_id(number: u64) -> NoteId {
    NoteId(Ulid::from(u128::from(number) + 5_000_000))
}

pub(crate) fn note(number: u64, body: &str) -> InternalNoteAdded {
    InternalNoteAdded { note: note_id(number), body: text(body), author: contact("agent") }
}

/// A file of the note of a number.
pub(crate) fn note_attachment(on: u64, number: u64) -> NoteAttachmentAdded {
    NoteAttachmentAdded {
        note: note_id(on),
        attachment: attachment_id(number),
        filename: text(&format!("trace {number}.log")),
        media_type: "text/plain".to_owned(),
        size_bytes: number,
        sha256: text(&"00".repeat(32)),
        blob: format!("cases/n/{number}"),
        author: contact("agent"),
    }
}

/// What came with routing, promises, merging and closing by itself, by number.
fn later_event(kind: u8, number: u64) -> CaseEvent {
    let response = if number.is_multiple_of(2) { ResponseKind::First } else { ResponseKind::Next };
    let second = i64::try_from(number).unwrap();
    let (other, on_time) = (case(u8::try_from(number % 6).unwrap()), number.is_multiple_of(3));
    match kind {
        0 => routed(PROVIDERS[usize::from(number.is_multiple_of(2))]).into(),
        1 => assigned(number).into(),
        2 => CaseUnassigned { agent: agent(number) }.into(),
        3 => response_set(response, second + 900).into(),
        4 => clock_set(response, second + 900, second + 700).into(),
        5 => ResponseWarned { kind: response, due_at: at(second) }.into(),
        6 => ResponseMissed { kind: response, due_at: at(second) }.into(),
        7 => ResponseGiven { kind: response, due_at: at(second), at: at(second), on_time }.into(),
        8 => CaseMerged { target: other, escalation_ended: true }.into(),
        9 => MergeUndone { target: other }.into(),
        10 => MergedCaseReceived { source: other }.into(),
        11 => MergedCaseReturned { source: other }.into(),
        12 => ClosingAnnounced { solution: 1, closes_at: at(second + 5_000) }.into(),
        13 => CasesLinked { other, kind: LinkKind::Related }.into(),
        14 => CasesUnlinked { other, kind: LinkKind::Related }.into(),
        15 => ServiceCreditRequested { solution: 1, side: Side::Customer }.into(),
        16 => IncidentReportRequested { solution: 1, side: Side::Customer }.into(),
        17 => {
            let via = SurveyChannel::SignedIn;
            let rating = u8::try_from(number % 5).unwrap() + 1;
            SurveyAnswered { closing: 1, rating, text: Some(text("fine")), via }.into()
        }
        18 => ReopenWindowEnded { closing: 1 }.into(),
        19 => solved(number).into(),
        20 => NotificationsStopped { recipient: reader(number), via: NotificationsChannel::Link }.into(),
        21 => NotificationsResumed { recipient: reader(number), via: NotificationsChannel::SignedIn }.into(),
        22 => note(number, "psst").into(),
        _ => note_attachment(number, number).into(),
    }
}

fn reader(number: u64) -> RecipientKey {
    RecipientKey::Account(agent(number))
}

/// So many kinds of events beside the filing.
pub(crate) const CASE_EVENTS: u8 = 37;

/// Every kind of event but the filing, by number.
pub(crate) fn case_event(kind: u8, number: u64) -> CaseEvent {
    let priority = Priority::ALL[usize::try_from(number % 5).unwrap()];
    match kind % CASE_EVENTS {
        0 => comment(number, &format!("comment {number}")).into(),
        1 => CaseStateChanged {
            from: Status::New,
            to: Status::InProgress,
            cause: StateChangeCause::SupportAnswer,
        }
        .into(),
        2 => CaseRenamed { title: text(&format!("renamed {number}")) }.into(),
        3 => SubscribersChanged { subscribers: vec![text(&format!("s{number}@acme.example"))] }.into(),
        4 => PriorityChanged { from: Priority::P3, to: priority, side: Side::Customer, reason: None }.into(),
        5 => CaseEscalated {
            reason: EscalationReason::BusinessImpact,
            justification: text("we lose orders"),
            side: Side::Customer,
        }
        .into(),
        6 => EscalationAcknowledged {}.into(),
        7 => EscalationResolved {}.into(),
        8 => asked().into(),
        9 => solved(number).into(),
        10 => closed().into(),
        11 => attachment(number).into(),
        12 => ReopenedWithin30Days { closing: 1, comment: comment_id(number) }.into(),
        later => later_event(later - 13, number),
    }
}

/// Something that happened, told by numbers: any case's first event is its filing.
pub(crate) fn history(told: &[(u8, u8)]) -> Vec<Fact> {
    let mut known = std::collections::BTreeSet::new();
    told.iter()
        .zip(0_u64..)
        .map(|(&(number, kind), index)| match (number, kind) {
            (number, _) if number < 6 && known.insert(number) => {
                let organization = organization(if number % 3 == 2 { "globex" } else { "acme" });
                let product = product(if number % 2 == 1 { "storage" } else { "compute" });
                let manager = (number % 2 == 0).then(|| crate::samples::organization("nimbus"));
                Fact::of_case(number, CaseFiled { organization, product, manager, ..filing(number) })
            }
            (number, CASE_EVENTS) if number < 6 => Fact::of_case(number, case_event(4, index)).for_support(),
            (number, kind) if number < 6 => Fact::of_case(number, case_event(kind, index)).heard(),
            (6, kind) => {
                let organization = if kind % 3 == 2 { "globex" } else { "acme" };
                if known.insert(6 + u8::from(kind % 3 == 2)) {
                    registered(organization)
                } else {
                    Fact::of_access(organization, access_event(kind, index))
                }
            }
            (7, kind) => account_fact(kind, index),
            (8, kind) => delivery_fact(kind, index),
            (9, kind) => issue_fact(kind, index, known.insert(8 + kind % 2)),
            (10, _) => call_fact(index),
            (11, kind) => help_fact(kind, index),
            (12, kind) => view_fact(kind, index),
            _ => Fact::raw("note-1", "NoteNobodyKnows", 9, b"not even json"),
        })
        .collect()
}

/// Up to so many events of some cases, an organization's access, accounts, known issues, calls and saved views, and a stream that no read
/// model knows.
pub(crate) fn any_history(longest: usize) -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec((0..14_u8, 0..=CASE_EVENTS), 1..=longest).prop_map(|told| history(&told))
}

pub(crate) fn few(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
