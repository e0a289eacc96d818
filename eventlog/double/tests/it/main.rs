//! The event store on KurrentDB, against the double.

mod contract;
mod harness;
mod trouble;
