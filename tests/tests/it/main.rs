//! What crosses crates, one module per subject.

mod endpoints;
