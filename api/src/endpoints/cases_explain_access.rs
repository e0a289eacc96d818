//! `cases.explainAccess`: whether somebody sees a case, now or at a past instant, and which events make it so (R-RES-5).

use std::collections::BTreeSet;

use dossier_domain::access::AccessEvent;
use dossier_domain::address::EmailAddress;
use dossier_domain::authority::explain::{
    AccessHistory, EventRef, Explanation, Fact, FactKind, Histories, PastEvent, explain_access,
};
use dossier_domain::export::{ExportKind, ExportScope};
use dossier_domain::{AccountId, Actor, Contact, OrganizationId, Personal, ProviderId, StaffRole, Subject};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::call::{Call, Reply, case_not_found};
use crate::exports::Exporter;
use crate::proto_json::parse_timestamp;
use crate::refusals;
use crate::status::{ApiError, excerpt};

/// Members looked at in one go for an address.
const MEMBERS_PAGE: u32 = 500;

/// Whether somebody sees a case, and why.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessExplanationResource {
    /// Account of whom it is about.
    pub principal: String,
    /// The instant: what was recorded until then counts, inclusive.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The organization that they act for; absent: directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<String>,
    /// Whether they see the case: exactly when every fact holds.
    pub visible: bool,
    /// Why they may read no case there at all, as they would be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalResource>,
    /// The facts that decide.
    pub facts: Vec<FactResource>,
}

/// A refusal.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusalResource {
    /// The stable reason.
    #[serde(rename = "reason")]
    pub refusal_reason: &'static str,
    /// The same for people.
    pub message: String,
}

/// One of the facts that decide.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FactResource {
    /// `CASE_FILED`, `ACCOUNT_NOT_DEACTIVATED`, `STAFF_ROLE_READS_CASES`, `GRANT_IN_FORCE`, `ROLE_ON_PRODUCT`,
    /// `IS_RESELLER`, `MANAGES_NOW`, `LET_IN`, `FILED_UNDER_MANAGEMENT`, `CENTRE_OPEN`.
    pub kind: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// In which organization, where that may be the case's or the reseller's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// On which product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// With which role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// The event that made it so; absent: none ever was, or it is not in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<EventRefResource>,
}

/// Where an event stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventRefResource {
    /// Its stream.
    pub stream: String,
    /// Its number there, from 0.
    pub revision: u64,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    pub record_time: Timestamp,
    /// Its type.
    pub event_type: &'static str,
}

impl From<EventRef> for EventRefResource {
    fn from(EventRef { stream, revision, recorded_at, event_type }: EventRef) -> Self {
        Self { stream, revision, record_time: recorded_at, event_type }
    }
}

impl From<Fact> for FactResource {
    fn from(Fact { kind, holds, because }: Fact) -> Self {
        let (organization, product, role) = match &kind {
            FactKind::GrantInForce { organization } => (Some(organization), None, None),
            FactKind::RoleOnProduct { organization, product, role } => {
                (Some(organization), Some(product.to_string()), role.map(dossier_domain::Role::as_str))
            }
            _ => (None, None, None),
        };
        Self {
            kind: name_of(&kind),
            holds,
            organization: organization.map(|organization| format!("organizations/{organization}")),
            product,
            role,
            because: because.map(EventRefResource::from),
        }
    }
}

fn name_of(kind: &FactKind) -> &'static str {
    match kind {
        FactKind::CaseFiled => "CASE_FILED",
        FactKind::AccountNotDeactivated => "ACCOUNT_NOT_DEACTIVATED",
        FactKind::StaffRoleReadsCases => "STAFF_ROLE_READS_CASES",
        FactKind::GrantInForce { .. } => "GRANT_IN_FORCE",
        FactKind::RoleOnProduct { .. } => "ROLE_ON_PRODUCT",
        FactKind::IsReseller => "IS_RESELLER",
        FactKind::ManagesNow => "MANAGES_NOW",
        FactKind::LetIn => "LET_IN",
        FactKind::FiledUnderManagement => "FILED_UNDER_MANAGEMENT",
        FactKind::CentreOpen => "CENTRE_OPEN",
        FactKind::RoutedToTheirProvider => "ROUTED_TO_THEIR_PROVIDER",
    }
}

/// Explains whether somebody sees a case. The asking is itself recorded.
///
/// # Errors
/// 400 for a principal, instant, organization or role that cannot be read; 404 when there is no such case in the
/// organization, or nobody has the address.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}:explainAccess",
    operation_id = "cases.explainAccess",
    tag = "history",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("principal" = String, Query, description = "An account id, or an email address"),
        ("at" = Option<String>, Query, description = "An instant (RFC 3339); now when absent"),
        ("actingFor" = Option<String>, Query,
            description = "The organization that they act for: `organizations/nimbus`; directly when absent"),
        ("roles" = Option<String>, Query,
            description = "Staff roles of the principal, separated by commas: they come with the sign-in and are not in the log"),
        ("provider" = Option<String>, Query, description = "The support provider that an agent works for, which the sign-in tells too"),
    ),
    responses((status = 200, description = "Whether, and why", body = AccessExplanationResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let organization = &call.parent()?.organization;
    let case = call.case_id()?;
    let commands = &call.app.commands;
    let asked_at = call.query.text("at").map(instant).transpose()?;
    let at = asked_at.unwrap_or_else(|| commands.now());
    let acting_for = call.query.text("actingFor").map(acting_for).transpose()?;
    let roles = call.query.text("roles").map(roles).transpose()?.unwrap_or_default();
    let provider = call.query.text("provider").map(provider).transpose()?;
    let wanted = Wanted::parse(call.query.text("principal"))?;

    let case_events = commands.case_history(case).await.map_err(refusals::history)?;
    let owner = case_events.first().and_then(|first| match &first.event {
        dossier_domain::case::CaseEvent::CaseFiled(filed) => Some(&filed.organization),
        _ => None,
    });
    // A resource is addressed under its organization: elsewhere there is none of this name.
    if owner != Some(organization) {
        return Err(case_not_found());
    }
    let scope = ExportScope {
        name: Some(format!("organizations/{organization}/cases/{case}")),
        ..ExportScope::default()
    };
    Exporter::new(&call, ExportKind::Explanation, scope).record(0, asked_at).await?;

    let account = wanted.account(&call, acting_for.as_ref()).await?;
    let access = |organization: OrganizationId| async {
        let events = commands.access_history(&organization).await.map_err(refusals::history)?;
        Ok::<_, ApiError>((organization, events))
    };
    let own = access(organization.clone()).await?;
    let account_events = commands.account_history(account).await.map_err(refusals::history)?;
    let (mut reseller, mut others) = (None, Vec::new());
    if let Some(acting_for) = acting_for.filter(|acting_for| acting_for != organization) {
        for customer in call.app.customers_entitled_at(&acting_for, at).await? {
            if customer != *organization {
                others.push(access(customer).await?);
            }
        }
        reseller = Some(access(acting_for).await?);
    } else if call.query.text("actingFor").is_some() {
        reseller = Some(own.clone());
    }
    let others: Vec<_> = others.iter().map(history_of).collect();
    let histories = Histories {
        case: &case_events,
        organization: history_of(&own),
        account: &account_events,
        acting_for: reseller.as_ref().map(history_of),
        other_customers: &others,
    };
    let explanation =
        explain_access(&somebody(account, roles, provider), &histories, commands.catalogue(), at);
    let acting_for = reseller.as_ref().map(|(organization, _)| format!("organizations/{organization}"));
    Reply::json(&resource(account, at, acting_for, explanation))
}

fn resource(
    account: AccountId,
    at: Timestamp,
    acting_for: Option<String>,
    Explanation { visible, refusal, facts }: Explanation,
) -> AccessExplanationResource {
    let refusal = refusal
        .map(|refusal| RefusalResource { refusal_reason: refusal.reason(), message: refusal.to_string() });
    AccessExplanationResource {
        principal: account.to_string(),
        at,
        acting_for,
        visible,
        refusal,
        facts: facts.into_iter().map(FactResource::from).collect(),
    }
}

fn history_of((organization, events): &(OrganizationId, Vec<PastEvent<AccessEvent>>)) -> AccessHistory<'_> {
    AccessHistory { organization, events }
}

/// Whom a query names.
enum Wanted {
    Account(AccountId),
    Address(EmailAddress),
}

impl Wanted {
    fn parse(text: Option<&str>) -> Result<Self, ApiError> {
        let wanted = "wanted an account id or an email address";
        let text = text
            .ok_or_else(|| ApiError::invalid_field("principal", wanted).with_reason("INVALID_QUERY"))?
            .trim();
        if let Ok(account) = text.parse() {
            return Ok(Self::Account(account));
        }
        EmailAddress::parse(text).map(Self::Address).map_err(|_| {
            ApiError::invalid_field("principal", format!("{} is neither; {wanted}", excerpt(text)))
                .with_reason("INVALID_QUERY")
        })
    }

    /// The account: of whoever has the address, else of a member who is reached by it, in the case's organization or in
    /// that which they act for.
    async fn account(&self, call: &Call, acting_for: Option<&OrganizationId>) -> Result<AccountId, ApiError> {
        let address = match self {
            Self::Account(account) => return Ok(*account),
            Self::Address(address) => address,
        };
        if let Some((account, _)) =
            call.app.commands.find_account(address).await.map_err(refusals::history)?
        {
            return Ok(account);
        }
        for organization in [Some(&call.parent()?.organization), acting_for].into_iter().flatten() {
            if let Some(account) = member_with(call, organization, address).await? {
                return Ok(account);
            }
        }
        Err(ApiError::not_found(
            "nobody here has this address; name the account by its id, or check the address",
        )
        .with_reason("PRINCIPAL_NOT_FOUND"))
    }
}

async fn member_with(
    call: &Call,
    organization: &OrganizationId,
    address: &EmailAddress,
) -> Result<Option<AccountId>, ApiError> {
    let wanted = address.canonical();
    let mut after: Option<String> = None;
    loop {
        let page = call.app.organizations.members(organization, after.as_deref(), MEMBERS_PAGE).await;
        let page = page.map_err(|error| refusals::query(&error))?;
        let found = page.members.iter().find(|member| {
            let email = member.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
            email.is_some_and(|email| email.canonical() == wanted)
        });
        if let Some(found) = found {
            return Ok(found.account.parse().ok());
        }
        if page.next_after.is_none() {
            return Ok(None);
        }
        after = page.next_after;
    }
}

/// Somebody of whom only the account, the staff roles and the provider count.
fn somebody(account: AccountId, roles: BTreeSet<StaffRole>, provider: Option<ProviderId>) -> Actor {
    let contact = Contact { email: String::new(), display_name: String::new() };
    let contact = Personal::new(Subject::account(account), contact);
    Actor { provider, ..Actor::new(account, contact, roles) }
}

fn provider(text: &str) -> Result<ProviderId, ApiError> {
    ProviderId::new(text)
        .map_err(|why| ApiError::invalid_field("provider", why.to_string()).with_reason("INVALID_QUERY"))
}

fn roles(text: &str) -> Result<BTreeSet<StaffRole>, ApiError> {
    let known = || StaffRole::ALL.map(StaffRole::as_str).join(", ");
    let role = |name: &str| {
        StaffRole::from_claim(name.trim()).ok_or_else(|| {
            ApiError::invalid_field(
                "roles",
                format!("{} is no staff role; there are: {}", excerpt(name), known()),
            )
            .with_reason("INVALID_QUERY")
        })
    };
    text.split(',').map(role).collect()
}

fn acting_for(text: &str) -> Result<OrganizationId, ApiError> {
    let id = text.trim().strip_prefix("organizations/").and_then(|id| OrganizationId::new(id).ok());
    id.ok_or_else(|| {
        ApiError::invalid_field("actingFor", "wanted an organization, such as organizations/nimbus")
            .with_reason("INVALID_ACTING_FOR")
    })
}

fn instant(text: &str) -> Result<Timestamp, ApiError> {
    parse_timestamp(text).ok_or_else(|| {
        let wanted = "is not an instant such as 2026-01-31T09:00:00Z";
        ApiError::invalid_field("at", format!("{} {wanted}", excerpt(text))).with_reason("INVALID_QUERY")
    })
}
