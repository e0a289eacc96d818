//! The business: aggregates, events, rules. Pure: no IO, no clock, no randomness.
