//! Case events to rows: the rows a batch touches are loaded at once, changed in memory, and written at once.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use dossier_domain::case::{CaseEvent, ResponseKind, Status};
use dossier_eventlog::{Audience, Position};

use super::row::{COLUMNS, CaseRow, subscribers_json};
use super::{counts, text};
use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::full_text::TextIndex;
use crate::model::{Generation, ReadModel, Table};
use crate::rows::replace;
use crate::sql::Sql;

/// The read model `cases`.
pub struct Cases;

/// Its name.
pub(crate) const NAME: &str = "cases";
const TABLE: Table = Table {
    name: NAME,
    columns: COLUMNS,
    key: &["case_id"],
    indexes: &[
        "organization, sequence",
        // Most lists are of these, and most cases are closed.
        "organization, sequence WHERE status <> 'CLOSED'",
        "organization, status, sequence",
        "organization, priority, sequence",
        "organization, filer_email, sequence",
        "manager, sequence",
        // Across organizations, as support lists.
        "sequence",
        "provider, sequence",
        // Support's queues: a provider's, those that nobody has, an agent's, and those to be answered soon.
        "provider, sequence WHERE status <> 'CLOSED'",
        "provider, sequence WHERE assignee IS NULL AND status <> 'CLOSED'",
        "assignee, provider, sequence WHERE assignee IS NOT NULL AND status <> 'CLOSED'",
        "provider, response_due_micros, sequence WHERE response_due_micros IS NOT NULL",
        // The same for whoever sees every provider's.
        "sequence WHERE assignee IS NULL AND status <> 'CLOSED'",
        "response_due_micros, sequence WHERE response_due_micros IS NOT NULL",
        "provider, sequence WHERE escalated",
    ],
};

#[async_trait]
impl ReadModel for Cases {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schema_version(&self) -> i64 {
        11
    }

    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    fn tables(&self) -> &'static [Table] {
        &[TABLE, text::TABLE, counts::TABLE, counts::TOTALS]
    }

    fn text_index(&self) -> Option<&'static TextIndex> {
        Some(&text::INDEX)
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let mut rows = load(transaction, generation, events).await?;
        let counted = counts::Changes::from(&rows);
        for event in events {
            take_in(&mut rows, event);
        }
        replace(transaction, generation, &TABLE, rows.values(), |row| &row.case_id).await?;
        counted.to(&rows, transaction, generation).await?;
        text::project(transaction, generation, events, &rows).await
    }
}

/// The rows of every case that the events touch and that is there already.
async fn load(
    transaction: &mut WriteTransaction<'_>,
    generation: Generation,
    events: &[ProjectedEvent],
) -> Result<BTreeMap<String, CaseRow>, ProjectionError> {
    let ids: BTreeSet<&str> = events.iter().map(|event| event.stream.id()).collect();
    let mut sql = Sql::new(format!("SELECT * FROM {} WHERE case_id", generation.table(NAME)));
    sql.push_is_one_of(ids);
    let rows: Vec<CaseRow> = transaction.fetch_all(&sql).await?;
    Ok(rows.into_iter().map(|row| (row.case_id.clone(), row)).collect())
}

fn take_in(rows: &mut BTreeMap<String, CaseRow>, projected: &ProjectedEvent) {
    let ReadEvent::Case(event) = &projected.event else { return };
    if let CaseEvent::CaseFiled(filed) = event {
        let row = CaseRow::filed(filed, projected.position, projected.occurred_at());
        rows.entry(row.case_id.clone()).or_insert(row);
        return;
    }
    let revision = stored(Position(projected.revision.0));
    // Delivered before: the row has it.
    let Some(row) = rows.get_mut(projected.stream.id()).filter(|row| row.revision < revision) else { return };
    change(row, event);
    row.revision = revision;
    row.updated_at_micros = projected.occurred_at().as_microsecond();
    if projected.metadata.audience == Audience::Customer {
        row.customer_revision = revision;
        row.customer_updated_at_micros = row.updated_at_micros;
    }
}

/// What an event changes of a row.
fn change(row: &mut CaseRow, event: &CaseEvent) {
    match event {
        CaseEvent::CaseFiled(_)
        | CaseEvent::CommentAdded(_)
        | CaseEvent::AttachmentAdded(_)
        | CaseEvent::NoteAttachmentAdded(_)
        | CaseEvent::InternalNoteAdded(_)
        | CaseEvent::CasesLinked(_)
        | CaseEvent::CasesUnlinked(_)
        | CaseEvent::MergedCaseReceived(_)
        | CaseEvent::MergedCaseReturned(_)
        | CaseEvent::ServiceCreditRequested(_)
        | CaseEvent::IncidentReportRequested(_)
        | CaseEvent::SurveyAnswered(_)
        | CaseEvent::NotificationsStopped(_)
        | CaseEvent::NotificationsResumed(_)
        | CaseEvent::ReopenWindowEnded(_)
        | CaseEvent::ResponseWarned(_) => {}
        CaseEvent::KnownIssueLinked(linked) => row.known_issue = Some(linked.issue.to_string()),
        CaseEvent::KnownIssueUnlinked(_) => row.known_issue = None,
        CaseEvent::CaseStateChanged(change) => row.set_status(change.to),
        CaseEvent::CaseRenamed(renamed) => row.title = renamed.title.open().cloned(),
        CaseEvent::SubscribersChanged(changed) => row.subscribers = subscribers_json(&changed.subscribers),
        CaseEvent::PriorityChanged(changed) => row.priority = i64::from(changed.to.digit()),
        CaseEvent::CaseEscalated(_) | CaseEvent::EscalationAcknowledged(_) => row.escalated = true,
        CaseEvent::EscalationResolved(_) => row.escalated = false,
        CaseEvent::InformationRequested(_) => row.set_status(Status::ActionRequired),
        CaseEvent::SolutionProposed(_) => row.set_status(Status::SolutionProvided),
        CaseEvent::CaseClosed(_) => row.end(),
        CaseEvent::ReopenedWithin30Days(_) => row.set_status(Status::InProgress),
        CaseEvent::CaseRouted(routed) => {
            if row.provider.as_deref() != Some(routed.provider.as_str()) {
                row.assign(None);
            }
            row.provider = Some(routed.provider.to_string());
            row.default_queue = routed.default_queue;
        }
        CaseEvent::CaseAssigned(assigned) => row.assign(Some(assigned)),
        CaseEvent::CaseUnassigned(_) => row.assign(None),
        CaseEvent::CaseMerged(merged) => {
            row.end();
            row.merged_into = Some(merged.target.to_string());
        }
        CaseEvent::MergeUndone(_) => {
            row.set_status(Status::InProgress);
            row.merged_into = None;
        }
        CaseEvent::ClosingAnnounced(announced) => {
            let unanswered = row.status == Status::SolutionProvided.as_str();
            row.closes_micros = Some(announced.closes_at.as_microsecond()).filter(|_| unanswered);
        }
        CaseEvent::ResponseObjectiveSet(set) => {
            row.promise(Some(set));
        }
        CaseEvent::ResponseClockSet(clock) => {
            let promised = row.response_kind.is_some();
            row.response_warn_micros = Some(clock.warn_at.as_microsecond()).filter(|_| promised);
        }
        CaseEvent::ResponseMissed(missed) => {
            row.response_missed = row.response_kind.is_some();
            if missed.kind == ResponseKind::First {
                row.first_response_on_time = Some(false);
            }
        }
        CaseEvent::ResponseGiven(given) => {
            row.promise(None);
            if given.kind == ResponseKind::First {
                row.first_response_on_time = Some(given.on_time);
            }
        }
    }
}
