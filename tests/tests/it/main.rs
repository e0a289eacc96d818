//! What crosses crates, one module per subject.

mod architecture;
mod crash;
mod endpoints;
mod full_disk;
mod fuzz;
mod golden;
mod golden_samples;
mod headers;
mod idempotency;
mod life;
mod load;
mod matrix;
mod plans;
mod recipe;
mod refusals;
mod schemas;
mod standing;
mod start_up;
mod wire;
