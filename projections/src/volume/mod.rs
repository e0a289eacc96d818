//! The read model `volume`: what counts for the watch over the volume (R-KI-2), by product and hour, each act with its place
//! in the log, so that one can ask what was counted up to any place. What counts is the domain's to say.

mod projector;
mod query;

pub use projector::Volume;
pub use query::{HourlyCount, VolumeQueries};

/// The model's name.
pub(crate) const NAME: &str = "volume";
