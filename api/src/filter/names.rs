//! The query of `caseClassifications.search`: `display_name:"*Compute Engine*"`.

use std::fmt;

use super::cases::quote;
use super::{Filter, Op, invalid};
use crate::status::{ApiError, excerpt};

const PARAMETER: &str = "query";

/// A text with `*` for any run of characters, without regard to case, matched against a whole name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern {
    /// What stands between the stars, case folded; one piece means no star at all.
    pieces: Vec<String>,
}

impl NamePattern {
    /// A pattern. Any text is one; only `*` is special.
    pub fn new(pattern: &str) -> Self {
        Self { pieces: pattern.split('*').map(fold).collect() }
    }

    /// Whether the whole name fits; takes time in proportion to the name and the pattern.
    pub fn matches(&self, name: &str) -> bool {
        let folded = fold(name);
        let (Some(first), Some(last)) = (self.pieces.first(), self.pieces.last()) else { return false };
        if self.pieces.len() == 1 {
            return folded == *first;
        }
        // The first match of each piece is as good as any: stars take the rest, nothing is tried twice.
        let Some(rest) = folded.strip_prefix(first.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
        for piece in &self.pieces[1..self.pieces.len() - 1] {
            let Some(found) = rest.find(piece.as_str()) else { return false };
            rest = &rest[found + piece.len()..];
        }
        true
    }
}

/// Character by character: a fold that looked at neighbours (final sigma) would break pieces apart.
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// A query on classifications; its text form is canonical.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClassificationFilter {
    /// Every classification.
    All,
    /// All of these.
    And(Vec<ClassificationFilter>),
    /// Any of these.
    Or(Vec<ClassificationFilter>),
    /// The display name fits.
    Name(NamePattern),
}

impl ClassificationFilter {
    /// Reads a query; an absent or empty one is [`ClassificationFilter::All`].
    ///
    /// # Errors
    /// 400 with reason INVALID_FILTER naming the offset and what would do.
    pub fn parse(text: Option<&str>) -> Result<Self, ApiError> {
        Filter::parse(PARAMETER, text.unwrap_or_default())?.map_or(Ok(Self::All), Self::check)
    }

    /// Whether a classification of this display name fits.
    pub fn matches(&self, display_name: &str) -> bool {
        match self {
            Self::All => true,
            Self::And(all) => all.iter().all(|part| part.matches(display_name)),
            Self::Or(any) => any.iter().any(|part| part.matches(display_name)),
            Self::Name(pattern) => pattern.matches(display_name),
        }
    }

    fn check(filter: Filter) -> Result<Self, ApiError> {
        let each = |list: Vec<Filter>| list.into_iter().map(Self::check).collect::<Result<Vec<_>, _>>();
        match filter {
            Filter::And(list) => each(list).map(Self::And),
            Filter::Or(list) => each(list).map(Self::Or),
            Filter::Term { field, op: Op::Has, value, .. } if field == "display_name" => {
                Ok(Self::Name(NamePattern::new(&value)))
            }
            Filter::Term { field, op, offset, .. } if field == "display_name" => Err(invalid(
                PARAMETER,
                offset,
                &format!("display_name is compared with : only, not with {}", op.symbol()),
            )),
            Filter::Term { field: other, offset, .. } => Err(invalid(
                PARAMETER,
                offset,
                &format!("unknown field {}; the only field is display_name", excerpt(&other)),
            )),
            Filter::Text { value, offset } => Err(invalid(
                PARAMETER,
                offset,
                &format!("{} stands alone; write display_name:\"*Compute Engine*\"", excerpt(&value)),
            )),
        }
    }
}

impl fmt::Display for ClassificationFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, list: &[Self], word| {
            for (i, part) in list.iter().enumerate() {
                f.write_str(if i == 0 { "(" } else { word })?;
                write!(f, "{part}")?;
            }
            f.write_str(")")
        };
        match self {
            Self::All => Ok(()),
            Self::And(all) => joined(f, all, " AND "),
            Self::Or(any) => joined(f, any, " OR "),
            Self::Name(pattern) => write!(f, "display_name:{}", quote(&pattern.pieces.join("*"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        NamePattern::new(pattern).matches(name)
    }

    #[test]
    fn stars_stand_for_any_run_and_case_does_not_matter() {
        for (pattern, name, wanted) in [
            ("*Compute Engine*", "Technical > compute ENGINE > Disks", true),
            ("*Compute Engine*", "Compute Engine", true),
            ("*Compute Engine*", "Compute", false),
            ("Compute", "Compute Engine", false),
            ("compute*", "Compute Engine", true),
            ("*engine", "Compute Engine", true),
            ("*compute", "Compute Engine", false),
            ("c*e*e", "Compute Engine", true),
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("*", "", true),
            ("**", "anything", true),
            ("", "", true),
            ("", "x", false),
            ("a.c", "abc", false),
            ("*ÉTÉ*", "un été", true),
            ("*ΟΔΟΣ*", "οδοσ x", true),
            ("ΟΔΟΣ", "ΟΔΟΣ", true),
        ] {
            assert_eq!(fits(pattern, name), wanted, "{pattern} on {name}");
        }
    }

    #[test]
    fn matching_takes_linear_time() {
        // Backtracking over this would take longer than the universe has.
        let pattern = NamePattern::new(&"a*".repeat(2_000));
        assert!(!pattern.matches(&format!("b{}", "a".repeat(100_000))));
        assert!(!NamePattern::new(&format!("{}b", "*a".repeat(2_000))).matches(&"a".repeat(100_000)));
    }

    #[test]
    fn queries_know_one_field_and_one_operator() {
        let query = ClassificationFilter::parse(Some("display_name:\"*disk*\" OR display_name:vm")).unwrap();
        assert!(query.matches("Disks") && query.matches("VM") && !query.matches("VMs"));
        assert!(ClassificationFilter::parse(None).unwrap().matches("anything"));
        assert!(ClassificationFilter::parse(Some(" ")).unwrap().matches("anything"));
        for text in [
            "\"disk\"",
            "display_name=\"x\"",
            "displayName:\"x\"",
            "id:\"x\"",
            "display_name:",
            "display_name:\"x",
        ] {
            let error = ClassificationFilter::parse(Some(text)).expect_err(text);
            assert_eq!((error.reason(), error.violations()[0].field.as_str()), ("INVALID_FILTER", "query"));
        }
    }

    #[test]
    fn the_canonical_text_is_the_same_for_every_spelling() {
        let text = |query| ClassificationFilter::parse(Some(query)).unwrap().to_string();
        assert_eq!(text("display_name : \"*DISK*\""), text("(display_name:*disk*)"));
        assert_ne!(text("display_name:a OR display_name:b"), text("display_name:a AND display_name:b"));
    }

    /// The obvious, slow way to match.
    fn slow(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|skip| slow(rest, &name[skip..])),
            Some((c, rest)) => name.split_first().is_some_and(|(n, more)| n == c && slow(rest, more)),
        }
    }

    proptest! {
        #[test]
        fn the_fast_way_agrees_with_the_obvious_one(pattern in "[ab*]{0,8}", name in "[ab]{0,10}") {
            let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
            prop_assert_eq!(fits(&pattern, &name), slow(&p, &n));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "(display_name:|\"|\\*| |OR|\\PC){0,20}", name in "\\PC{0,10}") {
            if let Ok(query) = ClassificationFilter::parse(Some(&text)) {
                let _ = query.matches(&name);
            }
        }
    }
}
