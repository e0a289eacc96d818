//! Filters of users (RFC 7644, 3.4.2.2): one attribute that a directory matches people by, and `eq`.

use dossier_domain::address::EmailAddress;
use dossier_projections::accounts::AccountFilter;

use super::{INVALID_FILTER, USER_SCHEMA};
use crate::status::{ApiError, excerpt};

/// What an attribute compares with.
#[derive(Clone, Copy)]
enum Attribute {
    Address,
    Subject,
}

/// The attributes, in lower case.
const ATTRIBUTES: [(&str, Attribute); 5] = [
    ("username", Attribute::Address),
    ("emails.value", Attribute::Address),
    ("emails[type eq \"work\"].value", Attribute::Address),
    ("emails", Attribute::Address),
    ("externalid", Attribute::Subject),
];

/// Reads a filter; `None`: nobody can fit, because what is asked for is no address.
///
/// # Errors
/// 400 with reason INVALID_FILTER for anything that is not one attribute, `eq` and a text.
pub fn parse(filter: &str) -> Result<Option<AccountFilter>, ApiError> {
    let read =
        ATTRIBUTES.iter().find_map(|(name, attribute)| Some((attribute, compared(filter.trim(), name)?)));
    match read {
        None => Err(ApiError::invalid_field(
            "filter",
            format!(
                "{} is not understood; wanted userName, externalId or emails.value, `eq`, and a text in quotation marks",
                excerpt(filter)
            ),
        )
        .with_reason(INVALID_FILTER)),
        Some((Attribute::Subject, text)) => Ok(Some(AccountFilter::Subject(text))),
        Some((Attribute::Address, text)) => Ok(EmailAddress::parse(&text).ok().map(AccountFilter::Email)),
    }
}

/// What an attribute is compared with by `eq`; `None` when the filter says anything else.
fn compared(filter: &str, name: &str) -> Option<String> {
    let filter = strip(filter, USER_SCHEMA).and_then(|rest| rest.strip_prefix(':')).unwrap_or(filter);
    let rest = strip(filter, name)?;
    let operator = rest.trim_start();
    if operator.len() == rest.len() {
        return None;
    }
    serde_json::from_str(strip(operator, "eq")?.strip_prefix(' ')?).ok()
}

/// What follows a beginning in whichever case.
fn strip<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    let (found, rest) = text.split_at_checked(beginning.len())?;
    found.eq_ignore_ascii_case(beginning).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn directories_match_by_address_or_subject() {
        let erin = AccountFilter::Email(EmailAddress::parse("erin@acme.example").unwrap());
        for filter in [
            r#"userName eq "erin@acme.example""#,
            r#" USERNAME EQ  "erin@acme.example" "#,
            r#"urn:ietf:params:scim:schemas:core:2.0:User:userName eq "erin@acme.example""#,
            r#"emails.value eq "erin@acme.example""#,
            r#"emails eq "erin@acme.example""#,
            r#"emails[type eq "work"].value eq "erin@acme.example""#,
        ] {
            assert_eq!(parse(filter).unwrap().as_ref(), Some(&erin), "{filter}");
        }
        let subject = AccountFilter::Subject("a \"b\"".to_owned());
        assert_eq!(parse(r#"externalId eq "a \"b\"""#).unwrap(), Some(subject));
        assert_eq!(parse(r#"userName eq "no address""#).unwrap(), None);
    }

    #[test]
    fn anything_else_is_an_invalid_filter() {
        for filter in [
            "",
            "userName",
            "userName eq",
            "userName eq erin",
            "userNameeq \"x\"",
            r#"userName eqx "x""#,
            r#"userName co "x""#,
            r#"userName eq "x" and active eq true"#,
            r#"emails[type eq "home"].value eq "x""#,
            "active eq true",
            "userName pr",
            "é",
        ] {
            assert_eq!(parse(filter).unwrap_err().reason(), INVALID_FILTER, "{filter}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(filter in "(userName|emails|\\[|eq| |\"|\\PC){0,12}") {
            let _ = parse(&filter);
        }
    }
}
