//! `cases.list`: the cases of an organization, newest first.

use dossier_domain::case::Status;
use dossier_domain::catalogue::{Channel, Priority};
use dossier_domain::{Authority, OrganizationId};
use dossier_projections::cases::{CaseCondition, Compared, Moment};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::{Call, Parent, Reply, Version};
use crate::filter::{AssigneeName, CaseFilter, FilterMode, Order, ParentName, PublishedState, TimeField};
use crate::pipeline;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::resources::{CaseResource, PRODUCT_LINES};
use crate::status::ApiError;

/// Some cases.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseList {
    /// The cases, newest first.
    pub cases: Vec<CaseResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Continues before a filing.
#[derive(Serialize, Deserialize)]
struct Cursor {
    before: i64,
}

/// Every parent that a filter names must be open to the caller, wherever in the filter it stands.
pub(super) async fn authorize_named(call: &Call, filter: &CaseFilter) -> Result<Vec<Parent>, ApiError> {
    let mut parents = Vec::new();
    for name in filter.parents() {
        let (kind, id) = match name {
            ParentName::Organization(id) => ("organizations", id),
            ParentName::Project(id) => ("projects", id),
        };
        parents.push(pipeline::authorize_parent(call, kind, id).await?);
    }
    Ok(parents)
}

/// Lists cases.
///
/// # Errors
/// 400 for a bad filter, page size or token.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases",
    operation_id = "cases.list",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("filter" = Option<String>, Query,
            description = "`state`, `priority`, `creator.email` with `=`, joined by AND and OR: `state=OPEN AND (priority=P1 OR priority=P2)`. For support also `organization`, `product`, `provider` (an id or none), `assignee` (me, none or agents/ID), `language`, `channel`, `escalated` with `=`, and `create_time`, `update_time`, `response_due` with `<` and `>`"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer to the same filter"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Cases", body = CaseList)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let mode = FilterMode::List.of_side(call.authority.side());
    let filter = CaseFilter::parse(mode, call.query.text("filter"))?;
    authorize_named(&call, &filter).await?;
    page(&call, Among::of(&call), &filter, product_line(&call)?).await
}

/// Among which cases a page is looked for.
#[derive(Clone, Copy)]
pub(super) struct Among<'a> {
    /// Those of an organization; `None`: of all that the caller acts for.
    organization: Option<&'a OrganizationId>,
    authority: &'a Authority,
}

impl<'a> Among<'a> {
    /// Those that the request's path names.
    pub(super) fn of(call: &'a Call) -> Self {
        let organization = call.parent.as_ref().map(|parent| &parent.organization);
        Self { organization, authority: &call.authority }
    }

    /// Those of a parent.
    pub(super) fn parent(parent: &'a Parent) -> Self {
        Self { organization: Some(&parent.organization), authority: &parent.authority }
    }
}

/// The product line that v2beta can ask for; `None`: any.
fn product_line(call: &Call) -> Result<Option<u8>, ApiError> {
    if call.version != Version::V2Beta {
        return Ok(None);
    }
    let line = call.query.enumeration("productLine", PRODUCT_LINES)?;
    Ok(line.and_then(|line| u8::try_from(line).ok()).filter(|line| *line != 0))
}

/// A page of the cases of an organization that fulfil a filter.
pub(super) async fn page(
    call: &Call,
    among: Among<'_>,
    filter: &CaseFilter,
    line: Option<u8>,
) -> Result<Reply, ApiError> {
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let whose = among.organization.map_or("-", OrganizationId::as_str);
    // A token is good for whom it was given to, and for as long as they act for the same.
    let acting_for = call.acts_for.as_ref().map_or("", |acts_for| acts_for.organization.as_str());
    let scope = format!("{} {whose} {acting_for} {line:?} {filter}", call.endpoint.id);
    let cursor = call.cursor::<Cursor>(&scope)?;
    let visible = among.authority.visibility();
    let mut condition = condition(filter, among, call);
    if let Some(line) = line {
        let classifications = &call.app.commands.catalogue().classifications;
        let of_line = classifications.iter().filter(|classification| classification.product_line == line);
        let ids = of_line.map(|classification| classification.id.clone()).collect();
        condition = CaseCondition::And(vec![condition, CaseCondition::Classification(ids)]);
    }
    let page = call
        .app
        .cases
        .list(&visible, among.organization, &condition, cursor.map(|cursor| cursor.before), limit)
        .await
        .map_err(|error| refusals::query(&error))?;
    let side = among.authority.side();
    Reply::json(&CaseList {
        cases: page.cases.iter().map(|row| CaseResource::new(row, side, call.enums())).collect(),
        next_page_token: page.next_before.map(|before| call.app.page_tokens.seal(&scope, &Cursor { before })),
    })
}

/// The filter in the read model's terms, for a side and an organization.
pub(super) fn condition(filter: &CaseFilter, among: Among<'_>, call: &Call) -> CaseCondition {
    let all = |filters: &[CaseFilter]| filters.iter().map(|filter| condition(filter, among, call)).collect();
    match filter {
        CaseFilter::All => CaseCondition::anything(),
        CaseFilter::And(filters) => CaseCondition::And(all(filters)),
        CaseFilter::Or(filters) => CaseCondition::Or(all(filters)),
        CaseFilter::StateOpen => CaseCondition::Open,
        CaseFilter::StateIs(state) => CaseCondition::Status(match state {
            PublishedState::New => Status::New,
            PublishedState::InProgress => Status::InProgress,
            PublishedState::ActionRequired => Status::ActionRequired,
            PublishedState::SolutionProvided => Status::SolutionProvided,
            PublishedState::Closed => Status::Closed,
        }),
        CaseFilter::Priority(digit) => match Priority::from_digit(*digit) {
            Some(priority) => CaseCondition::Priority(priority),
            None => CaseCondition::nothing(),
        },
        CaseFilter::CreatorEmail(email) => CaseCondition::FilerEmail(email.clone()),
        CaseFilter::Text(text) => CaseCondition::Text(text.clone()),
        CaseFilter::Time(field, order, instant) => {
            let moment = match field {
                TimeField::Created => Moment::Filed,
                TimeField::Updated => Moment::Updated(among.authority.side()),
                TimeField::ResponseDue => Moment::ResponseDue,
            };
            let compared = match order {
                Order::Before => Compared::Before,
                Order::After => Compared::After,
            };
            CaseCondition::At(moment, compared, *instant)
        }
        CaseFilter::Product(id) => CaseCondition::Product(id.clone()),
        CaseFilter::Provider(id) => CaseCondition::Provider(id.clone().unwrap_or_default()),
        CaseFilter::Assignee(AssigneeName::Me) => {
            CaseCondition::Assignee(Some(call.actor.account.to_string()))
        }
        CaseFilter::Assignee(AssigneeName::Nobody) => CaseCondition::Assignee(None),
        CaseFilter::Assignee(AssigneeName::Agent(account)) => {
            CaseCondition::Assignee(Some(account.to_string()))
        }
        CaseFilter::Language(code) => CaseCondition::Language(code.clone()),
        CaseFilter::Channel(name) => {
            // What came by the web says nothing of it.
            CaseCondition::Channel(Some(name.to_lowercase()).filter(|name| name != Channel::Web.as_str()))
        }
        CaseFilter::Escalated(escalated) => CaseCondition::Escalated(*escalated),
        CaseFilter::Organization(id) => CaseCondition::Organization(id.clone()),
        CaseFilter::Project(_) => CaseCondition::nothing(),
    }
}
