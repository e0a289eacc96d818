//! What the use cases on organizations share: reading fields, executing a command, answering, and cutting pages.

use std::collections::BTreeMap;

use dossier_commands::{AccessOutcome, Folded, Request, identity};
use dossier_domain::access::{Access, AccessCommand};
use dossier_domain::address::EmailAddress;
use dossier_domain::{AccountId, Contact, OrganizationId, Personal, ProductId, Role};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::organizations_resources::{MemberResource, OrganizationResource, ROLES, role_of};
use crate::call::{Call, Reply};
use crate::history;
use crate::proto_json::Message;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::ApiError;

/// Executes a command on the access of the path's organization.
pub(super) async fn outcome(call: &Call, command: &AccessCommand) -> Result<AccessOutcome, ApiError> {
    outcome_in(call, &call.command_request()?, &call.parent()?.organization, command).await
}

/// Executes a command on an organization's access.
pub(super) async fn outcome_in(
    call: &Call,
    request: &Request,
    organization: &OrganizationId,
    command: &AccessCommand,
) -> Result<AccessOutcome, ApiError> {
    let done = call.app.commands.access(request, organization, command).await;
    done.map_err(|error| refusals::command(&error, refusals::organization))
}

/// Answers a command with a body, the organization's revision and the position.
pub(super) fn reply(body: &impl Serialize, outcome: &AccessOutcome) -> Result<Reply, ApiError> {
    Ok(Reply::json(body)?
        .with_etag(revision(&outcome.folded))
        .after_command(outcome.folded.position, outcome.replayed))
}

/// Answers a command with nothing but that it is done.
pub(super) fn done(outcome: &AccessOutcome) -> Result<Reply, ApiError> {
    reply(&json!({}), outcome)
}

/// Answers a command with the organization.
pub(super) async fn organization_reply(
    call: &Call,
    organization: &OrganizationId,
    outcome: &AccessOutcome,
) -> Result<Reply, ApiError> {
    let access = &outcome.folded.state;
    let contact = opened(call, access.technical_contact.clone()).await?;
    let updated_at = outcome.folded.recorded_at.unwrap_or(outcome.at);
    let resource = OrganizationResource::of_fold(organization, access, contact, updated_at);
    reply(&resource.ok_or_else(organization_not_found)?, outcome)
}

/// Answers a command with a member.
pub(super) async fn member_reply(
    call: &Call,
    account: AccountId,
    outcome: &AccessOutcome,
) -> Result<Reply, ApiError> {
    let member = outcome.folded.state.members.get(&account).ok_or_else(no_such_member)?;
    let contact = opened(call, Some(member.contact.clone())).await?;
    let organization = &call.parent()?.organization;
    let (grant, now) = (member.grant.as_ref(), as_of(call, outcome));
    let resource = MemberResource::of_fold(organization, account, contact.as_ref(), grant, now, call.enums());
    reply(&resource, outcome)
}

/// The instant that an answer tells of: a repeat tells of the first one's.
pub(super) fn as_of(call: &Call, outcome: &AccessOutcome) -> Timestamp {
    if outcome.events.is_empty() { call.app.commands.now() } else { outcome.at }
}

/// A contact of a fold, opened; `None` when there is none, or it was erased.
async fn opened(call: &Call, mut contact: Option<Personal<Contact>>) -> Result<Option<Contact>, ApiError> {
    let opening = history::open(&mut contact, call.app.commands.sealer()).await;
    opening.map_err(refusals::load)?;
    Ok(contact.as_ref().and_then(Personal::open).cloned())
}

fn revision(folded: &Folded<Access>) -> i64 {
    folded.revision.and_then(|revision| i64::try_from(revision.0).ok()).unwrap_or_default()
}

/// The organization that a field names, such as `organizations/nimbus`; `None` when it is unset or empty.
pub(super) fn organization_field(message: &Message, name: &str) -> Result<Option<OrganizationId>, ApiError> {
    let Some(text) = message.string(name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let id = text.strip_prefix("organizations/").and_then(|id| OrganizationId::new(id).ok());
    id.map(Some)
        .ok_or_else(|| invalid(message.path(name), "wanted an organization, such as organizations/nimbus"))
}

/// The technical contact; `None` when it is unset.
pub(super) fn technical_contact(
    call: &Call,
    message: &Message,
) -> Result<Option<Personal<Contact>>, ApiError> {
    let Some(contact) = message.message("technicalContact")? else { return Ok(None) };
    let email = contact.string("email")?.unwrap_or_default();
    let address =
        EmailAddress::parse(&email).map_err(|why| invalid(contact.path("email"), why.to_string()))?;
    let email = address.as_given().to_owned();
    let display_name = contact.string("displayName")?.filter(|name| !name.trim().is_empty());
    let subject = identity::contact_subject(call.app.commands.sealer(), &email);
    let display_name = display_name.unwrap_or_else(|| email.clone());
    Ok(Some(Personal::new(subject, Contact { email, display_name })))
}

/// The roles by product as they were sent, null for none; `None` when the field is unset.
pub(super) fn roles(message: &Message) -> Result<Option<BTreeMap<ProductId, Option<Role>>>, ApiError> {
    let Some(roles) = message.message("roles")? else { return Ok(None) };
    let mut by_product = BTreeMap::new();
    for name in roles.names() {
        let product = ProductId::new(name).map_err(|why| invalid(message.path("roles"), why.to_string()))?;
        let role = match roles.enumeration(name, ROLES)? {
            None => None,
            Some(number) => Some(role_of(number).ok_or_else(|| {
                invalid(roles.path(name), "give VIEWER, EDITOR or OWNER; to take a role away, null")
            })?),
        };
        by_product.insert(product, role);
    }
    Ok(Some(by_product))
}

/// A field that does not fit.
pub(super) fn invalid(field: impl Into<String>, why: impl Into<String>) -> ApiError {
    ApiError::invalid_field(field, why).with_reason("INVALID_FIELD")
}

/// No organization of this name: told only to whoever may see all of them.
pub(super) fn organization_not_found() -> ApiError {
    ApiError::not_found("there is no such organization").with_reason("ORGANIZATION_NOT_FOUND")
}

/// The member of the path.
///
/// # Errors
/// 404 when the text cannot be an account's id.
pub(super) fn account_id(call: &Call) -> Result<AccountId, ApiError> {
    call.params.item.parse().map_err(|_| no_such_member())
}

/// No member of this name in the organization.
pub(super) fn no_such_member() -> ApiError {
    ApiError::not_found("there is no such member in this organization").with_reason("NO_SUCH_MEMBER")
}

/// Continues after a key.
#[derive(Serialize, Deserialize)]
pub(super) struct Cursor<K> {
    /// The last one of the page before.
    pub after: K,
}

/// A page of a list that is short enough to be had as a whole, in the order of its keys, and the token for the next.
pub(super) fn page<T, K: Ord + Serialize + DeserializeOwned>(
    call: &Call,
    scope: &str,
    items: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)? as usize;
    let after = call.cursor::<Cursor<K>>(scope)?;
    let follows = |item: &T| after.as_ref().is_none_or(|cursor| key(item) > cursor.after);
    let mut rest: Vec<T> = items.into_iter().filter(follows).collect();
    let more = rest.len() > limit;
    rest.truncate(limit);
    let last = rest.last().filter(|_| more);
    let token = last.map(|last| call.app.page_tokens.seal(scope, &Cursor { after: key(last) }));
    Ok((rest, token))
}
