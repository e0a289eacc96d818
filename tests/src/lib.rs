//! What crosses crates: end to end, official clients, authorization, faults, architecture.
