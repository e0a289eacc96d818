//! Kinds of problems that the help assistant tells apart (R-HELP-2), each with what there is to know of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Catalogue, InvalidCatalogue, Priority};

/// A kind of problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemKind {
    /// Stable key.
    pub id: String,
    /// Its texts, by language; `en` stands in for any other.
    pub texts: BTreeMap<String, ProblemKindText>,
    /// What a case of this kind is filed under, unless the filer says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<String>,
    /// How urgent it is, unless the filer says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
}

/// A kind of problem in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemKindText {
    /// Name to show.
    pub display_name: String,
    /// What to know, and what to tell support.
    pub information: String,
}

impl ProblemKind {
    /// Its texts in a language, or else in English.
    pub fn text(&self, language: &str) -> Option<&ProblemKindText> {
        self.texts.get(language).or_else(|| self.texts.get("en"))
    }
}

impl Catalogue {
    /// The kind of problem with this key.
    pub fn problem_kind(&self, id: &str) -> Option<&ProblemKind> {
        self.problem_kinds.iter().find(|kind| kind.id == id)
    }

    pub(super) fn validate_problem_kinds(&self) -> Result<(), InvalidCatalogue> {
        let wrong = |text: String| Err(InvalidCatalogue(text));
        let mut known = BTreeSet::new();
        for kind in &self.problem_kinds {
            let id = &kind.id;
            if !known.insert(id) {
                return wrong(format!("catalogue: problem kind {id} stands twice; keep one"));
            }
            if !kind.texts.contains_key("en") {
                return wrong(format!(
                    "catalogue: problem kind {id} has no text in \"en\", which stands in for any other; add it"
                ));
            }
            if let Some(odd) = kind.texts.keys().find(|language| !self.languages.contains(*language)) {
                return wrong(format!(
                    "catalogue: problem kind {id} has a text in {odd:?}, which is not among the languages; add it"
                ));
            }
            if let Some(odd) = kind.classification.as_ref().filter(|id| self.classification(id).is_none()) {
                return wrong(format!(
                    "catalogue: problem kind {id} names classification {odd}, which is not listed; add it"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::catalogue;

    fn kind(id: &str) -> ProblemKind {
        let text =
            ProblemKindText { display_name: "Slow".to_owned(), information: "Say since when.".to_owned() };
        ProblemKind {
            id: id.to_owned(),
            texts: BTreeMap::from([("en".to_owned(), text)]),
            classification: None,
            priority: None,
        }
    }

    fn refused(kinds: Vec<ProblemKind>) -> String {
        let mut catalogue = catalogue();
        catalogue.problem_kinds = kinds;
        catalogue.validate().map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn r_help_2_a_kind_stands_once_and_has_an_english_text_and_a_classification_that_there_is() {
        assert_eq!(refused(vec![kind("slow"), kind("down")]), "");
        assert!(refused(vec![kind("slow"), kind("slow")]).contains("slow stands twice"));
        assert!(refused(vec![ProblemKind { texts: BTreeMap::new(), ..kind("slow") }]).contains("\"en\""));
        let mut elsewhere = kind("slow");
        elsewhere.texts.insert("xx".to_owned(), elsewhere.texts["en"].clone());
        assert!(refused(vec![elsewhere]).contains("\"xx\""));
        let lost = ProblemKind { classification: Some("toast".to_owned()), ..kind("slow") };
        assert!(refused(vec![lost]).contains("classification toast"));
    }

    #[test]
    fn a_text_that_is_missing_is_shown_in_english() {
        assert_eq!(kind("slow").text("fr").map(|text| text.display_name.as_str()), Some("Slow"));
    }
}
