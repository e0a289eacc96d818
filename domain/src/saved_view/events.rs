//! What is written about a saved view. These structs are the contract with the log; nothing of them leaves to analytics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::domain_events;
use crate::ids::{AccountId, ProviderId, SavedViewId};
use crate::personal::{Personal, personal_fields};

/// Somebody of support keeps a filter of cases under a name. Both may name people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ViewSaved {
    /// The view.
    pub view: SavedViewId,
    /// Whose it is.
    pub owner: AccountId,
    /// Name to show.
    pub title: Personal<String>,
    /// The filter, in the language of lists of cases.
    pub filter: Personal<String>,
    /// The provider whose agents see it too.
    pub shared_with: Option<ProviderId>,
}
personal_fields!(ViewSaved { title, filter });

/// Its owner changed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ViewChanged {
    /// Name to show.
    pub title: Personal<String>,
    /// The filter.
    pub filter: Personal<String>,
    /// The provider whose agents see it too.
    pub shared_with: Option<ProviderId>,
}
personal_fields!(ViewChanged { title, filter });

/// Its owner keeps it no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ViewDeleted {}
personal_fields!(ViewDeleted {});

domain_events! {
    /// Everything that can have happened to a saved view.
    pub enum SavedViewEvent {
        /// Somebody keeps it.
        ViewSaved @ 1,
        /// It changed.
        ViewChanged @ 1,
        /// It is gone.
        ViewDeleted @ 1,
    }
}
