//! Events of subscriptions and webhooks to rows: what a batch touches is loaded at once, changed in memory, and written at
//! once.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::row::{EventSubscriptionRow, SUBSCRIPTIONS, WEBHOOKS, WebhookRow};
use crate::database::WriteTransaction;
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Generation, ReadModel, Table};
use crate::rows::replace;
use crate::sql::{ReadRow, Sql};

/// Name of the model.
pub const NAME: &str = "event_delivery";

/// The read model `event_delivery`.
pub struct EventDelivery;

#[async_trait]
impl ReadModel for EventDelivery {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schema_version(&self) -> i64 {
        1
    }

    fn categories(&self) -> &'static [&'static str] {
        &["event_subscription", "webhook"]
    }

    fn tables(&self) -> &'static [Table] {
        &[SUBSCRIPTIONS, WEBHOOKS]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let known = load(transaction, generation, &SUBSCRIPTIONS, "subscription", events, |event| {
            matches!(event, ReadEvent::EventSubscription(_))
        });
        let known: Vec<EventSubscriptionRow> = known.await?;
        let mut subscriptions: BTreeMap<String, EventSubscriptionRow> =
            known.into_iter().map(|row| (row.subscription.clone(), row)).collect();
        let known = load(transaction, generation, &WEBHOOKS, "webhook", events, |event| {
            matches!(event, ReadEvent::Webhook(_))
        });
        let known: Vec<WebhookRow> = known.await?;
        let mut webhooks: BTreeMap<String, WebhookRow> =
            known.into_iter().map(|row| (row.webhook.clone(), row)).collect();
        for projected in events {
            let id = projected.stream.id();
            match &projected.event {
                ReadEvent::EventSubscription(event) => {
                    let row = EventSubscriptionRow::after(subscriptions.remove(id), event, projected);
                    subscriptions.extend(row.map(|row| (id.to_owned(), row)));
                }
                ReadEvent::Webhook(event) => {
                    let row = WebhookRow::after(webhooks.remove(id), event, projected);
                    webhooks.extend(row.map(|row| (id.to_owned(), row)));
                }
                _ => {}
            }
        }
        replace(transaction, generation, &SUBSCRIPTIONS, subscriptions.values(), |row| &row.subscription)
            .await?;
        replace(transaction, generation, &WEBHOOKS, webhooks.values(), |row| &row.webhook).await
    }
}

/// The rows of one table that a batch touches.
async fn load<R>(
    transaction: &mut WriteTransaction<'_>,
    generation: Generation,
    table: &Table,
    key: &str,
    events: &[ProjectedEvent],
    is_of_table: fn(&ReadEvent) -> bool,
) -> Result<Vec<R>, ProjectionError>
where
    R: ReadRow,
{
    let touched: BTreeSet<&str> =
        events.iter().filter(|event| is_of_table(&event.event)).map(|event| event.stream.id()).collect();
    if touched.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Sql::new(format!("SELECT * FROM {} WHERE {key}", generation.table(table.name)));
    query.push_is_one_of(touched);
    transaction.fetch_all(&query).await
}
