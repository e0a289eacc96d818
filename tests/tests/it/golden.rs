//! Golden samples: what was ever stored is readable for ever.
//!
//! `schemas/golden/{category}/{Type}.v{N}.json` holds one payload as it lies in a log, byte for byte. A sample is
//! written once, with `DOSSIER_WRITE_GOLDEN=1 cargo test -p dossier-tests golden`, and never changed.

use std::path::PathBuf;

use dossier_domain::access::AccessEvent;
use dossier_domain::account::{AccountEvent, EmailClaimEvent};
use dossier_domain::account_recovery::AccountRecoveryEvent;
use dossier_domain::case::CaseEvent;
use dossier_domain::domain_claim::DomainClaimEvent;
use dossier_domain::event_subscription::EventSubscriptionEvent;
use dossier_domain::export::ExportEvent;
use dossier_domain::feedback::FeedbackEvent;
use dossier_domain::help_session::HelpSessionEvent;
use dossier_domain::known_issue::KnownIssueEvent;
use dossier_domain::phone_call::PhoneCallEvent;
use dossier_domain::saved_view::SavedViewEvent;
use dossier_domain::webhook::WebhookEvent;
use dossier_domain::{CATEGORIES, Category, DecodeError, DomainEvent};
use dossier_tests::workspace;

use crate::golden_samples::{self, Sample};

fn folder() -> PathBuf {
    workspace::schemas().join("golden")
}

/// Decodes a stored payload of a category and encodes it again in its current version.
fn again(sample: &Sample) -> Result<(u16, Vec<u8>), DecodeError> {
    fn round<E: DomainEvent>(sample: &Sample) -> Result<(u16, Vec<u8>), DecodeError> {
        let event = E::decode(&sample.event_type, sample.version, &sample.payload)?;
        assert_eq!(event.event_type(), sample.event_type);
        Ok((event.version(), event.encode()))
    }
    match sample.category {
        "case" => round::<CaseEvent>(sample),
        "access" => round::<AccessEvent>(sample),
        "account" => round::<AccountEvent>(sample),
        "account_email" => round::<EmailClaimEvent>(sample),
        "saved_view" => round::<SavedViewEvent>(sample),
        "account_recovery" => round::<AccountRecoveryEvent>(sample),
        "domain" => round::<DomainClaimEvent>(sample),
        "event_subscription" => round::<EventSubscriptionEvent>(sample),
        "export" => round::<ExportEvent>(sample),
        "webhook" => round::<WebhookEvent>(sample),
        "known_issue" => round::<KnownIssueEvent>(sample),
        "phone_call" => round::<PhoneCallEvent>(sample),
        "feedback" => round::<FeedbackEvent>(sample),
        "help_session" => round::<HelpSessionEvent>(sample),
        other => panic!("which events does {other} have? tell it here"),
    }
}

/// The committed samples.
pub(crate) fn committed() -> Vec<Sample> {
    let mut samples = Vec::new();
    for file in workspace::files_below(&folder()) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let parts = name.strip_suffix(".json").and_then(|stem| stem.split_once(".v"));
        let (event_type, version) = parts.unwrap_or_else(|| panic!("{name} is not Type.vN.json"));
        let folder = file.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let category = Category::named(&folder).unwrap_or_else(|| panic!("{folder} is no category"));
        samples.push(Sample {
            category: category.name,
            event_type: event_type.to_owned(),
            version: version.parse().unwrap(),
            payload: std::fs::read(&file).unwrap(),
        });
    }
    samples
}

/// Every type and version that this release reads.
fn known() -> Vec<(&'static str, &'static str, u16)> {
    let of = |category: &'static Category| {
        (category.schemas)().into_iter().map(|schema| (category.name, schema.event_type, schema.version))
    };
    CATEGORIES.iter().flat_map(of).collect()
}

#[test]
fn every_sample_that_was_ever_stored_is_still_readable() {
    for sample in committed() {
        let name = sample.file().display().to_string();
        again(&sample).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn a_sample_of_the_current_version_comes_back_to_the_very_bytes() {
    for sample in committed() {
        let (version, bytes) = again(&sample).unwrap();
        if version == sample.version {
            let (stored, now) = (String::from_utf8_lossy(&sample.payload), String::from_utf8_lossy(&bytes));
            assert_eq!(stored, now, "{}: a changed payload is a new version", sample.file().display());
        } else {
            assert!(version > sample.version);
        }
    }
}

#[test]
fn every_event_type_and_version_has_its_sample() {
    if std::env::var_os("DOSSIER_WRITE_GOLDEN").is_some() {
        write();
    }
    let committed = committed();
    let missing: Vec<_> = known()
        .into_iter()
        .filter(|(category, event_type, version)| {
            !committed.iter().any(|sample| {
                (sample.category, sample.event_type.as_str(), sample.version)
                    == (*category, *event_type, *version)
            })
        })
        .collect();
    assert!(
        missing.is_empty(),
        "add them to tests/it/golden_samples.rs, run with DOSSIER_WRITE_GOLDEN=1 and commit schemas/golden: {missing:?}"
    );
}

#[test]
fn a_sample_holds_personal_values_sealed_or_erased_only() {
    for sample in committed() {
        let text = String::from_utf8(sample.payload.clone()).unwrap();
        assert!(!text.contains("\"open\":"), "{}", sample.file().display());
    }
}

#[test]
fn an_unknown_type_or_version_is_an_error_and_never_a_guess() {
    let known = committed();
    let mut sample = known.into_iter().find(|sample| sample.category == "case").expect("a sample of a case");
    sample.version += 100;
    assert!(matches!(again(&sample), Err(DecodeError::Unknown { .. })));
    sample.version -= 100;
    sample.payload.truncate(sample.payload.len() / 2);
    assert!(matches!(again(&sample), Err(DecodeError::Payload { .. })));
}

/// Writes the samples that are not there yet.
fn write() {
    for sample in golden_samples::all() {
        let path = folder().join(sample.file());
        if !path.exists() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &sample.payload).unwrap();
        }
    }
}
