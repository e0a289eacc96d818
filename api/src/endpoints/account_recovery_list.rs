//! `accountRecoveryCases.list` and `.get`: what people ask to recover, for support (R-ACCESS-6).

use dossier_domain::AccountRecoveryId;
use dossier_domain::account_recovery::AccountRecovery;
use dossier_projections::account_recovery::AccountRecoveryRow;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::{Call, Reply};
use crate::proto_json::EnumTable;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::{ApiError, Code};

/// Where a recovery stands.
pub const RECOVERY_STATES: &EnumTable = &[("STATE_UNSPECIFIED", 0), ("OPEN", 1), ("CLOSED", 2)];

/// The recovery of an account. What was erased is absent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountRecoveryResource {
    /// `accountRecoveryCases/{id}`.
    pub name: String,
    /// Whether support still has to answer.
    pub state: &'static str,
    /// Where to answer, as it was given; nobody has verified it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What they say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The language to answer in.
    pub language_code: String,
    /// When they asked.
    #[schema(value_type = String, format = DateTime)]
    pub create_time: Timestamp,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub close_time: Option<Timestamp>,
    /// Account of who closed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

fn state_name(closed: bool) -> &'static str {
    if closed { "CLOSED" } else { "OPEN" }
}

impl AccountRecoveryResource {
    fn of_row(row: AccountRecoveryRow) -> Result<Self, ApiError> {
        let instant = |micros: i64| {
            Timestamp::from_microsecond(micros).map_err(|error| ApiError::internal(error.to_string()))
        };
        Ok(Self {
            name: format!("accountRecoveryCases/{}", row.recovery),
            state: state_name(row.closed),
            email: row.email,
            description: row.description,
            language_code: row.language,
            create_time: instant(row.asked_at_micros)?,
            close_time: row.closed_at_micros.map(instant).transpose()?,
            closed_by: row.closed_by,
            outcome: row.outcome,
        })
    }

    /// The same from the fold; `None` when nobody asked.
    pub(super) fn of_state(state: &AccountRecovery) -> Option<Self> {
        let (requested, closed) = (state.requested()?, state.closed());
        Some(Self {
            name: format!("accountRecoveryCases/{}", requested.recovery),
            state: state_name(closed.is_some()),
            email: requested.email.open().cloned(),
            description: requested.description.open().cloned(),
            language_code: requested.language.clone(),
            create_time: requested.at,
            close_time: closed.map(|closed| closed.at),
            closed_by: closed.map(|closed| closed.closed_by.to_string()),
            outcome: closed.and_then(|closed| closed.outcome.open().cloned()),
        })
    }
}

/// Some recoveries.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountRecoveryList {
    /// The recoveries, the newest first.
    pub account_recovery_cases: Vec<AccountRecoveryResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Continues before an asking.
#[derive(Serialize, Deserialize)]
struct Cursor {
    before: i64,
}

/// Lists what people ask to recover, the newest first.
///
/// # Errors
/// 400 for a bad state, page size or token.
#[utoipa::path(
    get,
    path = "/v2/accountRecoveryCases",
    operation_id = "accountRecoveryCases.list",
    tag = "account recovery",
    params(
        ("state" = Option<String>, Query, description = "`OPEN` or `CLOSED`; both when absent"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same state"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Recoveries", body = AccountRecoveryList)),
)]
pub async fn list(call: Call) -> Result<Reply, ApiError> {
    let closed = match call.query.enumeration("state", RECOVERY_STATES)? {
        Some(1) => Some(false),
        Some(2) => Some(true),
        _ => None,
    };
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = format!("{} {closed:?}", call.endpoint.id);
    let before = call.cursor::<Cursor>(&scope)?.map(|cursor| cursor.before);
    let page = call.app.account_recoveries.list(closed, before, limit).await;
    let page = page.map_err(|error| refusals::query(&error))?;
    let recoveries = page.recoveries.into_iter().map(AccountRecoveryResource::of_row);
    Reply::json(&AccountRecoveryList {
        account_recovery_cases: recoveries.collect::<Result<_, _>>()?,
        next_page_token: page.next_before.map(|before| call.app.page_tokens.seal(&scope, &Cursor { before })),
    })
}

/// Gets the recovery of an account.
///
/// # Errors
/// 404 when nobody asked for it.
#[utoipa::path(
    get,
    path = "/v2/accountRecoveryCases/{recovery}",
    operation_id = "accountRecoveryCases.get",
    tag = "account recovery",
    params(
        ("recovery" = String, Path, description = "Id of the recovery"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The recovery", body = AccountRecoveryResource)),
)]
pub async fn get(call: Call) -> Result<Reply, ApiError> {
    let found = call.app.account_recoveries.get(recovery_id(&call)?).await;
    let row = found.map_err(|error| refusals::query(&error))?.ok_or_else(not_found)?;
    Reply::json(&AccountRecoveryResource::of_row(row)?)
}

/// The recovery of the path.
pub(super) fn recovery_id(call: &Call) -> Result<AccountRecoveryId, ApiError> {
    call.params.item.parse().map_err(|_| not_found())
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such account recovery")
        .with_reason("ACCOUNT_RECOVERY_NOT_FOUND")
}
