//! The steps of the assistant (R-HELP-2), and what can be done at each: the one table of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalogue::Channel;

/// Where somebody is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HelpStep {
    /// They say what the problem is.
    #[default]
    Describe,
    /// They look at what may help.
    Suggestions,
    /// They are asked whether it is about one of their cases.
    RecentCases,
    /// They look at that case's latest message.
    RecentCase,
    /// They say what kind of problem it is.
    Kinds,
    /// They read what there is to know of that kind, and describe the problem for a case.
    Description,
    /// They look at what may help, found by that description.
    MoreSuggestions,
    /// They choose a channel and a language.
    Contact,
    /// The case can be started.
    Ready,
    /// It helped: there is no case.
    Solved,
    /// There is a case.
    BecameCase,
}

/// What can be done at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HelpMove {
    /// Say what the problem is.
    Describe,
    /// Read a suggestion.
    Open,
    /// Say that it helped.
    Helped,
    /// Say that it did not.
    NotHelped,
    /// Say which case it is about.
    ChooseCase,
    /// Say what kind of problem it is.
    ChooseKind,
    /// Choose a channel and a language.
    ChooseContact,
    /// Go back a step.
    Back,
    /// Search again in other words.
    SearchAgain,
    /// Start the case, or go on in the one that was chosen.
    StartCase,
}

impl HelpMove {
    /// The custom method of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Describe => "describe",
            Self::Open => "open",
            Self::Helped => "helped",
            Self::NotHelped => "notHelped",
            Self::ChooseCase => "chooseCase",
            Self::ChooseKind => "chooseKind",
            Self::ChooseContact => "chooseContact",
            Self::Back => "back",
            Self::SearchAgain => "searchAgain",
            Self::StartCase => "startCase",
        }
    }
}

impl HelpStep {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Describe => "DESCRIBE",
            Self::Suggestions => "SUGGESTIONS",
            Self::RecentCases => "RECENT_CASES",
            Self::RecentCase => "RECENT_CASE",
            Self::Kinds => "PROBLEM_KINDS",
            Self::Description => "DESCRIPTION",
            Self::MoreSuggestions => "MORE_SUGGESTIONS",
            Self::Contact => "CONTACT",
            Self::Ready => "READY",
            Self::Solved => "SOLVED",
            Self::BecameCase => "BECAME_CASE",
        }
    }

    /// Whether the session has ended.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Solved | Self::BecameCase)
    }

    /// What leads on from here. Going back and searching again come on top of it, until the end.
    pub fn ahead(self) -> &'static [HelpMove] {
        use HelpMove::{ChooseCase, ChooseContact, ChooseKind, Describe, Helped, NotHelped, Open, StartCase};
        match self {
            Self::Describe => &[Describe],
            Self::Suggestions | Self::MoreSuggestions => &[Open, Helped, NotHelped],
            Self::RecentCases => &[ChooseCase, NotHelped],
            Self::RecentCase => &[Helped, NotHelped],
            Self::Kinds => &[ChooseKind],
            Self::Description => &[Describe, Helped],
            Self::Contact => &[ChooseContact],
            Self::Ready => &[StartCase],
            Self::Solved | Self::BecameCase => &[],
        }
    }
}

/// What kind of thing is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuggestionKind {
    /// A help article.
    Article,
    /// A published known issue.
    KnownIssue,
}

impl SuggestionKind {
    /// The name in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::KnownIssue => "known_issue",
        }
    }
}

/// Something that may help.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Suggestion {
    /// What it is.
    pub kind: SuggestionKind,
    /// Its key.
    pub id: String,
}

/// How somebody wants to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HelpContact {
    /// The channel.
    pub channel: Channel,
    /// The language, of the catalogue's.
    pub language: String,
}
