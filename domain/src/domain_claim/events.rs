//! What is written about a domain's claim. These structs are the contract with the log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::domain_events;
use crate::ids::OrganizationId;
use crate::personal::personal_fields;

/// An organization claims the domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DomainClaimed {
    /// The organization.
    pub organization: OrganizationId,
    /// What proves that the domain is theirs, once it is published there.
    pub challenge: String,
}
personal_fields!(DomainClaimed {});

/// Nobody claims the domain any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DomainReleased {
    /// Who claimed it.
    pub organization: OrganizationId,
}
personal_fields!(DomainReleased {});

domain_events! {
    /// Everything that can have happened to a domain's claim.
    pub enum DomainClaimEvent {
        /// An organization claims it.
        DomainClaimed @ 1,
        /// Nobody does any more.
        DomainReleased @ 1,
    }
}
