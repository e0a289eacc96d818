//! Users as an organization's directory feeds them (RFC 7644): see [`crate::scim`] for what they are here.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use dossier_commands::{AccountOutcome, Request, identity};
use dossier_domain::account::{
    AccountCommand, AccountStatus, ChangeContact, DeactivateAccount, DeleteAccount, OpenAccount,
    OpenedAccount, Provisioning, ReactivateAccount, SignIn,
};
use dossier_domain::address::EmailAddress;
use dossier_domain::{AccountId, Contact, Personal, Subject};
use dossier_projections::accounts::{AccountFilter, AccountPage};
use utoipa::ToSchema;

use crate::call::{Call, Reply};
use crate::refusals;
use crate::scim::reading::Said;
use crate::scim::user::{ScimUserList, ScimUserResource, location};
use crate::scim::{IMMUTABLE, filter};
use crate::status::{ApiError, excerpt};

/// The largest page of users.
pub const MAX_RESULTS: u32 = 200;
/// How many users a page has unless told.
const DEFAULT_RESULTS: u32 = 100;

/// What a directory tells of a user; more is passed over.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read attribute by attribute"
)]
pub struct ScimUser {
    /// The claim `sub` of the person's tokens.
    external_id: String,
    /// The address, in a verified domain of the organization.
    user_name: String,
    /// Name to show; the address when absent.
    display_name: Option<String>,
    /// Whether the person is in; they are when absent.
    active: Option<bool>,
}

/// Changes of a user (RFC 7644, 3.5.2).
#[derive(ToSchema)]
#[schema(rename_all = "PascalCase")]
#[expect(dead_code, reason = "as above")]
pub struct ScimPatch {
    /// Objects of `op` (add, replace, remove), `path` and `value`.
    #[schema(value_type = Vec<Object>)]
    operations: Vec<()>,
}

/// Lists the organization's users, or finds one.
///
/// # Errors
/// 400 invalidFilter for a filter other than userName, externalId or emails.value with `eq`.
#[utoipa::path(
    get,
    path = "/scim/v2/Users",
    operation_id = "scim.users.list",
    tag = "scim",
    params(
        ("filter" = Option<String>, Query, description = "Such as userName eq \"ada@acme.example\""),
        ("startIndex" = Option<i64>, Query, description = "Number of the first user, from 1 on"),
        ("count" = Option<i64>, Query, description = "How many, at most 200"),
    ),
    responses((status = 200, description = "Users", body = ScimUserList, content_type = "application/scim+json")),
)]
pub async fn list(call: Call) -> Result<Reply, ApiError> {
    let first = u64::try_from(number(&call, "startIndex")?.unwrap_or(1)).unwrap_or_default().max(1);
    let count = number(&call, "count")?.unwrap_or(i64::from(DEFAULT_RESULTS));
    let count = u32::try_from(count.clamp(0, i64::from(MAX_RESULTS))).unwrap_or(MAX_RESULTS);
    let filter = call.query.text("filter").map_or(Ok(Some(AccountFilter::All)), filter::parse)?;
    let page = match filter {
        Some(filter) => {
            let page = call.app.accounts.list(&call.parent()?.organization, &filter, first - 1, count).await;
            page.map_err(|error| refusals::query(&error))?
        }
        None => AccountPage { accounts: Vec::new(), total: 0 },
    };
    let users = page.accounts.into_iter().map(ScimUserResource::of_row).collect();
    Reply::json(&ScimUserList::new(page.total, first, users))
}

/// Gets a user, as the log has them now.
///
/// # Errors
/// 404 for one of another organization, or one that was deleted.
#[utoipa::path(
    get,
    path = "/scim/v2/Users/{user}",
    operation_id = "scim.users.get",
    tag = "scim",
    params(("user" = String, Path, description = "Id of the user")),
    responses((status = 200, description = "The user", body = ScimUserResource, content_type = "application/scim+json")),
)]
pub async fn get(call: Call) -> Result<Reply, ApiError> {
    let account = account_id(&call)?;
    let (opened, revision) = opened(&call, account).await?;
    Ok(Reply::json(&ScimUserResource::of_account(account, &opened, revision))?.with_etag(revision))
}

/// Creates a user: opens the account of whoever signs in as this subject.
///
/// # Errors
/// 409 uniqueness for a subject or an address that has an account.
#[utoipa::path(
    post,
    path = "/scim/v2/Users",
    operation_id = "scim.users.create",
    tag = "scim",
    params(("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID")),
    request_body(content = ScimUser, content_type = "application/scim+json"),
    responses((status = 201, description = "The user", body = ScimUserResource, content_type = "application/scim+json")),
)]
pub async fn create(call: Call) -> Result<Reply, ApiError> {
    let said = Said::of_user(&call.body)?;
    let subject = said.external_id.clone().filter(|subject| !subject.is_empty()).ok_or_else(|| {
        required("externalId", "wanted what the OpenID Connect provider calls the person: the claim `sub`")
    })?;
    let address = said.address()?.ok_or_else(|| required("userName", "wanted an address"))?;
    // Its people sign in where the directory does: there is one issuer.
    let issuer = call.principal.as_deref().map(|principal| principal.issuer.clone()).unwrap_or_default();
    let account = identity::account_id(call.app.commands.sealer(), &issuer, &subject);
    let ChangeContact { contact, email } = contact(&call, account, &address, said.name());
    let open = AccountCommand::Open(OpenAccount {
        provisioning: Provisioning::Directory,
        sign_in: Personal::new(Subject::account(account), SignIn { issuer, subject }),
        contact,
        email,
    });
    let request = call.command_request()?;
    let outcome = execute(&call, &request, account, &open).await?;
    let outcome = settled(&call, &request, account, said.active, outcome).await?;
    let mut reply = answer(account, &outcome)?.with_header(LOCATION, &location(&account.to_string()));
    reply.status = StatusCode::CREATED;
    Ok(reply)
}

/// Replaces a user. Whether they are in stays as it is where nothing is said of it.
///
/// # Errors
/// 400 mutability for another `externalId`, 409 uniqueness for an address of another account, 412 for an older ETag.
#[utoipa::path(
    put,
    path = "/scim/v2/Users/{user}",
    operation_id = "scim.users.replace",
    tag = "scim",
    params(
        ("user" = String, Path, description = "Id of the user"),
        ("If-Match" = Option<String>, Header, description = "The ETag the user must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body(content = ScimUser, content_type = "application/scim+json"),
    responses((status = 200, description = "The user", body = ScimUserResource, content_type = "application/scim+json")),
)]
pub async fn replace(call: Call) -> Result<Reply, ApiError> {
    let said = Said::of_user(&call.body)?;
    said.address()?.ok_or_else(|| required("userName", "wanted an address"))?;
    let name = said.name().unwrap_or_default();
    change(&call, &said, Some(name)).await
}

/// Changes a user.
///
/// # Errors
/// As for replacing; 400 invalidPath, noTarget or invalidSyntax for operations that are none.
#[utoipa::path(
    patch,
    path = "/scim/v2/Users/{user}",
    operation_id = "scim.users.patch",
    tag = "scim",
    params(
        ("user" = String, Path, description = "Id of the user"),
        ("If-Match" = Option<String>, Header, description = "The ETag the user must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body(content = ScimPatch, content_type = "application/scim+json"),
    responses((status = 200, description = "The user", body = ScimUserResource, content_type = "application/scim+json")),
)]
pub async fn patch(call: Call) -> Result<Reply, ApiError> {
    let said = Said::of_patch(&call.body)?;
    let name = said.name();
    change(&call, &said, name).await
}

/// Deletes a user: they are out at once, their address is free, and no such user is found any more.
///
/// # Errors
/// 404, also when it was deleted before.
#[utoipa::path(
    delete,
    path = "/scim/v2/Users/{user}",
    operation_id = "scim.users.delete",
    tag = "scim",
    params(
        ("user" = String, Path, description = "Id of the user"),
        ("If-Match" = Option<String>, Header, description = "The ETag the user must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 204, description = "Deleted")),
)]
pub async fn delete(call: Call) -> Result<Reply, ApiError> {
    let account = account_id(&call)?;
    let request = call.command_request()?;
    let outcome = execute(&call, &request, account, &AccountCommand::Delete(DeleteAccount {})).await?;
    let nothing = Reply::stream(StatusCode::NO_CONTENT, Body::empty());
    Ok(nothing.after_command(outcome.folded.position, outcome.replayed))
}

/// Executes what is said of a user that exists: what differs first, under the request's own id, so that a repeat finds it
/// whatever has happened since; then whether they are in.
async fn change(call: &Call, said: &Said, name: Option<String>) -> Result<Reply, ApiError> {
    let account = account_id(call)?;
    let (before, _) = opened(call, account).await?;
    let subject = before.sign_in.open().map(|sign_in| &sign_in.subject);
    if said.external_id.as_ref().is_some_and(|told| Some(told) != subject) {
        let why = "it never changes: another `sub` is another person; create a user for them";
        return Err(ApiError::invalid_field("externalId", why).with_reason(IMMUTABLE));
    }
    let known = before.contact.open();
    let address = said.address()?.map_or_else(|| known_address(known), Ok)?;
    // A name that stood for the address goes with it.
    let kept =
        known.filter(|known| known.display_name != known.email).map(|known| known.display_name.clone());
    let contact = contact(call, account, &address, name.or(kept));
    let is_contact_new = contact.contact.open() != known;
    let is_activity_new = said.active.is_some_and(|active| active != before.active);
    let first = match said.active {
        Some(active) if is_activity_new && !is_contact_new => activation(active),
        _ => AccountCommand::ChangeContact(contact),
    };
    let request = call.command_request()?;
    let outcome = execute(call, &request, account, &first).await?;
    answer(account, &settled(call, &request, account, said.active, outcome).await?)
}

/// The address as it is kept; who was erased has none.
fn known_address(known: Option<&Contact>) -> Result<EmailAddress, ApiError> {
    let known = known.and_then(|known| EmailAddress::parse(&known.email).ok());
    known.ok_or_else(|| required("userName", "what was known of this person is erased; wanted an address"))
}

/// Makes sure that the person is in or out as was said, where the first step has not done it: a step of its own, safe to
/// repeat like the first.
async fn settled(
    call: &Call,
    request: &Request,
    account: AccountId,
    active: Option<bool>,
    first: AccountOutcome,
) -> Result<AccountOutcome, ApiError> {
    let is_active = first.folded.state.opened().is_some_and(|opened| opened.active);
    let Some(active) = active.filter(|active| *active != is_active) else { return Ok(first) };
    let step = Request { command_id: request.command_id.step("activity"), if_match: None, ..request.clone() };
    execute(call, &step, account, &activation(active)).await
}

fn activation(active: bool) -> AccountCommand {
    if active {
        AccountCommand::Reactivate(ReactivateAccount {})
    } else {
        AccountCommand::Deactivate(DeactivateAccount {})
    }
}

/// An address with a name, which is the address itself where there is none.
fn contact(call: &Call, account: AccountId, address: &EmailAddress, name: Option<String>) -> ChangeContact {
    let email = address.as_given().to_owned();
    let display_name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| email.clone());
    ChangeContact {
        contact: Personal::new(Subject::account(account), Contact { email, display_name }),
        email: identity::email_key(call.app.commands.sealer(), address),
    }
}

async fn execute(
    call: &Call,
    request: &Request,
    account: AccountId,
    command: &AccountCommand,
) -> Result<AccountOutcome, ApiError> {
    let organization = &call.parent()?.organization;
    let outcome = call.app.commands.account(request, organization, account, command).await;
    let outcome = outcome.map_err(|error| refusals::command(&error, refusals::account))?;
    if outcome.folded.state.status() == AccountStatus::Deactivated
        && let Some(browsers) = &call.app.sign_in.browsers
        && let Err(error) = browsers.sessions.end_all_of(account).await
    {
        // What is left of their sessions is refused with the account, and forgotten in time.
        tracing::warn!(%error, "the sessions of a deactivated account were not ended");
    }
    Ok(outcome)
}

fn answer(account: AccountId, outcome: &AccountOutcome) -> Result<Reply, ApiError> {
    let opened = outcome.folded.state.opened().ok_or_else(user_not_found)?;
    let revision = outcome.folded.revision.map_or(0, |revision| number_of(revision.0));
    let user = ScimUserResource::of_account(account, opened, revision);
    Ok(Reply::json(&user)?.with_etag(revision).after_command(outcome.folded.position, outcome.replayed))
}

/// The account of the path, as it stands at the log's head.
async fn opened(call: &Call, account: AccountId) -> Result<(OpenedAccount, i64), ApiError> {
    let organization = &call.parent()?.organization;
    let view = call.app.commands.account_view(account).await.map_err(refusals::load)?;
    let opened =
        view.account.opened().filter(|opened| opened.organization == *organization && !opened.deleted);
    let opened = opened.cloned().ok_or_else(user_not_found)?;
    Ok((opened, view.revision.map_or(0, |revision| number_of(revision.0))))
}

fn account_id(call: &Call) -> Result<AccountId, ApiError> {
    call.params.item.parse().map_err(|_| user_not_found())
}

fn user_not_found() -> ApiError {
    ApiError::not_found("there is no such account").with_reason("ACCOUNT_NOT_FOUND")
}

fn required(field: &'static str, why: &str) -> ApiError {
    ApiError::invalid_field(field, why).with_reason("INVALID_FIELD")
}

fn number_of(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

fn number(call: &Call, name: &'static str) -> Result<Option<i64>, ApiError> {
    let Some(told) = call.query.text(name) else { return Ok(None) };
    let number = told.parse();
    number.map(Some).map_err(|_| required(name, &format!("{} is no whole number", excerpt(told))))
}
