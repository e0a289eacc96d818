//! How many cases there are, counted as they change: a count is a sum over few rows, however many cases there are.

use std::collections::BTreeMap;

use dossier_domain::{OrganizationId, VisibilityScope};
use serde::Serialize;

use super::query::CaseQueries;
use super::row::CaseRow;
use crate::database::WriteTransaction;
use crate::error::{ProjectionError, QueryError};
use crate::model::{Column, Generation, Table};
use crate::rows::replace;
use crate::scope::push_scope;
use crate::sql::Sql;

const COLUMNS: &[Column] = &[
    Column::text("counter"),
    Column::text("organization"),
    Column::text("product"),
    Column::text("manager").or_null(),
    Column::text("provider"),
    Column::text("status"),
    Column::integer("priority"),
    Column::boolean("assigned"),
    Column::integer("cases"),
];
/// The counters of each organization.
pub(super) const TABLE: Table = Table {
    name: "case_counts",
    columns: COLUMNS,
    key: &["counter"],
    indexes: &["organization", "manager", "provider"],
};
/// Counters over all organizations, for support: as few however many organizations there are. Organization and manager are
/// empty in all of them.
pub(super) const TOTALS: Table =
    Table { name: "case_totals", columns: COLUMNS, key: &["counter"], indexes: &[] };

/// What cases are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountBy {
    /// Name of the status.
    State,
    /// Digit of the priority.
    Priority,
    /// Id of the product.
    Product,
    /// Id of the support provider; empty where none has it.
    Provider,
}

/// How many cases have a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseCount {
    /// The value.
    pub value: String,
    /// How many cases have it, at least one.
    pub cases: i64,
}

/// How many cases there are by each of what they are counted by, as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseCounts {
    /// All of them.
    pub total: i64,
    by: [BTreeMap<String, i64>; 4],
}

impl CaseCounts {
    /// How many have each value that any of them has, in the order of the values.
    pub fn by(&self, by: CountBy) -> Vec<CaseCount> {
        let counts = self.by[by as usize].iter();
        counts.map(|(value, cases)| CaseCount { value: value.clone(), cases: *cases }).collect()
    }
}

/// Cases that have all of this in common.
#[derive(sqlx::FromRow)]
struct SummedRow {
    status: String,
    priority: i64,
    product: String,
    provider: String,
    cases: i64,
}

impl CaseQueries {
    /// How many cases the scope shows, of an organization or, without one, of every one.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn counts(
        &self,
        scope: &VisibilityScope,
        organization: Option<&OrganizationId>,
    ) -> Result<CaseCounts, QueryError> {
        let mut query = Sql::new(
            "SELECT status, priority, product, provider, CAST(sum(cases) AS BIGINT) AS cases FROM "
                .to_owned(),
        );
        push_counted(&mut query, scope, organization);
        query.push(" GROUP BY 1, 2, 3, 4");
        let rows: Vec<SummedRow> = self.database().fetch_all(&query).await?;
        let mut counts = CaseCounts::default();
        for SummedRow { status, priority, product, provider, cases } in rows {
            counts.total += cases;
            for (by, value) in [
                (CountBy::State, status),
                (CountBy::Priority, priority.to_string()),
                (CountBy::Product, product),
                (CountBy::Provider, provider),
            ] {
                *counts.by[by as usize].entry(value).or_default() += cases;
            }
        }
        Ok(counts)
    }
}

/// Adds the counters of what a scope shows, and what they are restricted by.
pub(super) fn push_counted(query: &mut Sql, scope: &VisibilityScope, organization: Option<&OrganizationId>) {
    let is_total = organization.is_none()
        && matches!(
            scope,
            VisibilityScope::AllOrganizations | VisibilityScope::Provider { organization: None, .. }
        );
    let table = if is_total { TOTALS.name } else { TABLE.name };
    query.push_live(table).push(" WHERE ");
    push_scope(query, table, scope, organization);
}

/// One counter: of the cases that have all of this in common.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
struct CountRow {
    counter: String,
    organization: String,
    product: String,
    manager: Option<String>,
    provider: String,
    status: String,
    priority: i64,
    assigned: bool,
    cases: i64,
}

/// What changes in the counters of either table.
pub(super) struct Changes {
    tables: [(&'static Table, BTreeMap<String, CountRow>); 2],
}

impl Changes {
    /// From these rows on.
    pub(super) fn from(before: &BTreeMap<String, CaseRow>) -> Self {
        let mut changes = Self { tables: [(&TABLE, BTreeMap::new()), (&TOTALS, BTreeMap::new())] };
        changes.count(before, -1);
        changes
    }

    /// To these, which are the same cases and new ones.
    pub(super) async fn to(
        mut self,
        after: &BTreeMap<String, CaseRow>,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
    ) -> Result<(), ProjectionError> {
        self.count(after, 1);
        for (table, mut by_counter) in self.tables {
            by_counter.retain(|_, row| row.cases != 0);
            if !by_counter.is_empty() {
                write(table, by_counter, transaction, generation).await?;
            }
        }
        Ok(())
    }

    fn count(&mut self, cases: &BTreeMap<String, CaseRow>, change: i64) {
        for case in cases.values() {
            let [(_, counts), (_, totals)] = &mut self.tables;
            for (by_counter, row) in [(counts, CountRow::of(case)), (totals, CountRow::total(case))] {
                by_counter.entry(row.counter.clone()).or_insert(row).cases += change;
            }
        }
    }
}

/// Adds what has changed to the counters of a table.
async fn write(
    table: &Table,
    mut by_counter: BTreeMap<String, CountRow>,
    transaction: &mut WriteTransaction<'_>,
    generation: Generation,
) -> Result<(), ProjectionError> {
    let name = generation.table(table.name);
    let mut sql = Sql::new(format!("SELECT * FROM {name} WHERE counter"));
    sql.push_is_one_of(by_counter.keys());
    let counted: Vec<CountRow> = transaction.fetch_all(&sql).await?;
    for row in counted {
        if let Some(change) = by_counter.get_mut(&row.counter) {
            change.cases += row.cases;
        }
    }
    // A rebuild passes over what was there for a moment only: a counter of nothing is no row.
    let (gone, left): (Vec<_>, Vec<_>) = by_counter.into_values().partition(|row| row.cases == 0);
    if !gone.is_empty() {
        let mut sql = Sql::new(format!("DELETE FROM {name} WHERE counter"));
        sql.push_is_one_of(gone.into_iter().map(|row| row.counter));
        transaction.execute(&sql).await?;
    }
    replace(transaction, generation, table, left, |row| row.counter.clone()).await
}

impl CountRow {
    /// Of the cases of the same organization that are alike, none yet.
    fn of(case: &CaseRow) -> Self {
        let (organization, manager) = (case.organization.clone(), case.manager.clone());
        Self { organization, manager, ..Self::total(case) }.named()
    }

    /// Of the cases of any organization that are alike, none yet.
    fn total(case: &CaseRow) -> Self {
        let row = Self {
            counter: String::new(),
            organization: String::new(),
            product: case.product.clone(),
            manager: None,
            provider: case.provider.clone().unwrap_or_default(),
            status: case.status.clone(),
            priority: case.priority,
            assigned: case.assignee.is_some(),
            cases: 0,
        };
        row.named()
    }

    /// With its key. No id has a slash.
    fn named(self) -> Self {
        let Self { organization, product, provider, status, priority, .. } = &self;
        let manager = self.manager.as_deref().unwrap_or_default();
        let assigned = if self.assigned { "assigned" } else { "" };
        let counter = format!("{organization}/{product}/{manager}/{provider}/{status}/{priority}/{assigned}");
        Self { counter, ..self }
    }
}
