//! The catalogue: which products, plans and classifications there are, and what each plan brings. It is configuration, handed
//! to every decision; what a decision took from it goes into the event, so that editing it rewrites nothing.

mod check_support;
mod closing;
mod problem_kind;
mod response;
mod support;
#[cfg(test)]
mod support_tests;
#[cfg(test)]
mod tests;
mod volume;

pub use closing::ClosingPolicy;
pub use problem_kind::{ProblemKind, ProblemKindText};
pub use response::{ResponseObjective, ResponseObjectives};
pub use support::{Channel, Document, DocumentKind, Links, Phone, Provider, SupportContact};
pub use volume::{VolumeFactor, VolumePolicy};

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::DomainName;
use crate::calendar::Calendar;
use crate::ids::{CalendarId, PlanId, ProductId, ProviderId};

/// Urgency of a case (R-CASE-2). P0 comes with some plans only (R-PLAN-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Priority {
    /// The most urgent, where the plan offers it.
    P0,
    /// Critical service-access problem for several users; service unusable; no workaround.
    P1,
    /// The same for one user, or collaboration impaired, or not working as expected; no acceptable workaround.
    P2,
    /// Not as expected; a workaround exists.
    P3,
    /// Works, not as wished; no workaround needed.
    P4,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 5] = [Self::P0, Self::P1, Self::P2, Self::P3, Self::P4];

    /// `P0` to `P4`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P0 => "P0",
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
        }
    }

    /// The priority of a digit, 0 to 4.
    pub fn from_digit(digit: u8) -> Option<Self> {
        Self::ALL.get(usize::from(digit)).copied()
    }

    /// What the priority means, in full, as clients are told (R-CASE-2).
    pub fn description(self) -> &'static str {
        match self {
            Self::P0 => {
                "The most urgent, where the plan offers it: business stands still and nothing else can wait."
            }
            Self::P1 => {
                "Critical problem of access to the service for several users; the service is unusable and there is no workaround."
            }
            Self::P2 => {
                "Critical problem of access to the service for one user, or collaboration between users is impaired; the product does not work as expected and there is no acceptable workaround."
            }
            Self::P3 => "The product does not work as expected; a workaround exists.",
            Self::P4 => "The product works, though not as wished; no workaround is needed.",
        }
    }

    /// The digit, 0 to 4.
    pub fn digit(self) -> u8 {
        self as u8
    }
}

/// Something a plan allows beyond filing and following cases (R-PLAN-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Escalating by oneself (R-ESC-1).
    Escalate,
    /// Redefining the priority of an open case (R-PRIO-1).
    RedefinePriority,
    /// Contacting support by phone.
    Phone,
}

impl Capability {
    /// The name used in the catalogue and in refusals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Escalate => "escalate",
            Self::RedefinePriority => "redefine_priority",
            Self::Phone => "phone",
        }
    }
}

/// A support plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Stable key.
    pub id: PlanId,
    /// Name to show.
    pub display_name: String,
    /// Priorities that cases may be filed with.
    pub priorities: BTreeSet<Priority>,
    /// What it allows beyond filing and following.
    #[serde(default)]
    pub capabilities: BTreeSet<Capability>,
    /// Ways to reach support, as listed; see [`Plan::offered_channels`].
    #[serde(default)]
    pub channels: BTreeSet<Channel>,
    /// How soon support answers, by priority; see [`Plan::response`].
    #[serde(default)]
    pub responses: BTreeMap<Priority, ResponseObjectives>,
}

/// A product that is supported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Stable key.
    pub id: ProductId,
    /// Name to show.
    pub display_name: String,
    /// Plans that make it eligible (R-PLAN-1); others only add capabilities on top.
    pub eligible_plans: BTreeSet<PlanId>,
    /// Where its support moves (R-PLAN-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moves: Option<ProductMove>,
}

/// That a product's support moves elsewhere (R-PLAN-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductMove {
    /// From this instant on, inclusive, the centre names the successor.
    pub announced_at: Timestamp,
    /// From this instant on, inclusive, nothing new is filed.
    pub ends_at: Timestamp,
    /// Who supports it then, in words to show.
    pub successor: String,
    /// Where to find them.
    pub url: String,
    /// Who is entitled to one of these goes on filing.
    #[serde(default)]
    pub exempting_products: BTreeSet<ProductId>,
}

/// Longest delay between a grant and its beginning, in seconds (R-ACCESS-3).
pub const MAX_GRANT_DELAY_SECONDS: u32 = 24 * 3600;

/// How people get access.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessPolicy {
    /// How long after a grant it begins, in seconds, at most 24 hours (R-ACCESS-3).
    pub grant_delay_seconds: u32,
    /// Domains of consumer mail: neither they nor what lies below them is verified or granted (R-ACCESS-8).
    pub consumer_mail_domains: BTreeSet<String>,
}

/// What a case is about: the leaf of a tree under one product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    /// Stable key; usable for filing even when it is no longer listed.
    pub id: String,
    /// The product it belongs to.
    pub product: ProductId,
    /// Levels joined by ` > `.
    pub display_name: String,
    /// Whether searching finds it.
    #[serde(default = "yes")]
    pub listed: bool,
    /// Product line of the public API, 1 or 2.
    #[serde(default = "first_line")]
    pub product_line: u8,
}

fn yes() -> bool {
    true
}

fn first_line() -> u8 {
    1
}

/// Products, plans, classifications, languages and support of one deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Languages that support speaks, BCP 47; others become `en`.
    pub languages: BTreeSet<String>,
    /// Plans.
    pub plans: Vec<Plan>,
    /// Products.
    pub products: Vec<Product>,
    /// Classifications, in the order in which they are listed.
    pub classifications: Vec<Classification>,
    /// How people get access.
    #[serde(default)]
    pub access: AccessPolicy,
    /// Countries (ISO 3166, or UN M49 in digits) of each region that is named.
    #[serde(default)]
    pub regions: BTreeMap<String, BTreeSet<String>>,
    /// Business calendars.
    #[serde(default)]
    pub calendars: Vec<Calendar>,
    /// Support providers.
    #[serde(default)]
    pub providers: Vec<Provider>,
    /// Private documents and downloads.
    #[serde(default)]
    pub documents: Vec<Document>,
    /// Whom to reach about what no case is filed for.
    #[serde(default)]
    pub contacts: Vec<SupportContact>,
    /// Where to find what is not here.
    #[serde(default)]
    pub links: Links,
    /// Whether cases close by themselves.
    #[serde(default)]
    pub closing: ClosingPolicy,
    /// How much of a product's cases and calls is unusual.
    #[serde(default)]
    pub volume_watch: VolumePolicy,
    /// Kinds of problems that the help assistant tells apart (R-HELP-2), in the order in which they are shown.
    #[serde(default)]
    pub problem_kinds: Vec<ProblemKind>,
    /// The folder of help articles, from where the catalogue's file is; none: there are no articles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub articles: Option<String>,
}

impl AccessPolicy {
    fn validate(&self) -> Result<(), InvalidCatalogue> {
        if self.grant_delay_seconds > MAX_GRANT_DELAY_SECONDS {
            return Err(InvalidCatalogue(format!(
                "catalogue: access.grant_delay_seconds is {}; at most {MAX_GRANT_DELAY_SECONDS} will do",
                self.grant_delay_seconds
            )));
        }
        let odd =
            |name: &&String| DomainName::parse(name).map_or(true, |parsed| parsed.as_str() != name.as_str());
        match self.consumer_mail_domains.iter().find(odd) {
            Some(name) => Err(InvalidCatalogue(format!(
                "catalogue: access.consumer_mail_domains holds {name:?}; write it in lower-case ASCII (punycode for others)"
            ))),
            None => Ok(()),
        }
    }
}

/// What is wrong with a catalogue, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidCatalogue(String);

impl Catalogue {
    /// Checks that every reference leads somewhere and every key stands once.
    ///
    /// # Errors
    /// [`InvalidCatalogue`] names the first entry that does not fit.
    pub fn validate(&self) -> Result<(), InvalidCatalogue> {
        let wrong = |text: String| Err(InvalidCatalogue(text));
        if !self.languages.contains("en") {
            return wrong(
                "catalogue: languages must contain \"en\", which stands in for any other".to_owned(),
            );
        }
        let mut plans = BTreeMap::new();
        for plan in &self.plans {
            if plans.insert(&plan.id, plan).is_some() {
                return wrong(format!("catalogue: plan {} stands twice; keep one", plan.id));
            }
        }
        let mut products = BTreeSet::new();
        for product in &self.products {
            if !products.insert(&product.id) {
                return wrong(format!("catalogue: product {} stands twice; keep one", product.id));
            }
            if let Some(plan) = product.eligible_plans.iter().find(|plan| !plans.contains_key(plan)) {
                return wrong(format!(
                    "catalogue: product {} names plan {plan}, which is not listed; add it",
                    product.id
                ));
            }
        }
        self.validate_moves()?;
        self.access.validate()?;
        self.closing.validate()?;
        self.volume_watch.validate()?;
        self.validate_support()?;
        let mut classifications = BTreeSet::new();
        for classification in &self.classifications {
            if !classifications.insert(&classification.id) {
                return wrong(format!(
                    "catalogue: classification {} stands twice; keep one",
                    classification.id
                ));
            }
            if !products.contains(&classification.product) {
                return wrong(format!(
                    "catalogue: classification {} names product {}, which is not listed; add it",
                    classification.id, classification.product
                ));
            }
            if !(1..=2).contains(&classification.product_line) {
                return wrong(format!(
                    "catalogue: classification {} has a product_line other than 1 or 2",
                    classification.id
                ));
            }
        }
        self.validate_problem_kinds()
    }

    fn validate_moves(&self) -> Result<(), InvalidCatalogue> {
        for (product, moves) in
            self.products.iter().filter_map(|product| Some((product, product.moves.as_ref()?)))
        {
            if moves.ends_at < moves.announced_at {
                return Err(InvalidCatalogue(format!(
                    "catalogue: product {} ends before its move is announced; exchange the instants",
                    product.id
                )));
            }
            if let Some(exempting) = moves.exempting_products.iter().find(|id| self.product(id).is_none()) {
                return Err(InvalidCatalogue(format!(
                    "catalogue: product {} names the exempting product {exempting}, which is not listed; add it",
                    product.id
                )));
            }
        }
        Ok(())
    }

    /// The move of a product that is announced at an instant, whether or not it has ended.
    pub fn announced_move(&self, product: &ProductId, now: Timestamp) -> Option<&ProductMove> {
        self.product(product)?.moves.as_ref().filter(|moves| moves.announced_at <= now)
    }

    /// The plan with this key.
    pub fn plan(&self, id: &PlanId) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.id == *id)
    }

    /// The product with this key.
    pub fn product(&self, id: &ProductId) -> Option<&Product> {
        self.products.iter().find(|product| product.id == *id)
    }

    /// The calendar with this key.
    pub fn calendar(&self, id: &CalendarId) -> Option<&Calendar> {
        self.calendars.iter().find(|calendar| calendar.id() == id)
    }

    /// The support provider with this key.
    pub fn provider(&self, id: &ProviderId) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id == *id)
    }

    /// The provider that gets what fits no other (R-ROUTE-1); there is one as soon as there are providers.
    pub fn default_queue(&self) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.default_queue)
    }

    /// Whether a region, by name, or a country covers a country.
    pub fn covers(&self, region: &str, country: &str) -> bool {
        region == country || self.regions.get(region).is_some_and(|countries| countries.contains(country))
    }

    /// The classification with this key, listed or not.
    pub fn classification(&self, id: &str) -> Option<&Classification> {
        self.classifications.iter().find(|classification| classification.id == id)
    }

    /// The language to use for a wish: itself or its base where support speaks it, else `en` (R-CASE-1).
    pub fn language(&self, wish: &str) -> String {
        let base = wish.split('-').next().unwrap_or_default();
        [wish, base].into_iter().find(|tag| self.languages.contains(*tag)).unwrap_or("en").to_owned()
    }
}
