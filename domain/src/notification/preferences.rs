//! What a person wants to be mailed. It is kept with their account, for all organizations alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which mails about cases somebody wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseMails {
    /// All that they are concerned by.
    #[default]
    All,
    /// None.
    None,
}

impl CaseMails {
    /// The name, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::None => "NONE",
        }
    }

    /// The choice of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::All, Self::None].into_iter().find(|mails| mails.as_str() == name)
    }
}

/// What a person wants to be mailed; who never said gets everything, in each case's language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NotificationPreferences {
    /// Which mails about cases.
    pub case_mails: CaseMails,
    /// In which language, in place of the case's.
    pub language: Option<String>,
}

impl NotificationPreferences {
    /// Whether they are what somebody has who never said.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
