//! The boundary in a `Content-Type`.

use super::{LONGEST_BOUNDARY, invalid};
use crate::status::{ApiError, excerpt};

/// The boundary that a `multipart/related` names, quoted or not.
pub(super) fn boundary(content_type: &str) -> Result<String, ApiError> {
    let (mime_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !mime_type.trim().eq_ignore_ascii_case("multipart/related") {
        return Err(invalid(&format!("its Content-Type is {}", excerpt(mime_type.trim()))));
    }
    let mut found = None;
    let mut rest = parameters;
    while let Some((name, value, after)) = parameter(rest)? {
        if name.eq_ignore_ascii_case("boundary") && found.replace(value).is_some() {
            return Err(invalid("its Content-Type names two boundaries"));
        }
        rest = after;
    }
    let found = found.ok_or_else(|| invalid("its Content-Type names no boundary"))?;
    let printable = found.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if found.is_empty() || found.len() > LONGEST_BOUNDARY || !printable || found.ends_with(' ') {
        return Err(invalid(&format!(
            "the boundary in its Content-Type is not 1 to {LONGEST_BOUNDARY} printable ASCII characters"
        )));
    }
    Ok(found)
}

/// The first parameter of a list, its value without quotes, and what comes after it.
fn parameter(list: &str) -> Result<Option<(&str, String, &str)>, ApiError> {
    let list = list.trim_start_matches([' ', '\t', ';']);
    if list.is_empty() {
        return Ok(None);
    }
    let (name, rest) =
        list.split_once('=').ok_or_else(|| invalid("a parameter of its Content-Type has no value"))?;
    let rest = rest.trim_start_matches([' ', '\t']);
    let Some(quoted) = rest.strip_prefix('"') else {
        let (value, after) = rest.split_once(';').unwrap_or((rest, ""));
        return Ok(Some((name.trim(), value.trim().to_owned(), after)));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let after = quoted[at + 1..].trim_start_matches([' ', '\t']);
                if !after.is_empty() && !after.starts_with(';') {
                    return Err(invalid("something follows a quoted parameter of its Content-Type"));
                }
                return Ok(Some((name.trim(), value, after)));
            }
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            character => value.push(character),
        }
    }
    Err(invalid("a quoted parameter of its Content-Type has no end"))
}
