//! What a catalogue may say of support: each mistake in one sentence.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::{Capability, Catalogue, Channel, InvalidCatalogue, Phone, Plan, Provider, SupportContact};
use crate::address::EmailAddress;
use crate::calendar::Calendar;

impl Catalogue {
    /// Checks what concerns support: plans' channels and objectives, regions, calendars, providers, documents, links.
    pub(super) fn validate_support(&self) -> Result<(), InvalidCatalogue> {
        self.plans.iter().try_for_each(check_plan)?;
        for (region, countries) in &self.regions {
            if is_country(region) {
                return wrong(format_args!("region {region} is named like a country; give it another name"));
            }
            if let Some(odd) = countries.iter().find(|country| !is_country(country)) {
                return wrong(format_args!(
                    "region {region} holds {odd:?}; wanted a country such as FR, or 150"
                ));
            }
        }
        once("calendar", self.calendars.iter().map(Calendar::id))?;
        once("provider", self.providers.iter().map(|provider| &provider.id))?;
        self.providers.iter().try_for_each(|provider| self.check_provider(provider))?;
        self.check_default_queue()?;
        once("document", self.documents.iter().map(|document| &document.id))?;
        for document in &self.documents {
            let (id, product) = (&document.id, &document.product);
            if self.product(product).is_none() {
                return wrong(format_args!(
                    "document {id} names product {product}, which is not listed; add it"
                ));
            }
            check_url(format_args!("document {id}"), &document.url)?;
        }
        self.contacts.iter().try_for_each(check_contact)?;
        self.links.given().try_for_each(|(name, link)| check_url(format_args!("links.{name}"), link))
    }

    fn check_provider(&self, provider: &Provider) -> Result<(), InvalidCatalogue> {
        let id = &provider.id;
        for (what, empty) in [
            ("languages", provider.languages.is_empty()),
            ("regions", provider.regions.is_empty()),
            ("channels", provider.channels.is_empty()),
            ("products", provider.products.is_empty()),
        ] {
            if empty {
                return wrong(format_args!("provider {id} has no {what}; list some"));
            }
        }
        if let Some(odd) = provider.languages.iter().find(|tag| !self.languages.contains(*tag)) {
            return wrong(format_args!(
                "provider {id} speaks {odd:?}, which is not among the languages; add it"
            ));
        }
        if let Some(odd) = provider.regions.iter().find(|region| !self.knows_region(region)) {
            return wrong(format_args!("provider {id} names region {odd:?}, which is not listed; add it"));
        }
        if self.calendar(&provider.calendar).is_none() {
            let calendar = &provider.calendar;
            return wrong(format_args!(
                "provider {id} names calendar {calendar}, which is not listed; add it"
            ));
        }
        if let Some(odd) = provider.products.iter().find(|product| self.product(product).is_none()) {
            return wrong(format_args!("provider {id} names product {odd}, which is not listed; add it"));
        }
        if provider.channels.contains(&Channel::Phone) == provider.phones.is_empty() {
            return wrong(format_args!(
                "provider {id} needs phones for its channel phone, and none without it"
            ));
        }
        provider.phones.iter().try_for_each(|phone| self.check_phone(provider, phone))
    }

    fn check_phone(&self, provider: &Provider, phone: &Phone) -> Result<(), InvalidCatalogue> {
        let (id, number, language) = (&provider.id, &phone.number, &phone.language);
        if !is_phone_number(number) {
            return wrong(format_args!(
                "provider {id} has the phone number {number:?}; write it as \"+33 1 23 45 67 89\""
            ));
        }
        if !provider.languages.contains(language) {
            return wrong(format_args!("provider {id} has a phone in {language:?}, which it does not speak"));
        }
        match phone.region.as_deref().filter(|region| !self.knows_region(region)) {
            Some(odd) => {
                wrong(format_args!("provider {id} has a phone for {odd:?}, which is not listed; add it"))
            }
            None => Ok(()),
        }
    }

    fn knows_region(&self, region: &str) -> bool {
        is_country(region) || self.regions.contains_key(region)
    }

    /// Exactly one provider is the default queue, and it may get any case (R-ROUTE-2).
    fn check_default_queue(&self) -> Result<(), InvalidCatalogue> {
        let mut queues = self.providers.iter().filter(|provider| provider.default_queue);
        match (queues.next(), queues.next()) {
            (None, _) if self.providers.is_empty() => Ok(()),
            (None, _) => wrong("no provider has default_queue = true; choose one for what fits no other"),
            (Some(first), Some(second)) => {
                let (first, second) = (&first.id, &second.id);
                wrong(format_args!("providers {first} and {second} both have default_queue = true; keep one"))
            }
            (Some(queue), None) => {
                let id = &queue.id;
                if !queue.vetted {
                    return wrong(format_args!("provider {id} is the default queue, but not vetted"));
                }
                match self.products.iter().find(|product| !queue.products.contains(&product.id)) {
                    Some(product) => wrong(format_args!(
                        "provider {id} is the default queue, but not competent for {}; add it to its products",
                        product.id
                    )),
                    None => Ok(()),
                }
            }
        }
    }
}

fn check_plan(plan: &Plan) -> Result<(), InvalidCatalogue> {
    if plan.channels.contains(&Channel::Phone) && !plan.capabilities.contains(&Capability::Phone) {
        return wrong(format_args!(
            "plan {} lists the channel phone without the capability phone; add it to capabilities",
            plan.id
        ));
    }
    plan.complaint_about_responses().map_or(Ok(()), |why| wrong(format_args!("plan {} {why}", plan.id)))
}

fn check_contact(contact: &SupportContact) -> Result<(), InvalidCatalogue> {
    let SupportContact { topic, email, url } = contact;
    if let Some(email) = email
        && EmailAddress::parse(email).is_err()
    {
        return wrong(format_args!("contact {topic:?} has the email {email:?}, which is no address"));
    }
    match url {
        Some(url) => check_url(format_args!("contact {topic:?}"), url),
        None if email.is_none() => {
            wrong(format_args!("contact {topic:?} has neither email nor url; give one"))
        }
        None => Ok(()),
    }
}

fn wrong<T>(why: impl Display) -> Result<T, InvalidCatalogue> {
    Err(InvalidCatalogue(format!("catalogue: {why}")))
}

/// Checks that every key stands once.
fn once<'a, Id: Ord + Display + 'a>(
    what: &str,
    ids: impl Iterator<Item = &'a Id>,
) -> Result<(), InvalidCatalogue> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return wrong(format_args!("{what} {id} stands twice; keep one"));
        }
    }
    Ok(())
}

/// An ISO 3166 country, or a UN M49 code; the shape only.
fn is_country(code: &str) -> bool {
    (code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
        || (code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `+`, then 6 to 15 digits, which may be spaced.
fn is_phone_number(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('+') else { return false };
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    (6..=15).contains(&digits) && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ')
}

fn check_url(whose: impl Display, url: &str) -> Result<(), InvalidCatalogue> {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    if !host.is_empty() && !host.starts_with('/') && !host.contains(char::is_whitespace) {
        return Ok(());
    }
    wrong(format_args!("{whose} has the url {url:?}; write it in full, beginning with https://"))
}
