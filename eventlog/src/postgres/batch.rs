//! One batch: judged, then stored by one statement.

use std::collections::HashSet;

use sqlx::Row;
use uuid::Uuid;

use super::known::Known;
use super::literal::{blobs, plain, texts};
use super::session::Session;
use crate::admission::{Admission, StreamHead};
use crate::envelope::{EventId, NewEvent, Position, Revision, StreamName};
use crate::store::{Append, AppendError, Appended, Expected};

/// Name of the notification that tells of new events; its text is the position of the last one.
pub(super) const CHANNEL: &str = "dossier_log";

/// Prepares the statement of [`Judged::statement`].
pub(super) const PREPARE: &str = "PREPARE dossier_append \
    (bigint[], text[], bigint[], uuid[], text[], int[], bigint[], bytea[], bytea[], text) AS \
    WITH stored AS (INSERT INTO dossier_log.event \
    (position, stream, revision, event_id, type, version, recorded_at, metadata, payload) \
    SELECT * FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9)) \
    SELECT pg_notify('dossier_log', $10) WHERE $10 IS NOT NULL";

pub(super) type Answer = Result<Appended, AppendError>;

/// How far to believe that what is not known is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// A stream to begin has no event and no id is taken. If one is, a unique index says so and nothing is stored.
    Indexes,
    /// Everything is looked up first.
    Nothing,
}

/// What a batch comes to.
pub(super) struct Judged<'a> {
    /// One per append; those that are accepted hold once the batch is committed.
    pub(super) answers: Vec<Answer>,
    rows: Vec<Placed<'a>>,
    /// Heads of the streams that were extended.
    heads: Vec<(StreamName, StreamHead)>,
}

/// An event with its place.
struct Placed<'a> {
    position: Position,
    stream: &'a StreamName,
    revision: Revision,
    event: &'a NewEvent,
}

impl<'a> Judged<'a> {
    /// Judges appends on top of what is known under the lock, and looks up what is not.
    pub(super) async fn judge(
        session: &mut Session,
        known: &mut Known,
        appends: &'a [Append],
        trust: Trust,
    ) -> Result<Self, sqlx::Error> {
        let (mut admission, unknown) = tell_known(known, appends, trust);
        let ids = match trust {
            Trust::Indexes => vec![],
            Trust::Nothing => {
                appends.iter().flat_map(|append| &append.events).map(|event| event.event_id.0).collect()
            }
        };
        let mut taken = HashSet::new();
        if !unknown.is_empty() || !ids.is_empty() {
            let found = look_up(session, &unknown, &ids).await?;
            for (stream, head) in unknown.iter().zip(found.heads) {
                if let Some(head) = head {
                    known.remember(stream, head);
                }
                admission.tell(stream.clone(), head);
            }
            taken = found.taken;
        }
        Ok(Self::admit(known.last_position(), &mut admission, &taken, appends))
    }

    fn admit(
        mut position: Position,
        admission: &mut Admission,
        taken: &HashSet<EventId>,
        appends: &'a [Append],
    ) -> Self {
        let mut judged = Self { answers: Vec::with_capacity(appends.len()), rows: vec![], heads: vec![] };
        for append in appends {
            let duplicate = append.events.iter().find(|event| taken.contains(&event.event_id));
            let admitted = match duplicate {
                Some(event) => Err(AppendError::Duplicate { event_id: event.event_id }),
                None => admission.admit(append),
            };
            judged.answers.push(admitted.map(|first| {
                let mut revision = first;
                for (index, event) in append.events.iter().enumerate() {
                    revision = Revision(first.0 + index as u64);
                    position = Position(position.0 + 1);
                    judged.rows.push(Placed { position, stream: &append.stream, revision, event });
                }
                Appended { last_revision: revision, last_position: position }
            }));
        }
        for (append, _) in appends.iter().zip(&judged.answers).filter(|(_, answer)| answer.is_ok()) {
            if let Some(head) = admission.head(&append.stream) {
                judged.heads.push((append.stream.clone(), head));
            }
        }
        judged
    }

    /// How many events are accepted.
    pub(super) fn events(&self) -> usize {
        self.rows.len()
    }

    /// The statement that stores the accepted events and, if wanted, tells the other nodes when it commits.
    pub(super) fn statement(&self, tells: bool) -> String {
        let rows = || self.rows.iter();
        let bytes = rows().map(|row| row.event.metadata.len() + row.event.payload.len()).sum::<usize>();
        let mut sql = String::with_capacity(2 * bytes + 256 * self.rows.len() + 64);
        sql.push_str("EXECUTE dossier_append (");
        plain(&mut sql, rows().map(|row| row.position));
        sql.push(',');
        texts(&mut sql, rows().map(|row| row.stream.as_str()));
        sql.push(',');
        plain(&mut sql, rows().map(|row| row.revision));
        sql.push(',');
        plain(&mut sql, rows().map(|row| row.event.event_id));
        sql.push(',');
        texts(&mut sql, rows().map(|row| &*row.event.event_type));
        sql.push(',');
        plain(&mut sql, rows().map(|row| row.event.version));
        sql.push(',');
        plain(&mut sql, rows().map(|row| row.event.recorded_at.as_microsecond()));
        sql.push(',');
        blobs(&mut sql, rows().map(|row| &row.event.metadata[..]));
        sql.push(',');
        blobs(&mut sql, rows().map(|row| &row.event.payload[..]));
        match self.rows.last().filter(|_| tells) {
            Some(last) => sql.extend([",'", &last.position.to_string(), "')"]),
            None => sql.push_str(",NULL)"),
        }
        sql
    }

    /// Takes over what was committed. Answers the log's last position.
    pub(super) fn committed(self, known: &mut Known) -> (Vec<Answer>, Position) {
        for (stream, head) in self.heads {
            known.remember(&stream, head);
        }
        if let Some(last) = self.rows.last() {
            known.moved_to(last.position, last.event.event_id);
        }
        (self.answers, known.last_position())
    }
}

/// Tells the heads that are known; answers the streams whose heads are not and must be.
fn tell_known(known: &Known, appends: &[Append], trust: Trust) -> (Admission, Vec<StreamName>) {
    let mut admission = Admission::default();
    let (mut unknown, mut hoped_new) = (HashSet::new(), HashSet::new());
    for append in appends {
        let begins = append.expected == Expected::NoStream && trust == Trust::Indexes;
        let guarded = append.guards.iter().map(|guard| (&guard.stream, false));
        for (stream, hoped) in guarded.chain([(&append.stream, begins)]) {
            if admission.knows(stream) {
                continue;
            }
            match known.head(stream).filter(|_| trust == Trust::Indexes) {
                Some(head) => admission.tell(stream.clone(), Some(head)),
                None if hoped => drop(hoped_new.insert(stream)),
                None => drop(unknown.insert(stream)),
            }
        }
    }
    for stream in hoped_new.difference(&unknown) {
        admission.tell((*stream).clone(), None);
    }
    (admission, unknown.into_iter().cloned().collect())
}

/// What a look-up found.
struct Found {
    /// Beside each stream that was asked for.
    heads: Vec<Option<StreamHead>>,
    /// Of the ids that were asked for, those in the log.
    taken: HashSet<EventId>,
}

/// Heads of streams, and which ids are taken. One trip.
async fn look_up(session: &mut Session, streams: &[StreamName], ids: &[Uuid]) -> Result<Found, sqlx::Error> {
    // Each row by one look into an index, whatever the planner thinks of the table's size.
    const SQL: &str = "SELECT wanted.number, event.revision, event.recorded_at, NULL::uuid \
         FROM UNNEST($1::text[]) WITH ORDINALITY AS wanted (stream, number) CROSS JOIN LATERAL \
         (SELECT revision, recorded_at FROM dossier_log.event WHERE stream = wanted.stream \
         ORDER BY revision DESC LIMIT 1) AS event \
         UNION ALL SELECT 0, 0, 0, event.event_id \
         FROM UNNEST($2::uuid[]) AS wanted (id) CROSS JOIN LATERAL \
         (SELECT event_id FROM dossier_log.event WHERE event_id = wanted.id LIMIT 1) AS event";
    let names = streams.iter().map(StreamName::as_str).collect::<Vec<_>>();
    let rows = sqlx::query(SQL).bind(names).bind(ids).fetch_all(&mut session.connection).await?;
    let mut found = Found { heads: vec![None; streams.len()], taken: HashSet::new() };
    for row in rows {
        if let Some(id) = row.try_get::<Option<Uuid>, _>(3)? {
            found.taken.insert(EventId(id));
            continue;
        }
        let number = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default();
        let revision = Revision(row.try_get::<i64, _>(1)?.cast_unsigned());
        if let Some(head) = number.checked_sub(1).and_then(|index| found.heads.get_mut(index)) {
            *head = Some(StreamHead { revision, recorded_at_micros: row.try_get(2)? });
        }
    }
    Ok(found)
}
