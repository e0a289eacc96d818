//! Answers to counters. A case is remembered with whom it belongs to and who has it, because an answer does not say.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use dossier_domain::OrganizationId;
use dossier_domain::case::{CaseEvent, CaseFiled};
use dossier_eventlog::Position;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, ReadModel, Table};
use crate::rows::replace;
use crate::sql::Sql;

/// The read model `satisfaction`.
pub struct Satisfaction;

const NAME: &str = "satisfaction";

pub(super) const COUNTERS: Table = Table {
    name: NAME,
    columns: &[
        Column::text("counter"),
        Column::text("organization"),
        Column::text("product"),
        Column::text("manager").or_null(),
        Column::text("provider"),
        Column::text("month"),
        Column::integer("rated_1"),
        Column::integer("rated_2"),
        Column::integer("rated_3"),
        Column::integer("rated_4"),
        Column::integer("rated_5"),
    ],
    key: &["counter"],
    indexes: &["provider, month", "organization, month"],
};
const CASES: Table = Table {
    name: "surveyed_cases",
    columns: &[
        Column::text("case_id"),
        Column::text("organization"),
        Column::text("product"),
        Column::text("manager").or_null(),
        Column::text("provider").or_null(),
        Column::integer("revision"),
    ],
    key: &["case_id"],
    indexes: &[],
};

/// What is known of a case, up to a revision of its stream.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
struct CaseRow {
    case_id: String,
    organization: String,
    product: String,
    /// The reseller that managed the organization at filing.
    manager: Option<String>,
    /// The provider that it was last routed to.
    provider: Option<String>,
    revision: i64,
}

/// One counter: of the answers that have all of this in common.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
struct CounterRow {
    counter: String,
    organization: String,
    product: String,
    manager: Option<String>,
    /// Empty where no provider had the case: as lists of a provider's rows ask for it.
    provider: String,
    /// Of the answer in UTC: `2026-11`.
    month: String,
    rated_1: i64,
    rated_2: i64,
    rated_3: i64,
    rated_4: i64,
    rated_5: i64,
}

#[async_trait]
impl ReadModel for Satisfaction {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schema_version(&self) -> i64 {
        1
    }

    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    fn tables(&self) -> &'static [Table] {
        &[COUNTERS, CASES]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let touching: Vec<_> =
            events.iter().filter_map(|event| Some((event, Change::of(&event.event)?))).collect();
        if touching.is_empty() {
            return Ok(());
        }
        let ids: BTreeSet<&str> = touching.iter().map(|(event, _)| event.stream.id()).collect();
        let mut sql = Sql::new(format!("SELECT * FROM {} WHERE case_id", generation.table(CASES.name)));
        sql.push_is_one_of(ids);
        let known: Vec<CaseRow> = transaction.fetch_all(&sql).await?;
        let mut cases: BTreeMap<String, CaseRow> =
            known.into_iter().map(|row| (row.case_id.clone(), row)).collect();
        let mut counted = BTreeMap::new();
        for (event, change) in touching {
            change.take_in(event, &mut cases, &mut counted);
        }
        replace(transaction, generation, &CASES, cases.values(), |row| &row.case_id).await?;
        add(counted, transaction, generation).await
    }
}

/// What an event has to do with it.
enum Change<'a> {
    Filed(&'a CaseFiled),
    Routed(String),
    Rated(u8),
}

impl<'a> Change<'a> {
    fn of(event: &'a ReadEvent) -> Option<Self> {
        match event {
            ReadEvent::Case(CaseEvent::CaseFiled(filed)) => Some(Self::Filed(filed)),
            ReadEvent::Case(CaseEvent::CaseRouted(routed)) => Some(Self::Routed(routed.provider.to_string())),
            ReadEvent::Case(CaseEvent::SurveyAnswered(answered)) => Some(Self::Rated(answered.rating)),
            _ => None,
        }
    }

    fn take_in(
        self,
        event: &ProjectedEvent,
        cases: &mut BTreeMap<String, CaseRow>,
        counted: &mut BTreeMap<String, CounterRow>,
    ) {
        let (case, revision) = (event.stream.id(), stored(Position(event.revision.0)));
        if let Self::Filed(filed) = self {
            cases.entry(case.to_owned()).or_insert_with(|| CaseRow {
                case_id: case.to_owned(),
                organization: filed.organization.to_string(),
                product: filed.product.to_string(),
                manager: filed.manager.as_ref().map(OrganizationId::to_string),
                provider: None,
                revision,
            });
            return;
        }
        // Delivered before: the row has it.
        let Some(row) = cases.get_mut(case).filter(|row| row.revision < revision) else { return };
        row.revision = revision;
        match self {
            Self::Filed(_) => {}
            Self::Routed(provider) => row.provider = Some(provider),
            Self::Rated(rating) => {
                let empty = CounterRow::empty(row, month(event.occurred_at()));
                counted.entry(empty.counter.clone()).or_insert(empty).count(rating, 1);
            }
        }
    }
}

impl CounterRow {
    fn empty(case: &CaseRow, month: String) -> Self {
        let (manager, provider) = (case.manager.as_deref(), case.provider.as_deref());
        Self {
            // No id has a slash.
            counter: format!(
                "{}/{}/{}/{}/{month}",
                case.organization,
                case.product,
                manager.unwrap_or_default(),
                provider.unwrap_or_default()
            ),
            organization: case.organization.clone(),
            product: case.product.clone(),
            manager: case.manager.clone(),
            provider: provider.unwrap_or_default().to_owned(),
            month,
            rated_1: 0,
            rated_2: 0,
            rated_3: 0,
            rated_4: 0,
            rated_5: 0,
        }
    }

    /// A rating is from 1 to 5: the domain takes no other.
    fn count(&mut self, rating: u8, answers: i64) {
        match rating {
            1 => self.rated_1 += answers,
            2 => self.rated_2 += answers,
            3 => self.rated_3 += answers,
            4 => self.rated_4 += answers,
            _ => self.rated_5 += answers,
        }
    }

    fn add(&mut self, other: &Self) {
        let ratings = [other.rated_1, other.rated_2, other.rated_3, other.rated_4, other.rated_5];
        for (rating, answers) in (1..).zip(ratings) {
            self.count(rating, answers);
        }
    }
}

/// Adds to the counters what was counted in a batch.
async fn add(
    mut counted: BTreeMap<String, CounterRow>,
    transaction: &mut WriteTransaction<'_>,
    generation: Generation,
) -> Result<(), ProjectionError> {
    if counted.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new(format!("SELECT * FROM {} WHERE counter", generation.table(COUNTERS.name)));
    sql.push_is_one_of(counted.keys());
    let before: Vec<CounterRow> = transaction.fetch_all(&sql).await?;
    for row in before {
        if let Some(counter) = counted.get_mut(&row.counter) {
            counter.add(&row);
        }
    }
    replace(transaction, generation, &COUNTERS, counted.into_values(), |row| row.counter.clone()).await
}

fn month(at: Timestamp) -> String {
    let date = at.to_zoned(TimeZone::UTC).date();
    format!("{:04}-{:02}", date.year(), date.month())
}
