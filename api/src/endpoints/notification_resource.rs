//! A message as support and operators see it: for whom, why, and what became of it.

use dossier_commands::LoadError;
use dossier_domain::AccountId;
use dossier_domain::access::Access;
use dossier_processes::notifications::ledger::{Attempt, LedgerEntry, MessageState, Recipient};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::proto_json::{EnumTable, format_timestamp};

/// What became of a message.
pub const MESSAGE_STATES: &EnumTable = &[
    ("STATE_UNSPECIFIED", 0),
    ("INTENDED", 1),
    ("SENDING", 2),
    ("SENT", 3),
    ("FAILED", 4),
    ("UNKNOWN", 5),
    ("WITHHELD", 6),
];

/// The state of a number of [`MESSAGE_STATES`].
pub(super) fn message_state(number: i32) -> Option<MessageState> {
    match number {
        1 => Some(MessageState::Intended),
        2 => Some(MessageState::Sending),
        3 => Some(MessageState::Sent),
        4 => Some(MessageState::Failed),
        5 => Some(MessageState::Unknown),
        6 => Some(MessageState::Withheld),
        _ => None,
    }
}

/// A message that somebody was to get.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotificationResource {
    /// `notifications/{id}`; its `Message-ID` begins with the id.
    pub name: String,
    /// INTENDED, SENDING, SENT, FAILED, UNKNOWN (its content left and no answer came: it may have arrived) or WITHHELD.
    pub state: String,
    /// What it is about, such as CASE_COMMENTED.
    pub kind: String,
    /// Why this recipient: FILER, PRODUCT_OWNER, SUBSCRIBER or KNOWN_ISSUE_SUBSCRIBER.
    pub reason: String,
    /// EMAIL, WEBHOOK or SUBJECT.
    pub channel: String,
    /// For whom.
    pub recipient: RecipientResource,
    /// In which language.
    pub language_code: String,
    /// The stream that it is about, such as `case-…`.
    pub stream: String,
    /// `organizations/{organization}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Revision of the command's first event in the stream.
    pub first_revision: u64,
    /// Revision of its last.
    pub last_revision: u64,
    /// When it was intended.
    pub create_time: String,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_time: Option<String>,
    /// What was tried, in order.
    pub attempts: Vec<AttemptResource>,
}

/// For whom a message is.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecipientResource {
    /// `accounts/{account}`, of whoever signs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The address, for support of the case; absent where it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The webhook or subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// An attempt to send a message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptResource {
    /// Its number, from 1.
    pub number: u32,
    /// When it ended.
    pub time: String,
    /// SENT, RETRY, FAILED, UNKNOWN, WITHHELD or INTERRUPTED.
    pub outcome: String,
    /// The other side's words, or what happened.
    pub detail: String,
}

impl AttemptResource {
    fn of(attempt: &Attempt) -> Self {
        Self {
            number: attempt.number,
            time: format_timestamp(attempt.at),
            outcome: attempt.outcome.as_str().to_uppercase(),
            detail: attempt.detail.clone(),
        }
    }
}

impl NotificationResource {
    /// A message for whoever may see no address.
    pub(super) fn of(entry: &LedgerEntry) -> Self {
        let message = &entry.message;
        let recipient = match &message.recipient {
            Recipient::Account(account) => RecipientResource {
                account: Some(format!("accounts/{account}")),
                ..RecipientResource::default()
            },
            Recipient::Address(_) => RecipientResource::default(),
            Recipient::Endpoint(endpoint) => {
                RecipientResource { endpoint: Some(endpoint.clone()), ..RecipientResource::default() }
            }
        };
        Self {
            name: format!("notifications/{}", message.id),
            state: entry.state.as_str().to_uppercase(),
            kind: message.kind.to_uppercase(),
            reason: message.reason.to_uppercase(),
            channel: message.channel.as_str().to_uppercase(),
            recipient,
            language_code: message.language.clone(),
            stream: message.stream.clone(),
            organization: message.organization.as_ref().map(|name| format!("organizations/{name}")),
            first_revision: message.first_revision.0,
            last_revision: message.last_revision.0,
            create_time: format_timestamp(message.intended_at),
            due_time: entry.due.map(format_timestamp),
            attempts: entry.attempts.iter().map(AttemptResource::of).collect(),
        }
    }

    /// A message for support of its case, which sees filers and subscribers by their addresses.
    ///
    /// # Errors
    /// [`LoadError`].
    pub(super) async fn for_support(
        entry: &LedgerEntry,
        app: &App,
        access: &Access,
    ) -> Result<Self, LoadError> {
        let mut resource = Self::of(entry);
        resource.recipient.email = match &entry.message.recipient {
            Recipient::Account(account) => email_of(*account, app, access).await?,
            Recipient::Address(address) => address.open(app.commands.sealer()).await?,
            Recipient::Endpoint(_) => None,
        };
        Ok(resource)
    }
}

async fn email_of(account: AccountId, app: &App, access: &Access) -> Result<Option<String>, LoadError> {
    let known = app.commands.account_view(account).await?.account;
    if let Some(opened) = known.opened() {
        return Ok(opened.contact.open().map(|contact| contact.email.clone()));
    }
    let Some(member) = access.members.get(&account) else { return Ok(None) };
    Ok(app.commands.contact(&member.contact).await?.map(|contact| contact.email))
}
