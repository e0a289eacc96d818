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

pub(super) const TABLE: Table = Table {
    name: "case_counts",
    columns: &[
        Column::text("counter"),
        Column::text("organization"),
        Column::text("product"),
        Column::text("manager").or_null(),
        Column::text("provider").or_null(),
        Column::text("status"),
        Column::integer("priority"),
        Column::integer("cases"),
    ],
    key: &["counter"],
    indexes: &["organization", "manager", "provider"],
};

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
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CaseCount {
    /// The value.
    pub value: String,
    /// How many cases have it, at least one.
    pub cases: i64,
}

impl CaseQueries {
    /// How many cases the scope shows, of an organization or, without one, of every one, by each value that any of them
    /// has, in the order of the values.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn counts(
        &self,
        scope: &VisibilityScope,
        organization: Option<&OrganizationId>,
        by: CountBy,
    ) -> Result<Vec<CaseCount>, QueryError> {
        self.database().fetch_all(&counts_query(scope, organization, by)).await
    }
}

fn counts_query(scope: &VisibilityScope, organization: Option<&OrganizationId>, by: CountBy) -> Sql {
    let value = match by {
        CountBy::State => "status",
        CountBy::Priority => "CAST(priority AS TEXT)",
        CountBy::Product => "product",
        CountBy::Provider => "coalesce(provider, '')",
    };
    let mut query = Sql::new(format!("SELECT {value} AS value, CAST(sum(cases) AS BIGINT) AS cases FROM "));
    query.push_live(TABLE.name).push(" WHERE ");
    push_scope(&mut query, TABLE.name, scope, organization);
    query.push(" GROUP BY 1 ORDER BY 1");
    query
}

/// One counter: of the cases that have all of this in common.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
struct CountRow {
    counter: String,
    organization: String,
    product: String,
    manager: Option<String>,
    provider: Option<String>,
    status: String,
    priority: i64,
    cases: i64,
}

/// What changes in the counters.
pub(super) struct Changes {
    by_counter: BTreeMap<String, CountRow>,
}

impl Changes {
    /// From these rows on.
    pub(super) fn from(before: &BTreeMap<String, CaseRow>) -> Self {
        let mut changes = Self { by_counter: BTreeMap::new() };
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
        self.by_counter.retain(|_, row| row.cases != 0);
        if self.by_counter.is_empty() {
            return Ok(());
        }
        let table = generation.table(TABLE.name);
        let mut sql = Sql::new(format!("SELECT * FROM {table} WHERE counter"));
        sql.push_is_one_of(self.by_counter.keys());
        let counted: Vec<CountRow> = transaction.fetch_all(&sql).await?;
        for row in counted {
            if let Some(change) = self.by_counter.get_mut(&row.counter) {
                change.cases += row.cases;
            }
        }
        // A rebuild passes over what was there for a moment only: a counter of nothing is no row.
        let (gone, left): (Vec<_>, Vec<_>) = self.by_counter.into_values().partition(|row| row.cases == 0);
        if !gone.is_empty() {
            let mut sql = Sql::new(format!("DELETE FROM {table} WHERE counter"));
            sql.push_is_one_of(gone.into_iter().map(|row| row.counter));
            transaction.execute(&sql).await?;
        }
        replace(transaction, generation, &TABLE, left, |row| row.counter.clone()).await
    }

    fn count(&mut self, cases: &BTreeMap<String, CaseRow>, change: i64) {
        for case in cases.values() {
            let counter = counter(case);
            let row = self.by_counter.entry(counter.clone()).or_insert_with(|| CountRow {
                counter,
                organization: case.organization.clone(),
                product: case.product.clone(),
                manager: case.manager.clone(),
                provider: case.provider.clone(),
                status: case.status.clone(),
                priority: case.priority,
                cases: 0,
            });
            row.cases += change;
        }
    }
}

/// Its key. No id has a slash.
fn counter(case: &CaseRow) -> String {
    let manager = case.manager.as_deref().unwrap_or_default();
    let provider = case.provider.as_deref().unwrap_or_default();
    format!("{}/{}/{manager}/{provider}/{}/{}", case.organization, case.product, case.status, case.priority)
}
