//! What was said about a case, as it is written: comments, what support asks and proposes, and support's own notes.

use std::fmt::Display;

use dossier_domain::case::{CommentAdded, InternalNoteAdded, NoteAttachmentAdded};
use dossier_domain::{CaseId, Side};
use dossier_projections::case_history::{
    CommentRow, INFORMATION_REQUEST, NoteAttachmentRow, NoteRow, SOLUTION,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::endpoints::support_answers::{INFORMATION_KINDS, SOLUTION_KINDS};
use crate::proto_json::{EnumEncoding, EnumTable, format_timestamp};
use crate::resources::{ActorResource, ERASED, instant};

/// The kinds of what is said.
pub const COMMENT_KINDS: &EnumTable =
    &[("KIND_UNSPECIFIED", 0), ("COMMENT", 1), ("INFORMATION_REQUEST", 2), ("SOLUTION", 3)];

/// A comment on a case. `kind`, `information` and `solution` stand beside the public API: its clients do not see them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommentResource {
    /// `organizations/{organization}/cases/{case}/comments/{comment}`.
    pub name: String,
    /// When it was made.
    pub create_time: String,
    /// Who made it.
    pub creator: ActorResource,
    /// The text.
    pub body: String,
    /// A copy of the text.
    pub plain_text_body: String,
    /// COMMENT, INFORMATION_REQUEST (support asks for something) or SOLUTION (support proposes one).
    #[schema(value_type = String)]
    pub kind: Value,
    /// Of a request, what is asked for: EXACT_STEPS, PROCEDURE or LOGS_AND_HEADERS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub information: Option<Value>,
    /// Of a solution, what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solution: Option<SolutionResource>,
}

/// A solution that support proposed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SolutionResource {
    /// SOLVED, MISSING_FEATURE, NOT_REPRODUCIBLE, THIRD_PARTY, OUT_OF_SCOPE or OUTAGE.
    #[schema(value_type = String)]
    pub kind: Value,
    /// Of a missing feature: the page where it is posted as an idea.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idea_url: Option<String>,
    /// Of what could not be reproduced: what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommendations: Option<String>,
    /// Of what was handed to a third party: how to reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub third_party_contact: Option<String>,
    /// Of an outage: its page on the status dashboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outage_url: Option<String>,
}

impl CommentResource {
    /// What was said about a case of an organization.
    pub fn of_row(row: &CommentRow, organization: &str, enums: EnumEncoding) -> Self {
        let body = row.body.clone().unwrap_or_else(|| ERASED.to_owned());
        let detail = row.detail.as_deref().unwrap_or_default();
        let (kind, information, solution) = match &*row.kind {
            INFORMATION_REQUEST => {
                (2, Some(enums.encode(information_number(detail), INFORMATION_KINDS)), None)
            }
            SOLUTION => {
                let details = row.solution();
                let solution = SolutionResource {
                    kind: enums.encode(solution_number(detail), SOLUTION_KINDS),
                    idea_url: details.idea_url,
                    recommendations: details.recommendations,
                    third_party_contact: details.third_party_contact,
                    outage_url: details.outage_url,
                };
                (3, None, Some(solution))
            }
            _ => (1, None, None),
        };
        Self {
            name: format!("organizations/{organization}/cases/{}/comments/{}", row.case_id, row.comment_id),
            create_time: instant(row.created_at_micros),
            creator: ActorResource::new(
                row.author_email.as_ref(),
                row.author_name.as_ref(),
                row.side == "support",
            ),
            plain_text_body: body.clone(),
            body,
            kind: enums.encode(kind, COMMENT_KINDS),
            information,
            solution,
        }
    }

    /// A comment that was just made.
    pub fn of_event(
        added: &CommentAdded,
        organization: &str,
        case: CaseId,
        at: Timestamp,
        enums: EnumEncoding,
    ) -> Self {
        let author = added.author.open();
        let body = added.body.open().cloned().unwrap_or_else(|| ERASED.to_owned());
        Self {
            name: format!("organizations/{organization}/cases/{case}/comments/{}", added.comment),
            create_time: format_timestamp(at),
            creator: ActorResource::new(
                author.map(|author| &author.email),
                author.map(|author| &author.display_name),
                added.side == Side::Support,
            ),
            plain_text_body: body.clone(),
            body,
            kind: enums.encode(1, COMMENT_KINDS),
            information: None,
            solution: None,
        }
    }
}

/// The number of what is asked for, by the event's name of it.
fn information_number(name: &str) -> i32 {
    match name {
        "exact_steps" => 1,
        "troubleshooting_procedure" => 2,
        "logs_and_headers" => 3,
        _ => 0,
    }
}

/// The number of a kind of solution, by the event's name of it.
fn solution_number(name: &str) -> i32 {
    match name {
        "solved" => 1,
        "missing_feature" => 2,
        "not_reproducible" => 3,
        "third_party" => 4,
        "out_of_scope" => 5,
        "outage" => 6,
        _ => 0,
    }
}

/// A note that support alone reads.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoteResource {
    /// `organizations/{organization}/cases/{case}/notes/{note}`.
    pub name: String,
    /// When it was written.
    pub create_time: String,
    /// Who wrote it, as colleagues see them.
    pub creator: NoteAuthorResource,
    /// The text.
    pub body: String,
}

/// Who wrote a note.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoteAuthorResource {
    /// Name to show.
    pub display_name: String,
    /// Address, which customers are never told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl NoteAuthorResource {
    fn new(email: Option<&String>, name: Option<&String>) -> Self {
        Self { display_name: name.map_or(ERASED, String::as_str).to_owned(), email: email.cloned() }
    }
}

impl NoteResource {
    /// A note on a case of an organization.
    pub fn of_row(row: &NoteRow, organization: &str) -> Self {
        Self {
            name: note_name(organization, &row.case_id, &row.note_id),
            create_time: instant(row.created_at_micros),
            creator: NoteAuthorResource::new(row.author_email.as_ref(), row.author_name.as_ref()),
            body: row.body.clone().unwrap_or_else(|| ERASED.to_owned()),
        }
    }

    /// A note that was just written.
    pub fn of_event(added: &InternalNoteAdded, organization: &str, case: CaseId, at: Timestamp) -> Self {
        let author = added.author.open();
        Self {
            name: note_name(organization, case, added.note),
            create_time: format_timestamp(at),
            creator: NoteAuthorResource::new(
                author.map(|author| &author.email),
                author.map(|author| &author.display_name),
            ),
            body: added.body.open().cloned().unwrap_or_else(|| ERASED.to_owned()),
        }
    }
}

/// A file on a note: like the note, for support alone.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoteAttachmentResource {
    /// `organizations/{organization}/cases/{case}/notes/{note}/attachments/{attachment}`.
    pub name: String,
    /// When it was attached.
    pub create_time: String,
    /// Who attached it, as colleagues see them.
    pub creator: NoteAuthorResource,
    /// Name of the file.
    pub filename: String,
    /// Media type, as told by whoever uploaded it.
    pub mime_type: String,
    /// Size in bytes, as decimal text.
    pub size_bytes: String,
}

impl NoteAttachmentResource {
    /// A file on a note on a case of an organization.
    pub fn of_row(row: &NoteAttachmentRow, organization: &str) -> Self {
        Self {
            name: note_attachment_name(organization, &row.case_id, &row.note_id, &row.attachment_id),
            create_time: instant(row.created_at_micros),
            creator: NoteAuthorResource::new(row.author_email.as_ref(), row.author_name.as_ref()),
            filename: row.filename.clone().unwrap_or_else(|| ERASED.to_owned()),
            mime_type: row.media_type.clone(),
            size_bytes: row.size_bytes.to_string(),
        }
    }

    /// A file that was just attached.
    pub fn of_event(added: &NoteAttachmentAdded, organization: &str, case: CaseId, at: Timestamp) -> Self {
        let author = added.author.open();
        Self {
            name: note_attachment_name(organization, case, added.note, added.attachment),
            create_time: format_timestamp(at),
            creator: NoteAuthorResource::new(
                author.map(|author| &author.email),
                author.map(|author| &author.display_name),
            ),
            filename: added.filename.open().cloned().unwrap_or_else(|| ERASED.to_owned()),
            mime_type: added.media_type.clone(),
            size_bytes: added.size_bytes.to_string(),
        }
    }
}

fn note_attachment_name(
    organization: &str,
    case: impl Display,
    note: impl Display,
    attachment: impl Display,
) -> String {
    format!("{}/attachments/{attachment}", note_name(organization, case, note))
}

fn note_name(organization: &str, case: impl Display, note: impl Display) -> String {
    format!("organizations/{organization}/cases/{case}/notes/{note}")
}
