//! What every adapter of a port must do, one named check per promise. An adapter runs them all with one line:
//!
//! ```text
//! async fn fresh() -> Fresh<dyn EventStore> { … }
//! dossier_eventlog::event_store_contract!(fresh);
//! ```
//!
//! The checks learn nothing of the adapter: what only it can get wrong is tested beside it.

pub mod blob_store;
pub mod bus;
pub mod event_store;
pub mod key_store;
pub mod sample;
pub mod servers;

use std::any::Any;
use std::sync::Arc;

use futures::future::BoxFuture;

/// A new, empty thing to check, and what must live as long (its directory, its server).
pub struct Fresh<T: ?Sized> {
    /// The adapter under test.
    pub subject: Arc<T>,
    /// Dropped after the check.
    pub keep: Box<dyn Any + Send>,
}

impl<T: ?Sized> Fresh<T> {
    /// An adapter that needs nothing beside itself.
    pub fn new(subject: Arc<T>) -> Self {
        Self { subject, keep: Box::new(()) }
    }

    /// An adapter and what must live as long.
    pub fn keeping(subject: Arc<T>, keep: impl Any + Send) -> Self {
        Self { subject, keep: Box::new(keep) }
    }
}

/// One check of a contract: it panics when the adapter does not hold to it.
pub type Check<T> = fn(Arc<T>) -> BoxFuture<'static, ()>;

/// Makes a list of the named checks, for a program that runs them; the suites' own functions call it.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_checks {
    ([$($check:ident),* $(,)?]) => {
        vec![$((stringify!($check), |subject| Box::pin($check(subject)))),*]
    };
}

/// Makes one test of each named check of a suite; the suites' own macros call it.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($factory:expr, $suite:path, [$($check:ident),* $(,)?]) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                use $suite as suite;
                let fresh = $factory().await;
                suite::$check(fresh.subject).await;
                drop(fresh.keep);
            }
        )*
    };
}
