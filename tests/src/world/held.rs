//! Projectors that come no further: whoever reads must be told the truth all the same.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::profile::Profile;
use crate::server::Server;

/// The read database where nobody writes while this lives: every projector is as if it stood still, and queries go on.
pub struct HeldProjectors(Holder);

enum Holder {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl HeldProjectors {
    /// Holds all projectors of a server.
    pub async fn of(server: &Server) -> Self {
        Self(match Profile::current() {
            Profile::Embedded => {
                let options = SqliteConnectOptions::new().filename(server.data().join("read.db"));
                let mut connection =
                    SqliteConnection::connect_with(&options).await.expect("the read database");
                sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.expect("the only writer");
                Holder::Sqlite(connection)
            }
            Profile::Fleet => {
                let environment = server.environment();
                let url = environment.iter().find(|(name, _)| *name == "DOSSIER_READ_MODEL_URL");
                let (_, url) = url.expect("engines with a read database");
                let mut connection = PgConnection::connect(url).await.expect("the read database");
                // No checkpoint moves, and rows move only with their checkpoint.
                for sql in ["BEGIN", "LOCK TABLE dossier_read.checkpoints IN SHARE ROW EXCLUSIVE MODE"] {
                    sqlx::query(sql).execute(&mut connection).await.expect("a lock on the checkpoints");
                }
                Holder::Postgres(connection)
            }
        })
    }

    /// Lets them go on.
    pub async fn release(self) {
        match self.0 {
            Holder::Sqlite(connection) => connection.close().await.expect("an orderly end"),
            Holder::Postgres(connection) => connection.close().await.expect("an orderly end"),
        }
    }
}
