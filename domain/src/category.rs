//! The categories of streams: one row for each aggregate, for whoever handles events of all of them alike.

use crate::access::AccessEvent;
use crate::account::{AccountEvent, EmailClaimEvent};
use crate::account_recovery::AccountRecoveryEvent;
use crate::case::CaseEvent;
use crate::domain_claim::DomainClaimEvent;
use crate::event::{DecodeError, DomainEvent, EventSchema};
use crate::event_subscription::EventSubscriptionEvent;
use crate::export::ExportEvent;
use crate::feedback::FeedbackEvent;
use crate::help_session::HelpSessionEvent;
use crate::known_issue::KnownIssueEvent;
use crate::phone_call::PhoneCallEvent;
use crate::saved_view::SavedViewEvent;
use crate::webhook::WebhookEvent;

/// Raises a stored payload, named by type and version, to the current version: that version and its payload.
pub type Upcast = fn(&str, u16, &[u8]) -> Result<(u16, Vec<u8>), DecodeError>;

/// What is known of a category without knowing its aggregate.
#[derive(Clone, Copy)]
pub struct Category {
    /// The part of a stream's name before the dash.
    pub name: &'static str,
    /// Whether the system keeps its events for itself: they never leave to readers outside.
    pub is_internal: bool,
    /// Schemas of every type and version that this release reads.
    pub schemas: fn() -> Vec<EventSchema>,
    /// Raises a stored payload to the current version.
    pub upcast: Upcast,
}

/// All categories, by name.
pub static CATEGORIES: [Category; 14] = [
    row::<AccessEvent>("access"),
    internal(row::<AccountEvent>("account")),
    internal(row::<EmailClaimEvent>("account_email")),
    internal(row::<AccountRecoveryEvent>("account_recovery")),
    row::<CaseEvent>("case"),
    internal(row::<DomainClaimEvent>("domain")),
    internal(row::<EventSubscriptionEvent>("event_subscription")),
    internal(row::<ExportEvent>("export")),
    row::<KnownIssueEvent>("known_issue"),
    internal(row::<PhoneCallEvent>("phone_call")),
    internal(row::<WebhookEvent>("webhook")),
    internal(row::<SavedViewEvent>("saved_view")),
    internal(row::<FeedbackEvent>("feedback")),
    internal(row::<HelpSessionEvent>("help_session")),
];

const fn row<E: DomainEvent>(name: &'static str) -> Category {
    Category { name, is_internal: false, schemas: E::schemas, upcast: upcast::<E> }
}

const fn internal(category: Category) -> Category {
    Category { is_internal: true, ..category }
}

fn upcast<E: DomainEvent>(
    event_type: &str,
    version: u16,
    payload: &[u8],
) -> Result<(u16, Vec<u8>), DecodeError> {
    let event = E::decode(event_type, version, payload)?;
    Ok((event.version(), event.encode()))
}

impl Category {
    /// The category of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        CATEGORIES.iter().find(|category| category.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_payload_of_an_old_version_is_raised_to_the_current_one() {
        let case = Category::named("case").unwrap();
        let old =
            br#"{"comment":"00000000000000000000000001","body":{"subject":"s"},"author":{"subject":"s"}}"#;
        let (version, payload) = (case.upcast)("CommentAdded", 1, old).unwrap();
        assert_eq!(version, 2);
        assert!(String::from_utf8(payload).unwrap().contains(r#""side":"customer""#));
        assert!(matches!((case.upcast)("CommentAdded", 9, old), Err(DecodeError::Unknown { .. })));
        assert!(Category::named("nonsense").is_none());
    }
}
