//! The read side: one folder per read model (schema, projector, query), and the runner that keeps them up with the log.
//!
//! What never happens here: rows without their checkpoint (one transaction, the checkpoint by compare-and-set); an event
//! skipped because it cannot be read (the model halts, visibly); a clock, a catalogue or an auto-increment (a rebuilt model
//! equals the live one row for row); a rule about who may see what (a [`dossier_domain::VisibilityScope`] is translated, no
//! more). What this crate never knows: commands, HTTP, effects.
//!
//! The rows are kept in SQLite, for one process, or in PostgreSQL, where several share them: of each model one process
//! projects, the others stand by or look on. Projectors and queries are written once, with [`Sql`].
//!
//! | | where |
//! |---|---|
//! | following the log, one transaction per batch | `runner`, `batch` |
//! | who projects | `leases` |
//! | how far others are | `observer` |
//! | which generation queries see, and the switch | `generations`, `database`, `rebuild` |
//!
//! To add a read model: a folder with its [`ReadModel`] and its queries, and its line in [`ReadModels::open`].

pub mod account_recovery;
pub mod accounts;
mod batch;
mod bus_link;
pub mod case_history;
pub mod cases;
mod database;
mod error;
mod event;
pub mod event_delivery;
pub mod export;
pub mod feedback;
mod full_text;
mod generations;
pub mod help_articles;
pub mod help_sessions;
pub mod known_issues;
mod leases;
mod location;
mod model;
mod models;
mod observer;
pub mod organizations;
mod rebuild;
pub mod reseller_visibility;
#[cfg(feature = "postgres")]
mod retired;
mod rows;
mod runner;
pub mod satisfaction;
pub mod saved_views;
mod scope;
mod sql;
mod status;
pub mod volume;
mod words;

pub use database::{ReadDatabase, WriteTransaction};
pub use error::{OpenError, ProjectionError, QueryError};
pub use event::{ProjectedEvent, ReadEvent};
pub use full_text::TextIndex;
pub use location::{PostgresOptions, ReadLocation};
pub use model::{Checkpoint, Column, ColumnKind, Generation, ReadModel, Table};
pub use models::{LogFollower, ReadModels, WaitError};
pub use rebuild::RebuildProgress;
pub use sql::{Argument, Engine, ReadRow, Sql};
pub use status::{ModelStatus, ProjectorState};
