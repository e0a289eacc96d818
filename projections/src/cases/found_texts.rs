//! Free text in PostgreSQL, whose index of words answers in no order: of a common word all matches would be sorted for one
//! page. So matches are looked for first, up to some; where there are more, the list is followed from the newest case on and
//! each is asked whether it has the words, which a page of a common word finds soon. The planner, which guesses how common
//! words are, is left no choice.

use crate::full_text::push_terms;
use crate::sql::Sql;
use crate::words::Phrase;

/// Matches that are sorted rather than met along the list.
pub(super) const FEW_TEXTS: usize = 2_000;

/// Which texts a list of cases is of.
pub(super) enum Texts<'a> {
    /// Whichever the condition says.
    AsAsked,
    /// Those of these cases.
    Of(Vec<i64>),
    /// Those with a phrase and the marks, of which there are many.
    Many(&'a Phrase, &'a [String]),
}

impl<'a> Texts<'a> {
    /// Those that were found, or those that have a phrase where more were found than wanted.
    pub(super) fn of(phrase: &'a Phrase, marks: &'a [String], found: &[(i64,)]) -> Self {
        if found.len() > FEW_TEXTS {
            return Self::Many(phrase, marks);
        }
        Self::Of(found.iter().map(|(sequence,)| *sequence).collect())
    }

    /// Appends that a case has one of them.
    pub(super) fn push(&self, query: &mut Sql) {
        match self {
            Self::AsAsked => {}
            Self::Of(sequences) => {
                let list: Vec<String> = sequences.iter().map(ToString::to_string).collect();
                query.push(" AND cases.sequence = ANY(").push_bind(format!("{{{}}}", list.join(",")));
                query.push("::bigint[])").plan_every_time();
            }
            Self::Many(phrase, marks) => {
                query.push(" AND EXISTS (SELECT 1 FROM ").push_live("case_texts");
                query.push(" WHERE case_texts.sequence = cases.sequence AND ");
                push_terms(query, phrase, marks);
                // With it each case is asked; without it all texts with the phrase might be read first.
                query.push(" OFFSET 0)");
            }
        }
    }
}

/// Asks for the cases that have a text with a phrase and the marks, one more than few.
pub(super) fn found_query(phrase: &Phrase, marks: &[String]) -> Sql {
    let mut query = Sql::new("SELECT sequence FROM ");
    query.push_live("case_texts").push(" WHERE ");
    push_terms(&mut query, phrase, marks);
    let limit = i64::try_from(FEW_TEXTS).unwrap_or(i64::MAX).saturating_add(1);
    query.push(" LIMIT ").push_bind(limit);
    query
}
