//! What is written about a session with the help assistant. These structs are the contract with the log; nothing of them
//! leaves to analytics: how much it helps is told by a read model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::step::{HelpContact, HelpStep, Suggestion};
use crate::event::domain_events;
use crate::ids::{AccountId, CaseId, HelpSessionId, OrganizationId, ProductId};
use crate::personal::{Personal, personal_fields};

/// Somebody asks the assistant for help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HelpSessionStarted {
    /// The session.
    pub session: HelpSessionId,
    /// The organization that they ask for.
    pub organization: OrganizationId,
    /// Who asks.
    pub user: AccountId,
    /// The language to answer in.
    pub language: String,
    /// The product, where they named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductId>,
}
personal_fields!(HelpSessionStarted {});

/// They said what the problem is, and were shown what may help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemDescribed {
    /// In their words.
    pub text: Personal<String>,
    /// What matches, the best first.
    pub suggested: Vec<Suggestion>,
    /// Whether this is the second time, after the kind of problem was chosen: then it is the case's description.
    pub again: bool,
}
personal_fields!(ProblemDescribed { text });

/// They read something that was suggested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuggestionOpened {
    /// What.
    pub suggestion: Suggestion,
}
personal_fields!(SuggestionOpened {});

/// What the step showed did not help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HelpDeclined {
    /// The step that follows.
    pub next: HelpStep,
    /// Their cases that it may be about, the latest change first, where these are asked about next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent_cases: Vec<CaseId>,
}
personal_fields!(HelpDeclined {});

/// It is about one of their cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecentCaseChosen {
    /// The case.
    pub case: CaseId,
    /// Its product.
    pub product: ProductId,
}
personal_fields!(RecentCaseChosen {});

/// They said what kind of problem it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemKindChosen {
    /// Key of the kind in the catalogue.
    pub kind: String,
    /// The product that it is about, where the kind tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductId>,
}
personal_fields!(ProblemKindChosen {});

/// They said by which channel and in which language they want to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContactChosen {
    /// What they chose.
    pub contact: HelpContact,
}
personal_fields!(ContactChosen {});

/// They went back a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SteppedBack {
    /// The step that they are at again.
    pub to: HelpStep,
}
personal_fields!(SteppedBack {});

/// They want to describe the problem in other words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SearchStartedAgain {}
personal_fields!(SearchStartedAgain {});

/// It helped: the session ends without a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HelpSessionSolved {
    /// At which step.
    pub at: HelpStep,
    /// What helped, where it was something that was suggested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Suggestion>,
}
personal_fields!(HelpSessionSolved {});

/// It did not: the session ends with a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HelpSessionBecameCase {
    /// The case.
    pub case: CaseId,
    /// Whether it is a case that was there before.
    pub continued: bool,
}
personal_fields!(HelpSessionBecameCase {});

domain_events! {
    /// Everything that can have happened in a session with the help assistant.
    pub enum HelpSessionEvent {
        /// Somebody asks for help.
        HelpSessionStarted @ 1,
        /// They said what the problem is.
        ProblemDescribed @ 1,
        /// They read a suggestion.
        SuggestionOpened @ 1,
        /// What the step showed did not help.
        HelpDeclined @ 1,
        /// It is about one of their cases.
        RecentCaseChosen @ 1,
        /// What kind of problem it is.
        ProblemKindChosen @ 1,
        /// How they want to go on.
        ContactChosen @ 1,
        /// They went back.
        SteppedBack @ 1,
        /// They search again.
        SearchStartedAgain @ 1,
        /// It helped.
        HelpSessionSolved @ 1,
        /// A case came of it.
        HelpSessionBecameCase @ 1,
    }
}
