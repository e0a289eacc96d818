//! The words of a text, as they are indexed and asked for. They are told here and nowhere else: the databases index words
//! that they are given, so that both find the same.
//!
//! A word is a run of letters and digits, whatever the case of its letters and without accents. In scripts that put no
//! spaces between words every character is one.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A longer run of characters is several words: databases refuse words without end.
const WORD_CHARACTERS: usize = 64;
/// Words of a text beyond this are not indexed; an event is at most half as long.
const TEXT_BYTES: usize = 512 * 1024;
/// The beginning of a word has at least so many characters: shorter ones begin too many words.
const BEGINNING_CHARACTERS: usize = 3;

/// Words of a text, one after the other, each between two spaces.
pub(crate) fn indexed(text: &str) -> String {
    let mut words = String::from(" ");
    for word in split(text) {
        if words.len() + word.len() > TEXT_BYTES {
            break;
        }
        words.push_str(&word);
        words.push(' ');
    }
    words
}

/// What somebody searches for: words that stand in a text one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phrase {
    /// At least one.
    pub(crate) words: Vec<String>,
    /// The last word may be the beginning of one, as it is while somebody types.
    pub(crate) is_beginning: bool,
}

impl Phrase {
    /// The phrase of a text; `None` when there is no word in it. A text that goes on after its last word says that the word
    /// is whole.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let words = split(text);
        let last = words.last()?;
        let is_whole = folded(text).last().is_none_or(|character| !is_of_word(character))
            || last.chars().count() < BEGINNING_CHARACTERS;
        Some(Self { is_beginning: !is_whole, words })
    }

    /// The words between spaces; without the last space where they end in the beginning of a word.
    pub(crate) fn as_indexed(&self) -> String {
        format!(" {}{}", self.words.join(" "), if self.is_beginning { "" } else { " " })
    }
}

/// What a question is looked for by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Term {
    /// A word.
    Word(String),
    /// Whatever begins so: a word has other endings elsewhere.
    Beginning(String),
    /// Two characters that are words by themselves, one after the other: alone they say little.
    Pair(String, String),
}

impl std::fmt::Display for Term {
    /// As FTS5 wants it: words hold neither quotes nor spaces.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(word) => write!(f, "\"{word}\""),
            Self::Beginning(beginning) => write!(f, "\"{beginning}\" *"),
            Self::Pair(first, second) => write!(f, "\"{first} {second}\""),
        }
    }
}

/// A word of so many characters has an ending that may be another elsewhere.
const INFLECTED_CHARACTERS: usize = 5;
/// One character of so many may belong to its ending.
const CHARACTERS_PER_ENDING: usize = 3;

/// The terms of a question, in its order.
pub(crate) fn terms(text: &str) -> Vec<Term> {
    let words = split(text);
    let alone = |word: &String| word.chars().next().is_some_and(is_word_by_itself);
    let mut terms = Vec::with_capacity(words.len());
    for (number, word) in words.iter().enumerate() {
        if alone(word) {
            let next = words.get(number + 1).filter(|next| alone(next));
            terms.extend(next.map(|next| Term::Pair(word.clone(), next.clone())));
            continue;
        }
        let characters = word.chars().count();
        // A letter alone is an article or a pronoun.
        if characters == 1 && !word.starts_with(char::is_numeric) {
            continue;
        }
        if characters >= INFLECTED_CHARACTERS {
            let beginning = word.chars().take(characters - characters / CHARACTERS_PER_ENDING).collect();
            terms.push(Term::Beginning(beginning));
        }
        terms.push(Term::Word(word.clone()));
    }
    terms
}

fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    // Characters that the last word has; `None` when it has ended.
    let mut characters: Option<usize> = None;
    for character in folded(text) {
        if !is_of_word(character) {
            characters = None;
        } else if is_word_by_itself(character) {
            words.push(character.to_string());
            characters = None;
        } else if let (Some(count), Some(word)) = (characters, words.last_mut())
            && count < WORD_CHARACTERS
        {
            word.push(character);
            characters = Some(count + 1);
        } else {
            words.push(character.to_string());
            characters = Some(1);
        }
    }
    words
}

/// Upper case before lower case, as Unicode folds: ß is ss, and both small sigmas are one.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.nfkd()
        .filter(|character| !is_accent(*character))
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkd()
        .filter(|character| !is_accent(*character))
        .nfc()
}

/// Accents of alphabets, and what chooses between forms of a character; other scripts' marks tell words apart.
fn is_accent(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' | '\u{20d0}'..='\u{20ff}')
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || is_combining_mark(character)
}

/// Thai, Lao, Burmese, Khmer, kana and ideographs.
fn is_word_by_itself(character: char) -> bool {
    matches!(character,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_letters_and_digits_without_case_and_accents() {
        for (text, words) in [
            ("", " "),
            ("100%_sure*, the needle's eye", " 100 sure the needle s eye "),
            ("STRASSE Straße", " strasse strasse "),
            ("Écrans ÉCRANS e\u{301}crans", " ecrans ecrans ecrans "),
            ("ΟΔΟΣ οδός", " οδοσ οδοσ "),
            ("İstanbul ISTANBUL ıstanbul", " istanbul istanbul istanbul "),
            ("Ёлка ёлка елка", " елка елка елка "),
            ("db01.example.com:8080/a\0b", " db01 example com 8080 a b "),
            ("ﬁle ℡ １２", " file tel 12 "),
            ("障害がディスクに", " 障 害 か\u{3099} テ\u{3099} ィ ス ク に "),
            ("한국어 хост", " 한국어 хост "),
            ("⚠\u{fe0f} ok 🦀", " ok "),
        ] {
            // Kana are compared as they are composed.
            let words: String = words.nfc().collect();
            assert_eq!(indexed(text), words, "{text}");
        }
    }

    #[test]
    fn the_last_word_may_be_the_beginning_of_one_unless_it_has_ended_or_is_short() {
        let phrase = |text: &str| Phrase::of(text).map(|phrase| phrase.as_indexed());
        assert_eq!(phrase("The nee").as_deref(), Some(" the nee"));
        assert_eq!(phrase("the needle ").as_deref(), Some(" the needle "));
        assert_eq!(phrase("100%").as_deref(), Some(" 100 "));
        assert_eq!(phrase("an").as_deref(), Some(" an "));
        assert_eq!(phrase("障害").as_deref(), Some(" 障 害 "));
        assert_eq!([phrase(""), phrase("% \" *"), phrase("🦀")], [None, None, None]);
    }

    proptest! {
        /// However long a word is: what begins it is found.
        #[test]
        fn a_text_is_found_by_every_run_of_characters_that_begins_at_a_word(
            text in "[a-zA-ZÀ-ÿßΣς0-9 ,.障害データ]{0,40}",
            long in 0..200_usize,
            length in 1..200_usize,
        ) {
            let text = format!("{text} {}", "x".repeat(long));
            let starts = text.char_indices().filter(|(at, character)| {
                !character.is_alphanumeric()
                    || text[..*at].chars().last().is_none_or(|before| !before.is_alphanumeric())
            });
            for (start, _) in starts {
                let part: String = text[start..].chars().take(length).collect();
                let Some(phrase) = Phrase::of(&part) else { continue };
                // A short word is a whole one.
                let is_short = phrase.words.last().is_some_and(|word| word.chars().count() < BEGINNING_CHARACTERS);
                if is_short {
                    continue;
                }
                prop_assert!(indexed(&text).contains(&phrase.as_indexed()), "{part} in {text}");
            }
        }

        #[test]
        fn any_text_has_words_that_are_separated_by_single_spaces_and_not_long(text in "\\PC{0,60}") {
            let words = indexed(&text);
            prop_assert!(words.starts_with(' ') && words.ends_with(' ') && !words.contains("  "));
            prop_assert!(words.split(' ').all(|word| word.len() <= 4 * WORD_CHARACTERS));
            prop_assert!(words.chars().all(|character| character == ' ' || is_of_word(character)));
        }
    }
}
