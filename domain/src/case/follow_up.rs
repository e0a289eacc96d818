//! Following a closed case up with a new one (R-REOPEN-2, R-REOPEN-4).

use super::check_actor;
use super::file::FileCase;
use super::rejection::CaseRejection;
use super::state::{Case, CaseState, Status, check_not_merged};
use crate::authority::Action;
use crate::context::Context;
use crate::ids::CaseId;
use crate::personal::{Personal, Subject};

/// A closed case that a new one may follow up: only [`follow_up`] says so, once it was asked by whoever files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowUpOf(CaseId);

impl FollowUpOf {
    /// The closed case.
    pub fn case(self) -> CaseId {
        self.0
    }
}

/// The new case that follows a closed one up, prefilled from it: everything but the description, which is to be written, and
/// the channel. Each value may be replaced before it is filed; filing checks them all again, and `follow_up_of` stays.
/// `subject` is whose key will seal the description.
///
/// # Errors
/// The actor does not see the closed case or may not file, it is open, or it goes on in another one.
pub fn follow_up(
    closed: &CaseState,
    subject: &Subject,
    context: &Context<'_>,
) -> Result<FileCase, CaseRejection> {
    context.authority.open_to(Action::FileCase)?;
    let case = closed.filed().ok_or(CaseRejection::NotFound)?;
    check_actor(case, Action::FileCase, context)?;
    check(case, context)?;
    Ok(FileCase {
        classification: case.classification.id.clone(),
        title: case.title.clone(),
        description: Personal::new(subject.clone(), String::new()),
        priority: Some(case.priority),
        language: case.language.clone(),
        time_zone: case.time_zone.clone(),
        contact_email: case.contact_email.clone(),
        subscribers: case.subscribers.clone(),
        test_case: case.test_case,
        problem: case.problem.clone(),
        channel: None,
        follow_up_of: Some(FollowUpOf(case.id)),
    })
}

/// Whether a case can be followed up: it is closed, and its organization may file for its product.
pub(super) fn check(case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
    check_not_merged(case)?;
    if case.status != Status::Closed {
        return Err(CaseRejection::CaseOpen);
    }
    context.access.entitlement_to_file(&case.product, context.catalogue, context.now)?;
    Ok(())
}
