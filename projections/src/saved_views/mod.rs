//! The read model `saved_views`: filters of cases that support's people keep, for themselves or for their provider.

mod projector;
mod query;

pub use projector::{SavedViewRow, SavedViews};
pub use query::{SavedViewPage, SavedViewQueries};
