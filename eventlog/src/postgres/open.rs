//! Opening a database: does it answer, does it keep what it commits, is its schema ours? Each no is one sentence that
//! says what to set.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use tokio::time::timeout;
use uuid::Uuid;

/// How long a server may take to answer at the start.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// How long another node may hold the lock of the migrations.
const MIGRATION_PATIENCE: Duration = Duration::from_mins(1);
/// The oldest server whose behaviour is relied on.
const OLDEST_VERSION: i32 = 130_000;

/// Why a log or key store in PostgreSQL was not opened. The operator acts: every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PostgresOpenError {
    /// The address makes no sense.
    #[error("the address is not one of PostgreSQL ({detail}): write postgres://USER:PASSWORD@HOST/DATABASE")]
    Address {
        /// What is wrong with it.
        detail: String,
    },
    /// Nobody answers, or not as expected.
    #[error(
        "PostgreSQL at {server} cannot be used ({detail}): check that it runs, and the address, user and password"
    )]
    Unreachable {
        /// Host and database.
        server: String,
        /// What was met.
        detail: String,
    },
    /// The server's release is too old.
    #[error("PostgreSQL at {server} is release {found}: 13 or later is needed, upgrade it")]
    TooOld {
        /// Host and database.
        server: String,
        /// Its release, such as 120017.
        found: i32,
    },
    /// The server only repeats what another one writes.
    #[error(
        "PostgreSQL at {server} is a standby in recovery: give the address of the primary, or promote this one"
    )]
    Standby {
        /// Host and database.
        server: String,
    },
    /// The server may forget what it has acknowledged.
    #[error(
        "PostgreSQL at {server} runs with {setting}={found} and may lose what it has acknowledged: set {setting}=on \
         for this server, database and user"
    )]
    NotDurable {
        /// Host and database.
        server: String,
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: String,
    },
    /// The database cannot hold every text.
    #[error("the database at {server} has the encoding {found}: make one with ENCODING 'UTF8'")]
    Encoding {
        /// Host and database.
        server: String,
        /// Its encoding.
        found: String,
    },
    /// The schema was made by another release.
    #[error(
        "the schema {schema} at {server} is not of this release ({detail}): start the release that made it, or a later one"
    )]
    OtherRelease {
        /// Host and database.
        server: String,
        /// The schema.
        schema: &'static str,
        /// What differs.
        detail: String,
    },
    /// The schema could not be made.
    #[error(
        "the schema {schema} at {server} could not be made ({detail}): check that the user may create schemas and tables there"
    )]
    Migration {
        /// Host and database.
        server: String,
        /// The schema.
        schema: &'static str,
        /// What the server said.
        detail: String,
    },
    /// What is stored makes no sense.
    #[error("the schema {schema} at {server} is damaged ({detail}): restore it from the last backup")]
    Damaged {
        /// Host and database.
        server: String,
        /// The schema.
        schema: &'static str,
        /// What was found.
        detail: String,
    },
    /// There are no keys where some must be.
    #[error(
        "there is no key store at {server} beside a log that has events: restore it from its backup, or personal values \
         stay sealed for ever"
    )]
    KeysMissing {
        /// Host and database.
        server: String,
    },
    /// The key store belongs to another log.
    #[error(
        "the key store at {server} holds the keys of log {found}, not of {wanted}: restore the key store that was backed \
         up with this log"
    )]
    KeysOfAnotherLog {
        /// Host and database.
        server: String,
        /// The log it belongs to.
        found: Uuid,
        /// The log that was opened.
        wanted: Uuid,
    },
}

/// Where a database is, without the password.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) options: PgConnectOptions,
    pub(super) server: String,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, PostgresOpenError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| PostgresOpenError::Address { detail: error.to_string() })?;
        let options = options.disable_statement_logging().options([
            // Every statement here follows an index. A plan is kept, and one that was made while the table was small would
            // still read all of it when it is large, until the server happens to analyse it.
            ("enable_seqscan", "off"),
            ("enable_bitmapscan", "off"),
            // A plan compiled to machine code never pays for statements this small.
            ("jit", "off"),
            ("tcp_keepalives_idle", "5"),
            ("tcp_keepalives_interval", "2"),
            ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "10000"),
        ]);
        let host =
            options.get_socket().map_or(options.get_host().to_owned(), |path| path.display().to_string());
        let server = format!("{host}/{}", options.get_database().unwrap_or(options.get_username()));
        Ok(Self { options, server })
    }

    /// The same for connections of one use, seen in `pg_stat_activity` under its name.
    pub(super) fn used_as(&self, name: &str, settings: &[(&str, String)]) -> PgConnectOptions {
        let settings = settings.iter().map(|(name, value)| (*name, value.as_str()));
        self.options.clone().application_name(name).options(settings)
    }

    pub(super) fn unreachable(&self, error: &sqlx::Error) -> PostgresOpenError {
        PostgresOpenError::Unreachable { server: self.server.clone(), detail: error.to_string() }
    }

    /// Connects, and makes sure that the server keeps what it commits.
    pub(super) async fn connect(&self) -> Result<PgConnection, PostgresOpenError> {
        let connected = timeout(CONNECT_PATIENCE, async {
            let mut connection = self.options.connect().await?;
            let found = Found::ask(&mut connection).await?;
            Ok((connection, found))
        });
        let no_answer = || PostgresOpenError::Unreachable {
            server: self.server.clone(),
            detail: format!("no answer within {} s", CONNECT_PATIENCE.as_secs()),
        };
        let connected: Result<_, sqlx::Error> = connected.await.map_err(|_| no_answer())?;
        let (connection, found) = connected.map_err(|error| self.unreachable(&error))?;
        found.check(&self.server)?;
        Ok(connection)
    }

    /// Brings a schema to this release's state. Nodes that start at once do it one after the other.
    pub(super) async fn migrate(
        &self,
        connection: &mut PgConnection,
        schema: &'static str,
        mut migrator: Migrator,
    ) -> Result<(), PostgresOpenError> {
        let failed =
            |detail: String| PostgresOpenError::Migration { server: self.server.clone(), schema, detail };
        let exists: bool = sqlx::query("SELECT to_regnamespace($1) IS NOT NULL")
            .bind(schema)
            .fetch_one(&mut *connection)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|error| self.unreachable(&error))?;
        if !exists {
            // Else not even tried: making what is there already needs a right that this user may not have.
            migrator.create_schema(schema);
        }
        migrator.dangerous_set_table_name(format!("{schema}._sqlx_migrations"));
        let migrated = timeout(MIGRATION_PATIENCE, migrator.run_direct(None, connection, false)).await;
        match migrated.map_err(|_| failed("another node has been at it for a minute".to_owned()))? {
            Ok(()) => Ok(()),
            Err(error @ (MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_))) => {
                Err(PostgresOpenError::OtherRelease {
                    server: self.server.clone(),
                    schema,
                    detail: error.to_string(),
                })
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// A value that a schema keeps of itself.
    pub(super) async fn meta(
        &self,
        connection: &mut PgConnection,
        schema: &'static str,
        name: &str,
    ) -> Result<Option<Vec<u8>>, PostgresOpenError> {
        sqlx::query(AssertSqlSafe(format!("SELECT value FROM {schema}.meta WHERE name = $1")))
            .bind(name)
            .fetch_optional(connection)
            .await
            .and_then(|row| row.map(|row| row.try_get(0)).transpose())
            .map_err(|error| self.unreachable(&error))
    }

    pub(super) fn damaged(&self, schema: &'static str, detail: &str) -> PostgresOpenError {
        PostgresOpenError::Damaged { server: self.server.clone(), schema, detail: detail.to_owned() }
    }
}

/// What a server says of itself.
pub(super) struct Found {
    version: i32,
    in_recovery: bool,
    encoding: String,
    durability: [(&'static str, String); 3],
    /// The server's process behind the connection, and when it began: a number alone may be given again.
    pub(super) backend: (i32, String),
}

impl Found {
    pub(super) async fn ask(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let row = sqlx::query(
            "SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), \
             current_setting('server_encoding'), current_setting('fsync'), current_setting('full_page_writes'), \
             current_setting('synchronous_commit'), pid, backend_start::text \
             FROM pg_stat_activity WHERE pid = pg_backend_pid()",
        )
        .fetch_one(connection)
        .await?;
        Ok(Self {
            version: row.try_get(0)?,
            in_recovery: row.try_get(1)?,
            encoding: row.try_get(2)?,
            durability: [
                ("fsync", row.try_get(3)?),
                ("full_page_writes", row.try_get(4)?),
                ("synchronous_commit", row.try_get(5)?),
            ],
            backend: (row.try_get(6)?, row.try_get(7)?),
        })
    }

    pub(super) fn check(&self, server: &str) -> Result<(), PostgresOpenError> {
        let server = server.to_owned();
        if self.version < OLDEST_VERSION {
            return Err(PostgresOpenError::TooOld { server, found: self.version });
        }
        if self.in_recovery {
            return Err(PostgresOpenError::Standby { server });
        }
        // The other values of synchronous_commit wait for more than this server's disk.
        if let Some((setting, found)) = self.durability.iter().find(|(_, value)| value == "off") {
            return Err(PostgresOpenError::NotDurable { server, setting, found: found.clone() });
        }
        if self.encoding != "UTF8" {
            return Err(PostgresOpenError::Encoding { server, found: self.encoding.clone() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(version: i32, encoding: &str) -> Found {
        Found {
            version,
            in_recovery: false,
            encoding: encoding.to_owned(),
            durability: [
                ("fsync", "on".to_owned()),
                ("full_page_writes", "on".to_owned()),
                ("synchronous_commit", "remote_apply".to_owned()),
            ],
            backend: (1, String::new()),
        }
    }

    #[test]
    fn a_server_that_is_too_old_or_of_another_encoding_is_refused() {
        assert!(found(130_000, "UTF8").check("host/database").is_ok());
        let too_old = found(120_017, "UTF8").check("host/database").unwrap_err().to_string();
        assert!(too_old.contains("13 or later is needed"), "{too_old}");
        let encoding = found(150_000, "SQL_ASCII").check("host/database").unwrap_err().to_string();
        assert!(encoding.contains("ENCODING 'UTF8'"), "{encoding}");
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let address = Address::parse("postgres://ada:secret@db.example:5433/dossier").unwrap();
        assert_eq!(address.server, "db.example/dossier");
        let refused = Address::parse("mysql//ada:secret@db").err().unwrap().to_string();
        assert!(!refused.contains("secret"), "{refused}");
    }
}
