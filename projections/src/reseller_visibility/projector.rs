//! Access events to intervals. The rule of who is let in is the domain's: its relation is folded beside them.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use dossier_domain::OrganizationId;
use dossier_domain::access::ResellerRelation;
use dossier_eventlog::Position;
use serde::Serialize;

use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, ReadModel, Table};
use crate::rows::replace;
use crate::sql::Sql;

/// The read model `reseller_visibility`.
pub struct ResellerVisibility;

/// The model's name.
pub(crate) const NAME: &str = "reseller_visibility";
/// The table of intervals: the open one of a customer, if there is one, says who is let in now.
pub(crate) const INTERVALS: &str = "reseller_visibility";

const INTERVAL_TABLE: Table = Table {
    name: INTERVALS,
    columns: &[
        Column::text("customer"),
        Column::text("reseller"),
        Column::integer("from_sequence"),
        Column::integer("until_sequence").or_null(),
        Column::integer("from_micros"),
        Column::integer("until_micros").or_null(),
    ],
    key: &["customer", "from_sequence"],
    // Which customers let this reseller in now, and whether a certain one does.
    indexes: &["reseller, until_sequence, customer"],
};
/// What the next event is folded onto.
const RELATION_TABLE: Table = Table {
    name: "reseller_relations",
    columns: &[
        Column::text("customer"),
        Column::text("manager").or_null(),
        Column::boolean("allowed_in_centre"),
        Column::boolean("allowed_in_account_management"),
        Column::integer("revision"),
    ],
    key: &["customer"],
    indexes: &[],
};

/// A period in which a customer let a reseller in, [from, until).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
struct IntervalRow {
    customer: String,
    reseller: String,
    /// Position of the event that let it in.
    from_sequence: i64,
    /// Position of the event that ended it; it is let in now without one.
    until_sequence: Option<i64>,
    from_micros: i64,
    until_micros: Option<i64>,
}

/// A customer's relation to resellers, at a revision of its stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
struct RelationRow {
    customer: String,
    manager: Option<String>,
    allowed_in_centre: bool,
    allowed_in_account_management: bool,
    revision: i64,
}

#[async_trait]
impl ReadModel for ResellerVisibility {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schema_version(&self) -> i64 {
        1
    }

    fn categories(&self) -> &'static [&'static str] {
        &["access"]
    }

    fn tables(&self) -> &'static [Table] {
        &[INTERVAL_TABLE, RELATION_TABLE]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let mut rows = Rows::load(transaction, generation, events).await?;
        for event in events {
            rows.take_in(event)?;
        }
        replace(transaction, generation, &RELATION_TABLE, rows.relations.values(), |row| &row.customer)
            .await?;
        let intervals = rows.ended.iter().chain(rows.open.values());
        replace(transaction, generation, &INTERVAL_TABLE, intervals, |row| (&row.customer, row.from_sequence))
            .await
    }
}

/// What a batch touches.
struct Rows {
    /// By customer.
    relations: BTreeMap<String, RelationRow>,
    /// The interval of each customer that goes on.
    open: BTreeMap<String, IntervalRow>,
    /// Those that ended in this batch.
    ended: Vec<IntervalRow>,
}

impl Rows {
    async fn load(
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<Self, ProjectionError> {
        let customers: BTreeSet<&str> = events.iter().map(|event| event.stream.id()).collect();
        let mut sql =
            Sql::new(format!("SELECT * FROM {} WHERE customer", generation.table(RELATION_TABLE.name)));
        sql.push_is_one_of(customers.iter().copied());
        let relations: Vec<RelationRow> = transaction.fetch_all(&sql).await?;
        let mut sql = Sql::new(format!(
            "SELECT * FROM {} WHERE until_sequence IS NULL AND customer",
            generation.table(INTERVALS)
        ));
        sql.push_is_one_of(customers);
        let open: Vec<IntervalRow> = transaction.fetch_all(&sql).await?;
        Ok(Self {
            relations: relations.into_iter().map(|row| (row.customer.clone(), row)).collect(),
            open: open.into_iter().map(|row| (row.customer.clone(), row)).collect(),
            ended: Vec::new(),
        })
    }

    fn take_in(&mut self, projected: &ProjectedEvent) -> Result<(), ProjectionError> {
        let ReadEvent::Access(event) = &projected.event else { return Ok(()) };
        let customer = projected.stream.id();
        let revision = stored(Position(projected.revision.0));
        let before = self.relations.get(customer);
        // Delivered before: the relation has it.
        if before.is_some_and(|row| row.revision >= revision) {
            return Ok(());
        }
        let mut relation = before.map(RelationRow::relation).transpose()?.unwrap_or_default();
        if !relation.evolve(event) {
            return Ok(());
        }
        self.let_in(customer, relation.allowed(), projected);
        self.relations.insert(customer.to_owned(), RelationRow::of(customer, &relation, revision));
        Ok(())
    }

    /// From this event on a customer lets a reseller in, or none.
    fn let_in(&mut self, customer: &str, reseller: Option<&OrganizationId>, by: &ProjectedEvent) {
        let open = self.open.get(customer).map(|interval| interval.reseller.as_str());
        if open == reseller.map(OrganizationId::as_str) {
            return;
        }
        let (sequence, micros) = (stored(by.position), by.recorded_at.as_microsecond());
        if let Some(interval) = self.open.remove(customer) {
            let (until_sequence, until_micros) = (Some(sequence), Some(micros));
            self.ended.push(IntervalRow { until_sequence, until_micros, ..interval });
        }
        if let Some(reseller) = reseller {
            let interval = IntervalRow {
                customer: customer.to_owned(),
                reseller: reseller.to_string(),
                from_sequence: sequence,
                until_sequence: None,
                from_micros: micros,
                until_micros: None,
            };
            self.open.insert(customer.to_owned(), interval);
        }
    }
}

impl RelationRow {
    fn of(customer: &str, relation: &ResellerRelation, revision: i64) -> Self {
        Self {
            customer: customer.to_owned(),
            manager: relation.manager.as_ref().map(ToString::to_string),
            allowed_in_centre: relation.allowed_in_centre,
            allowed_in_account_management: relation.allowed_in_account_management,
            revision,
        }
    }

    fn relation(&self) -> Result<ResellerRelation, ProjectionError> {
        let manager = self.manager.as_deref().map(OrganizationId::new).transpose();
        Ok(ResellerRelation {
            manager: manager.map_err(|error| ProjectionError::Halted(format!("a damaged row: {error}")))?,
            allowed_in_centre: self.allowed_in_centre,
            allowed_in_account_management: self.allowed_in_account_management,
        })
    }
}
