//! The event store on KurrentDB, against the double.

mod away;
mod contract;
mod doubt;
mod harness;
mod nodes;
mod program;
mod subscription;
