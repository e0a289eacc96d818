//! Which parts of the system a process runs.

use std::collections::BTreeSet;

use super::layers::Given;
use super::{ConfigError, values};

/// A part of the system that a process can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Answers requests.
    Api,
    /// Publishes the log to the bus, and what analytics may see to theirs.
    Relay,
    /// Keeps the read models up with the log.
    Projectors,
    /// What acts by itself.
    Processes,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Api, Self::Relay, Self::Projectors, Self::Processes];

    /// Its name in `--roles`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Relay => "relay",
            Self::Projectors => "projectors",
            Self::Processes => "processes",
        }
    }
}

/// The parts that a process runs; never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// Every part.
    pub fn all() -> Self {
        Self(Role::ALL.into_iter().collect())
    }

    /// Whether a part is among them.
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// Whether no part is left out.
    pub fn is_all(&self) -> bool {
        self.0.len() == Role::ALL.len()
    }

    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|role| role.name()).collect()
    }
}

/// Reads `all` or a list of roles.
pub(super) fn resolve(given: &Given) -> Result<Roles, ConfigError> {
    let mut roles = BTreeSet::new();
    for named in values::list(given)? {
        match Role::ALL.into_iter().find(|role| role.name() == named) {
            Some(role) => {
                roles.insert(role);
            }
            None if named == "all" => roles.extend(Role::ALL),
            None => {
                let known = Role::ALL.map(Role::name).join(",");
                return Err(
                    given.refused(&format!("{named} is no role"), &format!("use all, or some of {known}"))
                );
            }
        }
    }
    Ok(Roles(roles))
}
