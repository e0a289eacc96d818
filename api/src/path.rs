//! Paths of the API: `/v2/organizations/o/cases/c:close`.
//!
//! A router cannot tell `{id}` from `{id}:verb`, and a `:` that belongs to an id arrives as `%3A`; so a path
//! is taken apart here, on its raw text, and matched as a list of segments and an optional verb.

use percent_encoding::percent_decode_str;

use crate::status::ApiError;

/// A path taken apart and decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawPath {
    /// The decoded segments, none empty; the last one without its verb.
    pub segments: Vec<String>,
    /// What stood behind the last raw `:` of the last segment.
    pub verb: Option<String>,
}

impl RawPath {
    /// Takes a path apart as it came on the request line: still percent-encoded, without the query.
    ///
    /// # Errors
    /// 404 for whatever cannot name anything: no leading `/`, empty segments (so no trailing `/`), an empty
    /// verb, bad escapes, bad UTF-8, U+0000 or an encoded `/` inside a segment.
    pub fn parse(raw: &str) -> Result<Self, ApiError> {
        let mut raw_segments: Vec<&str> =
            raw.strip_prefix('/').ok_or_else(unknown_path)?.split('/').collect();
        let last = raw_segments.pop().ok_or_else(unknown_path)?;
        let (last, verb) = match last.rsplit_once(':') {
            Some((id, verb)) => (id, Some(decode(verb)?)),
            None => (last, None),
        };
        raw_segments.push(last);
        let segments = raw_segments.into_iter().map(decode).collect::<Result<_, _>>()?;
        Ok(Self { segments, verb })
    }

    /// The segments as text slices, for matching against a table.
    pub fn parts(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The verb as a text slice, for matching against a table.
    pub fn verb(&self) -> Option<&str> {
        self.verb.as_deref()
    }
}

/// The answer for a path that nothing serves.
pub fn unknown_path() -> ApiError {
    ApiError::not_found("Nothing is served at this path.").with_reason("UNKNOWN_PATH")
}

/// Whether every `%` is followed by two hexadecimal digits.
pub(crate) fn escapes_are_whole(raw: &str) -> bool {
    raw.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
    })
}

fn decode(raw: &str) -> Result<String, ApiError> {
    if raw.is_empty() || !escapes_are_whole(raw) {
        return Err(unknown_path());
    }
    let text = percent_decode_str(raw).decode_utf8().map_err(|_| unknown_path())?;
    if text.contains(['\0', '/']) {
        return Err(unknown_path());
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken_apart(raw: &str) -> (Vec<String>, Option<String>) {
        let path = RawPath::parse(raw).unwrap();
        (path.segments, path.verb)
    }

    fn strings(parts: &[&str]) -> Vec<String> {
        parts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_verb_stands_behind_the_last_raw_colon_of_the_last_segment() {
        let close = "/v2/organizations/acme/cases/01J:close";
        assert_eq!(
            taken_apart(close),
            (strings(&["v2", "organizations", "acme", "cases", "01J"]), Some("close".into()))
        );
        assert_eq!(
            taken_apart("/v2beta/cases:search"),
            (strings(&["v2beta", "cases"]), Some("search".into()))
        );
        assert_eq!(taken_apart("/v2/a:b:close"), (strings(&["v2", "a:b"]), Some("close".into())));
    }

    #[test]
    fn an_encoded_colon_belongs_to_the_id() {
        assert_eq!(taken_apart("/v2/a%3Ab"), (strings(&["v2", "a:b"]), None));
        assert_eq!(taken_apart("/v2/a%3ab:close"), (strings(&["v2", "a:b"]), Some("close".into())));
    }

    #[test]
    fn a_raw_colon_before_the_last_segment_is_no_verb() {
        assert_eq!(
            taken_apart("/v2/organizations/a:b/cases"),
            (strings(&["v2", "organizations", "a:b", "cases"]), None)
        );
    }

    #[test]
    fn segments_are_decoded_and_a_plus_stays_a_plus() {
        assert_eq!(taken_apart("/v2/caf%C3%A9+x%20y"), (strings(&["v2", "café+x y"]), None));
    }

    #[test]
    fn what_cannot_name_anything_is_not_found() {
        for raw in [
            "",
            "v2",
            "/",
            "//",
            "/v2/",
            "/v2//cases",
            "/v2/a:",
            "/v2/:close",
            "/v2/%",
            "/v2/%4",
            "/v2/%zz",
            "/v2/%ff",
            "/v2/a%00",
            "/v2/a%2Fb",
            "/v2/a:%zz",
            "/%é1",
        ] {
            let error = RawPath::parse(raw).expect_err(raw);
            assert_eq!((error.code().http_status().as_u16(), error.reason()), (404, "UNKNOWN_PATH"), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic_and_no_segment_is_empty(raw in "(/|:|%|%3A|[a-z]|\\PC){0,24}") {
            if let Ok(path) = RawPath::parse(&raw) {
                prop_assert!(path.segments.iter().all(|segment| !segment.is_empty()));
                prop_assert!(path.verb().is_none_or(|verb| !verb.is_empty()));
            }
        }
    }
}
