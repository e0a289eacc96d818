//! `organizations.getSupportProfile`: what support an organization has for each product, and what it is entitled to read
//! (R-INFO-1).

use std::collections::BTreeMap;

use dossier_domain::calendar::{OpeningHours, WeeklyHours};
use dossier_domain::catalogue::{Channel, DocumentKind, Links, Phone, ResponseObjective};
use dossier_domain::support_profile::{Availability, ProductSupport, ProviderSupport, SupportProfile};
use serde::Serialize;
use utoipa::ToSchema;

use crate::call::{Call, Reply};
use crate::proto_json::format_timestamp;
use crate::status::ApiError;

/// What support an organization has now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SupportProfileResource {
    /// `organizations/{organization}/supportProfile`.
    pub name: String,
    /// The products it is entitled to.
    pub products: Vec<ProductSupportResource>,
    /// Private documents and downloads of these products.
    pub documents: Vec<DocumentResource>,
    /// Whom to reach about what no case is filed for.
    pub contacts: Vec<SupportContactResource>,
    /// Where to find what is not here, by name: `statusDashboard`, `helpCentre`, `community` and more.
    pub links: BTreeMap<String, String>,
}

/// Support of one product.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductSupportResource {
    /// Key of the product.
    pub product: String,
    /// Name to show.
    pub display_name: String,
    /// The plans in force.
    pub plans: Vec<String>,
    /// Ways to reach support: WEB, EMAIL, CHAT, PHONE.
    pub channels: Vec<String>,
    /// How soon support answers, by plan and priority. Of several plans the soonest counts.
    pub service_levels: Vec<ServiceLevelResource>,
    /// Who supports it where the organization is.
    pub providers: Vec<ProviderResource>,
    /// That its support moves, once it is announced (R-PLAN-2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moves: Option<MoveResource>,
}

/// How soon support answers cases of a priority.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceLevelResource {
    /// The plan that promises it.
    pub plan: String,
    /// The priority of a case.
    pub priority: String,
    /// To the filing, in words.
    pub first_response: String,
    /// To what the customer side says later, in words.
    pub next_response: String,
}

/// A provider of support.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderResource {
    /// Key of the provider.
    pub provider: String,
    /// Name to show.
    pub display_name: String,
    /// Languages spoken, BCP 47.
    pub languages: Vec<String>,
    /// IANA time zone of the opening hours.
    pub time_zone: String,
    /// Opening hours by the day on which they begin, such as `09:00-17:30`.
    pub opening_hours: BTreeMap<String, Vec<String>>,
    /// Dates on which it is closed.
    pub holidays: Vec<String>,
    /// Whether it is open now.
    pub open: bool,
    /// When it closes; absent when it is closed, or does not close in sight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_time: Option<String>,
    /// When it opens next; absent when it is open, or does not open in sight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_time: Option<String>,
    /// Its numbers; empty unless a plan in force brings the phone.
    pub phones: Vec<PhoneResource>,
}

/// A phone number.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhoneResource {
    /// The number, international.
    pub number: String,
    /// The language spoken there.
    pub language_code: String,
    /// The region or country it is for; absent: for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// Where a product's support moves.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MoveResource {
    /// From this instant on nothing new is filed.
    pub end_time: String,
    /// Who supports it then.
    pub successor: String,
    /// Where to find them.
    pub url: String,
}

/// A private document or download.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentResource {
    /// Stable key.
    pub id: String,
    /// The product.
    pub product: String,
    /// Title to show.
    pub title: String,
    /// Where it is.
    pub url: String,
    /// DOCUMENT or DOWNLOAD.
    pub kind: &'static str,
    /// Languages that it is written in, BCP 47.
    pub languages: Vec<String>,
}

/// Whom to reach about something that no case is filed for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SupportContactResource {
    /// What about.
    pub topic: String,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Shows the support profile.
///
/// # Errors
/// 403 for whoever is no member.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}:supportProfile",
    operation_id = "organizations.getSupportProfile",
    tag = "organizations",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
    ),
    responses((status = 200, description = "The support profile", body = SupportProfileResource)),
)]
pub fn handle(call: &Call) -> Result<Reply, ApiError> {
    let parent = call.parent()?;
    let (catalogue, now) = (call.app.commands.catalogue(), call.app.commands.now());
    let profile = SupportProfile::of(&parent.access, catalogue, now);
    Reply::json(&SupportProfileResource {
        name: format!("organizations/{}/supportProfile", parent.organization),
        products: profile.products.iter().map(product).collect(),
        documents: profile
            .documents
            .iter()
            .map(|document| DocumentResource {
                id: document.id.to_string(),
                product: document.product.to_string(),
                title: document.title.clone(),
                url: document.url.clone(),
                kind: match document.kind {
                    DocumentKind::Document => "DOCUMENT",
                    DocumentKind::Download => "DOWNLOAD",
                },
                languages: document.languages.iter().cloned().collect(),
            })
            .collect(),
        contacts: profile
            .contacts
            .iter()
            .map(|contact| SupportContactResource {
                topic: contact.topic.clone(),
                email: contact.email.clone(),
                url: contact.url.clone(),
            })
            .collect(),
        links: links(profile.links),
    })
}

fn product(support: &ProductSupport<'_>) -> ProductSupportResource {
    ProductSupportResource {
        product: support.product.id.to_string(),
        display_name: support.product.display_name.clone(),
        plans: support.plans.iter().map(|plan| plan.id.to_string()).collect(),
        channels: support.channels.iter().map(|channel| Channel::as_str(*channel).to_uppercase()).collect(),
        service_levels: support
            .service_levels
            .iter()
            .map(|level| ServiceLevelResource {
                plan: level.plan.id.to_string(),
                priority: level.priority.as_str().to_owned(),
                first_response: ResponseObjective::in_words(level.objectives.first),
                next_response: level.objectives.next_or_first().in_words(),
            })
            .collect(),
        providers: support.providers.iter().map(provider).collect(),
        moves: support.moves.map(|moves| MoveResource {
            end_time: format_timestamp(moves.ends_at),
            successor: moves.successor.clone(),
            url: moves.url.clone(),
        }),
    }
}

fn provider(support: &ProviderSupport<'_>) -> ProviderResource {
    let (open, close_time, open_time) = match support.availability {
        Availability::Open { closes_at } => (true, closes_at, None),
        Availability::Closed { opens_at } => (false, None, opens_at),
    };
    ProviderResource {
        provider: support.provider.id.to_string(),
        display_name: support.provider.display_name.clone(),
        languages: support.provider.languages.iter().cloned().collect(),
        time_zone: support.calendar.time_zone_name().to_owned(),
        opening_hours: opening_hours(support.calendar.hours()),
        holidays: support.calendar.holidays().iter().map(ToString::to_string).collect(),
        open,
        close_time: close_time.map(format_timestamp),
        open_time: open_time.map(format_timestamp),
        phones: support.phones.iter().map(|phone| number(phone)).collect(),
    }
}

fn number(phone: &Phone) -> PhoneResource {
    PhoneResource {
        number: phone.number.clone(),
        language_code: phone.language.clone(),
        region: phone.region.clone(),
    }
}

fn opening_hours(week: &WeeklyHours) -> BTreeMap<String, Vec<String>> {
    let days = [
        ("monday", &week.monday),
        ("tuesday", &week.tuesday),
        ("wednesday", &week.wednesday),
        ("thursday", &week.thursday),
        ("friday", &week.friday),
        ("saturday", &week.saturday),
        ("sunday", &week.sunday),
    ];
    let open = days.into_iter().filter(|(_, hours)| !hours.is_empty());
    open.map(|(day, hours)| (day.to_owned(), hours.iter().map(OpeningHours::to_string).collect())).collect()
}

/// The links by name, in the spelling of the API.
/// Links by the names that the API gives them (R-HELP-3).
pub(super) fn links(links: &Links) -> BTreeMap<String, String> {
    links.given().map(|(name, url)| (camel_case(name), url.to_owned())).collect()
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut text, word| {
        let mut letters = word.chars();
        text.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        text.push_str(letters.as_str());
        text
    })
}
