//! Sessions to rows: what a batch touches is loaded at once, folded as the domain folds it, and written at once. A session's
//! row holds its fold; what was suggested is a row of its own, so that it can be counted.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use dossier_domain::Aggregate;
use dossier_domain::help_session::{HelpSession, Session};
use dossier_eventlog::Position;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, ReadModel, Table};
use crate::rows::replace;
use crate::sql::Sql;

/// The read model `help_sessions`.
pub struct HelpSessions;

/// A session as the read side keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct SessionRow {
    /// Its id.
    pub session: String,
    /// The organization that is asked for.
    pub organization: String,
    /// Account of who asks.
    pub account: String,
    /// The month in which it began, UTC: `2026-11`.
    pub month: String,
    /// `open`, `solved`, `case` or `continued`.
    pub outcome: String,
    /// The fold as JSON; personal values that were erased are so in it.
    pub state: String,
    /// Revision of the stream.
    pub revision: i64,
}

/// Something that was suggested in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct SuggestionRow {
    session: String,
    kind: &'static str,
    item: String,
    /// The month in which it was suggested first, UTC.
    month: String,
    opened: bool,
    helped: bool,
}

const SESSIONS: Table = Table {
    name: "help_sessions",
    columns: &[
        Column::text("session"),
        Column::text("organization"),
        Column::text("account"),
        Column::text("month"),
        Column::text("outcome"),
        Column::text("state"),
        Column::integer("revision"),
    ],
    key: &["session"],
    indexes: &["month, outcome"],
};

const SUGGESTIONS: Table = Table {
    name: "help_suggestions",
    columns: &[
        Column::text("session"),
        Column::text("kind"),
        Column::text("item"),
        Column::text("month"),
        Column::boolean("opened"),
        Column::boolean("helped"),
    ],
    key: &["session", "kind", "item"],
    indexes: &["month, kind, item"],
};

#[async_trait]
impl ReadModel for HelpSessions {
    fn name(&self) -> &'static str {
        "help_sessions"
    }

    fn schema_version(&self) -> i64 {
        1
    }

    fn categories(&self) -> &'static [&'static str] {
        &["help_session"]
    }

    fn tables(&self) -> &'static [Table] {
        &[SESSIONS, SUGGESTIONS]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let touched: BTreeSet<&str> = events.iter().map(|event| event.stream.id()).collect();
        if touched.is_empty() {
            return Ok(());
        }
        let mut query = Sql::new(format!("SELECT * FROM {} WHERE session", generation.table(SESSIONS.name)));
        query.push_is_one_of(touched);
        let known: Vec<SessionRow> = transaction.fetch_all(&query).await?;
        let mut folds = BTreeMap::new();
        for row in known {
            let state: HelpSession = serde_json::from_str(&row.state).map_err(|error| {
                ProjectionError::Halted(format!("the session {} is not readable: {error}", row.session))
            })?;
            folds.insert(row.session, (state, row.revision));
        }
        for event in events {
            take_in(&mut folds, event);
        }
        let mut sessions = Vec::with_capacity(folds.len());
        let mut suggestions = Vec::new();
        for (state, revision) in folds.values() {
            let Some(session) = state.started() else { continue };
            sessions.push(row_of(state, session, *revision)?);
            suggestions.extend(suggestions_of(session));
        }
        replace(transaction, generation, &SESSIONS, &sessions, |row| &row.session).await?;
        replace(transaction, generation, &SUGGESTIONS, &suggestions, |row| {
            (&row.session, row.kind, &row.item)
        })
        .await
    }
}

fn take_in(folds: &mut BTreeMap<String, (HelpSession, i64)>, projected: &ProjectedEvent) {
    let ReadEvent::HelpSession(event) = &projected.event else { return };
    let revision = stored(Position(projected.revision.0));
    let fold = folds.entry(projected.stream.id().to_owned()).or_insert((HelpSession::default(), -1));
    // Delivered before: the row has it.
    if fold.1 < revision {
        fold.0.evolve(event, projected.recorded_at);
        fold.1 = revision;
    }
}

fn row_of(state: &HelpSession, session: &Session, revision: i64) -> Result<SessionRow, ProjectionError> {
    let outcome = match &session.end {
        None => "open",
        Some(end) if end.case.is_none() => "solved",
        Some(end) if end.continued => "continued",
        Some(_) => "case",
    };
    let unwritable = |error: serde_json::Error| ProjectionError::Halted(error.to_string());
    Ok(SessionRow {
        session: session.id.to_string(),
        organization: session.organization.to_string(),
        account: session.user.to_string(),
        month: month(session.started_at),
        outcome: outcome.to_owned(),
        state: serde_json::to_string(state).map_err(unwritable)?,
        revision,
    })
}

fn suggestions_of(session: &Session) -> impl Iterator<Item = SuggestionRow> {
    session.shown.iter().map(|shown| SuggestionRow {
        session: session.id.to_string(),
        kind: shown.suggestion.kind.as_str(),
        item: shown.suggestion.id.clone(),
        month: month(shown.at),
        opened: shown.opened,
        helped: shown.helped,
    })
}

fn month(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string()
}
