//! A filter of cases that somebody of support keeps under a name, for themselves or for the agents of their provider:
//! `saved_view-{ULID}`. It shows nothing by itself: whoever uses one sees the cases that they may see.

mod decide;
mod events;
mod rejection;

pub use decide::{
    ChangeView, DeleteView, MAX_FILTER_CHARS, MAX_TITLE_CHARS, SaveView, SavedViewCommand, decide,
};
pub use events::{SavedViewEvent, ViewChanged, ViewDeleted, ViewSaved};
pub use rejection::SavedViewRejection;

use jiff::Timestamp;
use serde::Serialize;

use crate::event::{Aggregate, EventAudience};
use crate::ids::{AccountId, ProviderId, SavedViewId};
use crate::personal::{Personal, PersonalFields, PersonalSlot};

/// A view that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeptView {
    /// The view.
    pub view: SavedViewId,
    /// Whose it is.
    pub owner: AccountId,
    /// Name to show.
    pub title: Personal<String>,
    /// The filter.
    pub filter: Personal<String>,
    /// The provider whose agents see it too.
    pub shared_with: Option<ProviderId>,
    /// When it was saved.
    pub saved_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// A saved view, or nothing: not yet, or no more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SavedView {
    kept: Option<KeptView>,
    deleted: bool,
}

impl SavedView {
    /// The view, while it is kept.
    pub fn kept(&self) -> Option<&KeptView> {
        self.kept.as_ref()
    }
}

impl PersonalFields for SavedView {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        if let Some(kept) = &mut self.kept {
            visit(&mut kept.title);
            visit(&mut kept.filter);
        }
    }
}

impl Aggregate for SavedView {
    type Event = SavedViewEvent;

    fn evolve(&mut self, event: &SavedViewEvent, at: Timestamp) {
        match event {
            SavedViewEvent::ViewSaved(event) => {
                self.kept = Some(KeptView {
                    view: event.view,
                    owner: event.owner,
                    title: event.title.clone(),
                    filter: event.filter.clone(),
                    shared_with: event.shared_with.clone(),
                    saved_at: at,
                    changed_at: at,
                });
            }
            SavedViewEvent::ViewChanged(event) => {
                if let Some(kept) = &mut self.kept {
                    kept.title = event.title.clone();
                    kept.filter = event.filter.clone();
                    kept.shared_with.clone_from(&event.shared_with);
                    kept.changed_at = at;
                }
            }
            SavedViewEvent::ViewDeleted(_) => {
                self.kept = None;
                self.deleted = true;
            }
        }
    }

    fn audience(_event: &SavedViewEvent) -> EventAudience {
        EventAudience::Support
    }
}
