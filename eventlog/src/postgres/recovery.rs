//! What the writer does when a commit was not answered: find out what is stored before it answers anybody.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::Row;
use tokio::time::{sleep, timeout_at};
use uuid::Uuid;

use super::batch::Answer;
use super::session::{Backend, Session, sentence};
use super::writer::{Limits, Writer};
use crate::envelope::{EventId, Position, Revision};
use crate::store::{Append, AppendError, Appended};

/// How long to wait before the server is asked again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Writer {
    /// After a broken commit: what is there was appended, what is not there was not. While nobody can say, the
    /// outcome is unknown.
    pub(super) async fn look_up(
        &mut self,
        appends: &[Append],
        answers: Vec<Answer>,
        detail: &str,
        backend: &Backend,
        limits: Limits,
    ) -> Vec<Answer> {
        let lasts = appends.iter().filter_map(|append| Some(append.events.last()?.event_id));
        let lasts = lasts.collect::<Vec<_>>();
        let found = timeout_at(limits.answered, self.find_patiently(&lasts, backend)).await;
        let answer = |append: &Append| match &found {
            Err(_) => Err(AppendError::OutcomeUnknown(detail.to_owned())),
            Ok(found) => match append.events.last().and_then(|last| found.get(&last.event_id)) {
                Some(appended) => Ok(*appended),
                None => Err(AppendError::Unavailable(detail.to_owned())),
            },
        };
        appends.iter().zip(answers).map(|(append, judged)| judged.and_then(|_| answer(append))).collect()
    }

    async fn find_patiently(&mut self, ids: &[EventId], backend: &Backend) -> HashMap<EventId, Appended> {
        loop {
            match self.find(ids, backend).await {
                Ok(found) => return found,
                Err(detail) => {
                    tracing::warn!(%detail, "cannot look up what the broken commit has stored yet");
                }
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Where events are stored, of those that are. The broken transaction held the lock when its commit was asked for: once
    /// another holds it, that one is decided, and every later statement sees how.
    async fn find(
        &mut self,
        ids: &[EventId],
        backend: &Backend,
    ) -> Result<HashMap<EventId, Appended>, String> {
        let mut session = self.connect().await?;
        let found = find_in(&mut session, ids, backend).await.map_err(|error| sentence(&error))?;
        self.session = Some(session);
        if let Some(last) = found.values().map(|appended| appended.last_position).max() {
            self.head.reached(last);
        }
        Ok(found)
    }
}

async fn find_in(
    session: &mut Session,
    ids: &[EventId],
    backend: &Backend,
) -> Result<HashMap<EventId, Appended>, sqlx::Error> {
    session.end(backend).await?;
    session.begin("SELECT 1").await?;
    let ids = ids.iter().map(|id| id.0).collect::<Vec<_>>();
    let rows =
        sqlx::query("SELECT event_id, position, revision FROM dossier_log.event WHERE event_id = ANY($1)")
            .bind(ids)
            .fetch_all(&mut session.connection)
            .await?;
    session.roll_back().await?;
    let place = |row: &sqlx::postgres::PgRow| {
        let appended = Appended {
            last_position: Position(row.try_get::<i64, _>(1)?.cast_unsigned()),
            last_revision: Revision(row.try_get::<i64, _>(2)?.cast_unsigned()),
        };
        Ok((EventId(row.try_get::<Uuid, _>(0)?), appended))
    };
    rows.iter().map(place).collect()
}
