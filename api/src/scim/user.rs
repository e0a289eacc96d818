//! A user as a directory sees it.

use dossier_domain::account::OpenedAccount;
use dossier_domain::{AccountId, Contact};
use dossier_projections::accounts::AccountRow;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{LIST_SCHEMA, USER_SCHEMA};

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimUserResource {
    /// The schema.
    pub schemas: [&'static str; 1],
    /// Id of the account.
    pub id: String,
    /// What the identity provider calls the person: the claim `sub` of their tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// Name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The same name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<ScimNameResource>,
    /// The same address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<ScimEmailResource>,
    /// Whether the person is in.
    pub active: bool,
    /// About the resource itself.
    pub meta: ScimMetaResource,
}

/// A name.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimNameResource {
    /// As a whole.
    pub formatted: String,
}

/// An address.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimEmailResource {
    /// The address.
    pub value: String,
    /// `work`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Always: there is one.
    pub primary: bool,
}

/// About a resource.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimMetaResource {
    /// `User`.
    pub resource_type: &'static str,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub last_modified: Timestamp,
    /// Its path.
    pub location: String,
    /// Its ETag.
    pub version: String,
}

/// Some of the users that fit.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimUserList {
    /// The schema.
    pub schemas: [&'static str; 1],
    /// How many there are.
    pub total_results: u64,
    /// Number of the first one here, from 1 on.
    pub start_index: u64,
    /// How many are here.
    pub items_per_page: usize,
    /// The users.
    #[serde(rename = "Resources")]
    pub resources: Vec<ScimUserResource>,
}

impl ScimUserList {
    /// A page.
    pub fn new(total_results: u64, start_index: u64, resources: Vec<ScimUserResource>) -> Self {
        let items_per_page = resources.len();
        Self { schemas: [LIST_SCHEMA], total_results, start_index, items_per_page, resources }
    }
}

/// The path of a user.
pub fn location(account: &str) -> String {
    format!("/scim/v2/Users/{account}")
}

impl ScimUserResource {
    /// An account as it is folded.
    pub fn of_account(account: AccountId, opened: &OpenedAccount, revision: i64) -> Self {
        let subject = opened.sign_in.open().map(|sign_in| sign_in.subject.clone());
        let times = (opened.opened_at, opened.changed_at);
        Self::new(
            account.to_string(),
            subject,
            opened.contact.open().cloned(),
            opened.active,
            times,
            revision,
        )
    }

    /// An account as a list has it.
    pub fn of_row(row: AccountRow) -> Self {
        let contact = row.email.zip(row.display_name);
        let contact = contact.map(|(email, display_name)| Contact { email, display_name });
        let at = |micros| Timestamp::from_microsecond(micros).unwrap_or_default();
        let times = (at(row.opened_at_micros), at(row.updated_at_micros));
        Self::new(row.account, row.subject, contact, row.active, times, row.revision)
    }

    /// Who was erased has no name and no address.
    fn new(
        id: String,
        external_id: Option<String>,
        contact: Option<Contact>,
        active: bool,
        (created, last_modified): (Timestamp, Timestamp),
        revision: i64,
    ) -> Self {
        let (user_name, display_name) = contact.map(|contact| (contact.email, contact.display_name)).unzip();
        let email = |value: &String| ScimEmailResource { value: value.clone(), kind: "work", primary: true };
        Self {
            schemas: [USER_SCHEMA],
            meta: ScimMetaResource {
                resource_type: "User",
                created,
                last_modified,
                location: location(&id),
                version: format!("\"{revision}\""),
            },
            id,
            external_id,
            name: display_name.clone().map(|formatted| ScimNameResource { formatted }),
            emails: user_name.iter().map(email).collect(),
            user_name,
            display_name,
            active,
        }
    }
}
