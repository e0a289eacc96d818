//! The table of endpoints, one file a group.

mod access;
mod cases;
mod events;
mod organizations;
mod scim;
mod support;

use super::Endpoint;
use crate::call::Version;

const BOTH: &[Version] = &[Version::V2, Version::V2Beta];

/// All endpoints, in the order of the committed tables.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> + Clone {
    [
        cases::ENDPOINTS,
        support::ENDPOINTS,
        access::ENDPOINTS,
        events::ENDPOINTS,
        organizations::ENDPOINTS,
        scim::ENDPOINTS,
    ]
    .into_iter()
    .flatten()
}
