//! The dossier binary: HTTP, sign-in, authorization, wiring, configuration, command line.

pub mod config;
pub mod filter;
pub mod logging;
pub mod mask;
pub mod page_token;
pub mod path;
pub mod proto_json;
pub mod query;
pub mod sign_in;
pub mod status;
