//! Private PostgreSQL and NATS servers for scripts: prints the variables that name them, and keeps them until its input ends.

use std::io::{Read as _, Write as _};

use dossier_eventlog::contract::servers::{Nats, Postgres};

fn main() -> std::io::Result<()> {
    let (postgres, nats) = (Postgres::start(&[]), Nats::start());
    let database = postgres.fresh_database();
    let mut output = std::io::stdout();
    writeln!(output, "DOSSIER_EVENT_STORE_URL='{database}'")?;
    writeln!(output, "DOSSIER_READ_MODEL_URL='{database}'")?;
    writeln!(output, "DOSSIER_BUS_URL='{}'", nats.url())?;
    writeln!(output, "ENGINES=ready")?;
    output.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
