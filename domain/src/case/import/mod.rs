//! Taking over the history of a case from elsewhere: its filing and what happened since, with the people and instants of then,
//! checked as a sequence, all or nothing. The case's id is made of the source's name and its id there, so that taking it over
//! again changes nothing.
//!
//! Nothing of then is promised or judged again: promises begin with the first comment of the customer side after it. The case
//! is routed as of now, so that some provider's agents see it.

mod act;
#[cfg(test)]
mod tests;

pub use act::{ImportedAct, ImportedActKind};

use jiff::Timestamp;

use super::events::{CaseEvent, CaseFiled, ClassificationRef, ImportOrigin, ReopenWindowEnded, RoutingCause};
use super::file::FileCase;
use super::rejection::CaseRejection;
use super::route;
use super::state::CaseState;
use crate::access::Entitlement;
use crate::authority::{AccessRefusal, Action, Side};
use crate::catalogue::Channel;
use crate::context::Context;
use crate::event::Aggregate;
use crate::ids::{AccountId, CaseId, OrganizationId, PlanId, ProductId};
use crate::personal::{Contact, Personal};

/// Most acts of one case: what one append holds of them, with room for long comments.
pub const MAX_IMPORTED_ACTS: usize = 500;
/// Longest name of a source, and longest id there, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// Somebody of then.
#[derive(Clone, Debug)]
pub struct ImportedPerson {
    /// Their account, or its pseudonym.
    pub account: AccountId,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
}

/// The history of a case that is not here yet.
#[derive(Clone, Debug)]
pub struct ImportHistory {
    /// The system that it comes from.
    pub source: String,
    /// Its id there.
    pub external_id: String,
    /// When it was filed.
    pub filed_at: Timestamp,
    /// What was filed. It must not follow up another case.
    pub filing: FileCase,
    /// Who filed it.
    pub filer: ImportedPerson,
    /// From which side of the customer.
    pub side: Side,
    /// The plan that it was filed under, where none is recorded for that instant.
    pub plan: Option<PlanId>,
    /// What happened since, in order.
    pub acts: Vec<ImportedAct>,
}

/// An event of an imported history: appended with `occurred_at` in its metadata, and its actor there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedEvent {
    /// The event.
    pub event: CaseEvent,
    /// When it occurred: folds take this instant, not that of the recording.
    pub occurred_at: Timestamp,
    /// Who did it then.
    pub actor: AccountId,
}

impl ImportHistory {
    /// The case that it becomes.
    pub fn case(&self) -> CaseId {
        CaseId::imported(&self.source, &self.external_id)
    }
}

/// Takes over a history; nothing where it was taken over before.
///
/// # Errors
/// [`CaseRejection`]; [`CaseRejection::ImportRefused`] names the act that does not fit.
pub fn import(
    state: &CaseState,
    history: &ImportHistory,
    context: &Context<'_>,
) -> Result<Vec<ImportedEvent>, CaseRejection> {
    context.authority.open_to(Action::ImportCases)?;
    if state.filed().is_some() {
        return Ok(Vec::new());
    }
    if context.access.registration.is_none() {
        return Err(CaseRejection::invalid("organization", "no such organization is registered"));
    }
    check_frame(history, context.now)?;
    let filed = filed(history, context)?;
    let mut importing = Importing { state: CaseState::default(), at: history.filed_at, events: Vec::new() };
    importing.take(filed.into(), history.filed_at, history.filer.account);
    for (index, act) in history.acts.iter().enumerate() {
        importing.act(index, act, context).map_err(|why| refused(index, why))?;
    }
    importing.finish(context);
    Ok(importing.events)
}

fn refused(act: usize, why: CaseRejection) -> CaseRejection {
    CaseRejection::ImportRefused { act, why: Box::new(why) }
}

fn check_frame(history: &ImportHistory, now: Timestamp) -> Result<(), CaseRejection> {
    for (field, name) in [("source", &history.source), ("externalId", &history.external_id)] {
        let fits =
            !name.trim().is_empty() && name.len() <= MAX_NAME_BYTES && !name.contains(char::is_control);
        if !fits {
            let why = format!("give 1 to {MAX_NAME_BYTES} bytes without control characters");
            return Err(CaseRejection::invalid(field, why));
        }
    }
    if history.filed_at > now {
        return Err(CaseRejection::invalid("filedAt", "must not lie in the future"));
    }
    if !history.side.is_customer_side() {
        return Err(CaseRejection::invalid("side", "a case is filed by the customer or its reseller"));
    }
    if history.filing.follow_up_of.is_some() {
        return Err(CaseRejection::invalid("followUpOf", "link the cases once they are here"));
    }
    if history.acts.len() > MAX_IMPORTED_ACTS {
        return Err(CaseRejection::invalid("acts", format!("must be at most {MAX_IMPORTED_ACTS}")));
    }
    Ok(())
}

fn filed(history: &ImportHistory, context: &Context<'_>) -> Result<CaseFiled, CaseRejection> {
    let filing = &history.filing;
    let (classification, priority) = filing.checked(context.catalogue)?;
    let product = &classification.product;
    let manager = manager_at(history.filed_at, context);
    if history.side == Side::Reseller && manager.is_none() {
        return Err(CaseRejection::invalid("side", "no reseller managed the organization at that instant"));
    }
    Ok(CaseFiled {
        case: history.case(),
        organization: context.organization.ok_or(AccessRefusal::NotAMember)?.clone(),
        product: product.clone(),
        classification: ClassificationRef {
            id: classification.id.clone(),
            display_name: classification.display_name.clone(),
        },
        title: filing.title.clone(),
        description: filing.description.clone(),
        priority,
        language: context.catalogue.language(&filing.language),
        time_zone: filing.time_zone.clone(),
        contact_email: filing.contact_email.clone(),
        subscribers: filing.subscribers.clone(),
        test_case: filing.test_case,
        problem: filing.problem.clone(),
        filer: history.filer.contact.clone(),
        side: history.side,
        manager,
        access_revision: context.access_revision,
        entitlement: entitlement(product, history, context)?,
        channel: filing.channel,
        follow_up_of: None,
        help: None,
        imported_from: Some(ImportOrigin {
            source: history.source.clone(),
            external_id: history.external_id.clone(),
            imported_by: context.actor.account,
        }),
        known_issue: None,
    })
}

/// Who managed the organization at an instant (R-RES-3), as its access says today.
fn manager_at(at: Timestamp, context: &Context<'_>) -> Option<OrganizationId> {
    let periods = context.access.management.iter().rev();
    periods.clone().find(|period| period.from <= at).and_then(|period| period.manager.clone())
}

/// The entitlement that is recorded for the instant of filing; else an empty one of the plan that the source names.
fn entitlement(
    product: &ProductId,
    history: &ImportHistory,
    context: &Context<'_>,
) -> Result<Entitlement, CaseRejection> {
    let at = history.filed_at;
    if let Ok(recorded) = context.access.eligible_entitlement(product, context.catalogue, at) {
        return Ok(recorded.clone());
    }
    let known = history.plan.as_ref().filter(|plan| context.catalogue.plan(plan).is_some());
    let plan = known.cloned().ok_or_else(|| {
        CaseRejection::invalid("plan", "no plan is recorded for that instant; name one of the catalogue")
    })?;
    Ok(Entitlement { product: product.clone(), plan, from: at, until: Some(at) })
}

/// A history that is being taken over: what became of it so far.
struct Importing {
    state: CaseState,
    at: Timestamp,
    events: Vec<ImportedEvent>,
}

impl Importing {
    fn take(&mut self, event: CaseEvent, occurred_at: Timestamp, actor: AccountId) {
        self.state.evolve(&event, occurred_at);
        self.at = occurred_at;
        self.events.push(ImportedEvent { event, occurred_at, actor });
    }

    fn act(&mut self, index: usize, act: &ImportedAct, context: &Context<'_>) -> Result<(), CaseRejection> {
        if act.at < self.at {
            return Err(CaseRejection::invalid("at", "must not lie before what happened until then"));
        }
        if act.at > context.now {
            return Err(CaseRejection::invalid("at", "must not lie in the future"));
        }
        let case = self.state.filed().ok_or(CaseRejection::NotFound)?;
        for event in act.events(index, case, context)? {
            self.take(event, act.at, act.by.account);
        }
        Ok(())
    }

    /// What the present adds: the end of the window for reopening, where it is over, and the provider.
    fn finish(&mut self, context: &Context<'_>) {
        let Some(case) = self.state.filed().cloned() else { return };
        let importer = context.actor.account;
        if let Some(ends_at) = case.reopen_window_ends_at.filter(|ends_at| *ends_at < context.now) {
            // Support may have added something since.
            let at = ends_at.max(self.at);
            self.take(ReopenWindowEnded { closing: case.closings }.into(), at, importer);
        }
        let facts = route::facts(&case.product, &case.language, Channel::Web, context);
        if let Some(routed) = route::routed(&facts, None, RoutingCause::Import, context.catalogue) {
            self.take(routed.into(), context.now, importer);
        }
    }
}
