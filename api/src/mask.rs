//! `updateMask`: which fields a patch writes.

use crate::proto_json::snake_case;
use crate::status::{ApiError, excerpt};

/// What may be patched on a case.
pub const CASE_PATHS: &[&str] = &["priority", "display_name", "subscriber_email_addresses"];

/// The fields that a patch writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    paths: Vec<&'static str>,
    explicit: bool,
}

impl Mask {
    /// Reads a mask: paths separated by commas, in camelCase or snake_case, duplicates harmless. An absent or
    /// blank mask means all of `allowed`, which lists the paths in snake_case.
    ///
    /// # Errors
    /// 400 with reason INVALID_UPDATE_MASK naming the first path that is not allowed, and those that are.
    pub fn parse(raw: Option<&str>, allowed: &'static [&'static str]) -> Result<Self, ApiError> {
        let raw = raw.unwrap_or_default();
        if raw.trim().is_empty() {
            return Ok(Self { paths: allowed.to_vec(), explicit: false });
        }
        let mut paths = Vec::new();
        for path in raw.split(',').map(str::trim) {
            let name = snake_case(path);
            let Some(known) = allowed.iter().find(|known| **known == name) else {
                return Err(ApiError::invalid_field(
                    "updateMask",
                    format!("{} cannot be updated; allowed are {}", excerpt(path), allowed.join(", ")),
                )
                .with_reason("INVALID_UPDATE_MASK"));
            };
            if !paths.contains(known) {
                paths.push(*known);
            }
        }
        Ok(Self { paths, explicit: true })
    }

    /// Whether the field, named in snake_case, is written.
    pub fn contains(&self, path: &str) -> bool {
        self.paths.contains(&path)
    }

    /// Whether the caller named the fields, rather than leaving the mask out.
    pub fn is_explicit(&self) -> bool {
        self.explicit
    }

    /// The fields that are written, in snake_case, each once.
    pub fn paths(&self) -> &[&'static str] {
        &self.paths
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn camel_case_and_snake_case_name_the_same_field_once() {
        let mask = Mask::parse(Some("priority, displayName,display_name,priority"), CASE_PATHS).unwrap();
        assert_eq!(mask.paths(), ["priority", "display_name"]);
        assert!(mask.is_explicit() && mask.contains("display_name"));
        assert!(!mask.contains("subscriber_email_addresses"));
    }

    #[test]
    fn no_mask_and_a_blank_mask_mean_all_fields() {
        for raw in [None, Some(""), Some("  ")] {
            let mask = Mask::parse(raw, CASE_PATHS).unwrap();
            assert_eq!(mask.paths(), CASE_PATHS);
            assert!(!mask.is_explicit());
        }
    }

    #[test]
    fn any_other_path_is_refused_by_name_with_the_allowed_ones() {
        for raw in [
            "description",
            "*",
            "priority,",
            "priority,state",
            "Priority",
            "PRIORITY",
            "name",
            "a,,b",
            "displayName.x",
        ] {
            let error = Mask::parse(Some(raw), CASE_PATHS).expect_err(raw);
            assert_eq!((error.code().http_status().as_u16(), error.reason()), (400, "INVALID_UPDATE_MASK"));
            assert!(error.message().contains("display_name"), "{error}");
        }
        let error = Mask::parse(Some("priority,state"), CASE_PATHS).unwrap_err();
        assert!(error.message().contains("\"state\""), "{error}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(raw in "(,|[a-z_A-Z]|priority|displayName|\\PC){0,20}") {
            if let Ok(mask) = Mask::parse(Some(&raw), CASE_PATHS) {
                prop_assert!(!mask.paths().is_empty() && mask.paths().len() <= CASE_PATHS.len());
            }
        }
    }
}
