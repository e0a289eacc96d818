//! Access events to rows: what a batch touches is loaded at once, changed in memory, and written at once.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use dossier_domain::AccountId;
use dossier_domain::access::{AccessEvent, EntitlementEnded};
use dossier_eventlog::Position;
use jiff::Timestamp;

use super::row::{EntitlementRow, MemberRow, OrganizationRow};
use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, ReadModel, Table};
use crate::rows::replace;
use crate::sql::{ReadRow, Sql};

/// The read model `organizations`.
pub struct Organizations;

const ORGANIZATIONS: Table = Table {
    name: "organizations",
    columns: &[
        Column::text("organization"),
        Column::text("display_name"),
        Column::text("country"),
        Column::text("language"),
        Column::boolean("reseller"),
        Column::text("manager").or_null(),
        Column::integer("manager_since_micros").or_null(),
        Column::text("allowed_reseller").or_null(),
        Column::boolean("allowed_in_centre"),
        Column::boolean("allowed_in_account_management"),
        Column::text("domains"),
        Column::text("technical_contact_email").or_null(),
        Column::text("technical_contact_name").or_null(),
        Column::boolean("first_sign_in_opens_accounts"),
        Column::integer("registered_at_micros"),
        Column::integer("updated_at_micros"),
        Column::integer("revision"),
    ],
    key: &["organization"],
    indexes: &["manager, organization"],
};
const MEMBERS: Table = Table {
    name: "organization_members",
    columns: &[
        Column::text("organization"),
        Column::text("account"),
        Column::text("email").or_null(),
        Column::text("display_name").or_null(),
        Column::text("roles"),
        Column::boolean("support_privilege"),
        Column::integer("effective_at_micros").or_null(),
    ],
    key: &["organization", "account"],
    indexes: &["account, organization"],
};
const ENTITLEMENTS: Table = Table {
    name: "organization_entitlements",
    columns: &[
        Column::text("organization"),
        Column::integer("ordinal"),
        Column::text("product"),
        Column::text("plan"),
        Column::integer("from_micros"),
        Column::integer("until_micros").or_null(),
    ],
    key: &["organization", "ordinal"],
    indexes: &[],
};

#[async_trait]
impl ReadModel for Organizations {
    fn name(&self) -> &'static str {
        "organizations"
    }

    fn schema_version(&self) -> i64 {
        1
    }

    fn categories(&self) -> &'static [&'static str] {
        &["access"]
    }

    fn tables(&self) -> &'static [Table] {
        &[ORGANIZATIONS, MEMBERS, ENTITLEMENTS]
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
        rows.write(transaction, generation).await
    }
}

/// The rows that a batch touches.
struct Rows {
    organizations: BTreeMap<String, OrganizationRow>,
    /// By organization and account; `None`: removed.
    members: BTreeMap<(String, String), Option<MemberRow>>,
    /// By organization and ordinal; `None`: it never begins.
    entitlements: BTreeMap<(String, i64), Option<EntitlementRow>>,
}

impl Rows {
    async fn load(
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<Self, ProjectionError> {
        let touched = |wanted: fn(&AccessEvent) -> bool| -> BTreeSet<String> {
            let touched = events.iter().filter(|event| access(event).is_some_and(wanted));
            touched.map(|event| event.stream.id().to_owned()).collect()
        };
        let organizations: Vec<OrganizationRow> =
            rows_of(transaction, generation, &ORGANIZATIONS, "organization", touched(|_| true)).await?;
        let accounts: BTreeSet<String> =
            events.iter().filter_map(access).filter_map(account).map(|account| account.to_string()).collect();
        let members: Vec<MemberRow> = rows_of(transaction, generation, &MEMBERS, "account", accounts).await?;
        let with_an_end = touched(|event| matches!(event, AccessEvent::EntitlementEnded(_)));
        let entitlements: Vec<EntitlementRow> =
            rows_of(transaction, generation, &ENTITLEMENTS, "organization", with_an_end).await?;
        Ok(Self {
            organizations: organizations.into_iter().map(|row| (row.organization.clone(), row)).collect(),
            members: members
                .into_iter()
                .map(|row| ((row.organization.clone(), row.account.clone()), Some(row)))
                .collect(),
            entitlements: entitlements
                .into_iter()
                .map(|row| ((row.organization.clone(), row.ordinal), Some(row)))
                .collect(),
        })
    }

    fn take_in(&mut self, projected: &ProjectedEvent) -> Result<(), ProjectionError> {
        let Some(event) = access(projected) else { return Ok(()) };
        let id = projected.stream.id();
        let revision = stored(Position(projected.revision.0));
        if let AccessEvent::OrganizationRegistered(registered) = event {
            let row = OrganizationRow::registered(registered, projected);
            self.organizations.entry(id.to_owned()).or_insert(row);
            return Ok(());
        }
        // Delivered before: the rows have it.
        let Some(row) = self.organizations.get_mut(id).filter(|row| row.revision < revision) else {
            return Ok(());
        };
        row.revision = revision;
        row.updated_at_micros = projected.recorded_at.as_microsecond();
        let mut relation = row.relation()?;
        if relation.evolve(event) {
            row.set_relation(&relation);
        }
        match event {
            AccessEvent::OrganizationRegistered(_)
            | AccessEvent::ResellerAccessAllowed(_)
            | AccessEvent::ResellerAccessWithdrawn(_) => {}
            AccessEvent::OrganizationChanged(changed) => {
                row.display_name.clone_from(&changed.display_name);
                row.country.clone_from(&changed.country);
                row.language.clone_from(&changed.language);
            }
            AccessEvent::DomainVerified(verified) => row.add_domain(&verified.domain),
            AccessEvent::TechnicalContactChanged(changed) => {
                row.set_technical_contact(changed.contact.as_ref());
            }
            AccessEvent::FirstSignInPolicyChanged(changed) => {
                row.first_sign_in_opens_accounts = changed.opens_accounts;
            }
            AccessEvent::ManagementTransferred(_) => {
                row.manager_since_micros = Some(row.updated_at_micros);
            }
            AccessEvent::EntitlementGranted(granted) => {
                let row = EntitlementRow::granted(granted, projected);
                self.entitlements.insert((row.organization.clone(), row.ordinal), Some(row));
            }
            AccessEvent::EntitlementEnded(ended) => self.end_entitlements(id, ended)?,
            AccessEvent::MemberListed(listed) => {
                let account = listed.account.to_string();
                let member = self.members.entry((id.to_owned(), account.clone())).or_default();
                member.get_or_insert_with(|| MemberRow::listed(id, account)).set_contact(&listed.contact);
            }
            AccessEvent::AccessGranted(granted) => {
                if let Some(member) = self.member(id, granted.account) {
                    member.set_grant(granted);
                }
            }
            AccessEvent::MemberAccessChanged(changed) => {
                if let Some(member) =
                    self.member(id, changed.account).filter(|member| member.effective_at_micros.is_some())
                {
                    member.set_access(&changed.roles, changed.support_privilege);
                }
            }
            AccessEvent::MemberRemoved(removed) => {
                self.members.insert((id.to_owned(), removed.account.to_string()), None);
            }
        }
        Ok(())
    }

    fn member(&mut self, organization: &str, account: AccountId) -> Option<&mut MemberRow> {
        self.members.get_mut(&(organization.to_owned(), account.to_string()))?.as_mut()
    }

    fn end_entitlements(
        &mut self,
        organization: &str,
        ended: &EntitlementEnded,
    ) -> Result<(), ProjectionError> {
        let all = (organization.to_owned(), i64::MIN)..=(organization.to_owned(), i64::MAX);
        for (_, slot) in self.entitlements.range_mut(all) {
            let Some(row) = slot else { continue };
            let mut entitlement = row.entitlement()?;
            if entitlement.end(ended) {
                row.until_micros = entitlement.until.map(Timestamp::as_microsecond);
            } else {
                *slot = None;
            }
        }
        Ok(())
    }

    async fn write(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
    ) -> Result<(), ProjectionError> {
        replace(transaction, generation, &ORGANIZATIONS, self.organizations.values(), |row| {
            &row.organization
        })
        .await?;
        let members = self.members.values().flatten();
        replace(transaction, generation, &MEMBERS, members, |row| (&row.organization, &row.account)).await?;
        let entitlements = self.entitlements.values().flatten();
        replace(transaction, generation, &ENTITLEMENTS, entitlements, |row| (&row.organization, row.ordinal))
            .await?;
        for (organization, account) in gone(&self.members) {
            let sql =
                delete(generation, &MEMBERS, organization).then(" AND account = ").bind(account.as_str());
            transaction.execute(&sql).await?;
        }
        for (organization, ordinal) in gone(&self.entitlements) {
            let sql = delete(generation, &ENTITLEMENTS, organization).then(" AND ordinal = ").bind(*ordinal);
            transaction.execute(&sql).await?;
        }
        Ok(())
    }
}

fn access(projected: &ProjectedEvent) -> Option<&AccessEvent> {
    if let ReadEvent::Access(event) = &projected.event { Some(event) } else { None }
}

/// Whom an event is about.
fn account(event: &AccessEvent) -> Option<AccountId> {
    match event {
        AccessEvent::MemberListed(event) => Some(event.account),
        AccessEvent::AccessGranted(event) => Some(event.account),
        AccessEvent::MemberAccessChanged(event) => Some(event.account),
        AccessEvent::MemberRemoved(event) => Some(event.account),
        _ => None,
    }
}

async fn rows_of<T: ReadRow>(
    transaction: &mut WriteTransaction<'_>,
    generation: Generation,
    table: &Table,
    column: &'static str,
    values: BTreeSet<String>,
) -> Result<Vec<T>, ProjectionError> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(format!("SELECT * FROM {} WHERE {column}", generation.table(table.name)));
    sql.push_is_one_of(values);
    transaction.fetch_all(&sql).await
}

fn gone<K, R>(rows: &BTreeMap<K, Option<R>>) -> impl Iterator<Item = &K> {
    rows.iter().filter(|(_, row)| row.is_none()).map(|(key, _)| key)
}

fn delete(generation: Generation, table: &Table, organization: &str) -> Sql {
    Sql::new(format!("DELETE FROM {} WHERE organization = ", generation.table(table.name))).bind(organization)
}
