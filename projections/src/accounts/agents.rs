//! The agents whom support's people can give cases to: what the last sign-in of each said (R-ROUTE-1). Beside the accounts
//! that organizations have, because most agents have none.

use std::collections::BTreeMap;

use dossier_domain::StaffRole;
use dossier_domain::account::{AccountEvent, StaffRecognized};
use dossier_domain::address::EmailAddress;
use dossier_eventlog::Position;
use serde::Serialize;

use super::query::AccountQueries;
use crate::database::{WriteTransaction, stored};
use crate::error::{ProjectionError, QueryError};
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, Table};
use crate::rows::replace;
use crate::sql::Sql;

pub(super) const TABLE: Table = Table {
    name: "agents",
    columns: &[
        Column::text("account"),
        Column::text("provider"),
        Column::text("email").or_null(),
        Column::text("canonical_email").or_null(),
        Column::text("display_name").or_null(),
        Column::boolean("is_agent"),
        Column::integer("revision"),
    ],
    key: &["account"],
    indexes: &["provider, account", "canonical_email"],
};

/// Somebody who is an agent, or was one. Erased values are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct AgentRow {
    /// Their account.
    pub account: String,
    /// The provider that they work for; empty for none.
    pub provider: String,
    /// Address, as it was given.
    pub email: Option<String>,
    /// The address in the form in which addresses are compared.
    pub canonical_email: Option<String>,
    /// Name to show.
    pub display_name: Option<String>,
    /// Whether their last sign-in made them one.
    pub is_agent: bool,
    /// Revision of the account's stream.
    pub revision: i64,
}

/// Some agents, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentPage {
    /// The agents, by account.
    pub agents: Vec<AgentRow>,
    /// The last one's account, when more follow.
    pub next_after: Option<String>,
}

/// A condition that leaves out whose account their organization has taken away.
const IS_IN: &str = " AND is_agent AND NOT EXISTS (SELECT 1 FROM ";

impl AccountQueries {
    /// Agents who are in, of a provider (empty: of none) or, without one, of all, after an account.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn agents(
        &self,
        provider: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<AgentPage, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live(TABLE.name).push(" WHERE account > ").push_bind(after.unwrap_or_default());
        if let Some(provider) = provider {
            query.push(" AND provider = ").push_bind(provider);
        }
        push_is_in(&mut query);
        query.push(" ORDER BY account LIMIT ").push_bind(i64::from(limit) + 1);
        let mut agents: Vec<AgentRow> = self.database().fetch_all(&query).await?;
        let more = agents.len() > limit as usize;
        agents.truncate(limit as usize);
        let next_after = agents.last().filter(|_| more).map(|agent| agent.account.clone());
        Ok(AgentPage { agents, next_after })
    }

    /// The agent who has an address, however it is written.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn agent_by_email(&self, email: &EmailAddress) -> Result<Option<AgentRow>, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live(TABLE.name).push(" WHERE canonical_email = ").push_bind(email.canonical());
        push_is_in(&mut query);
        query.push(" ORDER BY account LIMIT 1");
        self.database().fetch_optional(&query).await
    }
}

fn push_is_in(query: &mut Sql) {
    query.push(IS_IN).push_live("accounts");
    query.push(" WHERE accounts.account = agents.account AND NOT accounts.active)");
}

pub(super) async fn project(
    transaction: &mut WriteTransaction<'_>,
    generation: Generation,
    events: &[ProjectedEvent],
) -> Result<(), ProjectionError> {
    let recognized = events.iter().filter_map(|event| match &event.event {
        ReadEvent::Account(AccountEvent::StaffRecognized(said)) => Some(AgentRow::of(said, event)),
        _ => None,
    });
    let mut rows: BTreeMap<String, AgentRow> = BTreeMap::new();
    for row in recognized {
        if rows.get(&row.account).is_none_or(|known| known.revision < row.revision) {
            rows.insert(row.account.clone(), row);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let mut query =
        Sql::new(format!("SELECT account, revision FROM {} WHERE account", generation.table(TABLE.name)));
    query.push_is_one_of(rows.keys());
    let known: Vec<(String, i64)> = transaction.fetch_all(&query).await?;
    for (account, revision) in known {
        // Delivered before: the row has it.
        if rows.get(&account).is_some_and(|row| row.revision <= revision) {
            rows.remove(&account);
        }
    }
    replace(transaction, generation, &TABLE, rows.values(), |row| &row.account).await
}

impl AgentRow {
    fn of(said: &StaffRecognized, by: &ProjectedEvent) -> Self {
        let contact = said.contact.open();
        Self {
            account: by.stream.id().to_owned(),
            provider: said.provider.as_ref().map(ToString::to_string).unwrap_or_default(),
            email: contact.map(|contact| contact.email.clone()),
            canonical_email: contact.map(|contact| {
                EmailAddress::parse(&contact.email)
                    .map_or_else(|_| contact.email.clone(), |email| email.canonical().to_owned())
            }),
            display_name: contact.map(|contact| contact.display_name.clone()),
            is_agent: said.roles.contains(&StaffRole::Agent),
            revision: stored(Position(by.revision.0)),
        }
    }
}
