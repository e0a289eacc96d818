//! proto3 JSON at the edge: a tolerant reader of requests and the few writers that answers need.
//!
//! Real clients name fields in lowerCamelCase or snake_case, send enums as names or numbers and int64 as text
//! or number, and pass through output-only fields; `null` means unset. What they must not send is refused with
//! 400 naming the field.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::status::{ApiError, excerpt};

/// The names and numbers of an enum, as published.
pub type EnumTable = [(&'static str, i32)];

/// A JSON object from a request body.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    fields: Map<String, Value>,
    /// Where this message stands in the body, with a trailing dot; empty for the body itself.
    prefix: String,
}

impl Message {
    /// Reads a body. An empty one is an empty message; unknown fields are kept out of sight; of a field given
    /// twice the last counts; nesting is bounded (127 levels).
    ///
    /// # Errors
    /// 400 with reason INVALID_BODY for bad UTF-8, broken JSON (a lone surrogate included) or a body that is
    /// not an object; INVALID_TEXT for U+0000 in any text.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let text = std::str::from_utf8(body).map_err(|error| {
            let (line, column) = position(&body[..error.valid_up_to()]);
            bad_body(format!("it is not UTF-8 at line {line}, column {column}"))
        })?;
        let value: Value =
            serde_json::from_str(text).map_err(|error| bad_body(format!("it is not JSON: {error}")))?;
        let fields = match value {
            Value::Object(fields) => fields,
            other => {
                return Err(bad_body(format!(
                    "it must be a JSON object and is {} (line 1, column 1)",
                    kind(&other)
                )));
            }
        };
        for (name, value) in &fields {
            refuse_nul(name, value)?;
        }
        Ok(Self { fields, prefix: String::new() })
    }

    /// Whether the field is there and not null. Names are given in lowerCamelCase, here and below.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The names of all fields as they were sent, unset ones too: for a message that is a map.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// The path of a field for error messages.
    pub fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A text. Whether an unset one differs from an empty one is for the caller to say.
    ///
    /// # Errors
    /// 400 naming the field when it is not a string.
    pub fn string(&self, name: &str) -> Result<Option<String>, ApiError> {
        self.typed(name, "a string", |value| value.as_str().map(str::to_owned))
    }

    /// A boolean; text is not taken for one.
    ///
    /// # Errors
    /// 400 naming the field when it is neither true nor false.
    pub fn bool(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.typed(name, "true or false", Value::as_bool)
    }

    /// A 32-bit integer, as number or text.
    ///
    /// # Errors
    /// 400 naming the field when it is not an integer in range.
    pub fn int32(&self, name: &str) -> Result<Option<i32>, ApiError> {
        self.typed(name, "a 32-bit integer", |value| integer(value).and_then(|wide| i32::try_from(wide).ok()))
    }

    /// A 64-bit integer, as number or text.
    ///
    /// # Errors
    /// 400 naming the field when it is not an integer in range.
    pub fn int64(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.typed(name, "a 64-bit integer", integer)
    }

    /// A finite number, as number or text.
    ///
    /// # Errors
    /// 400 naming the field when it is not a number, or infinite, or NaN.
    pub fn double(&self, name: &str) -> Result<Option<f64>, ApiError> {
        self.typed(name, "a finite number", |value| match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        })
    }

    /// An instant: RFC 3339 with a zone, year 1 to 9999.
    ///
    /// # Errors
    /// 400 naming the field when it is not such a text.
    pub fn timestamp(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        self.typed(name, "a timestamp such as 2026-01-31T09:00:00Z", |value| {
            value.as_str().and_then(parse_timestamp)
        })
    }

    /// A list of texts; `None` when unset.
    ///
    /// # Errors
    /// 400 naming the field, or the element, that is not what it should be.
    pub fn string_list(&self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        self.list(name, |path, value| {
            value.as_str().map(str::to_owned).ok_or_else(|| wrong_type(path, "a string", value))
        })
    }

    /// A message inside this one; its errors name the whole path.
    ///
    /// # Errors
    /// 400 naming the field when it is not an object.
    pub fn message(&self, name: &str) -> Result<Option<Self>, ApiError> {
        let prefix = format!("{}.", self.path(name));
        self.typed(name, "an object", |value| value.as_object().cloned())
            .map(|found| found.map(|fields| Self { fields, prefix }))
    }

    /// A list of messages; `None` when unset.
    ///
    /// # Errors
    /// 400 naming the field, or the element, that is not what it should be.
    pub fn message_list(&self, name: &str) -> Result<Option<Vec<Self>>, ApiError> {
        self.list(name, |path, value| match value {
            Value::Object(fields) => Ok(Self { fields: fields.clone(), prefix: format!("{path}.") }),
            other => Err(wrong_type(path, "an object", other)),
        })
    }

    /// An enum, by name or number; the answer is the number.
    ///
    /// # Errors
    /// 400 naming the field and the allowed names when the value is none of them.
    pub fn enumeration(&self, name: &str, table: &EnumTable) -> Result<Option<i32>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let known = match value {
            Value::String(text) => number_of(text, table),
            Value::Number(_) => integer(value)
                .and_then(|wide| i32::try_from(wide).ok())
                .filter(|number| table.iter().any(|(_, known)| known == number)),
            _ => None,
        };
        known.map(Some).ok_or_else(|| {
            let given = match value {
                Value::String(text) => excerpt(text),
                Value::Number(number) => number.to_string(),
                other => kind(other).to_owned(),
            };
            unknown_enum(&self.path(name), &given, table)
        })
    }

    fn get(&self, name: &str) -> Option<&Value> {
        let set = |name: &str| self.fields.get(name).filter(|value| !value.is_null());
        set(name).or_else(|| set(&snake_case(name)))
    }

    fn typed<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| wrong_type(&self.path(name), wanted, value))
    }

    fn list<T>(
        &self,
        name: &str,
        read: impl Fn(&str, &Value) -> Result<T, ApiError>,
    ) -> Result<Option<Vec<T>>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let path = self.path(name);
        let elements = value.as_array().ok_or_else(|| wrong_type(&path, "a list", value))?;
        let read_at = |(i, element): (usize, &Value)| read(&format!("{path}[{i}]"), element);
        elements.iter().enumerate().map(read_at).collect::<Result<_, _>>().map(Some)
    }
}

/// How enums are written in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EnumEncoding {
    /// By name: the default.
    #[default]
    Name,
    /// By number, when `$alt=json;enum-encoding=int` was asked for.
    Integer,
}

impl EnumEncoding {
    /// What a `$alt` query parameter asks for; anything not understood is the default.
    pub fn from_alt(alt: Option<&str>) -> Self {
        let asked = alt.unwrap_or_default().split(';').any(|part| {
            part.split_once('=').is_some_and(|(key, value)| {
                key.trim().eq_ignore_ascii_case("enum-encoding") && value.trim().eq_ignore_ascii_case("int")
            })
        });
        if asked { Self::Integer } else { Self::Name }
    }

    /// A number of the table as it goes out. A number without a name goes out as the number.
    pub fn encode(self, number: i32, table: &EnumTable) -> Value {
        let name = table.iter().find(|(_, known)| *known == number).map(|(name, _)| *name);
        match (self, name) {
            (Self::Name, Some(name)) => name.into(),
            _ => number.into(),
        }
    }
}

/// An instant as it goes out: RFC 3339, UTC, `Z`, microseconds (finer digits are cut off).
pub fn format_timestamp(instant: Timestamp) -> String {
    format!("{instant:.6}")
}

/// The beginning of year 1, in UTC.
const FIRST_INSTANT: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// Reads RFC 3339 with a zone; `None` for anything else (no zone, a blank for the T, more than nine digits of
/// fraction, a year outside 1 to 9999).
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    // The shape is checked here because the parser below also takes other shapes of ISO 8601.
    let bytes = text.as_bytes();
    let (clock, rest) = bytes.split_at_checked(19)?;
    let shaped = clock.iter().enumerate().all(|(i, byte)| match i {
        4 | 7 => *byte == b'-',
        10 => matches!(byte, b'T' | b't'),
        13 | 16 => *byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let zone = match rest.strip_prefix(b".") {
        None => rest,
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return None;
            }
            &fraction[digits..]
        }
    };
    let zone_shaped = match zone {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            [h1, h2, m1, m2].iter().all(|byte| byte.is_ascii_digit()) && (*h1, *h2) < (b'2', b'4')
        }
        _ => false,
    };
    if !shaped || !zone_shaped || &clock[..4] == b"0000" {
        return None;
    }
    // East of Greenwich the first hours of year 1 are still year 0, which could not be sent out again.
    text.parse().ok().filter(|instant| *instant >= FIRST_INSTANT)
}

/// Reads an enum from text that is no JSON (a query parameter): a name, or a number in digits.
///
/// # Errors
/// 400 naming the field and the allowed names.
pub fn parse_enum_text(field: &str, text: &str, table: &EnumTable) -> Result<i32, ApiError> {
    let by_number = || text.parse().ok().filter(|number| table.iter().any(|(_, known)| known == number));
    number_of(text, table).or_else(by_number).ok_or_else(|| unknown_enum(field, &excerpt(text), table))
}

/// `displayName` → `display_name`; what is in snake_case already stays as it is.
pub fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn number_of(name: &str, table: &EnumTable) -> Option<i32> {
    table.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            // 5.0 and 5e0 are integers too; beyond 2^53 a fraction has been lost, so refuse.
            const EXACT: f64 = 9_007_199_254_740_992.0;
            let wide = number.as_f64().filter(|wide| wide.fract() == 0.0 && wide.abs() <= EXACT)?;
            #[expect(clippy::cast_possible_truncation, reason = "an integer within 2^53")]
            Some(wide as i64)
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn refuse_nul(path: &str, value: &Value) -> Result<(), ApiError> {
    let holds_nul = match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(elements) => return elements.iter().try_for_each(|element| refuse_nul(path, element)),
        Value::Object(fields) => {
            return fields.iter().try_for_each(|(name, value)| refuse_nul(&format!("{path}.{name}"), value));
        }
        _ => false,
    };
    if holds_nul || path.contains('\0') {
        let path = path.replace('\0', "\u{fffd}");
        return Err(ApiError::invalid_field(path, "must not contain U+0000").with_reason("INVALID_TEXT"));
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn position(before: &[u8]) -> (usize, usize) {
    let line = before.split(|byte| *byte == b'\n').count();
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}

fn bad_body(what: impl std::fmt::Display) -> ApiError {
    ApiError::invalid_argument(format!("The body cannot be read: {what}.")).with_reason("INVALID_BODY")
}

fn wrong_type(path: &str, wanted: &str, given: &Value) -> ApiError {
    let shown = match given {
        Value::String(text) => format!("the string {}", excerpt(text)),
        other => kind(other).to_owned(),
    };
    ApiError::invalid_field(path, format!("must be {wanted} and is {shown}")).with_reason("INVALID_FIELD")
}

fn unknown_enum(path: &str, given: &str, table: &EnumTable) -> ApiError {
    let names: Vec<_> = table.iter().map(|(name, _)| *name).collect();
    ApiError::invalid_field(path, format!("{given} is not one of {}", names.join(", ")))
        .with_reason("INVALID_FIELD")
}

#[cfg(test)]
mod tests;
