//! What crosses crates, one module per subject.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails it")]
#![expect(clippy::print_stdout, reason = "shown beside a failure: the seed that repeats it")]

mod account_recovery;
mod analytics;
mod architecture;
mod attachments;
mod audit;
mod crash;
mod day;
mod deploy;
mod domains;
mod endpoints;
mod explain;
mod full_disk;
mod fuzz;
mod golden;
mod golden_samples;
mod headers;
mod help;
mod idempotency;
mod life;
mod load;
mod matrix;
mod members;
mod notes;
mod organizations;
mod plans;
mod recipe;
mod refusals;
mod resellers;
mod restore;
mod schemas;
mod scim;
mod search;
mod sign_in;
mod standing;
mod start_up;
mod support;
mod timers;
mod visibility;
mod walk;
mod wire;
