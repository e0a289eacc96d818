//! The claim of a domain, a stream per name: `domain-{name}`, in lower-case A-labels. It lets one organization have a
//! domain at a time.
//!
//! The claim comes first, then [`crate::access::DomainVerified`] in the organization's access stream, guarded by the
//! claim's revision. Of two organizations that claim one domain at once, the log lets the first in and the second is
//! refused. A claim that is never completed holds the domain for seven days; then another organization may take it
//! over, unless the holder has verified it meanwhile (that append guards the holder's access). Repeating the
//! verification completes a half-done pair.

mod claim;
mod events;
mod release;

pub use claim::ClaimDomain;
pub use events::{DomainClaimEvent, DomainClaimed, DomainReleased};
pub use release::ReleaseDomain;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::access::AccessRejection;
use crate::authority::Action;
use crate::context::Context;
use crate::event::{Aggregate, EventAudience};
use crate::ids::OrganizationId;
use crate::personal::{PersonalFields, PersonalSlot};

/// How long an unverified claim keeps others out, in days.
pub const UNVERIFIED_CLAIM_DAYS: i64 = 7;

/// An organization's claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claimant {
    /// The organization.
    pub organization: OrganizationId,
    /// What the domain's owner publishes (`dossier-verification=…` in a TXT record) to prove that it is theirs.
    pub challenge: String,
    /// When it was claimed.
    pub claimed_at: Timestamp,
}

impl Claimant {
    /// The first instant at which an unverified claim keeps nobody out.
    pub fn unverified_until(&self) -> Timestamp {
        let kept = SignedDuration::from_hours(24 * UNVERIFIED_CLAIM_DAYS);
        self.claimed_at.saturating_add(kept).unwrap_or(Timestamp::MAX)
    }
}

/// Who claims a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DomainClaim {
    /// The organization that holds the claim.
    pub holder: Option<Claimant>,
}

impl PersonalFields for DomainClaim {
    fn for_each_personal(&mut self, _visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {}
}

impl Aggregate for DomainClaim {
    type Event = DomainClaimEvent;

    fn evolve(&mut self, event: &DomainClaimEvent, at: Timestamp) {
        match event {
            DomainClaimEvent::DomainClaimed(event) => {
                self.holder = Some(Claimant {
                    organization: event.organization.clone(),
                    challenge: event.challenge.clone(),
                    claimed_at: at,
                });
            }
            DomainClaimEvent::DomainReleased(_) => self.holder = None,
        }
    }

    fn audience(_event: &DomainClaimEvent) -> EventAudience {
        EventAudience::Internal
    }
}

/// What can be asked of a domain's claim.
#[derive(Clone, Debug)]
pub enum DomainClaimCommand {
    /// Claim it.
    Claim(ClaimDomain),
    /// Give it up.
    Release(ReleaseDomain),
}

/// Decides a command on a domain's claim, for the context's organization.
///
/// # Errors
/// [`AccessRejection`] says why nothing happens.
pub fn decide(
    claim: &DomainClaim,
    command: &DomainClaimCommand,
    context: &Context<'_>,
) -> Result<Vec<DomainClaimEvent>, AccessRejection> {
    context.authority.open_to(Action::ClaimDomain)?;
    let organization = context.organization.ok_or(AccessRejection::NotRegistered)?;
    if context.access.registration.is_none() {
        return Err(AccessRejection::NotRegistered);
    }
    match command {
        DomainClaimCommand::Claim(command) => command.decide(claim, organization, context),
        DomainClaimCommand::Release(command) => command.decide(claim, organization, context),
    }
}
