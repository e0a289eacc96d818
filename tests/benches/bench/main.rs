//! `make bench`: rates beside the raw limit of the same run, because machines differ and are noisy; server CPU per request
//! beside it, because that hardly moves.
//!
//! `cargo bench -p dossier-tests --bench bench [-- NAME…]` runs all rows, or those whose name contains one of the names.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says so by panicking"
)]
#![allow(clippy::cast_precision_loss, reason = "rates are for reading")]

mod fleet;
mod http;
mod lists;
mod load;
mod notify;
mod queues;
mod raw;
mod raw_postgres;
mod reseller;
mod watch;
mod write_side;

use std::time::Duration;

/// How long each rate is measured.
pub(crate) const ROUND: Duration = Duration::from_secs(2);

/// One line of the table.
pub(crate) struct Row {
    pub(crate) work: String,
    pub(crate) rate: f64,
    pub(crate) unit: &'static str,
    /// The raw limit in the same unit, and what is aimed at as a part of it.
    pub(crate) raw: Option<(f64, f64)>,
    /// What is aimed at in the unit itself.
    pub(crate) aim: Option<f64>,
    pub(crate) note: String,
}

impl Row {
    pub(crate) fn new(work: impl Into<String>, rate: f64, unit: &'static str) -> Self {
        Self { work: work.into(), rate, unit, raw: None, aim: None, note: String::new() }
    }

    pub(crate) fn beside(mut self, raw: f64, aim: f64) -> Self {
        self.raw = Some((raw, aim));
        self
    }

    pub(crate) fn aim(mut self, aim: f64) -> Self {
        self.aim = Some(aim);
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub(crate) fn print(&self) {
        let raw = self.raw.map_or_else(String::new, |(raw, aim)| {
            let part = self.rate / raw;
            let verdict = if part >= aim { "ok" } else { "below" };
            format!("{raw:>12.0}  {:>4.0} %  aim {:.0} % {verdict}", part * 100.0, aim * 100.0)
        });
        let aim = self.aim.map_or_else(String::new, |aim| {
            let lower_is_better = matches!(self.unit, "ms" | "ms CPU");
            let met = if lower_is_better { self.rate <= aim } else { self.rate >= aim };
            format!("aim {aim} {}", if met { "ok" } else { "missed" })
        });
        let digits = if self.rate < 100.0 { 3 } else { 0 };
        println!("{:<52} {:>12.digits$} {:<11} {raw}{aim}  {}", self.work, self.rate, self.unit, self.note);
    }
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if arguments.first().is_some_and(|first| first == "bare-server") {
        return load::runtime().block_on(http::bare_server(&arguments[1]));
    }
    let wanted = |name: &str| {
        arguments.is_empty() || arguments.iter().any(|argument| name.contains(argument.as_str()))
    };
    println!("{:<52} {:>12} {:<11} {:>12}", "work", "rate", "unit", "raw limit");
    let runtime = load::runtime();
    if wanted("append") {
        runtime.block_on(write_side::appends());
    }
    if wanted("commands") {
        runtime.block_on(write_side::commands());
    }
    if wanted("replay") {
        runtime.block_on(write_side::replay());
    }
    if wanted("visible") {
        runtime.block_on(write_side::visible());
    }
    if wanted("lists") {
        runtime.block_on(lists::rows());
    }
    if wanted("reseller") {
        runtime.block_on(reseller::list());
    }
    if wanted("fleet") {
        runtime.block_on(fleet::rows());
    }
    if wanted("http") {
        runtime.block_on(http::rows());
    }
    if wanted("notify") {
        runtime.block_on(notify::rows());
    }
    if wanted("watch") {
        runtime.block_on(watch::row());
    }
}
