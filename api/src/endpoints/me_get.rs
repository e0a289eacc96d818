//! `me.get`: who one is, where one belongs, and what one acts for now (R-ORG-1, R-ACCESS-3).

use dossier_domain::{AccessRefusal, AccountStatus, Action, StaffRole};
use serde::Serialize;
use utoipa::ToSchema;

use super::organizations_resources::{OrganizationEntryResource, organization_name};
use crate::app::App;
use crate::call::{Call, Reply};
use crate::status::ApiError;
use crate::{help, refusals};

/// Who signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeResource {
    /// `accounts/{account}`: a pseudonym of who vouches for the person, and as whom.
    pub name: String,
    /// The address that they signed in with.
    pub email: String,
    /// Name to show.
    pub display_name: String,
    /// What they are on the operator's side, such as AGENT; empty for customers.
    pub staff_roles: Vec<String>,
    /// ACTIVE, or UNKNOWN where no account was opened for them; support staff need none.
    pub account_state: &'static str,
    /// Everything that they are a member of, pending and listed too.
    pub organizations: Vec<OrganizationEntryResource>,
    /// What `Dossier-Acting-For` names, and whether they may act for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<ActingForResource>,
    /// Where who has no account finds help (R-ACCESS-6).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<HelpResource>,
}

/// An organization that somebody says they act for (R-RES-1).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActingForResource {
    /// `organizations/{organization}`.
    pub name: String,
    /// Whether they may.
    pub allowed: bool,
    /// Why not: the reason that a request would be refused with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<&'static str>,
}

/// A page that helps.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelpResource {
    /// What is found there.
    pub description: String,
    /// Where.
    pub url: String,
}

/// Tells who signed in.
///
/// # Errors
/// 403 for a deactivated account.
#[utoipa::path(
    get,
    path = "/v2/me",
    operation_id = "me.get",
    tag = "organizations",
    params(
        ("Dossier-Acting-For" = Option<String>, Header, description = "The organization one acts for: organizations/nimbus"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Oneself", body = MeResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let account = call.actor.account;
    let memberships =
        call.app.organizations.of_member(account).await.map_err(|error| refusals::query(&error))?;
    let now = call.app.commands.now();
    let known = call.standpoint.account() != AccountStatus::Unknown;
    let contact = call.actor.contact.open();
    Reply::json(&MeResource {
        name: format!("accounts/{account}"),
        email: contact.map(|contact| contact.email.clone()).unwrap_or_default(),
        display_name: contact.map(|contact| contact.display_name.clone()).unwrap_or_default(),
        staff_roles: call
            .actor
            .staff_roles
            .iter()
            .map(|role| StaffRole::as_str(*role).to_uppercase())
            .collect(),
        account_state: if known { "ACTIVE" } else { "UNKNOWN" },
        organizations: memberships
            .iter()
            .map(|row| OrganizationEntryResource::of_membership(row, now, call.enums()))
            .collect(),
        acting_for: acting_for(&call),
        help: if known || !call.actor.staff_roles.is_empty() { Vec::new() } else { links(&call.app) },
    })
}

/// What the caller says they act for. Of an organization that is none, or not theirs, they learn the same.
fn acting_for(call: &Call) -> Option<ActingForResource> {
    let acting = call.standpoint.acting_for()?;
    // For a reseller it is about its customers; who acts for any other organization acts for that one alone.
    let itself = (!acting.access.is_reseller()).then_some((acting.organization, acting.access));
    let authority = call.standpoint.authority(&call.actor, itself, call.app.commands.now());
    let refusal = authority.open_to(Action::ReadCases).err();
    Some(ActingForResource {
        name: organization_name(acting.organization),
        allowed: refusal.is_none(),
        refusal: refusal.map(|refusal| refusal.reason()),
    })
}

/// What a refusal for want of an account links (R-ACCESS-6).
fn links(app: &App) -> Vec<HelpResource> {
    let refusal = refusals::access(&AccessRefusal::NoAccount { deactivated: false });
    let linked = help::linked(refusal, app);
    let links = linked.links().iter();
    links.map(|link| HelpResource { description: link.description.clone(), url: link.url.clone() }).collect()
}
