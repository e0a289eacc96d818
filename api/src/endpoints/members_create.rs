//! `organizations.members.create`: giving somebody access, or listing them (R-ACCESS-1, R-ACCESS-3).

use std::collections::BTreeMap;

use dossier_commands::identity;
use dossier_domain::access::{AccessCommand, AccessEvent, AccessRejection, AddMember, ListMember};
use dossier_domain::address::EmailAddress;
use dossier_domain::{AccountId, AccountStatus, Contact, Personal, ProductId, Role};
use utoipa::ToSchema;

use super::organizations_commands::{invalid, member_reply, outcome, roles};
use super::organizations_resources::MemberResource;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::refusals;
use crate::status::ApiError;

/// Whom to add. Unknown and output-only fields are ignored.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewMember {
    /// Their address, in one of the organization's verified domains; however it is written.
    email: String,
    /// VIEWER, EDITOR or OWNER by product; at least one.
    roles: BTreeMap<String, String>,
    /// Only list them in the directory, without access.
    listed: Option<bool>,
    /// When the access begins, at most 24 hours ahead: the operator's to say.
    effective_time: Option<String>,
}

/// Adds a member. The answer says when the access begins.
///
/// # Errors
/// 400 when nobody with the address has an active account, or it is in no verified domain; 403 for a role above one's own;
/// 409 for somebody who has access.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/members",
    operation_id = "organizations.members.create",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("If-Match" = Option<String>, Header, description = "The ETag the organization must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewMember,
    responses((status = 200, description = "The member", body = MemberResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let email = message.string("email")?.unwrap_or_default();
    let address = EmailAddress::parse(&email).map_err(|why| invalid("email", why.to_string()))?;
    let roles = granted(&message)?;
    let found = call.app.commands.find_account(&address).await.map_err(refusals::load)?;
    let found = found.filter(|(_, account)| account.status() == AccountStatus::Active);
    let known = found.and_then(|(id, account)| account.opened().map(|opened| (id, opened.contact.clone())));
    let known_account = known.as_ref().map(|(account, _)| *account);
    let listed = message.bool("listed")?.unwrap_or_default();
    let add = |account, account_status, contact| {
        let effective_at = message.timestamp("effectiveTime")?;
        Ok::<_, ApiError>(AccessCommand::AddMember(AddMember {
            account,
            account_status,
            contact,
            roles,
            effective_at,
        }))
    };
    let command = match known {
        Some((account, contact)) if listed => AccessCommand::ListMember(ListMember { account, contact }),
        Some((account, contact)) => add(account, AccountStatus::Active, contact)?,
        // To the business whoever has no account is as one who is out. It is asked all the same: it refuses an address
        // that is none of theirs first, and this may repeat what was done while there was an account.
        None => {
            let subject = identity::contact_subject(call.app.commands.sealer(), address.as_given());
            let email = address.as_given().to_owned();
            let contact = Personal::new(subject, Contact { display_name: email.clone(), email });
            add(AccountId(ulid::Ulid::nil()), AccountStatus::Deactivated, contact)?
        }
    };
    let outcome = outcome(&call, &command).await?;
    let added = outcome.events.iter().find_map(|event| match event {
        AccessEvent::MemberListed(event) => Some(event.account),
        AccessEvent::AccessGranted(event) => Some(event.account),
        _ => None,
    });
    let account = added.or(known_account);
    member_reply(&call, account.ok_or_else(|| refusals::organization(&AccessRejection::NoAccount))?, &outcome)
        .await
}

/// The roles to give.
fn granted(message: &Message) -> Result<BTreeMap<ProductId, Role>, ApiError> {
    let roles = roles(message)?.unwrap_or_default();
    let given = roles.into_iter().map(|(product, role)| {
        role.map(|role| (product.clone(), role))
            .ok_or_else(|| invalid(format!("roles.{product}"), "give VIEWER, EDITOR or OWNER"))
    });
    given.collect()
}
