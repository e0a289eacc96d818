//! Saving, changing and deleting a view. What a filter means is the reader's to say: it was checked before it comes here.

use super::events::{SavedViewEvent, ViewChanged, ViewDeleted, ViewSaved};
use super::rejection::SavedViewRejection;
use super::{KeptView, SavedView};
use crate::authority::{Action, Actor};
use crate::context::Context;
use crate::ids::{ProviderId, SavedViewId};
use crate::personal::Personal;

/// Longest name, in characters.
pub const MAX_TITLE_CHARS: usize = 100;
/// Longest filter, in characters.
pub const MAX_FILTER_CHARS: usize = 8_192;

/// Saves a view.
#[derive(Clone, Debug)]
pub struct SaveView {
    /// Name to show.
    pub title: Personal<String>,
    /// The filter; empty for every case.
    pub filter: Personal<String>,
    /// Whether the agents of the actor's provider see it too.
    pub shared: bool,
}

/// Changes a view; what is not given stays.
#[derive(Clone, Debug)]
pub struct ChangeView {
    /// Name to show.
    pub title: Option<Personal<String>>,
    /// The filter.
    pub filter: Option<Personal<String>>,
    /// Whether the agents of the actor's provider see it too.
    pub shared: Option<bool>,
}

/// Deletes a view.
#[derive(Clone, Debug)]
pub struct DeleteView {}

/// What can be asked of a saved view.
#[derive(Clone, Debug)]
pub enum SavedViewCommand {
    /// Save it.
    Save(SaveView),
    /// Change it.
    Change(ChangeView),
    /// Delete it.
    Delete(DeleteView),
}

/// Decides a command on a saved view; the context has no organization.
///
/// # Errors
/// [`SavedViewRejection`] says why nothing happens. To whoever does not see a view there is none.
pub fn decide(
    state: &SavedView,
    command: &SavedViewCommand,
    context: &Context<'_>,
) -> Result<Vec<SavedViewEvent>, SavedViewRejection> {
    context.authority.open_to(Action::UseSupportDesk)?;
    match command {
        SavedViewCommand::Save(command) => command.decide(state, context),
        SavedViewCommand::Change(command) => command.decide(own(state, context)?, context),
        SavedViewCommand::Delete(DeleteView {}) => {
            own(state, context)?;
            Ok(vec![ViewDeleted {}.into()])
        }
    }
}

/// Whether somebody sees a view: their own, and those that are shared with their provider.
pub(super) fn is_seen_by(kept: &KeptView, actor: &Actor) -> bool {
    let shared = kept.shared_with.is_some() && kept.shared_with == actor.provider;
    kept.owner == actor.account || shared
}

fn own<'a>(state: &'a SavedView, context: &Context<'_>) -> Result<&'a KeptView, SavedViewRejection> {
    let kept = state.kept().filter(|kept| is_seen_by(kept, context.actor));
    let kept = kept.ok_or(SavedViewRejection::NotFound)?;
    if kept.owner == context.actor.account { Ok(kept) } else { Err(SavedViewRejection::NotTheOwner) }
}

impl SaveView {
    fn decide(
        &self,
        state: &SavedView,
        context: &Context<'_>,
    ) -> Result<Vec<SavedViewEvent>, SavedViewRejection> {
        if state.kept.is_some() || state.deleted {
            return Ok(Vec::new());
        }
        check_texts(&self.title, &self.filter)?;
        Ok(vec![
            ViewSaved {
                view: SavedViewId::derived(context.command_id),
                owner: context.actor.account,
                title: self.title.clone(),
                filter: self.filter.clone(),
                shared_with: shared_with(self.shared, context)?,
            }
            .into(),
        ])
    }
}

impl ChangeView {
    fn decide(
        &self,
        kept: &KeptView,
        context: &Context<'_>,
    ) -> Result<Vec<SavedViewEvent>, SavedViewRejection> {
        let title = self.title.as_ref().unwrap_or(&kept.title);
        let filter = self.filter.as_ref().unwrap_or(&kept.filter);
        check_texts(title, filter)?;
        let shared_with = match self.shared {
            Some(shared) => shared_with(shared, context)?,
            None => kept.shared_with.clone(),
        };
        let same = title.open() == kept.title.open() && filter.open() == kept.filter.open();
        if same && shared_with == kept.shared_with {
            return Ok(Vec::new());
        }
        Ok(vec![ViewChanged { title: title.clone(), filter: filter.clone(), shared_with }.into()])
    }
}

fn check_texts(title: &Personal<String>, filter: &Personal<String>) -> Result<(), SavedViewRejection> {
    let open = |text: &Personal<String>| text.open().cloned().unwrap_or_default();
    let (title, filter) = (open(title), open(filter));
    if title.trim().is_empty() || title.chars().count() > MAX_TITLE_CHARS {
        let why = format!("must have 1 to {MAX_TITLE_CHARS} characters");
        return Err(SavedViewRejection::invalid("displayName", why));
    }
    if filter.chars().count() > MAX_FILTER_CHARS {
        let why = format!("must have at most {MAX_FILTER_CHARS} characters");
        return Err(SavedViewRejection::invalid("filter", why));
    }
    Ok(())
}

/// Only who works for a provider has somebody to share with.
fn shared_with(shared: bool, context: &Context<'_>) -> Result<Option<ProviderId>, SavedViewRejection> {
    match (shared, &context.actor.provider) {
        (false, _) => Ok(None),
        (true, Some(provider)) => Ok(Some(provider.clone())),
        (true, None) => Err(SavedViewRejection::invalid(
            "shared",
            "you work for no provider with which it could be shared",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use crate::authority::Authority;
    use crate::event::{Aggregate, EventAudience};
    use crate::testing::{Circumstances, at, people, personal};

    fn save(title: &str, shared: bool) -> SavedViewCommand {
        SavedViewCommand::Save(SaveView { title: personal(title), filter: personal("assignee=none"), shared })
    }

    fn share(shared: bool) -> SavedViewCommand {
        SavedViewCommand::Change(ChangeView { title: None, filter: None, shared: Some(shared) })
    }

    fn run(
        who: &str,
        state: &SavedView,
        command: &SavedViewCommand,
    ) -> Result<(usize, SavedView), &'static str> {
        let (actor, access) = (people(who), Access::default());
        let authority = Authority::across_organizations(&actor);
        let events = Circumstances::new(&access, &actor, at(0)).decide(|context| {
            let context =
                Context { authority: &authority, organization: None, access_revision: None, ..*context };
            decide(state, command, &context)
        });
        let events = events.map_err(|rejection| rejection.reason())?;
        let mut after = state.clone();
        for event in &events {
            assert_eq!(SavedView::audience(event), EventAudience::Support);
            after.evolve(event, at(0));
        }
        Ok((events.len(), after))
    }

    #[test]
    fn a_view_is_kept_changed_and_deleted_by_its_owner_alone() {
        let (_, own) = run("agent-north", &SavedView::default(), &save("Mine", false)).unwrap();
        let delete = SavedViewCommand::Delete(DeleteView {});
        for command in [share(true), delete.clone()] {
            for other in ["agent-north2", "agent-south", "engineer"] {
                assert_eq!(run(other, &own, &command).err(), Some("SAVED_VIEW_NOT_FOUND"), "{other}");
            }
        }
        let (_, shared) = run("agent-north", &own, &share(true)).unwrap();
        assert_eq!(run("agent-north2", &shared, &delete).err(), Some("NOT_THE_OWNER"));
        assert_eq!(run("agent-south", &shared, &delete).err(), Some("SAVED_VIEW_NOT_FOUND"));
        assert_eq!(run("agent-north", &shared, &share(true)).unwrap().0, 0);
        let (_, gone) = run("agent-north", &shared, &delete).unwrap();
        assert_eq!(gone.kept(), None);
        assert_eq!(run("agent-north", &gone, &delete).err(), Some("SAVED_VIEW_NOT_FOUND"));
        assert_eq!(run("agent-north", &gone, &save("Again", false)).unwrap().0, 0, "an id is used once");
    }

    #[test]
    fn views_are_for_support_have_a_name_and_are_shared_with_a_provider_that_one_works_for() {
        let nothing = SavedView::default();
        for other in ["alice", "auditor", "operator"] {
            assert!(run(other, &nothing, &save("x", false)).is_err(), "{other}");
        }
        assert_eq!(run("engineer", &nothing, &save("x", false)).unwrap().0, 1);
        assert_eq!(run("engineer", &nothing, &save("x", true)).err(), Some("INVALID_FIELD"));
        for title in ["", " ", &"x".repeat(MAX_TITLE_CHARS + 1)] {
            assert_eq!(run("agent-north", &nothing, &save(title, false)).err(), Some("INVALID_FIELD"));
        }
    }
}
