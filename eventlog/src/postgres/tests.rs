//! What only the PostgreSQL adapters can get wrong, and their runs of the contract suites.

mod contract;

use std::time::Duration;

use super::PostgresOptions;

/// For tests of what is stored, not of how fast the answer comes: the machine may be busy.
fn patient() -> PostgresOptions {
    let patience = Duration::from_mins(1);
    PostgresOptions { answer_within: patience, read_patience: patience, ..PostgresOptions::default() }
}
