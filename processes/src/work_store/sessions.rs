//! Sessions of browsers, and sign-ins that were completed: what all nodes must know at once, and forget when it ends.

use async_trait::async_trait;
use jiff::Timestamp;

use super::WorkStoreError;

/// A session as it is kept: nobody who reads the table can use it or learn whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSession {
    /// SHA-256 of the session's id, which only the browser has.
    pub digest: [u8; 32],
    /// Under whose key the content is sealed: erasing the account makes it unreadable.
    pub subject: String,
    /// Who signed in, sealed.
    pub sealed: Vec<u8>,
    /// When it ends, whatever is done with it.
    pub ends_at: Timestamp,
}

/// Keeps sessions. Every answer is the database's: a session that ended on one node has ended on all.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Keeps a session, and forgets those that ended before `now`.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`], also for a digest that is there already.
    async fn begin_session(&self, session: &SealedSession, now: Timestamp) -> Result<(), WorkStoreError>;

    /// A session that has not ended.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn session(
        &self,
        digest: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<SealedSession>, WorkStoreError>;

    /// Ends a session; answers whether it was there.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn end_session(&self, digest: &[u8; 32]) -> Result<bool, WorkStoreError>;

    /// Ends every session of a subject; answers how many.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn end_sessions_of(&self, subject: &str) -> Result<u64, WorkStoreError>;

    /// Notes that a sign-in was completed; answers false when it was before. Remembered until `until`, after which the
    /// caller must refuse it by its age.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn complete_sign_in(
        &self,
        digest: &[u8; 32],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, WorkStoreError>;
}

/// What both databases' rows of a session hold, beside the digest that was asked for.
#[derive(sqlx::FromRow)]
pub(super) struct SessionRow {
    pub(super) subject: String,
    pub(super) sealed: Vec<u8>,
    pub(super) ends_at_micros: i64,
}

impl SessionRow {
    pub(super) fn session(self, digest: [u8; 32]) -> SealedSession {
        let ends_at = Timestamp::from_microsecond(self.ends_at_micros).unwrap_or(Timestamp::MIN);
        SealedSession { digest, subject: self.subject, sealed: self.sealed, ends_at }
    }
}

/// The statements, the same in both dialects, by the prefix of the tables' names.
macro_rules! session_statements {
    ($prefix:literal) => {
        const BEGIN_SESSION: &str = concat!(
            "INSERT INTO ",
            $prefix,
            "session (digest, subject, sealed, ends_at_micros) VALUES ($1, $2, $3, $4)"
        );
        const FORGET_SESSIONS: &str = concat!("DELETE FROM ", $prefix, "session WHERE ends_at_micros <= $1");
        const SESSION: &str = concat!(
            "SELECT subject, sealed, ends_at_micros FROM ",
            $prefix,
            "session WHERE digest = $1 AND ends_at_micros > $2"
        );
        const END_SESSION: &str = concat!("DELETE FROM ", $prefix, "session WHERE digest = $1");
        const END_SESSIONS_OF: &str = concat!("DELETE FROM ", $prefix, "session WHERE subject = $1");
        const COMPLETE_SIGN_IN: &str = concat!(
            "INSERT INTO ",
            $prefix,
            "completed_sign_in (digest, until_micros) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        );
        const FORGET_SIGN_INS: &str =
            concat!("DELETE FROM ", $prefix, "completed_sign_in WHERE until_micros <= $1");

        #[async_trait]
        impl SessionStore for Adapter {
            async fn begin_session(
                &self,
                session: &SealedSession,
                now: Timestamp,
            ) -> Result<(), WorkStoreError> {
                sqlx::query(FORGET_SESSIONS).bind(now.as_microsecond()).execute(&self.pool).await?;
                sqlx::query(BEGIN_SESSION)
                    .bind(session.digest.to_vec())
                    .bind(&session.subject)
                    .bind(&session.sealed)
                    .bind(session.ends_at.as_microsecond())
                    .execute(&self.pool)
                    .await?;
                Ok(())
            }

            async fn session(
                &self,
                digest: &[u8; 32],
                now: Timestamp,
            ) -> Result<Option<SealedSession>, WorkStoreError> {
                let row: Option<SessionRow> = sqlx::query_as(SESSION)
                    .bind(digest.to_vec())
                    .bind(now.as_microsecond())
                    .fetch_optional(&self.pool)
                    .await?;
                Ok(row.map(|row| row.session(*digest)))
            }

            async fn end_session(&self, digest: &[u8; 32]) -> Result<bool, WorkStoreError> {
                let ended = sqlx::query(END_SESSION).bind(digest.to_vec()).execute(&self.pool).await?;
                Ok(ended.rows_affected() == 1)
            }

            async fn end_sessions_of(&self, subject: &str) -> Result<u64, WorkStoreError> {
                let ended = sqlx::query(END_SESSIONS_OF).bind(subject).execute(&self.pool).await?;
                Ok(ended.rows_affected())
            }

            async fn complete_sign_in(
                &self,
                digest: &[u8; 32],
                until: Timestamp,
                now: Timestamp,
            ) -> Result<bool, WorkStoreError> {
                sqlx::query(FORGET_SIGN_INS).bind(now.as_microsecond()).execute(&self.pool).await?;
                let noted = sqlx::query(COMPLETE_SIGN_IN)
                    .bind(digest.to_vec())
                    .bind(until.as_microsecond())
                    .execute(&self.pool)
                    .await?;
                Ok(noted.rows_affected() == 1)
            }
        }
    };
}
pub(super) use session_statements;
