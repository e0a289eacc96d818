//! The read model `reseller_visibility`: when each customer let which reseller in, as intervals. A reseller's scope asks it in
//! the same statement as the rows it shows, and whoever reads by somebody's leave waits for it.

mod projector;

pub use projector::ResellerVisibility;
pub(crate) use projector::{INTERVALS, NAME};
