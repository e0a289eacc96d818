//! An organization's subscriptions and webhooks. Who may ask is decided before; what is deleted for good is never shown.

use std::sync::Arc;

use dossier_domain::event_subscription::Topic;
use dossier_domain::event_subscription::deliver::{LiveSubscription, LiveWebhook};
use dossier_domain::{EventSubscriptionId, OrganizationId, WebhookId};
use jiff::Timestamp;

use super::row::{EventSubscriptionRow, WebhookRow};
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::rows::cut;
use crate::sql::Sql;

/// Where a subscription stands, as lists ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownState {
    /// Notifications arrive, as far as is known.
    Working,
    /// They do not.
    Failing,
    /// It is deleted.
    Deleted,
}

/// What a listed subscription must fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionCondition {
    /// All of these; none: anything.
    And(Vec<SubscriptionCondition>),
    /// One of these.
    Or(Vec<SubscriptionCondition>),
    /// Its notifications go to this topic.
    Topic(String),
    /// It stands so.
    State(ShownState),
}

impl SubscriptionCondition {
    fn push(&self, query: &mut Sql) {
        match self {
            Self::And(conditions) => push_joined(query, conditions, " AND ", "TRUE"),
            Self::Or(conditions) => push_joined(query, conditions, " OR ", "FALSE"),
            Self::Topic(topic) => {
                query.push("topic = ").push_bind(topic.as_str());
            }
            Self::State(ShownState::Working) => {
                query.push("(deleted_at_micros IS NULL AND failure_reason IS NULL)");
            }
            Self::State(ShownState::Failing) => {
                query.push("(deleted_at_micros IS NULL AND failure_reason IS NOT NULL)");
            }
            Self::State(ShownState::Deleted) => {
                query.push("deleted_at_micros IS NOT NULL");
            }
        }
    }
}

fn push_joined(query: &mut Sql, conditions: &[SubscriptionCondition], by: &'static str, empty: &'static str) {
    if conditions.is_empty() {
        query.push(empty);
        return;
    }
    query.push("(");
    for (number, condition) in conditions.iter().enumerate() {
        if number > 0 {
            query.push(by);
        }
        condition.push(query);
    }
    query.push(")");
}

/// Some subscriptions, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSubscriptionPage {
    /// The subscriptions.
    pub subscriptions: Vec<EventSubscriptionRow>,
    /// Where the next ones begin: after this position; `None` at the end.
    pub next_after: Option<i64>,
}

/// Some webhooks, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookPage {
    /// The webhooks.
    pub webhooks: Vec<WebhookRow>,
    /// Where the next ones begin: after this position; `None` at the end.
    pub next_after: Option<i64>,
}

/// The model's queries.
#[derive(Clone)]
pub struct EventDeliveryQueries {
    database: Arc<ReadDatabase>,
}

impl EventDeliveryQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// A subscription of an organization as of an instant; a deleted one too, until it is purged.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn subscription(
        &self,
        organization: &OrganizationId,
        subscription: EventSubscriptionId,
        now: Timestamp,
    ) -> Result<Option<EventSubscriptionRow>, QueryError> {
        let mut query = subscriptions_of(organization, now);
        query.push(" AND subscription = ").push_bind(subscription.to_string());
        self.database.fetch_optional(&query).await
    }

    /// Subscriptions of an organization as of an instant that were made after a position, the oldest first.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn subscriptions(
        &self,
        organization: &OrganizationId,
        condition: &SubscriptionCondition,
        show_deleted: bool,
        now: Timestamp,
        after: Option<i64>,
        limit: u32,
    ) -> Result<EventSubscriptionPage, QueryError> {
        let mut query = subscriptions_of(organization, now);
        if !show_deleted {
            query.push(" AND deleted_at_micros IS NULL");
        }
        query.push(" AND ");
        condition.push(&mut query);
        query.push(" AND created_position > ").push_bind(after.unwrap_or(-1));
        query.push(" ORDER BY created_position LIMIT ").push_bind(i64::from(limit) + 1);
        let mut subscriptions: Vec<EventSubscriptionRow> = self.database.fetch_all(&query).await?;
        let next_after = cut(&mut subscriptions, limit, |row| row.created_position);
        Ok(EventSubscriptionPage { subscriptions, next_after })
    }

    /// A webhook of an organization.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn webhook(
        &self,
        organization: &OrganizationId,
        webhook: WebhookId,
    ) -> Result<Option<WebhookRow>, QueryError> {
        let mut query = webhooks_of(organization);
        query.push(" AND webhook = ").push_bind(webhook.to_string());
        self.database.fetch_optional(&query).await
    }

    /// Webhooks of an organization that were made after a position, the oldest first.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn webhooks(
        &self,
        organization: &OrganizationId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<WebhookPage, QueryError> {
        let mut query = webhooks_of(organization);
        query.push(" AND created_position > ").push_bind(after.unwrap_or(-1));
        query.push(" ORDER BY created_position LIMIT ").push_bind(i64::from(limit) + 1);
        let mut webhooks: Vec<WebhookRow> = self.database.fetch_all(&query).await?;
        let next_after = cut(&mut webhooks, limit, |row| row.created_position);
        Ok(WebhookPage { webhooks, next_after })
    }

    /// Everything of an organization that gets messages: what [`deliveries`] is asked with. The caller has waited until the
    /// model has passed the event that it asks for.
    ///
    /// [`deliveries`]: dossier_domain::event_subscription::deliver::deliveries
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn live(
        &self,
        organization: &OrganizationId,
    ) -> Result<(Vec<LiveSubscription>, Vec<LiveWebhook>), QueryError> {
        let mut query = subscriptions_of(organization, Timestamp::MIN);
        query.push(" AND deleted_at_micros IS NULL");
        let subscriptions: Vec<EventSubscriptionRow> = self.database.fetch_all(&query).await?;
        let mut query = webhooks_of(organization);
        query.push(" AND disabled_cause IS NULL");
        let webhooks: Vec<WebhookRow> = self.database.fetch_all(&query).await?;
        let subscriptions = subscriptions.iter().filter_map(|row| {
            Some(LiveSubscription {
                subscription: row.subscription.parse().ok()?,
                topic: row.topic.parse::<Topic>().ok()?,
                person: row.person.parse().ok(),
                since: since(row.live_since_position),
            })
        });
        let webhooks = webhooks.iter().filter_map(|row| {
            Some(LiveWebhook {
                webhook: row.webhook.parse().ok()?,
                topic: row.topic.parse::<Topic>().ok()?,
                person: row.person.parse().ok(),
                since: since(row.live_since_position),
            })
        });
        Ok((subscriptions.collect(), webhooks.collect()))
    }

    /// The subscriptions of an organization to a topic that are not deleted: whom it concerns how deliveries for it go.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn subscribed_to(
        &self,
        organization: &OrganizationId,
        topic: &str,
    ) -> Result<Vec<EventSubscriptionRow>, QueryError> {
        let mut query = subscriptions_of(organization, Timestamp::MIN);
        query.push(" AND deleted_at_micros IS NULL AND topic = ").push_bind(topic);
        query.push(" ORDER BY created_position");
        self.database.fetch_all(&query).await
    }
}

fn since(position: i64) -> u64 {
    u64::try_from(position).unwrap_or_default()
}

fn subscriptions_of(organization: &OrganizationId, now: Timestamp) -> Sql {
    let mut query = Sql::new("SELECT * FROM ");
    query.push_live("event_subscriptions").push(" WHERE organization = ").push_bind(organization.as_str());
    query.push(" AND NOT expunged AND (purge_at_micros IS NULL OR purge_at_micros > ");
    query.push_bind(now.as_microsecond()).push(")");
    query
}

fn webhooks_of(organization: &OrganizationId) -> Sql {
    let mut query = Sql::new("SELECT * FROM ");
    query.push_live("webhooks").push(" WHERE organization = ").push_bind(organization.as_str());
    query.push(" AND NOT deleted");
    query
}
