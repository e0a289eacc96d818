//! A statement that runs on either engine: written once, with what differs told by name.

use std::borrow::Cow;
use std::fmt::Write as _;

use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments, AssertSqlSafe, Database, Encode, FromRow, Sqlite, SqliteConnection, Type};
#[cfg(feature = "postgres")]
use sqlx::{PgConnection, Postgres, postgres::PgRow};

/// Values of a list that SQLite gets as parameters of their own, for which it plans better; longer lists come as one.
const SHORT_LIST: usize = 16;

/// Which database speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A value of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A text.
    Text(String),
    /// A text, or NULL.
    OptionalText(Option<String>),
    /// A number.
    Integer(i64),
    /// Bytes, or NULL.
    Bytes(Option<Vec<u8>>),
}

/// A statement and its values.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(Cow<'static, str>),
    /// A table of a model: the generation that queries see.
    Live(&'static str),
    Argument(Argument),
    IsOneOf(Vec<String>),
    /// Other transactions wait for the rows.
    ForUpdate,
    /// The best plan depends on the values.
    PlanEveryTime,
}

impl Sql {
    /// A statement that begins so.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { parts: vec![Part::Text(text.into())] }
    }

    /// Adds text of the statement.
    pub fn push(&mut self, text: impl Into<Cow<'static, str>>) -> &mut Self {
        self.parts.push(Part::Text(text.into()));
        self
    }

    /// Adds a table of a model in the generation that queries see; it goes by its name.
    pub fn push_live(&mut self, table: &'static str) -> &mut Self {
        self.parts.push(Part::Live(table));
        self
    }

    /// Adds a value.
    pub fn push_bind(&mut self, value: impl Into<Argument>) -> &mut Self {
        self.parts.push(Part::Argument(value.into()));
        self
    }

    /// Adds the condition that what stands before is one of these.
    pub fn push_is_one_of(&mut self, values: impl IntoIterator<Item = impl Into<String>>) -> &mut Self {
        self.parts.push(Part::IsOneOf(values.into_iter().map(Into::into).collect()));
        self
    }

    /// Has PostgreSQL plan the statement for its values, each time it is asked.
    pub(crate) fn plan_every_time(&mut self) -> &mut Self {
        self.parts.push(Part::PlanEveryTime);
        self
    }

    /// Adds that other transactions wait until this one has ended before they change the rows that are read.
    pub(crate) fn push_for_update(&mut self) -> &mut Self {
        self.parts.push(Part::ForUpdate);
        self
    }

    /// A value at the end, for statements that are written in one go.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Argument>) -> Self {
        self.push_bind(value);
        self
    }

    /// Text at the end, for statements that are written in one go.
    #[must_use]
    pub fn then(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.push(text);
        self
    }

    /// How an engine would go about it.
    #[cfg(test)]
    pub(crate) fn explained(mut self, engine: Engine) -> Self {
        let explain = match engine {
            Engine::Sqlite => "EXPLAIN QUERY PLAN ",
            Engine::Postgres => "EXPLAIN ",
        };
        self.parts.insert(0, Part::Text(explain.into()));
        self
    }

    /// The text for an engine, where `live` appends a table of a model.
    pub(crate) fn text(&self, engine: Engine, live: &dyn Fn(&str, &mut String)) -> String {
        let mut text = String::with_capacity(256);
        let mut number = 0;
        let mut parameter = |text: &mut String| {
            number += 1;
            write!(text, "${number}").expect("a string takes everything");
        };
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Live(table) => live(table, &mut text),
                Part::Argument(_) => parameter(&mut text),
                Part::IsOneOf(values) => match engine {
                    Engine::Postgres => {
                        text.push_str(" = ANY(");
                        parameter(&mut text);
                        text.push(')');
                    }
                    Engine::Sqlite if values.len() > SHORT_LIST => {
                        text.push_str(" IN (SELECT value FROM json_each(");
                        parameter(&mut text);
                        text.push_str("))");
                    }
                    Engine::Sqlite => {
                        text.push_str(" IN (");
                        for number in 0..values.len() {
                            text.push_str(if number > 0 { ", " } else { "" });
                            parameter(&mut text);
                        }
                        text.push(')');
                    }
                },
                Part::ForUpdate if engine == Engine::Postgres => text.push_str(" FOR UPDATE"),
                // SQLite has one writer, which is the one that asks.
                Part::ForUpdate | Part::PlanEveryTime => {}
            }
        }
        text
    }

    fn sqlite_arguments(&self) -> Result<<Sqlite as Database>::Arguments, sqlx::Error> {
        let mut arguments = <Sqlite as Database>::Arguments::default();
        for part in &self.parts {
            match part {
                Part::Argument(argument) => add(&mut arguments, argument, as_it_is)?,
                Part::IsOneOf(values) if values.len() > SHORT_LIST => {
                    let list = serde_json::to_string(values).expect("strings are serializable");
                    arguments.add(list).map_err(sqlx::Error::Encode)?;
                }
                Part::IsOneOf(values) => {
                    for value in values {
                        arguments.add(value.as_str()).map_err(sqlx::Error::Encode)?;
                    }
                }
                _ => {}
            }
        }
        Ok(arguments)
    }

    #[cfg(feature = "postgres")]
    fn postgres_arguments(&self) -> Result<<Postgres as Database>::Arguments, sqlx::Error> {
        let mut arguments = <Postgres as Database>::Arguments::default();
        for part in &self.parts {
            match part {
                Part::Argument(argument) => add(&mut arguments, argument, storable)?,
                Part::IsOneOf(values) => {
                    let values: Vec<Cow<'_, str>> = values.iter().map(|value| storable(value)).collect();
                    arguments.add(values).map_err(sqlx::Error::Encode)?;
                }
                _ => {}
            }
        }
        Ok(arguments)
    }
}

/// PostgreSQL's texts cannot hold U+0000: U+FFFD stands in its place, in what is stored and in what is asked for.
#[cfg(feature = "postgres")]
fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

fn as_it_is(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

fn add<A>(
    arguments: &mut A,
    argument: &Argument,
    storable: impl Fn(&str) -> Cow<'_, str>,
) -> Result<(), sqlx::Error>
where
    A: Arguments,
    String: for<'t> Encode<'t, A::Database> + Type<A::Database>,
    Option<String>: for<'t> Encode<'t, A::Database> + Type<A::Database>,
    i64: for<'t> Encode<'t, A::Database> + Type<A::Database>,
    Option<Vec<u8>>: for<'t> Encode<'t, A::Database> + Type<A::Database>,
{
    match argument {
        Argument::Text(text) => arguments.add(storable(text).into_owned()),
        Argument::OptionalText(text) => {
            arguments.add(text.as_deref().map(|text| storable(text).into_owned()))
        }
        Argument::Integer(number) => arguments.add(*number),
        Argument::Bytes(bytes) => arguments.add(bytes.clone()),
    }
    .map_err(sqlx::Error::Encode)
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Option<String>> for Argument {
    fn from(text: Option<String>) -> Self {
        Self::OptionalText(text)
    }
}

impl From<i64> for Argument {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<Option<&[u8]>> for Argument {
    fn from(bytes: Option<&[u8]>) -> Self {
        Self::Bytes(bytes.map(<[u8]>::to_vec))
    }
}

/// What a row is read into, on either engine; `#[derive(sqlx::FromRow)]` gives it.
#[cfg(feature = "postgres")]
pub trait ReadRow: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
#[cfg(feature = "postgres")]
impl<T> ReadRow for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
/// What a row is read into; `#[derive(sqlx::FromRow)]` gives it.
#[cfg(not(feature = "postgres"))]
pub trait ReadRow: for<'r> FromRow<'r, SqliteRow> + Send + Unpin {}
#[cfg(not(feature = "postgres"))]
impl<T> ReadRow for T where T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin {}

/// A connection to either.
pub(crate) enum AnyConnection<'a> {
    Sqlite(&'a mut SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(&'a mut PgConnection),
}

/// How a statement names a model's table.
pub(crate) type LiveName<'a> = &'a (dyn Fn(&str, &mut String) + Sync);

/// A table of the generation that queries see is a view in SQLite.
pub(crate) fn view_name(table: &str, text: &mut String) {
    text.push_str(table);
}

impl AnyConnection<'_> {
    /// Every row.
    pub(crate) async fn fetch_all<T: ReadRow>(
        self,
        sql: &Sql,
        live: LiveName<'_>,
    ) -> Result<Vec<T>, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let text = AssertSqlSafe(sql.text(Engine::Sqlite, live));
                sqlx::query_as_with(text, sql.sqlite_arguments()?).fetch_all(connection).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                let text = AssertSqlSafe(sql.text(Engine::Postgres, live));
                let is_kept = !sql.parts.iter().any(|part| matches!(part, Part::PlanEveryTime));
                let query = sqlx::query_as_with(text, sql.postgres_arguments()?);
                query.persistent(is_kept).fetch_all(connection).await
            }
        }
    }

    /// How many rows were changed, or read.
    pub(crate) async fn execute(self, sql: &Sql, live: LiveName<'_>) -> Result<u64, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let text = AssertSqlSafe(sql.text(Engine::Sqlite, live));
                let done = sqlx::query_with(text, sql.sqlite_arguments()?).execute(connection).await?;
                Ok(done.rows_affected())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                let text = AssertSqlSafe(sql.text(Engine::Postgres, live));
                let done = sqlx::query_with(text, sql.postgres_arguments()?).execute(connection).await?;
                Ok(done.rows_affected())
            }
        }
    }

    /// Runs what defines tables: no values, and nothing to keep prepared.
    pub(crate) async fn define(self, text: String) -> Result<(), sqlx::Error> {
        let text = sqlx::raw_sql(AssertSqlSafe(text));
        match self {
            Self::Sqlite(connection) => text.execute(connection).await.map(drop),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => text.execute(connection).await.map(drop),
        }
    }
}
