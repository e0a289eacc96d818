//! One event as streams hear of it: what it is about, and nothing of what it says.

use dossier_domain::{AccountId, CaseId};
use dossier_eventlog::{Audience, Position, RecordedEvent};

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// A case of an organization.
    Case {
        /// The organization.
        organization: String,
        /// The case.
        case: CaseId,
        /// Whether customers may learn of it (R-COMMENT-3).
        is_for_customers: bool,
    },
    /// Who may what in an organization.
    Access {
        /// The organization.
        organization: String,
    },
    /// Somebody's account.
    Account {
        /// The account.
        account: AccountId,
    },
}

/// Something has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where in the log.
    pub position: Position,
    /// What.
    pub changed: Changed,
}

impl Change {
    /// What an event changes for streams; `None`: nothing.
    pub fn of(event: &RecordedEvent) -> Option<Self> {
        let id = event.stream.id();
        let changed = match event.stream.category() {
            "access" => Changed::Access { organization: id.to_owned() },
            "account" => Changed::Account { account: id.parse().ok()? },
            "case" => {
                let metadata = event.metadata().ok()?;
                Changed::Case {
                    organization: metadata.organization?,
                    case: id.parse().ok()?,
                    is_for_customers: metadata.audience == Audience::Customer,
                }
            }
            _ => return None,
        };
        Some(Self { position: event.position, changed })
    }
}
