//! Reactors: event → commands. What a reactor is, what it is given, and what it answers with; who runs it is in [`runner`].
//!
//! To add one: a file with a type that implements [`Reactor`], and its line where the reactors are started. It says which
//! commands an event calls for and nothing else: it never executes one, it keeps nothing between two events, and the same
//! event gives the same list for ever, because a command's id is made of the reactor's name, the event and the place in
//! the list.

use async_trait::async_trait;
use dossier_commands::{LinkedCaseAct, identity};
use dossier_domain::access::{AccessCommand, AccessEvent};
use dossier_domain::case::{CaseCommand, CaseEvent};
use dossier_domain::known_issue::{KnownIssueCommand, KnownIssueEvent};
use dossier_domain::phone_call::PhoneCallEvent;
use dossier_domain::{
    AccountId, Actor, CaseId, CommandId, Contact, DomainEvent, KnownIssueId, OrganizationId, Personal,
    StaffRole, Subject,
};
use dossier_eventlog::{EventId, Metadata, RecordedEvent, Sealer};
use uuid::Uuid;

pub mod issue;
pub(crate) mod lead;
mod runner;
pub mod start;
mod status;
#[cfg(test)]
mod testing;

pub use issue::{Issue, IssueError, Issued};
pub use start::{Reactors, StartError, claim_new_log};
pub use status::{ReactorState, ReactorStatus};

/// Where a reactor that has never run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At the log's head: it does not act on what happened before it was there.
    AtHead,
    /// At the log's beginning: it acts on all of history.
    AtBeginning,
}

/// A command that an event calls for.
#[derive(Clone, Debug)]
pub enum Order {
    /// On a case; `None` files one, with an id derived from the command's.
    Case {
        /// Whose case it is.
        organization: OrganizationId,
        /// The case.
        case: Option<CaseId>,
        /// What to do with it.
        command: Box<CaseCommand>,
    },
    /// On a case; and where it is refused for one reason, something on another case of the organization instead, under a command
    /// id of its own.
    CaseOrElse {
        /// Whose cases they are.
        organization: OrganizationId,
        /// The case.
        case: CaseId,
        /// What to do with it.
        command: Box<CaseCommand>,
        /// The reason that calls for the other.
        reason: &'static str,
        /// The other case.
        other: CaseId,
        /// What to do with the other.
        instead: Box<CaseCommand>,
    },
    /// On an organization's access.
    Access {
        /// The organization.
        organization: OrganizationId,
        /// What to do with it.
        command: Box<AccessCommand>,
    },
    /// On a known issue, for no organization; `None` suspects one, with an id derived from the command's.
    KnownIssue {
        /// The known issue.
        issue: Option<KnownIssueId>,
        /// What to do with it.
        command: Box<KnownIssueCommand>,
    },
    /// On the case of somebody whom a known issue affects.
    LinkedCase {
        /// Whose case it is.
        organization: OrganizationId,
        /// The case.
        case: CaseId,
        /// The known issue.
        issue: KnownIssueId,
        /// What to do with it.
        act: LinkedCaseAct,
    },
}

/// Why a reactor has no answer to an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReactError {
    /// What it needs cannot answer now. The runner gives it the event again.
    #[error("{0}")]
    Unavailable(String),
    /// The event makes no sense to this release. The reactor stops at it; the operator acts.
    #[error("{0}")]
    Unreadable(String),
}

/// Something that acts by itself on what happens.
#[async_trait]
pub trait Reactor: Send + Sync + 'static {
    /// Its name, for ever: its checkpoint and the ids of its commands hang on it.
    fn name(&self) -> &'static str;

    /// Where it begins when it is deployed for the first time.
    fn begins(&self) -> Begin;

    /// As whom it acts; see [`system_actor`].
    fn actor(&self) -> &Actor;

    /// The commands that an event calls for, in the order in which they are to be executed. The same event must always give
    /// the same list: what has changed since is for the commands' own rules to find.
    ///
    /// # Errors
    /// [`ReactError`].
    async fn react(&self, trigger: &Trigger<'_>) -> Result<Vec<Order>, ReactError>;
}

/// An event as reactors see it: as stored, with readers for what they need of it. Its personal values are sealed.
#[derive(Clone, Copy, Debug)]
pub struct Trigger<'a> {
    /// The event.
    pub event: &'a RecordedEvent,
}

impl Trigger<'_> {
    /// Its metadata.
    ///
    /// # Errors
    /// [`ReactError::Unreadable`].
    pub fn metadata(&self) -> Result<Metadata, ReactError> {
        self.event.metadata().map_err(|error| self.unreadable(&error))
    }

    /// The organization whose fact it is.
    ///
    /// # Errors
    /// [`ReactError::Unreadable`] when it names none.
    pub fn organization(&self) -> Result<OrganizationId, ReactError> {
        let organization = self.metadata()?.organization.unwrap_or_default();
        OrganizationId::new(&organization).map_err(|error| self.unreadable(&error))
    }

    /// The case and what happened to it, when it is an event of a case.
    ///
    /// # Errors
    /// [`ReactError::Unreadable`].
    pub fn case(&self) -> Result<Option<(CaseId, CaseEvent)>, ReactError> {
        let Some(event) = self.decoded("case")? else { return Ok(None) };
        let case = self.event.stream.id().parse().map_err(|error| self.unreadable(&error))?;
        Ok(Some((case, event)))
    }

    /// What happened to an organization's access, when it is an event of that.
    ///
    /// # Errors
    /// [`ReactError::Unreadable`].
    pub fn access(&self) -> Result<Option<AccessEvent>, ReactError> {
        self.decoded("access")
    }

    /// The known issue and what happened to it, when it is an event of one.
    ///
    /// # Errors
    /// [`ReactError::Unreadable`].
    pub fn known_issue(&self) -> Result<Option<(KnownIssueId, KnownIssueEvent)>, ReactError> {
        let Some(event) = self.decoded("known_issue")? else { return Ok(None) };
        let issue = self.event.stream.id().parse().map_err(|error| self.unreadable(&error))?;
        Ok(Some((issue, event)))
    }

    /// What happened to a phone call, when it is an event of one.
    ///
    /// # Errors
    /// [`ReactError::Unreadable`].
    pub fn phone_call(&self) -> Result<Option<PhoneCallEvent>, ReactError> {
        self.decoded("phone_call")
    }

    fn decoded<E: DomainEvent>(self, category: &str) -> Result<Option<E>, ReactError> {
        let event = self.event;
        if event.stream.category() != category {
            return Ok(None);
        }
        E::decode(&event.event_type, event.version, &event.payload)
            .map(Some)
            .map_err(|error| self.unreadable(&error))
    }

    fn unreadable(self, why: &dyn std::fmt::Display) -> ReactError {
        ReactError::Unreadable(format!(
            "event {} at position {}: {why}",
            self.event.event_id, self.event.position
        ))
    }
}

/// The id of a reactor's command: the same reactor, event and place in its list give the same id on every node and after
/// every crash, so that the command's receipt tells a repeat (promise 10).
pub fn command_id(reactor: &str, trigger: EventId, index: usize) -> CommandId {
    let derived = CommandId(trigger.0).derive(&format!("reactor/{reactor}/{index}"));
    CommandId(Uuid::new_v8(derived.to_be_bytes()))
}

/// Somebody who is the system itself, the same for ever under the same name.
pub fn system_actor(sealer: &Sealer, name: &str, roles: impl IntoIterator<Item = StaffRole>) -> Actor {
    let account: AccountId = identity::account_id(sealer, "dossier:system", name);
    let contact = Contact { email: String::new(), display_name: name.to_owned() };
    Actor::new(account, Personal::new(Subject::account(account), contact), roles)
}
