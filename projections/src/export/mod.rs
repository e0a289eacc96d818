//! What leaves the system for analytics jobs (R-ANALYTICS-1): the events that the customer side may know of, as CloudEvents
//! 1.0, with the fields that their published schema marks.
//!
//! An event of another audience never leaves: no internal note, nothing that the system does for itself. Nothing here opens
//! a sealed value, or could: no key comes near.

mod event;
mod message;
mod schemas;

pub use event::{AnalyticsEvent, ExportError, analytics_event};
pub use message::{AnalyticsMessage, NO_ORGANIZATION, SUBJECT_PREFIX};
pub use schemas::{AnalyticsSchema, analytics_schema, analytics_schemas, data_schema};
