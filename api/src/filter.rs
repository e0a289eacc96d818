//! The filter language of lists and searches: `state=OPEN AND (priority=P0 OR priority=P1)`.
//!
//! ```text
//! filter   = [ sequence ]
//! sequence = or { AND or }            # OR binds tighter than AND
//! or       = term { OR term }
//! term     = "(" sequence ")" | field op value | quoted | word
//! value    = quoted | word            # in quotes, \" and \\ are the only escapes
//! op       = "=" | ">" | "<" | ":"
//! ```
//!
//! This file knows the grammar; [`cases`] knows the fields of a case, [`names`] the one field of a
//! classification, [`subscriptions`] those of a subscription to events. Nothing is ever ignored: what is not understood is refused with its offset.

use crate::status::{ApiError, excerpt};

pub mod cases;
pub mod names;
pub mod subscriptions;

pub use cases::{AssigneeName, CaseFilter, FilterMode, Order, ParentName, PublishedState, TimeField};
pub use names::{ClassificationFilter, NamePattern};

/// The longest filter that is read, in characters.
pub const MAX_FILTER_CHARS: usize = 8192;
/// How deep parentheses may stand in each other.
pub const MAX_FILTER_DEPTH: usize = 32;

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Equals,
    /// `>`
    Greater,
    /// `<`
    Less,
    /// `:`
    Has,
}

impl Op {
    /// The operator as it is written.
    pub fn symbol(self) -> char {
        match self {
            Self::Equals => '=',
            Self::Greater => '>',
            Self::Less => '<',
            Self::Has => ':',
        }
    }

    fn from_symbol(symbol: char) -> Option<Self> {
        [Self::Equals, Self::Greater, Self::Less, Self::Has].into_iter().find(|op| op.symbol() == symbol)
    }
}

/// A filter as it was written; what its fields mean is not known here. Offsets count characters from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of these; at least two.
    And(Vec<Filter>),
    /// Any of these; at least two.
    Or(Vec<Filter>),
    /// A field compared with a value.
    Term {
        /// The field as written.
        field: String,
        /// How it is compared.
        op: Op,
        /// The value, unquoted.
        value: String,
        /// Where the field stands.
        offset: usize,
    },
    /// Free text.
    Text {
        /// The text, unquoted.
        value: String,
        /// Where it stands.
        offset: usize,
    },
}

impl Filter {
    /// Reads a filter; `None` for an empty one, which matches everything. `parameter` is the name of the query
    /// parameter, for the error.
    ///
    /// # Errors
    /// 400 with reason INVALID_FILTER that says at which offset what was expected.
    pub fn parse(parameter: &str, text: &str) -> Result<Option<Self>, ApiError> {
        let chars: Vec<char> = text.chars().take(MAX_FILTER_CHARS + 1).collect();
        if chars.len() > MAX_FILTER_CHARS {
            return Err(invalid(
                parameter,
                MAX_FILTER_CHARS,
                &format!("a filter has at most {MAX_FILTER_CHARS} characters"),
            ));
        }
        let mut parser = Parser { parameter, chars: &chars, at: 0, depth: 0 };
        parser.skip_blanks();
        if parser.peek().is_none() {
            return Ok(None);
        }
        let filter = parser.sequence()?;
        match parser.peek() {
            None => Ok(Some(filter)),
            Some(')') => Err(parser.expected("no closing parenthesis, for none is open")),
            Some(_) => Err(parser.expected("AND, OR or the end")),
        }
    }
}

/// The refusal of a filter; `offset` counts characters from 0.
pub(crate) fn invalid(parameter: &str, offset: usize, what: &str) -> ApiError {
    ApiError::invalid_field(parameter, format!("at offset {offset}: {what}"))
        .with_reason("INVALID_FILTER")
        .with_metadata("offset", offset.to_string())
}

struct Parser<'a> {
    parameter: &'a str,
    chars: &'a [char],
    at: usize,
    depth: usize,
}

/// Whether a character ends a bare word in the place of a field or of free text.
fn ends_word(c: char) -> bool {
    ends_value(c) || c == ':'
}

/// Whether a character ends a bare value: a bare timestamp holds colons.
fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '"' | '=' | '>' | '<' | '!')
}

impl Parser<'_> {
    fn sequence(&mut self) -> Result<Filter, ApiError> {
        let mut all = vec![self.or()?];
        while self.keyword("AND") {
            all.push(self.or()?);
        }
        Ok(single_or(all, Filter::And))
    }

    fn or(&mut self) -> Result<Filter, ApiError> {
        let mut any = vec![self.term()?];
        while self.keyword("OR") {
            any.push(self.term()?);
        }
        Ok(single_or(any, Filter::Or))
    }

    fn term(&mut self) -> Result<Filter, ApiError> {
        self.skip_blanks();
        let offset = self.at;
        match self.peek() {
            Some('(') => self.group(),
            Some('"') => {
                let value = self.quoted()?;
                self.skip_blanks();
                Ok(Filter::Text { value, offset })
            }
            _ => {
                let field = self.word(ends_word, "a condition such as state=OPEN")?;
                self.skip_blanks();
                let Some(op) = self.peek().and_then(Op::from_symbol) else {
                    return Ok(Filter::Text { value: field, offset });
                };
                self.at += 1;
                let value = self.value()?;
                self.skip_blanks();
                Ok(Filter::Term { field, op, value, offset })
            }
        }
    }

    fn group(&mut self) -> Result<Filter, ApiError> {
        let opened = self.at;
        // Bounded, because each level is a level of the call stack.
        if self.depth == MAX_FILTER_DEPTH {
            let what = format!("parentheses stand at most {MAX_FILTER_DEPTH} deep in each other");
            return Err(invalid(self.parameter, opened, &what));
        }
        self.at += 1;
        self.depth += 1;
        let inner = self.sequence()?;
        if self.peek() != Some(')') {
            return Err(self.expected(&format!("AND, OR or the parenthesis that closes the one at {opened}")));
        }
        self.at += 1;
        self.depth -= 1;
        self.skip_blanks();
        Ok(inner)
    }

    fn value(&mut self) -> Result<String, ApiError> {
        self.skip_blanks();
        if self.peek() == Some('"') { self.quoted() } else { self.word(ends_value, "a value") }
    }

    fn word(&mut self, ends: fn(char) -> bool, wanted: &str) -> Result<String, ApiError> {
        let rest = &self.chars[self.at..];
        let length = rest.iter().position(|c| ends(*c)).unwrap_or(rest.len());
        let word: String = rest[..length].iter().collect();
        if word.is_empty() || word == "AND" || word == "OR" {
            return Err(self.expected(wanted));
        }
        self.at += length;
        Ok(word)
    }

    fn quoted(&mut self) -> Result<String, ApiError> {
        let opened = self.at;
        let mut value = String::new();
        self.at += 1;
        loop {
            match self.peek() {
                None => {
                    return Err(self.expected(&format!("the quotation mark that closes the one at {opened}")));
                }
                Some('"') => break,
                Some('\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(escaped @ ('"' | '\\')) => value.push(escaped),
                        _ => return Err(self.expected("\\\" or \\\\, the only escapes,")),
                    }
                }
                Some(plain) => value.push(plain),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(value)
    }

    /// Takes a keyword that stands by itself.
    fn keyword(&mut self, word: &str) -> bool {
        let end = self.at + word.len();
        let here = self.chars.get(self.at..end).is_some_and(|chars| chars.iter().copied().eq(word.chars()));
        let whole = here && self.chars.get(end).is_none_or(|next| ends_word(*next));
        if whole {
            self.at = end;
        }
        whole
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn expected(&self, wanted: &str) -> ApiError {
        let rest: String = self.chars[self.at..].iter().take(41).collect();
        let found = if rest.is_empty() { "the end".to_owned() } else { excerpt(&rest) };
        invalid(self.parameter, self.at, &format!("expected {wanted} and found {found}"))
    }
}

fn single_or(mut list: Vec<Filter>, several: fn(Vec<Filter>) -> Filter) -> Filter {
    if list.len() == 1 { list.remove(0) } else { several(list) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A filter with its structure made visible.
    fn shape(filter: &Filter) -> String {
        let join = |list: &[Filter], word| list.iter().map(shape).collect::<Vec<_>>().join(word);
        match filter {
            Filter::And(all) => format!("[{}]", join(all, " & ")),
            Filter::Or(any) => format!("[{}]", join(any, " | ")),
            Filter::Term { field, op, value, .. } => format!("{field}{}{value}", op.symbol()),
            Filter::Text { value, .. } => format!("'{value}'"),
        }
    }

    fn read(text: &str) -> String {
        Filter::parse("filter", text).unwrap().as_ref().map(shape).unwrap_or_default()
    }

    fn refusal(text: &str) -> (usize, String) {
        let error = Filter::parse("filter", text).expect_err(text);
        assert_eq!((error.code().http_status().as_u16(), error.reason()), (400, "INVALID_FILTER"));
        let body = error.body();
        let offset = body["error"]["details"][0]["metadata"]["offset"].as_str().unwrap().parse().unwrap();
        (offset, error.message().to_owned())
    }

    #[test]
    fn or_binds_tighter_than_and() {
        assert_eq!(read("a=1 AND b=2 OR c=3"), "[a=1 & [b=2 | c=3]]");
        assert_eq!(read("a=1 OR b=2 AND c=3"), "[[a=1 | b=2] & c=3]");
        assert_eq!(read("(a=1 AND b=2) OR c=3"), "[[a=1 & b=2] | c=3]");
    }

    #[test]
    fn the_published_shapes_are_read() {
        assert_eq!(read(""), "");
        assert_eq!(read(" \t\n"), "");
        assert_eq!(read("state=CLOSED"), "state=CLOSED");
        assert_eq!(
            read("state=OPEN AND creator.email=\"a@example.com\""),
            "[state=OPEN & creator.email=a@example.com]"
        );
        assert_eq!(
            read("state=OPEN AND (priority=P0 OR priority=P1)"),
            "[state=OPEN & [priority=P0 | priority=P1]]"
        );
        assert_eq!(
            read("update_time>\"2020-01-01T00:00:00-05:00\""),
            "update_time>2020-01-01T00:00:00-05:00"
        );
        assert_eq!(read("update_time>2020-01-01T00:00:00-05:00"), "update_time>2020-01-01T00:00:00-05:00");
        assert_eq!(read("display_name:\"*Compute Engine*\""), "display_name:*Compute Engine*");
        assert_eq!(read("\"my search\""), "'my search'");
    }

    #[test]
    fn blanks_around_operators_and_parentheses_do_not_matter() {
        assert_eq!(read("  a =  1  AND(b= \"2\")OR c=3 "), "[a=1 & [b=2 | c=3]]");
        assert_eq!(read("((a=1))"), "a=1");
    }

    #[test]
    fn quotes_hold_anything_with_two_escapes() {
        assert_eq!(read(r#""a \"b\" \\ ) AND = %_*""#), r#"'a "b" \ ) AND = %_*'"#);
        assert_eq!(refusal(r#""a\n""#).0, 3);
    }

    #[test]
    fn keywords_are_capitals_that_stand_by_themselves() {
        assert_eq!(read("a=1 AND ANDREW"), "[a=1 & 'ANDREW']");
        assert_eq!(read("\"AND\""), "'AND'");
        assert_eq!(refusal("a=1 and b=2").0, 4);
        assert_eq!(refusal("a=1 ANDb=2").0, 4);
    }

    #[test]
    fn a_refusal_says_where_and_what_was_expected() {
        for (text, offset, said) in [
            ("state=", 6, "expected a value and found the end"),
            ("state=AND", 6, "expected a value"),
            ("state=OPEN AND", 14, "expected a condition"),
            ("state=OPEN OR ", 14, "expected a condition"),
            ("AND state=OPEN", 0, "expected a condition"),
            ("()", 1, "expected a condition"),
            ("(state=OPEN", 11, "the parenthesis that closes the one at 0"),
            ("state=OPEN)", 10, "no closing parenthesis"),
            ("a=\"x", 4, "the quotation mark that closes the one at 2"),
            ("a=1 b=2", 4, "expected AND, OR or the end"),
            ("a=1=2", 3, "expected AND, OR or the end"),
            ("a!=1", 1, "expected AND, OR or the end"),
            ("a>=1", 2, "expected a value"),
            ("a<=1", 2, "expected a value"),
            ("a<>1", 2, "expected a value"),
            ("=1", 0, "expected a condition"),
            ("é é", 2, "expected AND, OR or the end"),
            ("\"a\" \"b\"", 4, "expected AND, OR or the end"),
            ("a=\"b\"c", 5, "expected AND, OR or the end"),
        ] {
            let (at, message) = refusal(text);
            assert_eq!(at, offset, "{text}: {message}");
            assert!(message.contains(said), "{text}: {message}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let nested = |depth| format!("{}a=1{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(read(&nested(MAX_FILTER_DEPTH)), "a=1");
        assert!(refusal(&nested(MAX_FILTER_DEPTH + 1)).1.contains("deep"));
        assert!(refusal(&"(".repeat(MAX_FILTER_CHARS)).1.contains("deep"));
        assert!(refusal(&"(".repeat(1_000_000)).1.contains("at most"));
        let long = format!("a={}", "x".repeat(MAX_FILTER_CHARS - 2));
        assert_eq!(read(&long), long);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(\\(|\\)|\"|\\\\|=|>|<|:| |AND|OR|state|\\PC){0,40}") {
            let _ = Filter::parse("filter", &text);
        }

        #[test]
        fn a_quoted_value_comes_back(value in "\\PC{0,30}") {
            let quoted = cases::quote(&value);
            let read = Filter::parse("filter", &quoted).unwrap();
            prop_assert_eq!(read, Some(Filter::Text { value, offset: 0 }));
        }
    }
}
