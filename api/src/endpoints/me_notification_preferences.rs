//! `me.notificationPreferences.get`, `.patch`: which mails somebody wants, for all organizations alike (R-NOTIFY-1).

use dossier_domain::account::{Account, ChangeNotificationPreferences};
use dossier_domain::notification::CaseMails;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::call::{Call, Reply};
use crate::mask::Mask;
use crate::proto_json::{EnumEncoding, EnumTable, Message};
use crate::refusals;
use crate::status::ApiError;

/// Which mails about cases somebody wants.
pub const CASE_MAILS: &EnumTable = &[("CASE_MAILS_UNSPECIFIED", 0), ("ALL", 1), ("NONE", 2)];
/// What may be patched.
const PATHS: &[&str] = &["case_mails", "language_code"];

/// Which mails somebody wants.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotificationPreferencesResource {
    /// `me/notificationPreferences`.
    pub name: &'static str,
    /// ALL or NONE: whether they get mails about cases at all. Each mail also ends those about its case alone.
    #[schema(value_type = String)]
    pub case_mails: Value,
    /// The language of mails, in place of each case's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_code: Option<String>,
}

impl NotificationPreferencesResource {
    fn of(account: &Account, enums: EnumEncoding) -> Self {
        let preferences = account.preferences();
        let number = match preferences.case_mails {
            CaseMails::All => 1,
            CaseMails::None => 2,
        };
        Self {
            name: "me/notificationPreferences",
            case_mails: enums.encode(number, CASE_MAILS),
            language_code: preferences.language.clone(),
        }
    }
}

/// New preferences; what `updateMask` does not name stays.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NotificationPreferencesPatch {
    /// ALL or NONE.
    case_mails: Option<String>,
    /// A language that support writes in; empty for each case's own.
    language_code: Option<String>,
}

/// Tells which mails one gets.
///
/// # Errors
/// 403 for a deactivated account.
#[utoipa::path(
    get,
    path = "/v2/me/notificationPreferences",
    operation_id = "me.notificationPreferences.get",
    tag = "notifications",
    responses((status = 200, description = "The preferences", body = NotificationPreferencesResource)),
)]
pub async fn get(call: Call) -> Result<Reply, ApiError> {
    let view = call.app.commands.account_view(call.actor.account).await.map_err(refusals::load)?;
    Reply::json(&NotificationPreferencesResource::of(&view.account, call.enums()))
}

/// Changes which mails one gets.
///
/// # Errors
/// 400 for a language that support does not write in; 403 for a deactivated account.
#[utoipa::path(
    patch,
    path = "/v2/me/notificationPreferences",
    operation_id = "me.notificationPreferences.patch",
    tag = "notifications",
    params(
        ("updateMask" = Option<String>, Query, description = "Some of caseMails, languageCode; what the body has when absent"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NotificationPreferencesPatch,
    responses((status = 200, description = "The preferences", body = NotificationPreferencesResource)),
)]
pub async fn patch(call: Call) -> Result<Reply, ApiError> {
    let mask = Mask::parse(call.query.get("updateMask"), PATHS)?;
    let message = Message::parse(&call.body)?;
    let mails = message.enumeration("caseMails", CASE_MAILS)?;
    let mails = match mails.filter(|_| mask.contains("case_mails")) {
        Some(1) => Some(CaseMails::All),
        Some(2) => Some(CaseMails::None),
        // Named and not given: what everybody has who never said.
        _ if mask.is_explicit() && mask.contains("case_mails") => Some(CaseMails::All),
        _ => None,
    };
    let given = message.string("languageCode")?.filter(|_| mask.contains("language_code"));
    let named = mask.is_explicit() && mask.contains("language_code");
    let language = match given {
        Some(language) => Some(Some(language).filter(|language| !language.is_empty())),
        None if named => Some(None),
        None => None,
    };
    let command = ChangeNotificationPreferences { case_mails: mails, language };
    let request = call.command_request()?;
    let outcome = call.app.commands.change_notification_preferences(&request, &command).await;
    let outcome = outcome.map_err(|error| refusals::command(&error, refusals::account))?;
    let resource = NotificationPreferencesResource::of(&outcome.folded.state, call.enums());
    Ok(Reply::json(&resource)?.after_command(outcome.folded.position, outcome.replayed))
}
