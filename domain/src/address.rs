//! Domain names and email addresses in the one form in which they are compared.
//!
//! A domain is compared as lower-case A-labels (`xn--…`), so that every spelling of a name is one name. A label that
//! mixes scripts, or that reads like an ASCII one, is refused: it only serves to be taken for another.
//! An address is compared with its local part in lower case and without a `+tag`: both reach the same mailbox. It is
//! shown as it was given.

use std::collections::BTreeSet;
use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_security::{RestrictionLevel, RestrictionLevelDetection, skeleton};

/// Longest domain name, in bytes of its A-labels; a claim's stream is named by it.
const MAX_DOMAIN_BYTES: usize = 190;
/// Longest email address, in bytes.
const MAX_EMAIL_BYTES: usize = 320;

/// Why a text is no domain or no address that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// It is no domain name.
    #[error("wanted a domain name of two labels or more, such as acme.example")]
    Domain,
    /// A label mixes scripts or looks like another name.
    #[error("this name mixes scripts or reads like another one; use a domain that cannot be mistaken")]
    LookAlike,
    /// It is no email address.
    #[error("wanted an email address, such as ada@acme.example")]
    Email,
}

/// A domain name in its one form: lower-case A-labels, without a final dot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

impl DomainName {
    /// Reads a domain name in Unicode or ASCII, in any case.
    ///
    /// # Errors
    /// [`InvalidAddress`].
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| InvalidAddress::Domain)?;
        let top = ascii.rsplit('.').next().unwrap_or_default();
        let numeric = top.bytes().all(|byte| byte.is_ascii_digit());
        if !ascii.contains('.') || ascii.len() > MAX_DOMAIN_BYTES || ascii.ends_with('.') || numeric {
            return Err(InvalidAddress::Domain);
        }
        let (unicode, valid) = idna::domain_to_unicode(&ascii);
        valid.map_err(|_| InvalidAddress::Domain)?;
        if unicode.split('.').any(is_look_alike) {
            return Err(InvalidAddress::LookAlike);
        }
        Ok(Self(ascii))
    }

    /// The name as A-labels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name, or a domain above it, is in a list.
    pub fn is_within(&self, list: &BTreeSet<String>) -> bool {
        let mut rest = Some(self.0.as_str());
        while let Some(name) = rest {
            if list.contains(name) {
                return true;
            }
            rest = name.split_once('.').map(|(_, above)| above);
        }
        false
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a label mixes scripts beyond what one language writes, or reads like an ASCII one: then each of its other
/// characters looks like one letter or digit of ASCII.
fn is_look_alike(label: &str) -> bool {
    if label.is_ascii() {
        return false;
    }
    let reads_as_ascii = |character: char| {
        let mut buffer = [0; 4];
        let mut shape = skeleton(character.encode_utf8(&mut buffer));
        shape.next().is_some_and(|first| first.is_ascii()) && shape.next().is_none()
    };
    !label.check_restriction_level(RestrictionLevel::HighlyRestrictive)
        || label.chars().filter(|character| !character.is_ascii()).all(reads_as_ascii)
}

/// An email address: as it was given, and in the form in which it is compared.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    given: String,
    canonical: String,
    domain: DomainName,
}

impl EmailAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// [`InvalidAddress`].
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let given = text.trim();
        let (local, domain) = given.rsplit_once('@').ok_or(InvalidAddress::Email)?;
        let strange = |c: char| c.is_control() || c.is_whitespace() || "\"(),:;<>@[\\]".contains(c);
        if given.len() > MAX_EMAIL_BYTES || local.contains(strange) {
            return Err(InvalidAddress::Email);
        }
        let domain = DomainName::parse(domain)?;
        let lower = local.nfkc().collect::<String>().to_lowercase();
        // A tag alone names no mailbox.
        let mailbox = lower.split('+').next().unwrap_or_default();
        if mailbox.is_empty() || lower.contains(strange) {
            return Err(InvalidAddress::Email);
        }
        Ok(Self { given: given.to_owned(), canonical: format!("{mailbox}@{domain}"), domain })
    }

    /// As it was given, for display and for mail.
    pub fn as_given(&self) -> &str {
        &self.given
    }

    /// The form in which addresses are compared: personal data like the address itself.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Its domain.
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }
}

impl fmt::Debug for EmailAddress {
    /// Never shows the address: debug output reaches logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Result<String, InvalidAddress> {
        DomainName::parse(text).map(|name| name.to_string())
    }

    fn canonical(text: &str) -> Result<String, InvalidAddress> {
        EmailAddress::parse(text).map(|address| address.canonical().to_owned())
    }

    /// R-ORG-1.
    #[test]
    fn r_org_1_every_spelling_of_a_domain_is_one_name_in_lower_case_a_labels() {
        for (given, name) in [
            ("Acme.Example", "acme.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("bu\u{308}cher.example", "xn--bcher-kva.example"),
            ("ａｃｍｅ.example", "acme.example"),
            ("acme。example", "acme.example"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("пример.example", "xn--e1afmkfd.example"),
            ("æble.example", "xn--ble-xla.example"),
            ("пример-1.example", "xn---1-mlcluqhd.example"),
        ] {
            assert_eq!(domain(given).as_deref(), Ok(name), "{given}");
        }
    }

    /// R-ORG-1: Unicode look-alikes, decided.
    #[test]
    fn r_org_1_a_name_that_mixes_scripts_or_reads_like_an_ascii_one_is_refused_in_either_spelling() {
        for look_alike in
            ["аcme.example", "gооgle.example", "асе.example", "αcme.example", "ɑcme.example", "аре.рф"]
        {
            assert_eq!(domain(look_alike), Err(InvalidAddress::LookAlike), "{look_alike}");
            let ascii = idna::domain_to_ascii(look_alike).unwrap();
            assert!(ascii.contains("xn--"));
            assert_eq!(domain(&ascii), Err(InvalidAddress::LookAlike), "{ascii}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        let long =
            format!("{}.{}.{}.{}.example", "a".repeat(60), "b".repeat(60), "c".repeat(60), "d".repeat(60));
        for bad in [
            "",
            "acme",
            "a..b",
            "-a.example",
            "a b.example",
            "a_b.example",
            "acme.example.",
            "10.0.0.1",
            "xn--a.example",
            &long,
        ] {
            assert_eq!(domain(bad), Err(InvalidAddress::Domain), "{bad:?}");
        }
    }

    /// R-ACCESS-8.
    #[test]
    fn r_access_8_a_name_below_a_listed_one_is_within_the_list() {
        let list = BTreeSet::from(["mail.example".to_owned()]);
        let within = |text| DomainName::parse(text).unwrap().is_within(&list);
        assert!(within("mail.example") && within("Eu.Mail.Example"));
        assert!(!within("notmail.example") && !within("example.mail"));
    }

    #[test]
    fn mixed_case_and_plus_addressed_emails_compare_as_one_and_are_shown_as_given() {
        for given in [
            "alice@acme.example",
            "Alice@ACME.example",
            "alice+support@acme.example",
            " ALICE+x+y@Acme.Example ",
        ] {
            assert_eq!(canonical(given).as_deref(), Ok("alice@acme.example"), "{given}");
        }
        assert_eq!(EmailAddress::parse(" Alice+X@Acme.Example ").unwrap().as_given(), "Alice+X@Acme.Example");
        assert_ne!(
            canonical("a.lice@acme.example"),
            canonical("alice@acme.example"),
            "dots tell mailboxes apart"
        );
        assert_eq!(canonical("Jörg@bücher.example").as_deref(), Ok("jörg@xn--bcher-kva.example"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "alice",
            "@acme.example",
            "+tag@acme.example",
            "a b@acme.example",
            "a@b@acme.example",
            "\"a\"@acme.example",
        ] {
            assert_eq!(canonical(bad), Err(InvalidAddress::Email), "{bad:?}");
        }
        assert_eq!(canonical("alice@acme"), Err(InvalidAddress::Domain));
        assert_eq!(canonical("alice@аcme.example"), Err(InvalidAddress::LookAlike));
    }

    #[test]
    fn debug_output_never_shows_the_address() {
        assert!(!format!("{:?}", EmailAddress::parse("alice@acme.example").unwrap()).contains("alice"));
    }
}
