//! One value of every event type, with every optional field given, as it would lie in a log.

mod case_life;
mod event_delivery;
mod help;
mod known_issues;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::PathBuf;

use dossier_domain::access::{
    AccessEvent, AccessGranted, DomainVerified, Entitlement, EntitlementEnded, EntitlementGranted,
    FirstSignInPolicyChanged, GrantChannel, ManagementTransferred, MemberAccessChanged, MemberListed,
    MemberRemoved, OrganizationChanged, OrganizationRegistered, ResellerAccessAllowed,
    ResellerAccessAllowedV1, ResellerAccessWithdrawn, ResellerAccessWithdrawnV1, TechnicalContactChanged,
};
use dossier_domain::account::{
    AccountDeactivated, AccountDeleted, AccountEmailChanged, AccountEvent, AccountOpened, AccountReactivated,
    AccountRenamed, EmailClaimEvent, EmailClaimed, EmailReleased, NotificationPreferencesChanged,
    Provisioning, SignIn, StaffRecognized,
};
use dossier_domain::account_recovery::{
    AccountRecoveryClosed, AccountRecoveryEvent, AccountRecoveryRequested,
};
use dossier_domain::case::{
    AttachmentAdded, CaseClosed, CaseEscalated, CaseEvent, CaseFiled, CaseRenamed, CaseStateChanged,
    ClassificationRef, CommentAdded, CommentAddedV1, EscalationAcknowledged, EscalationReason,
    EscalationResolved, InformationKind, InformationRequested, PriorityChanged, Problem,
    ReopenedWithin30Days, Reproducible, SolutionKind, SolutionParticulars, SolutionProposed,
    StateChangeCause, Status, SubscribersChanged,
};
use dossier_domain::catalogue::Priority;
use dossier_domain::domain_claim::{DomainClaimEvent, DomainClaimed, DomainReleased};
use dossier_domain::export::{ExportEvent, ExportKind, ExportScope, HistoryExported};
use dossier_domain::notification::CaseMails;
use dossier_domain::personal::seal_all;
use dossier_domain::saved_view::{SavedViewEvent, ViewChanged, ViewDeleted, ViewSaved};
use dossier_domain::{
    AccountId, AccountRecoveryId, AttachmentId, CaseId, CommentId, Contact, DomainEvent, EmailKey, ExportId,
    OrganizationId, Personal, PersonalFields, PlanId, ProductId, ProviderId, Role, SavedViewId, Side,
    StaffRole, Subject,
};
use jiff::Timestamp;
use ulid::Ulid;

/// A stored payload.
pub(crate) struct Sample {
    pub(crate) category: &'static str,
    pub(crate) event_type: String,
    pub(crate) version: u16,
    pub(crate) payload: Vec<u8>,
}

impl Sample {
    /// Its file below the folder of samples.
    pub(crate) fn file(&self) -> PathBuf {
        PathBuf::from(self.category).join(format!("{}.v{}.json", self.event_type, self.version))
    }
}

/// A sample of every type in its current version, and of the older versions that were ever written.
pub(crate) fn all() -> Vec<Sample> {
    let mut samples: Vec<Sample> = case_events().into_iter().map(|event| current("case", event)).collect();
    samples.extend(case_life::events().into_iter().map(|event| current("case", event)));
    samples.extend(access_events().into_iter().map(|event| current("access", event)));
    samples.extend(export_events().into_iter().map(|event| current("export", event)));
    samples.extend(account_events().into_iter().map(|event| current("account", event)));
    samples.extend(email_claim_events().into_iter().map(|event| current("account_email", event)));
    samples.extend(account_recovery_events().into_iter().map(|event| current("account_recovery", event)));
    let subscriptions = event_delivery::subscription_events();
    samples.extend(subscriptions.into_iter().map(|event| current("event_subscription", event)));
    samples.extend(event_delivery::webhook_events().into_iter().map(|event| current("webhook", event)));
    samples.extend(help::feedback().into_iter().map(|event| current("feedback", event)));
    samples.extend(help::sessions().into_iter().map(|event| current("help_session", event)));
    samples.extend(domain_claim_events().into_iter().map(|event| current("domain", event)));
    samples.extend(known_issues::events().into_iter().map(|event| current("known_issue", event)));
    samples.extend(known_issues::calls().into_iter().map(|event| current("phone_call", event)));
    samples.extend(saved_view_events().into_iter().map(|event| current("saved_view", event)));
    let mut first = CommentAddedV1 { comment: comment(), body: words("It is worse now."), author: alice() };
    seal(&mut first.body);
    seal(&mut first.author);
    samples.push(of_version_1("case", "CommentAdded", serde_json::to_vec(&first)));
    let reseller = organization("nimbus");
    let allowed = ResellerAccessAllowedV1 { reseller: reseller.clone() };
    let withdrawn = ResellerAccessWithdrawnV1 { reseller };
    samples.push(of_version_1("access", "ResellerAccessAllowed", serde_json::to_vec(&allowed)));
    samples.push(of_version_1("access", "ResellerAccessWithdrawn", serde_json::to_vec(&withdrawn)));
    samples
}

fn of_version_1(category: &'static str, event_type: &str, payload: serde_json::Result<Vec<u8>>) -> Sample {
    let payload = payload.unwrap();
    Sample { category, event_type: event_type.to_owned(), version: 1, payload }
}

fn current<E: DomainEvent>(category: &'static str, mut event: E) -> Sample {
    seal(&mut event);
    let event_type = event.event_type().to_owned();
    Sample { category, event_type, version: event.version(), payload: event.encode() }
}

/// Seals in appearance only: the same bytes every time, and no key that could be lost.
fn seal(fields: &mut dyn PersonalFields) {
    let sealed = |subject: &str, plain: &[u8]| {
        Ok::<_, Infallible>([&b"sealed for "[..], subject.as_bytes(), b": ", plain].concat())
    };
    let Ok(()) = seal_all(fields, sealed);
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_603_600 + second).unwrap()
}

fn account() -> AccountId {
    AccountId(Ulid::from(11))
}

fn subject() -> Subject {
    Subject::account(account())
}

fn comment() -> CommentId {
    CommentId(Ulid::from(12))
}

fn words(text: &str) -> Personal<String> {
    Personal::new(subject(), text.to_owned())
}

fn alice() -> Personal<Contact> {
    let contact = Contact { email: "alice@acme.example".to_owned(), display_name: "Alice".to_owned() };
    Personal::new(subject(), contact)
}

fn address(email: &str) -> Personal<String> {
    Personal::new(Subject::contact(13), email.to_owned())
}

fn organization(name: &str) -> OrganizationId {
    OrganizationId::new(name).unwrap()
}

fn product() -> ProductId {
    ProductId::new("compute").unwrap()
}

fn plan() -> PlanId {
    PlanId::new("platinum").unwrap()
}

fn case_events() -> Vec<CaseEvent> {
    vec![
        CaseFiled {
            case: CaseId(Ulid::from(14)),
            organization: organization("acme"),
            product: product(),
            classification: ClassificationRef {
                id: "compute-vm".to_owned(),
                display_name: "Technical > Compute > Compute Engine > Virtual machines".to_owned(),
            },
            title: words("Machines do not start"),
            description: words("Since 09:10 new machines stay in STAGING."),
            priority: Priority::P1,
            language: "fr".to_owned(),
            time_zone: Some("Europe/Paris".to_owned()),
            contact_email: Some(address("desk@acme.example")),
            subscribers: vec![address("ops@acme.example"), Personal::erased(Subject::contact(15))],
            test_case: true,
            problem: Some(Problem {
                start: Some(at(-3_600)),
                end: Some(at(-60)),
                version: Some("1.2".to_owned()),
                log_entries: Some(words("E1234")),
                reproducible: Some(Reproducible::Yes),
                code: Some(words("fn main() {}")),
                application_flow: Some(words("front, back")),
                affected_user_percent: Some(40),
                user_impact: Some(words("nobody works")),
            }),
            filer: alice(),
            side: Side::Customer,
            manager: Some(organization("nimbus")),
            access_revision: Some(9),
            entitlement: Entitlement {
                product: product(),
                plan: plan(),
                from: at(-86_400),
                until: Some(at(86_400)),
            },
            // What came later to a version that stays is not in its sample, which lies in logs without it.
            channel: None,
            follow_up_of: None,
            help: None,
            imported_from: None,
            known_issue: None,
        }
        .into(),
        CommentAdded {
            comment: comment(),
            body: words("It is worse now."),
            author: alice(),
            side: Side::Support,
        }
        .into(),
        AttachmentAdded {
            attachment: AttachmentId(Ulid::from(16)),
            filename: words("screen.png"),
            media_type: "image/png".to_owned(),
            size_bytes: 1_024,
            sha256: words("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            blob: "0123456789abcdef0123456789abcdef".to_owned(),
            author: alice(),
            side: Side::Customer,
        }
        .into(),
        CaseStateChanged {
            from: Status::ActionRequired,
            to: Status::InProgress,
            cause: StateChangeCause::CustomerComment,
        }
        .into(),
        CaseRenamed { title: words("Machines start slowly") }.into(),
        SubscribersChanged { subscribers: vec![address("ops@acme.example")] }.into(),
        PriorityChanged {
            from: Priority::P3,
            to: Priority::P0,
            side: Side::Support,
            reason: Some(words("an outage")),
        }
        .into(),
        CaseEscalated {
            reason: EscalationReason::BusinessImpact,
            justification: words("We sell nothing."),
            side: Side::Customer,
        }
        .into(),
        EscalationAcknowledged {}.into(),
        EscalationResolved {}.into(),
        InformationRequested {
            information: InformationKind::LogsAndHeaders,
            text: words("Please send the log."),
            author: alice(),
        }
        .into(),
        SolutionProposed {
            solution: SolutionKind::Solved,
            text: words("Restart it."),
            author: alice(),
            particulars: SolutionParticulars::default(),
            automatic_closing: None,
            known_issue: None,
        }
        .into(),
        CaseClosed {
            closing: 2,
            side: Side::Customer,
            reopen_window_ends_at: at(2_592_000),
            escalation_ended: true,
            automatic: false,
        }
        .into(),
        ReopenedWithin30Days { closing: 2, comment: comment() }.into(),
    ]
}

fn access_events() -> Vec<AccessEvent> {
    vec![
        OrganizationRegistered {
            organization: organization("acme"),
            display_name: "Acme".to_owned(),
            country: "FR".to_owned(),
            language: "fr".to_owned(),
            reseller: false,
        }
        .into(),
        DomainVerified { domain: "acme.example".to_owned() }.into(),
        EntitlementGranted { product: product(), plan: plan(), from: at(0), until: Some(at(86_400)) }.into(),
        MemberListed { account: account(), contact: alice() }.into(),
        AccessGranted {
            account: account(),
            roles: BTreeMap::from([
                (product(), Role::Owner),
                (ProductId::new("storage").unwrap(), Role::Viewer),
            ]),
            support_privilege: true,
            effective_at: at(0),
        }
        .into(),
        ManagementTransferred { manager: Some(organization("nimbus")) }.into(),
        ResellerAccessAllowed { reseller: organization("nimbus"), channel: GrantChannel::Centre }.into(),
        ResellerAccessWithdrawn {
            reseller: organization("nimbus"),
            channel: GrantChannel::AccountManagement,
        }
        .into(),
        OrganizationChanged {
            display_name: "Acme SA".to_owned(),
            country: "BE".to_owned(),
            language: "nl".to_owned(),
        }
        .into(),
        TechnicalContactChanged { contact: Some(alice()) }.into(),
        FirstSignInPolicyChanged { opens_accounts: true }.into(),
        EntitlementEnded { product: product(), plan: plan(), until: at(86_400) }.into(),
        MemberAccessChanged {
            account: account(),
            roles: BTreeMap::from([(product(), Role::Editor)]),
            support_privilege: false,
        }
        .into(),
        MemberRemoved { account: account() }.into(),
    ]
}

fn account_events() -> Vec<AccountEvent> {
    let sign_in = SignIn { issuer: "https://id.acme.example".to_owned(), subject: "alice-1".to_owned() };
    let email = EmailKey(Ulid::from(19));
    vec![
        AccountOpened {
            account: account(),
            organization: organization("acme"),
            provisioning: Provisioning::Directory,
            sign_in: Personal::new(Subject::account(account()), sign_in),
            contact: alice(),
            email,
        }
        .into(),
        AccountEmailChanged { email, contact: alice() }.into(),
        AccountRenamed { contact: alice() }.into(),
        AccountDeactivated {}.into(),
        AccountReactivated {}.into(),
        AccountDeleted {}.into(),
        NotificationPreferencesChanged { case_mails: CaseMails::None, language: Some("fr".to_owned()) }
            .into(),
        StaffRecognized {
            roles: BTreeSet::from([StaffRole::Agent]),
            provider: ProviderId::new("north").ok(),
            contact: alice(),
        }
        .into(),
    ]
}

fn email_claim_events() -> Vec<EmailClaimEvent> {
    vec![EmailClaimed { account: account() }.into(), EmailReleased { account: account() }.into()]
}

fn account_recovery_events() -> Vec<AccountRecoveryEvent> {
    let recovery = AccountRecoveryId(Ulid::from(20));
    let words = |text: &str| Personal::new(Subject::account_recovery(recovery), text.to_owned());
    vec![
        AccountRecoveryRequested {
            recovery,
            email: words("alice@acme.example"),
            description: words("My phone is gone."),
            language: "fr".to_owned(),
        }
        .into(),
        AccountRecoveryClosed { closed_by: account(), outcome: words("Proven by a call.") }.into(),
    ]
}

fn saved_view_events() -> Vec<SavedViewEvent> {
    let (title, filter) = (words("Alice's"), words("creator.email=\"alice@acme.example\""));
    let shared_with = ProviderId::new("north").ok();
    vec![
        ViewSaved {
            view: SavedViewId(Ulid::from(21)),
            owner: account(),
            title: title.clone(),
            filter: filter.clone(),
            shared_with: shared_with.clone(),
        }
        .into(),
        ViewChanged { title, filter, shared_with }.into(),
        ViewDeleted {}.into(),
    ]
}

fn domain_claim_events() -> Vec<DomainClaimEvent> {
    let organization = organization("acme");
    vec![
        DomainClaimed {
            organization: organization.clone(),
            challenge: "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
        }
        .into(),
        DomainReleased { organization }.into(),
    ]
}

fn export_events() -> Vec<ExportEvent> {
    let scope = ExportScope {
        name: Some("organizations/acme/access".to_owned()),
        organization: Some(organization("acme")),
        category: Some("case".to_owned()),
        event_type: Some("CaseFiled".to_owned()),
    };
    vec![
        HistoryExported {
            export: ExportId(Ulid::from(17)),
            account: account(),
            kind: ExportKind::Audit,
            scope,
            from: 18,
            at: Some(at(0)),
        }
        .into(),
    ]
}
