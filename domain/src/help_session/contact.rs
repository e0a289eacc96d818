//! By which channels, and in which languages, a case can be started now (R-HELP-2): as filing would have it (R-PHONE-1).

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::access::Access;
use crate::case::channel_is_open;
use crate::catalogue::{Catalogue, Channel};
use crate::ids::ProductId;
use crate::routing::RoutingFacts;

/// A channel that is open now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactOption {
    /// The channel.
    pub channel: Channel,
    /// The languages spoken there.
    pub languages: BTreeSet<String>,
}

/// The channels that are open for a product at an instant, or for any that the organization is entitled to.
pub fn options(
    access: &Access,
    catalogue: &Catalogue,
    product: Option<&ProductId>,
    now: Timestamp,
) -> Vec<ContactOption> {
    let products = match product {
        Some(product) => BTreeSet::from([product.clone()]),
        None => access.entitled_products(catalogue, now),
    };
    let country = access.registration.as_ref().map_or("", |registration| registration.country.as_str());
    let is_open = |channel: Channel, language: &str| {
        products.iter().any(|product| {
            let facts = RoutingFacts { product, language, country, channel, at: now };
            channel_is_open(&facts, access, catalogue)
        })
    };
    let options = Channel::ALL.into_iter().map(|channel| {
        let spoken = catalogue.languages.iter().filter(|language| is_open(channel, language));
        ContactOption { channel, languages: spoken.cloned().collect() }
    });
    options.filter(|option| !option.languages.is_empty()).collect()
}
