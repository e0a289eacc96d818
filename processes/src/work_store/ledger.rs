//! The ledger of messages in both databases; [`crate::notifications::ledger`] says what it is.

use super::stored;
use crate::notifications::ledger::{LedgerFilter, LedgerPage};

/// Messages written by one statement: as many as SQLite's 32,766 parameters allow, and a round number.
pub(super) const ROWS_PER_STATEMENT: usize = 1_000;
/// Adds to a query of messages what they are asked for by, their order and how many.
pub(super) fn restrict<DB>(query: &mut sqlx::QueryBuilder<DB>, filter: &LedgerFilter, page: LedgerPage)
where
    DB: sqlx::Database,
    String: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
    &'static str: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
    i64: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
    Vec<u8>: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB>,
{
    query.push(" WHERE 1 = 1");
    if let Some(stream) = &filter.stream {
        query.push(" AND stream = ").push_bind(stream.clone());
    }
    if let Some(state) = filter.state {
        query.push(" AND state = ").push_bind(state.as_str());
    }
    if let Some(channel) = filter.channel {
        query.push(" AND channel = ").push_bind(channel.as_str());
    }
    if let Some(endpoint) = &filter.endpoint {
        query.push(" AND recipient_kind = 'endpoint' AND recipient = ").push_bind(endpoint.clone());
    }
    if let Some((position, id)) = page.after {
        query.push(" AND (position, id) > (").push_bind(stored(position));
        query.push(", ").push_bind(id.0.as_bytes().to_vec()).push(")");
    }
    query.push(" ORDER BY position, id LIMIT ").push_bind(i64::from(page.limit));
}

/// The columns that a [`MessageRow`] is made of.
macro_rules! message_columns {
    () => {
        "id, channel, stream, organization, command_id, first_revision, last_revision, position, kind, reason,
         recipient_kind, recipient, recipient_sealed, language, ordering_key, intended_at_micros, state, due_micros,
         trying_since_micros, attempt, tries"
    };
}
pub(super) use message_columns;

/// The statements, the same in both dialects, by the prefix of the tables' names, what locks the rows that one node takes so
/// that others pass them by, what reads the recipients in the JSON of `$6`, and what begins reading in one snapshot.
macro_rules! ledger_statements {
    ($prefix:literal, $lock:literal, $except:literal, $snapshot:literal) => {
        const INTEND: &str = concat!(
            "INSERT INTO ",
            $prefix,
            "message (id, channel, stream, organization, command_id, first_revision, last_revision, position, kind,
             reason, recipient_kind, recipient, recipient_sealed, language, ordering_key, intended_at_micros, due_micros,
             trying_since_micros) "
        );
        const CLAIM: &str = concat!(
            "WITH due (chosen) AS MATERIALIZED (
                SELECT m.id FROM ",
            $prefix,
            "message AS m
                WHERE m.channel = $1 AND m.state = 'intended' AND m.due_micros <= $2
                    AND m.recipient NOT IN (",
            $except,
            ")
                    AND NOT EXISTS (
                        SELECT 1 FROM ",
            $prefix,
            "message AS earlier
                        WHERE earlier.ordering_key = m.ordering_key AND earlier.channel = m.channel
                            AND earlier.state IN ('intended', 'sending')
                            AND (earlier.position, earlier.id) < (m.position, m.id))
                ORDER BY m.due_micros, m.position, m.id LIMIT $3",
            $lock,
            ")
             UPDATE ",
            $prefix,
            "message SET state = 'sending', handed_over = 0, attempt = attempt + 1, tries = tries + 1, node = $4,
                lease_micros = $5
             FROM due WHERE id = chosen RETURNING ",
            $crate::work_store::ledger::message_columns!()
        );
        // An attempt that was noted as unknown may turn out to have ended otherwise; nothing else changes.
        const NOTE_ATTEMPT: &str = concat!(
            "INSERT INTO ",
            $prefix,
            "message_attempt AS noted (message_id, attempt, at_micros, outcome, detail)
             SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS TEXT) FROM ",
            $prefix,
            "message WHERE id = $1 AND attempt >= $2
             ON CONFLICT (message_id, attempt) DO UPDATE SET at_micros = $3, outcome = $4, detail = $5
             WHERE noted.outcome = 'unknown'"
        );
        const RECOVER: &str = concat!(
            "UPDATE ",
            $prefix,
            "message SET state = CASE WHEN handed_over = 1 THEN 'unknown' ELSE 'intended' END,
                tries = CASE WHEN handed_over = 1 THEN tries ELSE tries - 1 END, node = NULL, lease_micros = NULL
             WHERE state = 'sending' AND lease_micros <= $1 RETURNING id, attempt, state"
        );
        const RETRY: &str = concat!(
            "UPDATE ",
            $prefix,
            "message SET state = 'intended', due_micros = $2, trying_since_micros = $2, tries = 0
             WHERE id = $1 AND state IN ('failed', 'unknown')"
        );
        const MESSAGES: &str =
            concat!("SELECT ", $crate::work_store::ledger::message_columns!(), " FROM ", $prefix, "message");
        const ATTEMPTS: &str = concat!(
            "SELECT message_id, attempt, at_micros, outcome, detail FROM ",
            $prefix,
            "message_attempt WHERE message_id IN ("
        );
        const MESSAGE_COUNTS: &str = concat!(
            "SELECT channel, state, COUNT(*) AS messages FROM ",
            $prefix,
            "message WHERE state IN ('intended', 'sending', 'failed', 'unknown')
             GROUP BY channel, state ORDER BY channel, state"
        );
        const NEXT_MESSAGE_DUE: &str = concat!(
            "SELECT MIN(due_micros) FROM ",
            $prefix,
            "message WHERE channel = $1 AND state = 'intended'"
        );

        async fn note_attempt(
            executor: impl sqlx::Executor<'_, Database = Database>,
            id: &[u8],
            attempt: i64,
            now: Timestamp,
            outcome: AttemptOutcome,
            detail: &str,
        ) -> Result<(), WorkStoreError> {
            let note = sqlx::query(NOTE_ATTEMPT).bind(id.to_vec()).bind(attempt).bind(now.as_microsecond());
            note.bind(outcome.as_str()).bind(detail.to_owned()).execute(executor).await?;
            Ok(())
        }

        /// What messages there are with their attempts, as of one moment.
        async fn entries(
            pool: &Pool,
            mut query: sqlx::QueryBuilder<Database>,
        ) -> Result<Vec<LedgerEntry>, WorkStoreError> {
            let mut snapshot = pool.begin_with($snapshot).await?;
            let rows: Vec<MessageRow> = query.build_query_as().fetch_all(&mut *snapshot).await?;
            let mut attempts: BTreeMap<Vec<u8>, Vec<Attempt>> = BTreeMap::new();
            for some in rows.chunks(ROWS_PER_STATEMENT) {
                let mut query = sqlx::QueryBuilder::<Database>::new(ATTEMPTS);
                let mut ids = query.separated(", ");
                for row in some {
                    ids.push_bind(row.uuid().to_vec());
                }
                query.push(") ORDER BY message_id, attempt");
                for row in query.build_query_as::<AttemptRow>().fetch_all(&mut *snapshot).await? {
                    let of = row.message_id.clone();
                    attempts.entry(of).or_default().extend(row.attempt());
                }
            }
            snapshot.commit().await?;
            let entry = |row: MessageRow| {
                let made = attempts.remove(row.uuid()).unwrap_or_default();
                row.entry(made)
            };
            Ok(rows.into_iter().filter_map(entry).collect())
        }

        #[async_trait]
        impl NotificationLedger for Adapter {
            async fn intend(
                &self,
                process: &str,
                from: &WorkCheckpoint,
                to: &WorkCheckpoint,
                messages: &[IntendedMessage],
            ) -> Result<(), WorkStoreError> {
                let mut transaction = self.pool.begin().await?;
                // First, so that a process that was overtaken waits here and then changes nothing.
                move_checkpoint(&mut *transaction, process, Some(from), to).await?;
                for messages in messages.chunks(ROWS_PER_STATEMENT) {
                    let mut insert = sqlx::QueryBuilder::<Database>::new(INTEND);
                    insert.push_values(messages, |mut row, message| {
                        let (kind, recipient, sealed) = recipient_columns(&message.recipient);
                        let intended_at = message.intended_at.as_microsecond();
                        row.push_bind(message.id.0.as_bytes().to_vec())
                            .push_bind(message.channel.as_str())
                            .push_bind(message.stream.clone())
                            .push_bind(message.organization.clone())
                            .push_bind(message.command_id.0.as_bytes().to_vec())
                            .push_bind(stored(Position(message.first_revision.0)))
                            .push_bind(stored(Position(message.last_revision.0)))
                            .push_bind(stored(message.position))
                            .push_bind(message.kind.clone())
                            .push_bind(message.reason.clone())
                            .push_bind(kind)
                            .push_bind(recipient)
                            .push_bind(sealed.map(<[u8]>::to_vec))
                            .push_bind(message.language.clone())
                            .push_bind(message.ordering_key.clone())
                            .push_bind(intended_at)
                            .push_bind(intended_at)
                            .push_bind(intended_at);
                    });
                    insert.push(" ON CONFLICT DO NOTHING");
                    insert.build().execute(&mut *transaction).await?;
                }
                Ok(transaction.commit().await?)
            }

            async fn claim(
                &self,
                channel: Channel,
                node: &str,
                now: Timestamp,
                lease_until: Timestamp,
                limit: u32,
                except: &[String],
            ) -> Result<Vec<Claimed>, WorkStoreError> {
                let mut rows: Vec<MessageRow> = sqlx::query_as(CLAIM)
                    .bind(channel.as_str())
                    .bind(now.as_microsecond())
                    .bind(i64::from(limit))
                    .bind(node)
                    .bind(lease_until.as_microsecond())
                    .bind(serde_json::json!(except).to_string())
                    .fetch_all(&self.pool)
                    .await?;
                rows.sort_by_key(MessageRow::order);
                Ok(rows.into_iter().filter_map(MessageRow::claimed).collect())
            }

            async fn hand_over(&self, id: MessageId, attempt: u32) -> Result<bool, WorkStoreError> {
                self.step(Step::HandOver { id, attempt }).await
            }

            async fn finish(
                &self,
                id: MessageId,
                attempt: u32,
                now: Timestamp,
                outcome: &Outcome,
            ) -> Result<bool, WorkStoreError> {
                self.step(Step::Finish { id, attempt, now, outcome: outcome.clone() }).await
            }

            async fn recover(&self, now: Timestamp) -> Result<Recovered, WorkStoreError> {
                let mut transaction = self.pool.begin().await?;
                let expired: Vec<ExpiredRow> =
                    sqlx::query_as(RECOVER).bind(now.as_microsecond()).fetch_all(&mut *transaction).await?;
                let mut recovered = Recovered::default();
                for row in &expired {
                    let (outcome, detail) = row.ended();
                    note_attempt(&mut *transaction, &row.id, row.attempt, now, outcome, detail).await?;
                    match outcome {
                        AttemptOutcome::Unknown => recovered.unknown += 1,
                        _ => recovered.again += 1,
                    }
                }
                transaction.commit().await?;
                Ok(recovered)
            }

            async fn retry(&self, id: MessageId, now: Timestamp) -> Result<bool, WorkStoreError> {
                let retry = sqlx::query(RETRY).bind(id.0.as_bytes().to_vec()).bind(now.as_microsecond());
                Ok(retry.execute(&self.pool).await?.rows_affected() == 1)
            }

            async fn message(&self, id: MessageId) -> Result<Option<LedgerEntry>, WorkStoreError> {
                let mut query = sqlx::QueryBuilder::<Database>::new(MESSAGES);
                query.push(" WHERE id = ").push_bind(id.0.as_bytes().to_vec());
                Ok(entries(&self.pool, query).await?.pop())
            }

            async fn messages_in(
                &self,
                filter: &LedgerFilter,
                page: LedgerPage,
            ) -> Result<Vec<LedgerEntry>, WorkStoreError> {
                let mut query = sqlx::QueryBuilder::<Database>::new(MESSAGES);
                restrict(&mut query, filter, page);
                entries(&self.pool, query).await
            }

            async fn message_counts(&self) -> Result<Vec<MessageCount>, WorkStoreError> {
                let rows: Vec<CountRow> = sqlx::query_as(MESSAGE_COUNTS).fetch_all(&self.pool).await?;
                Ok(rows.into_iter().filter_map(CountRow::count).collect())
            }

            async fn next_message_due(&self, channel: Channel) -> Result<Option<Timestamp>, WorkStoreError> {
                let query = sqlx::query_scalar(NEXT_MESSAGE_DUE).bind(channel.as_str());
                let micros: Option<i64> = query.fetch_one(&self.pool).await?;
                Ok(micros.map(instant))
            }
        }
    };
}
pub(super) use ledger_statements;
