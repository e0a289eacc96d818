//! What crosses crates, one module per subject.

mod endpoints;
mod headers;
mod idempotency;
mod life;
mod matrix;
mod plans;
mod refusals;
mod standing;
mod wire;
