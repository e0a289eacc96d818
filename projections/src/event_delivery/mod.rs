//! The read model `event_delivery`: an organization's subscriptions to events and its webhooks. Every query names the
//! organization; no secret is in it.

mod projector;
mod query;
mod row;

pub use projector::{EventDelivery, NAME};
pub use query::{
    EventDeliveryQueries, EventSubscriptionPage, ShownState, SubscriptionCondition, WebhookPage,
};
pub use row::{EventSubscriptionRow, WebhookRow};
