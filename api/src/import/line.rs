//! One line of a file to import: the history of one case, as its schema documents it (`schemas/import/case.json`).
//!
//! Names and words are those of the events. What a source does not have is left out; nothing else may be there, so that a
//! misspelt name is refused and not passed over. A field that is added later must be skipped when it is absent: a line that was
//! imported must go on reading as the same line.

use dossier_domain::Side;
use dossier_domain::case::{EscalationReason, InformationKind, Reproducible, SolutionKind};
use dossier_domain::catalogue::{Channel, Priority};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The history of one case that was somewhere else before. A file has one of these in each line.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportedCase {
    /// The system that it comes from. Always the same name for the same system: with `externalId` it says which case it is.
    pub source: String,
    /// The id of the case there.
    pub external_id: String,
    /// Id of the organization here, which must be registered.
    pub organization: String,
    /// When it was filed.
    pub filed_at: Timestamp,
    /// Who filed it.
    pub filer: ImportedPerson,
    /// From which side: `customer`, unless the managing reseller did.
    #[serde(default = "customer", skip_serializing_if = "is_customer")]
    pub side: Side,
    /// Id of the plan in the catalogue that it was filed under, where no entitlement is recorded here for that instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Id of a classification in the catalogue, which also says the product.
    pub classification: String,
    /// Short summary.
    pub display_name: String,
    /// The whole story.
    pub description: String,
    /// Urgency when it was filed.
    pub priority: Priority,
    /// Language that support answers in, BCP 47; `en` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_code: Option<String>,
    /// IANA name or offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Address to reach the filer at, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_email: Option<String>,
    /// Addresses that get updates from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscriber_email_addresses: Vec<String>,
    /// Not to be worked on.
    #[serde(default, skip_serializing_if = "is_false")]
    pub test_case: bool,
    /// By which channel it came; the web when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// More about the problem, as far as it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<ImportedProblem>,
    /// What happened since, in order; at most 500.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<Act>,
}

/// More about a problem. Names are those of `problem` where a case is filed over HTTP.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportedProblem {
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// When it ended; not before its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// Version of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Log entries or stack trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_entries: Option<String>,
    /// Whether it can be brought about again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reproducible: Option<Reproducible>,
    /// The code in question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How the application flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_flow: Option<String>,
    /// Users affected, percent, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub affected_user_percent: Option<i32>,
    /// What it means to the users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_impact: Option<String>,
}

/// Somebody of then.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportedPerson {
    /// Their address. Where an account has it, what they did is that account's.
    pub email: String,
    /// The name to show; the address when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Act {
    /// When; not before the act before it, and not in the future.
    pub at: Timestamp,
    /// By whom.
    pub by: ImportedPerson,
    /// From which side.
    pub side: Side,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum What {
    /// A comment of either side. The customer side's reopens a closed case within 30 days of its closing.
    Comment {
        /// The text.
        body: String,
    },
    /// A file of either side.
    Attachment {
        /// Where its content is: a path relative to the folder of the file to import, or to that of `--files`.
        file: String,
        /// The name to show, without path.
        filename: String,
        /// Its media type, such as `text/plain`; unknown when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media_type: Option<String>,
    },
    /// A note that only support sees, with its files.
    InternalNote {
        /// The text.
        body: String,
        /// Files of the note, which only support sees, too.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<NoteAttachment>,
    },
    /// Support asked for something.
    InformationRequest {
        /// What for.
        information: InformationKind,
        /// In support's words.
        text: String,
    },
    /// Support proposed a solution, with what its kind needs.
    Solution {
        /// Of which kind.
        kind: SolutionKind,
        /// In support's words.
        text: String,
        /// Of a missing feature: the page where it is posted as an idea.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idea_url: Option<String>,
        /// Of what could not be reproduced: what to do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recommendations: Option<String>,
        /// Of what was handed to a third party: how to reach it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        third_party_contact: Option<String>,
        /// Of an outage: its page on the status dashboard.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outage_url: Option<String>,
    },
    /// Either side changed the priority.
    PriorityChange {
        /// To which.
        priority: Priority,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The customer side escalated.
    Escalation {
        /// Why.
        reason: EscalationReason,
        /// In their words.
        justification: String,
    },
    /// Support took the escalation up.
    EscalationAcknowledgement {},
    /// Support finished the escalation.
    EscalationResolution {},
    /// Either side closed the case.
    Closing {},
    /// The filer answered the survey of the closing before it, before anything reopened the case.
    SurveyAnswer {
        /// From 1, bad, to 5, good.
        #[schemars(range(min = 1, max = 5))]
        rating: i32,
        /// In their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
}

/// A file of a note.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NoteAttachment {
    /// Where its content is: a path relative to the folder of the file to import, or to that of `--files`.
    pub file: String,
    /// The name to show, without path.
    pub filename: String,
    /// Its media type, such as `text/plain`; unknown when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

impl What {
    /// Where the content of its files is, in order.
    pub(super) fn files(&self) -> Vec<&str> {
        match self {
            Self::Attachment { file, .. } => vec![file],
            Self::InternalNote { attachments, .. } => attachments.iter().map(|of| of.file.as_str()).collect(),
            _ => Vec::new(),
        }
    }
}

fn customer() -> Side {
    Side::Customer
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_customer(side: &Side) -> bool {
    *side == Side::Customer
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by the first version that imported: all that it knew, in its order.
    const OF_THEN: &str = r#"{"source":"old-desk","externalId":"4711","organization":"acme","filedAt":"2025-11-03T08:15:00Z","filer":{"email":"alice@acme.example","displayName":"Alice Martin"},"side":"reseller","plan":"gold","classification":"compute-vm","displayName":"Machines do not start","description":"Since this morning.","priority":"P3","languageCode":"fr","timeZone":"Europe/Paris","contactEmail":"c@b.example","subscriberEmailAddresses":["d@b.example"],"testCase":true,"channel":"phone","acts":[{"at":"2025-11-03T09:00:00Z","by":{"email":"a@b.example"},"side":"customer","what":{"type":"comment","body":"hello"}},{"at":"2025-11-03T09:00:00Z","by":{"email":"a@b.example"},"side":"support","what":{"type":"internal_note","body":"odd"}},{"at":"2025-11-03T09:00:00Z","by":{"email":"a@b.example"},"side":"support","what":{"type":"information_request","information":"logs_and_headers","text":"logs?"}},{"at":"2025-11-03T09:00:00Z","by":{"email":"a@b.example"},"side":"support","what":{"type":"solution","kind":"outage","text":"us","ideaUrl":"u","recommendations":"r","thirdPartyContact":"t","outageUrl":"https://x.example"}},{"at":"2025-11-03T09:00:00Z","by":{"email":"a@b.example"},"side":"customer","what":{"type":"priority_change","priority":"P1","reason":"worse"}},{"at":"2025-11-03T09:00:00Z","by":{"email":"a@b.example"},"side":"customer","what":{"type":"escalation","reason":"business_impact","justification":"now"}},{"at":"2025-11-03T09:00:00Z","by":{"email":"a@b.example"},"side":"support","what":{"type":"escalation_acknowledgement"}},{"at":"2025-11-03T09:00:00Z","by":{"email":"a@b.example"},"side":"support","what":{"type":"escalation_resolution"}},{"at":"2025-11-03T09:00:00Z","by":{"email":"a@b.example"},"side":"customer","what":{"type":"closing"}}]}"#;

    /// Else the case that came of it would be refused as imported differently.
    #[test]
    fn a_line_of_the_first_version_is_understood_as_it_was_then() {
        let line: ImportedCase = serde_json::from_str(OF_THEN).unwrap();
        assert_eq!(serde_json::to_string(&line).unwrap(), OF_THEN);
    }

    /// The fuzzer begins with a line that has everything: each of its names is one.
    #[test]
    fn a_line_with_everything_is_understood() {
        let everything = include_str!("../../../fuzz/seeds/import/everything");
        let line: ImportedCase = serde_json::from_str(everything).unwrap();
        let files: Vec<_> = line.acts.iter().flat_map(|act| act.what.files()).collect();
        assert_eq!((files, line.problem.is_some()), (vec!["4711/disk.log", "a"], true));
    }
}
