//! The server's side of the protocol, compiled from the files that the client's crate ships.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::pedantic)]

include!(concat!(env!("OUT_DIR"), "/protocol.rs"));
