//! Who gives support, where and when, and what else customers are pointed to (R-INFO-1, R-ROUTE-1).

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Capability, Plan};
use crate::ids::{CalendarId, DocumentId, ProductId, ProviderId};

/// A way to reach support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The support centre.
    Web,
    /// Mail.
    Email,
    /// Chat.
    Chat,
    /// Phone, within the provider's hours (R-PHONE-1).
    Phone,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Web, Self::Email, Self::Chat, Self::Phone];

    /// The name in the catalogue.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Email => "email",
            Self::Chat => "chat",
            Self::Phone => "phone",
        }
    }
}

/// A phone number of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phone {
    /// The number, international: `+33 1 23 45 67 89`.
    pub number: String,
    /// The language spoken there.
    pub language: String,
    /// The region or country it is for; none: for all of the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// Somebody who gives support.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Stable key.
    pub id: ProviderId,
    /// Name to show.
    pub display_name: String,
    /// Languages spoken, of the catalogue's.
    pub languages: BTreeSet<String>,
    /// Regions of the catalogue, or countries.
    pub regions: BTreeSet<String>,
    /// Ways to reach it.
    pub channels: BTreeSet<Channel>,
    /// When it is open.
    pub calendar: CalendarId,
    /// What it is competent for (R-ROUTE-2).
    pub products: BTreeSet<ProductId>,
    /// Whether it is recorded as vetted (R-ROUTE-2); others receive no cases.
    #[serde(default)]
    pub vetted: bool,
    /// Whether it gets what fits no other (R-ROUTE-1).
    #[serde(default)]
    pub default_queue: bool,
    /// Phone numbers.
    #[serde(default)]
    pub phones: Vec<Phone>,
}

/// What a private document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// Something to read.
    Document,
    /// Something to install or run.
    Download,
}

/// A private document or download: shown to those who are entitled to its product, and to no others (R-INFO-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Stable key.
    pub id: DocumentId,
    /// The product.
    pub product: ProductId,
    /// Title to show.
    pub title: String,
    /// Where it is.
    pub url: String,
    /// What it is.
    pub kind: DocumentKind,
    /// Languages that it is written in, BCP 47.
    #[serde(default)]
    pub languages: BTreeSet<String>,
}

/// Whom to reach about something that no case is filed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportContact {
    /// What about, in words to show.
    pub topic: String,
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Where to find what is not here; what is not given is not shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Links {
    /// Whether the products work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_dashboard: Option<String>,
    /// Articles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_centre: Option<String>,
    /// Other users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub community: Option<String>,
    /// Asking for an account back (R-ACCESS-6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_recovery: Option<String>,
    /// Help with signing in (R-ACCESS-6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in_help: Option<String>,
    /// A new password (R-ACCESS-6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_reset: Option<String>,
}

impl Links {
    /// Those that are given, by name.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("status_dashboard", &self.status_dashboard),
            ("help_centre", &self.help_centre),
            ("community", &self.community),
            ("account_recovery", &self.account_recovery),
            ("sign_in_help", &self.sign_in_help),
            ("password_reset", &self.password_reset),
        ]
        .into_iter()
        .filter_map(|(name, link)| Some((name, link.as_deref()?)))
    }
}

impl Plan {
    /// Ways to reach support under this plan: those listed, or else web and mail; and phone with the capability
    /// (R-PLAN-3).
    pub fn offered_channels(&self) -> BTreeSet<Channel> {
        let mut channels = self.channels.clone();
        if channels.is_empty() {
            channels.extend([Channel::Web, Channel::Email]);
        }
        if self.capabilities.contains(&Capability::Phone) {
            channels.insert(Channel::Phone);
        }
        channels
    }
}
