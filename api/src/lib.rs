//! The `dossier` binary: HTTP, sign-in, authorization, wiring, configuration, command line.
//!
//! What this crate never holds: SQL, or a rule of the business. A use case is one file under [`endpoints`]; what every request
//! goes through is [`pipeline`]; what is opened and started is [`system`].

pub mod app;
pub mod articles;
pub mod asyncapi;
pub mod authorization;
pub mod browser;
pub mod call;
pub mod comment_resource;
pub mod config;
pub mod control;
pub mod docs;
pub mod edge;
pub mod endpoints;
pub mod engines;
pub mod event_delivery;
pub mod exports;
pub mod filter;
pub mod first_sign_in;
pub mod fleet;
pub mod health;
pub mod help;
pub mod history;
pub mod import;
pub mod limits;
pub mod linger;
pub mod links;
pub mod logging;
pub mod mask;
pub mod multipart;
pub mod notifying;
pub mod openapi;
pub mod page_token;
pub mod path;
pub mod pipeline;
pub mod proto_json;
pub mod published_issues;
pub mod query;
pub mod refusals;
pub mod replay;
pub mod resources;
pub mod sample_data;
pub mod schemas;
pub mod scim;
pub mod server;
pub mod sign_in;
pub mod status;
pub mod system;
pub mod watch;
