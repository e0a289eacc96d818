//! Filings and calls to rows, one each.

use async_trait::async_trait;
use dossier_domain::volume_watch::CountedAct;
use serde::Serialize;

use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, ReadModel, Table};
use crate::rows::replace;

/// The read model `volume`.
pub struct Volume;

pub(super) const ACTS: &str = "volume_acts";

const ACTS_TABLE: Table = Table {
    name: ACTS,
    columns: &[
        Column::integer("position"),
        Column::text("product"),
        Column::integer("hour_seconds"),
        Column::text("kind"),
    ],
    key: &["position"],
    indexes: &["product, hour_seconds, position"],
};

/// Something that counts.
#[derive(Serialize)]
struct ActRow {
    /// Its place in the log.
    position: i64,
    /// The product.
    product: String,
    /// The beginning of its hour, seconds since 1970.
    hour_seconds: i64,
    /// A case, or a call.
    kind: &'static str,
}

#[async_trait]
impl ReadModel for Volume {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn schema_version(&self) -> i64 {
        1
    }

    fn categories(&self) -> &'static [&'static str] {
        &["case", "phone_call"]
    }

    fn tables(&self) -> &'static [Table] {
        &[ACTS_TABLE]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        // Delivered again it is the same row.
        let rows = events.iter().filter_map(row);
        replace(transaction, generation, &ACTS_TABLE, rows, |row| row.position).await
    }
}

fn row(projected: &ProjectedEvent) -> Option<ActRow> {
    let act = match &projected.event {
        ReadEvent::Case(event) => CountedAct::of_case(event, projected.metadata.occurred_at)?,
        ReadEvent::PhoneCall(event) => CountedAct::of_phone_call(event),
        _ => return None,
    };
    Some(ActRow {
        position: stored(projected.position),
        product: act.product.to_string(),
        hour_seconds: act.hour(projected.recorded_at).as_second(),
        kind: act.kind.as_str(),
    })
}
