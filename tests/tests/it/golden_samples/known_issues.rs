//! Known issues and phone calls.

use dossier_domain::access::Entitlement;
use dossier_domain::case::ClassificationRef;
use dossier_domain::catalogue::Priority;
use dossier_domain::known_issue::{
    AffectedUserJoined, AffectedUserLeft, AffectedUserRejoined, AffectedUserResubscribed,
    AffectedUserUnsubscribed, CustomerImpact, KnownIssueConfirmed, KnownIssueDismissed, KnownIssueEvent,
    KnownIssuePublished, KnownIssueResolved, KnownIssueSuspected, KnownIssueUpdatePosted, SaidVia,
    SuspicionSource,
};
use dossier_domain::phone_call::{PhoneCallEvent, PhoneCallRecorded};
use dossier_domain::volume_watch::VolumeFigures;
use dossier_domain::{CaseId, KnownIssueId, Personal, PhoneCallId, Side, Subject};
use ulid::Ulid;

use super::{account, alice, at, organization, plan, product, words};

pub(super) fn events() -> Vec<KnownIssueEvent> {
    let issue = KnownIssueId(Ulid::from(24));
    let support = |text: &str| Personal::new(Subject::known_issue(issue), text.to_owned());
    let (account, case, acme) = (account(), CaseId(Ulid::from(25)), organization("acme"));
    vec![
        KnownIssueSuspected {
            issue,
            product: product(),
            title: support("compute: 60 cases and calls in an hour"),
            source: SuspicionSource::Volume,
            details: Some(support("mostly from Europe")),
            figures: Some(VolumeFigures {
                hour: at(0),
                count: 60,
                threshold: 50,
                weeks_before: [12, 9, 14, 11],
            }),
        }
        .into(),
        KnownIssueConfirmed { impact: CustomerImpact::High, statement: support("Nobody can work.") }.into(),
        KnownIssueDismissed { reason: support("A false alarm.") }.into(),
        KnownIssuePublished {
            summary: support("Machines do not start"),
            outage_url: Some("https://status.example/incidents/7".to_owned()),
        }
        .into(),
        KnownIssueUpdatePosted { update: 2, text: support("We have found the cause.") }.into(),
        KnownIssueResolved {
            text: support("Start the machines again."),
            author: alice(),
            organizations_affected: 3,
            users_affected: 7,
        }
        .into(),
        AffectedUserJoined {
            account,
            organization: acme.clone(),
            case,
            contact: alice(),
            side: Side::Reseller,
            classification: ClassificationRef {
                id: "compute-vm".to_owned(),
                display_name: "Technical > Compute > Compute Engine > Virtual machines".to_owned(),
            },
            priority: Priority::P2,
            language: "fr".to_owned(),
            time_zone: Some("Europe/Paris".to_owned()),
            description: Some(words("Since nine nothing starts.")),
            manager: Some(organization("nimbus")),
            access_revision: Some(9),
            entitlement: Entitlement {
                product: product(),
                plan: plan(),
                from: at(-86_400),
                until: Some(at(86_400)),
            },
        }
        .into(),
        AffectedUserRejoined { account, organization: acme.clone(), case }.into(),
        AffectedUserLeft { account, organization: acme.clone(), case, via: SaidVia::MailLink }.into(),
        AffectedUserUnsubscribed { account, organization: acme.clone(), case, via: SaidVia::SignedIn }.into(),
        AffectedUserResubscribed { account, organization: acme, case }.into(),
    ]
}

pub(super) fn calls() -> Vec<PhoneCallEvent> {
    let (call, organization) = (PhoneCallId(Ulid::from(26)), Some(organization("acme")));
    vec![PhoneCallRecorded { call, product: product(), at: at(-60), organization }.into()]
}
