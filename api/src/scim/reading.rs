//! What a directory says of a person: in a whole user, or in a patch (RFC 7644, 3.5.2) in whichever spelling. Names of
//! attributes and operations are not case-sensitive, booleans also come as texts, and what is not kept is passed over.

use dossier_domain::address::EmailAddress;
use serde_json::{Map, Value};

use super::{IMMUTABLE, INVALID_PATCH_PATH, NO_TARGET, USER_SCHEMA};
use crate::status::{ApiError, excerpt};

/// Longest subject of an OpenID Connect provider, and longest name, in bytes.
const MAX_TEXT_BYTES: usize = 255;

/// What a directory says of a person; `None`: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What the identity provider calls them.
    pub external_id: Option<String>,
    /// Whether they are to be in.
    pub active: Option<bool>,
    user_name: Option<String>,
    work_email: Option<String>,
    display_name: Option<String>,
    formatted: Option<String>,
    given: Option<String>,
    family: Option<String>,
}

impl Said {
    /// Reads a whole user.
    ///
    /// # Errors
    /// 400: INVALID_BODY for what is no JSON object, INVALID_FIELD for a value of another kind.
    pub fn of_user(body: &[u8]) -> Result<Self, ApiError> {
        let mut said = Self::default();
        for (name, value) in object(body)? {
            said.set(&name, &value)?;
        }
        Ok(said)
    }

    /// Reads a patch: its operations, one after the other.
    ///
    /// # Errors
    /// 400: as [`Said::of_user`], INVALID_PATCH_PATH, NO_TARGET, or IMMUTABLE for the removal of what must be there.
    pub fn of_patch(body: &[u8]) -> Result<Self, ApiError> {
        let body = object(body)?;
        let operations = attribute(&body, "Operations").and_then(Value::as_array);
        let operations = operations.ok_or_else(|| bad_body("wanted a list of Operations"))?;
        let mut said = Self::default();
        for operation in operations {
            let operation = operation.as_object().ok_or_else(|| bad_body("an operation is an object"))?;
            let path = attribute(operation, "path").map(|path| text("path", path)).transpose()?;
            let value = attribute(operation, "value");
            let op = attribute(operation, "op").and_then(Value::as_str).unwrap_or_default();
            match (op.to_ascii_lowercase().as_str(), path) {
                ("add" | "replace", Some(path)) => {
                    let value = value.ok_or_else(|| ApiError::invalid_field("value", "there is none"))?;
                    said.set(checked_path(&path)?, value)?;
                }
                ("add" | "replace", None) => {
                    let values = value.and_then(Value::as_object);
                    let values = values.ok_or_else(|| {
                        ApiError::invalid_field("value", "without a path, wanted an object of attributes")
                    })?;
                    for (name, value) in values {
                        said.set(name, value)?;
                    }
                }
                ("remove", Some(path)) => said.remove(checked_path(&path)?)?,
                ("remove", None) => {
                    return Err(ApiError::invalid_field("path", "a removal says what to remove")
                        .with_reason(NO_TARGET));
                }
                _ => return Err(bad_body("an operation is add, replace or remove")),
            }
        }
        Ok(said)
    }

    /// The address.
    ///
    /// # Errors
    /// 400 for what is no address, or two that differ.
    pub fn address(&self) -> Result<Option<EmailAddress>, ApiError> {
        let parsed = |field, text: &Option<String>| {
            let parsed = text.as_deref().map(EmailAddress::parse).transpose();
            parsed.map_err(|why| invalid(field, &why.to_string()))
        };
        match (parsed("userName", &self.user_name)?, parsed("emails", &self.work_email)?) {
            (Some(name), Some(email)) if name.canonical() != email.canonical() => Err(invalid(
                "emails",
                "userName and the work address must be one: have the directory send the address for both",
            )),
            (name, email) => Ok(name.or(email)),
        }
    }

    /// The name to show; empty: the address is to stand for it.
    pub fn name(&self) -> Option<String> {
        // One part alone would lose the other, which is not kept.
        let parts = self.given.as_ref().zip(self.family.as_ref());
        let joined = parts.map(|(given, family)| format!("{given} {family}").trim().to_owned());
        self.display_name.clone().or_else(|| self.formatted.clone()).or(joined)
    }

    /// Takes in what is said of an attribute; `null` says nothing.
    fn set(&mut self, path: &str, value: &Value) -> Result<(), ApiError> {
        if value.is_null() {
            return Ok(());
        }
        match plain(path).as_str() {
            "externalid" => self.external_id = Some(text("externalId", value)?),
            "username" => self.user_name = Some(text("userName", value)?),
            "emails" => self.work_email = work_email(value)?.or(self.work_email.take()),
            "emails.value" | "emails[type eq \"work\"].value" | "emails[primary eq true].value" => {
                self.work_email = Some(text("emails", value)?);
            }
            "emails[type eq \"work\"]" | "emails[primary eq true]" => {
                self.work_email = work_email(value)?.or(self.work_email.take());
            }
            "displayname" => self.display_name = Some(text("displayName", value)?),
            "name.formatted" => self.formatted = Some(text("name.formatted", value)?),
            "name.givenname" => self.given = Some(text("name.givenName", value)?),
            "name.familyname" => self.family = Some(text("name.familyName", value)?),
            "name" => {
                let parts = value.as_object().ok_or_else(|| invalid("name", "wanted an object"))?;
                for (part, value) in parts {
                    self.set(&format!("name.{part}"), value)?;
                }
            }
            "active" => self.active = Some(boolean(value)?),
            _ => {}
        }
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), ApiError> {
        match plain(path).as_str() {
            "displayname" | "name" | "name.formatted" => self.display_name = Some(String::new()),
            "externalid" | "username" | "active" => return Err(immutable(path)),
            emails if emails.starts_with("emails") => return Err(immutable(path)),
            _ => {}
        }
        Ok(())
    }
}

/// A name as it is compared: without the user's own schema, in lower case.
fn plain(path: &str) -> String {
    let schema = path.split_at_checked(USER_SCHEMA.len());
    let bare = schema.filter(|(schema, _)| schema.eq_ignore_ascii_case(USER_SCHEMA));
    bare.and_then(|(_, rest)| rest.strip_prefix(':')).unwrap_or(path).to_ascii_lowercase()
}

/// A path that may name something: letters, and perhaps a condition in brackets.
fn checked_path(path: &str) -> Result<&str, ApiError> {
    let (name, condition) = path.split_once('[').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let named = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "$-_.:".contains(c));
    let fits = match condition.map(|condition| condition.rsplit_once(']')) {
        None => true,
        Some(None) => false,
        Some(Some((condition, rest))) => !condition.contains(['[', ']']) && named(rest),
    };
    if !name.is_empty() && named(name) && fits {
        return Ok(path);
    }
    let why = format!("{} is no path of an attribute", excerpt(path));
    Err(ApiError::invalid_field("path", why).with_reason(INVALID_PATCH_PATH))
}

/// Of several addresses the primary one, else the one for work, else the first.
fn work_email(value: &Value) -> Result<Option<String>, ApiError> {
    let one = std::slice::from_ref(value);
    let all = value.as_array().map_or(one, Vec::as_slice);
    let says = |email: &&Value, name: &str, wanted: &str| {
        let said = email.as_object().and_then(|email| attribute(email, name));
        said.is_some_and(|said| said.to_string().trim_matches('"').eq_ignore_ascii_case(wanted))
    };
    let chosen = all
        .iter()
        .find(|email| says(email, "primary", "true"))
        .or_else(|| all.iter().find(|email| says(email, "type", "work")))
        .or_else(|| all.first());
    let Some(chosen) = chosen else { return Ok(None) };
    let email = chosen.as_object().ok_or_else(|| invalid("emails", "wanted objects with a value"))?;
    attribute(email, "value").map(|value| text("emails", value)).transpose()
}

fn text(field: &'static str, value: &Value) -> Result<String, ApiError> {
    let text = value.as_str().map(str::trim).ok_or_else(|| invalid(field, "wanted a text"))?;
    if text.len() > MAX_TEXT_BYTES || text.contains(char::is_control) {
        return Err(invalid(
            field,
            &format!("wanted at most {MAX_TEXT_BYTES} bytes without control characters"),
        ));
    }
    Ok(text.to_owned())
}

/// A boolean, or the text of one.
fn boolean(value: &Value) -> Result<bool, ApiError> {
    let text = value.as_str().map(str::to_ascii_lowercase);
    match (value.as_bool(), text.as_deref()) {
        (Some(boolean), _) => Ok(boolean),
        (None, Some("true")) => Ok(true),
        (None, Some("false")) => Ok(false),
        _ => Err(invalid("active", "wanted true or false")),
    }
}

/// The body as an object.
fn object(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    serde_json::from_slice(body).map_err(|error| bad_body(&format!("wanted a JSON object: {error}")))
}

fn attribute<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let (_, value) = object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value).filter(|value| !value.is_null())
}

fn bad_body(why: &str) -> ApiError {
    ApiError::invalid_argument(format!("the body cannot be read: {why}")).with_reason("INVALID_BODY")
}

fn invalid(field: &'static str, why: &str) -> ApiError {
    ApiError::invalid_field(field, why).with_reason("INVALID_FIELD")
}

fn immutable(path: &str) -> ApiError {
    ApiError::invalid_field("path", format!("{path} cannot be removed")).with_reason(IMMUTABLE)
}

#[cfg(test)]
mod tests;
