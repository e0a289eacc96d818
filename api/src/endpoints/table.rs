//! The table of endpoints, one file a group.

mod access;
mod cases;
mod desk;
mod event_delivery;
mod events;
mod help;
mod known_issues;
mod notifications;
mod organizations;
mod scim;
mod support;

use super::Endpoint;
use crate::call::Version;

const BOTH: &[Version] = &[Version::V2, Version::V2Beta];

/// All endpoints, in the order of the committed tables.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> + Clone {
    [
        // Before cases, because a queue would be taken for a parent of cases.
        desk::ENDPOINTS,
        cases::ENDPOINTS,
        support::ENDPOINTS,
        access::ENDPOINTS,
        events::ENDPOINTS,
        event_delivery::ENDPOINTS,
        notifications::ENDPOINTS,
        help::ENDPOINTS,
        organizations::ENDPOINTS,
        known_issues::ENDPOINTS,
        scim::ENDPOINTS,
    ]
    .into_iter()
    .flatten()
}
