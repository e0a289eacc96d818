//! Events of known issues to rows: what a batch touches is loaded at once, changed in memory, and written at once.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use dossier_domain::known_issue::KnownIssueEvent;
use dossier_domain::{AccountId, CaseId, OrganizationId};
use dossier_eventlog::Position;

use super::row::{IssueUpdateRow, IssueUserRow, KnownIssueRow, text};
use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, ReadModel, Table};
use crate::rows::replace;
use crate::sql::Sql;

/// The read model `known_issues`.
pub struct KnownIssues;

pub(super) const ISSUES: &str = "known_issues";
pub(super) const UPDATES: &str = "known_issue_updates";
pub(super) const USERS: &str = "known_issue_users";

const ISSUES_TABLE: Table = Table {
    name: ISSUES,
    columns: &[
        Column::text("issue"),
        Column::text("product"),
        Column::text("title").or_null(),
        Column::text("source"),
        Column::text("details").or_null(),
        Column::text("figures").or_null(),
        Column::text("status"),
        Column::text("impact").or_null(),
        Column::text("impact_statement").or_null(),
        Column::text("dismissal").or_null(),
        Column::text("summary").or_null(),
        Column::text("outage_url").or_null(),
        Column::text("resolution").or_null(),
        Column::integer("suspected_position"),
        Column::integer("suspected_at_micros"),
        Column::integer("published_position").or_null(),
        Column::integer("published_at_micros").or_null(),
        Column::integer("resolved_at_micros").or_null(),
        Column::integer("updated_at_micros"),
        Column::integer("revision"),
    ],
    key: &["issue"],
    indexes: &["suspected_position", "status, suspected_position", "published_position"],
};

const UPDATES_TABLE: Table = Table {
    name: UPDATES,
    columns: &[
        Column::text("issue"),
        Column::integer("number"),
        Column::text("text").or_null(),
        Column::integer("posted_at_micros"),
    ],
    key: &["issue", "number"],
    indexes: &[],
};

const USERS_TABLE: Table = Table {
    name: USERS,
    columns: &[
        Column::text("issue"),
        Column::text("organization"),
        Column::text("account"),
        Column::text("case_id"),
        Column::boolean("affected"),
        Column::boolean("subscribed"),
    ],
    key: &["issue", "organization", "account"],
    indexes: &[],
};

#[async_trait]
impl ReadModel for KnownIssues {
    fn name(&self) -> &'static str {
        "known_issues"
    }

    fn schema_version(&self) -> i64 {
        1
    }

    fn categories(&self) -> &'static [&'static str] {
        &["known_issue"]
    }

    fn tables(&self) -> &'static [Table] {
        &[ISSUES_TABLE, UPDATES_TABLE, USERS_TABLE]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let mut rows = Rows::load(transaction, generation, events).await?;
        for event in events {
            rows.take_in(event);
        }
        replace(transaction, generation, &ISSUES_TABLE, rows.issues.values(), |row| &row.issue).await?;
        replace(transaction, generation, &UPDATES_TABLE, &rows.updates, |row| (&row.issue, row.number))
            .await?;
        let key = |row: &&IssueUserRow| (row.issue.clone(), row.organization.clone(), row.account.clone());
        replace(transaction, generation, &USERS_TABLE, rows.users.values(), key).await
    }
}

/// Issue, organization and account.
type UserKey = (String, String, String);

/// What a batch touches.
struct Rows {
    issues: BTreeMap<String, KnownIssueRow>,
    updates: Vec<IssueUpdateRow>,
    users: BTreeMap<UserKey, IssueUserRow>,
}

impl Rows {
    async fn load(
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<Self, ProjectionError> {
        let touched: BTreeSet<&str> = events.iter().map(|event| event.stream.id()).collect();
        let accounts: BTreeSet<String> = events.iter().filter_map(speaker).collect();
        let mut sql = Sql::new(format!("SELECT * FROM {} WHERE issue", generation.table(ISSUES)));
        sql.push_is_one_of(touched.iter().copied());
        let issues: Vec<KnownIssueRow> = transaction.fetch_all(&sql).await?;
        let mut users: Vec<IssueUserRow> = Vec::new();
        // Of an issue that affects thousands, those alone who spoke.
        if !accounts.is_empty() {
            let mut sql = Sql::new(format!("SELECT * FROM {} WHERE issue", generation.table(USERS)));
            sql.push_is_one_of(touched).push(" AND account").push_is_one_of(accounts);
            users = transaction.fetch_all(&sql).await?;
        }
        let key = |row: &IssueUserRow| (row.issue.clone(), row.organization.clone(), row.account.clone());
        Ok(Self {
            issues: issues.into_iter().map(|row| (row.issue.clone(), row)).collect(),
            updates: Vec::new(),
            users: users.into_iter().map(|row| (key(&row), row)).collect(),
        })
    }

    fn take_in(&mut self, projected: &ProjectedEvent) {
        let ReadEvent::KnownIssue(event) = &projected.event else { return };
        let (id, revision) = (projected.stream.id(), stored(Position(projected.revision.0)));
        // Delivered before: the rows have it.
        if self.issues.get(id).is_some_and(|row| row.revision >= revision) {
            return;
        }
        if let KnownIssueEvent::KnownIssueSuspected(suspected) = event {
            self.issues.insert(id.to_owned(), KnownIssueRow::suspected(suspected, projected));
        }
        let Some(row) = self.issues.get_mut(id) else { return };
        row.change(event, projected);
        row.revision = revision;
        match event {
            KnownIssueEvent::KnownIssueUpdatePosted(posted) => self.updates.push(IssueUpdateRow {
                issue: id.to_owned(),
                number: i64::from(posted.update),
                text: text(&posted.text),
                posted_at_micros: projected.recorded_at.as_microsecond(),
            }),
            KnownIssueEvent::AffectedUserJoined(said) => {
                self.say(id, &said.organization, said.account, said.case, Some(true), true);
            }
            KnownIssueEvent::AffectedUserRejoined(said) => {
                self.say(id, &said.organization, said.account, said.case, Some(true), true);
            }
            KnownIssueEvent::AffectedUserLeft(said) => {
                self.say(id, &said.organization, said.account, said.case, Some(false), false);
            }
            KnownIssueEvent::AffectedUserUnsubscribed(said) => {
                self.say(id, &said.organization, said.account, said.case, None, false);
            }
            KnownIssueEvent::AffectedUserResubscribed(said) => {
                self.say(id, &said.organization, said.account, said.case, None, true);
            }
            KnownIssueEvent::KnownIssueSuspected(_)
            | KnownIssueEvent::KnownIssueConfirmed(_)
            | KnownIssueEvent::KnownIssueDismissed(_)
            | KnownIssueEvent::KnownIssuePublished(_)
            | KnownIssueEvent::KnownIssueResolved(_) => {}
        }
    }

    /// Somebody is affected, or not, or as before; and wants mails, or none.
    fn say(
        &mut self,
        issue: &str,
        organization: &OrganizationId,
        account: AccountId,
        case: CaseId,
        affected: Option<bool>,
        subscribed: bool,
    ) {
        let key = (issue.to_owned(), organization.to_string(), account.to_string());
        let before = self.users.get(&key).is_some_and(|row| row.affected);
        let row = IssueUserRow {
            issue: key.0.clone(),
            organization: key.1.clone(),
            account: key.2.clone(),
            case_id: case.to_string(),
            affected: affected.unwrap_or(before),
            subscribed,
        };
        self.users.insert(key, row);
    }
}

/// Account of the user who spoke, where one did.
fn speaker(projected: &ProjectedEvent) -> Option<String> {
    let ReadEvent::KnownIssue(event) = &projected.event else { return None };
    let account = match event {
        KnownIssueEvent::AffectedUserJoined(said) => said.account,
        KnownIssueEvent::AffectedUserRejoined(said) => said.account,
        KnownIssueEvent::AffectedUserLeft(said) => said.account,
        KnownIssueEvent::AffectedUserUnsubscribed(said) => said.account,
        KnownIssueEvent::AffectedUserResubscribed(said) => said.account,
        KnownIssueEvent::KnownIssueSuspected(_)
        | KnownIssueEvent::KnownIssueConfirmed(_)
        | KnownIssueEvent::KnownIssueDismissed(_)
        | KnownIssueEvent::KnownIssuePublished(_)
        | KnownIssueEvent::KnownIssueUpdatePosted(_)
        | KnownIssueEvent::KnownIssueResolved(_) => return None,
    };
    Some(account.to_string())
}
