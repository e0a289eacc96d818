//! Texts in FTS5 tables in memory, and which of them match a question best.

use std::collections::BTreeSet;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::error::QueryError;
use crate::words::{indexed, terms};

/// What is asked beyond this many terms is not looked for: the problem is told by then.
const MOST_TERMS: usize = 64;
/// How much a word counts in the title, among the keywords, and in the text.
const WEIGHTS: &str = "4.0, 4.0, 1.0";
/// What matches less than this part of the best match is by chance: a word that every text has.
const LEAST_PART: f64 = 0.2;
/// The table of texts that are ranked once.
const PASSING: &str = "passing";

/// Texts by table, each in the order in which they were given.
pub(super) struct Ranking {
    /// One connection: what is in memory is in it.
    database: SqlitePool,
}

impl Ranking {
    pub(super) async fn open() -> Result<Self, QueryError> {
        let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let database =
            pool.connect_with(SqliteConnectOptions::new().in_memory(true)).await.map_err(failed)?;
        Ok(Self { database })
    }

    /// Makes a table of texts: each a title, keywords and the text itself.
    pub(super) async fn fill(
        &self,
        table: &str,
        texts: impl IntoIterator<Item = [String; 3]>,
    ) -> Result<(), QueryError> {
        let mut connection = self.database.acquire().await.map_err(failed)?;
        fill(&mut connection, table, texts).await.map_err(failed)
    }

    /// The numbers of a table's texts that match a question, the best first.
    pub(super) async fn best(&self, table: &str, question: &str) -> Result<Vec<usize>, QueryError> {
        let mut connection = self.database.acquire().await.map_err(failed)?;
        best(&mut connection, table, question).await.map_err(failed)
    }

    /// The same of texts that are forgotten at once.
    pub(super) async fn best_of(
        &self,
        texts: impl IntoIterator<Item = [String; 3]>,
        question: &str,
    ) -> Result<Vec<usize>, QueryError> {
        let mut transaction = self.database.begin().await.map_err(failed)?;
        fill(&mut transaction, PASSING, texts).await.map_err(failed)?;
        let found = best(&mut transaction, PASSING, question).await.map_err(failed)?;
        transaction.rollback().await.map_err(failed)?;
        Ok(found)
    }
}

fn failed(error: sqlx::Error) -> QueryError {
    QueryError::from(error)
}

async fn fill(
    connection: &mut SqliteConnection,
    table: &str,
    texts: impl IntoIterator<Item = [String; 3]>,
) -> Result<(), sqlx::Error> {
    // The words are told by us, one between two spaces.
    let create = format!(
        "CREATE VIRTUAL TABLE {table} USING fts5(title, keywords, body, content='', tokenize=\"ascii\")"
    );
    sqlx::query(AssertSqlSafe(create)).execute(&mut *connection).await?;
    let insert = format!("INSERT INTO {table} (rowid, title, keywords, body) VALUES ($1, $2, $3, $4)");
    for (number, [title, keywords, body]) in (0_i64..).zip(texts) {
        sqlx::query(AssertSqlSafe(insert.clone()))
            .bind(number)
            .bind(indexed(&title))
            .bind(indexed(&keywords))
            .bind(indexed(&body))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn best(
    connection: &mut SqliteConnection,
    table: &str,
    question: &str,
) -> Result<Vec<usize>, sqlx::Error> {
    let Some(expression) = expression(question) else { return Ok(Vec::new()) };
    // Of equals the first that was given, so that an answer can be repeated.
    let query = format!(
        "SELECT rowid, bm25({table}, {WEIGHTS}) AS score FROM {table} WHERE {table} MATCH $1 ORDER BY score, rowid"
    );
    let found: Vec<(i64, f64)> =
        sqlx::query_as(AssertSqlSafe(query)).bind(expression).fetch_all(&mut *connection).await?;
    // FTS5 counts downwards: the best is the least.
    let least = found.first().map_or(0.0, |(_, best)| best * LEAST_PART);
    let near = found.into_iter().take_while(|(_, score)| *score <= least);
    Ok(near.filter_map(|(number, _)| usize::try_from(number).ok()).collect())
}

/// Any of the terms; `None` where there is none to look for.
fn expression(question: &str) -> Option<String> {
    let mut seen = BTreeSet::new();
    let new = terms(question).into_iter().filter(|term| seen.insert(term.clone()));
    let quoted: Vec<String> = new.take(MOST_TERMS).map(|term| term.to_string()).collect();
    (!quoted.is_empty()).then(|| quoted.join(" OR "))
}
