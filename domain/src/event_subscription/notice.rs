//! What a message to a customer's machine says of an event: thin, names and states, nothing that somebody wrote. Whoever
//! wants more asks the API, where it is decided what they may see.

use serde_json::{Map, Value};

use crate::case::{CaseEvent, Status};
use crate::event::{DomainEvent, EventAudience};
use crate::ids::{CaseId, OrganizationId};

/// What is told of an event of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The event's type.
    pub event_type: &'static str,
    /// The resource name of the case: `organizations/{o}/cases/{c}`.
    pub subject: String,
    /// What else is told, by names of the API.
    pub data: Map<String, Value>,
}

/// Whether an event of a case is told to the customer's machines at all: what stays with support is not (R-COMMENT-3), nor
/// which mails somebody wants.
pub fn is_told(event: &CaseEvent) -> bool {
    let is_ones_own =
        matches!(event, CaseEvent::NotificationsStopped(_) | CaseEvent::NotificationsResumed(_));
    event.audience() == EventAudience::Customer && !is_ones_own
}

/// What is told of an event; `None`: nothing is.
pub fn notice(event: &CaseEvent, organization: &OrganizationId, case: CaseId) -> Option<Notice> {
    if !is_told(event) {
        return None;
    }
    let subject = format!("organizations/{organization}/cases/{case}");
    let mut data = Map::new();
    let mut tell = |name: &str, value: String| data.insert(name.to_owned(), value.into());
    tell("organization", format!("organizations/{organization}"));
    tell("case", subject.clone());
    match event {
        CaseEvent::CaseFiled(filed) => {
            tell("state", published(Status::New).to_owned());
            tell("priority", filed.priority.as_str().to_owned());
        }
        CaseEvent::CommentAdded(added) => {
            tell("comment", format!("{subject}/comments/{}", added.comment));
        }
        CaseEvent::AttachmentAdded(added) => {
            tell("attachment", format!("{subject}/attachments/{}", added.attachment));
        }
        CaseEvent::CaseStateChanged(changed) => {
            tell("state", published(changed.to).to_owned());
        }
        CaseEvent::PriorityChanged(changed) => {
            tell("priority", changed.to.as_str().to_owned());
        }
        CaseEvent::CaseClosed(_) => {
            tell("state", published(Status::Closed).to_owned());
        }
        // That it happened is all there is to tell.
        _ => {}
    }
    Some(Notice { event_type: event.event_type(), subject, data })
}

/// A state as the Cloud Support API calls it.
fn published(status: Status) -> &'static str {
    match status {
        Status::InProgress => "IN_PROGRESS_GOOGLE_SUPPORT",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use ulid::Ulid;

    use super::*;
    use crate::Side;
    use crate::case::{CaseStateChanged, CaseUnassigned, CommentAdded, StateChangeCause};
    use crate::ids::{AccountId, CommentId};
    use crate::testing::{acme_id, people, personal};

    fn told(event: impl Into<CaseEvent>) -> Option<Notice> {
        notice(&event.into(), &acme_id(), CaseId(Ulid::from(1)))
    }

    #[test]
    fn a_comment_is_told_by_its_name_and_never_by_its_words() {
        let comment = CommentAdded {
            comment: CommentId(Ulid::from(2)),
            body: personal("canary"),
            author: people("alice").contact,
            side: Side::Customer,
        };
        let notice = told(comment).unwrap();
        let case = "organizations/acme/cases/00000000000000000000000001";
        assert_eq!((notice.event_type, notice.subject.as_str()), ("CommentAdded", case));
        let comment = format!("{case}/comments/00000000000000000000000002");
        let data = json!({"organization": "organizations/acme", "case": case, "comment": comment});
        assert_eq!(Value::Object(notice.data.clone()), data);
        let text = format!("{notice:?}");
        assert!(!text.contains("canary") && !text.contains('@'), "{text}");
    }

    #[test]
    fn a_change_of_state_is_told_in_the_words_of_the_api() {
        let changed =
            CaseStateChanged { from: Status::New, to: Status::InProgress, cause: StateChangeCause::TakenUp };
        assert_eq!(told(changed).unwrap().data["state"], "IN_PROGRESS_GOOGLE_SUPPORT");
    }

    /// R-COMMENT-3.
    #[test]
    fn r_comment_3_nothing_is_told_of_what_stays_with_support() {
        assert_eq!(told(CaseUnassigned { agent: AccountId(Ulid::from(1)) }), None);
    }
}
