//! Feedback to rows: nothing ever happens to it after it was sent.

use async_trait::async_trait;
use dossier_domain::feedback::FeedbackEvent;
use serde::Serialize;

use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, ReadModel, Table};
use crate::rows::replace;

/// The read model `feedback`.
pub struct FeedbackModel;

/// Feedback as the read side shows it. Erased values are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct FeedbackRow {
    /// Its id.
    pub feedback: String,
    /// Position of the sending: the order of the list.
    pub sent_position: i64,
    /// Account of who sent it.
    pub sender: String,
    /// Their address.
    pub email: Option<String>,
    /// Their name.
    pub display_name: Option<String>,
    /// What they say.
    pub text: Option<String>,
    /// When, microseconds since 1970.
    pub sent_at_micros: i64,
}

const FEEDBACK: Table = Table {
    name: "feedback",
    columns: &[
        Column::text("feedback"),
        Column::integer("sent_position"),
        Column::text("sender"),
        Column::text("email").or_null(),
        Column::text("display_name").or_null(),
        Column::text("text").or_null(),
        Column::integer("sent_at_micros"),
    ],
    key: &["feedback"],
    indexes: &["sent_position"],
};

#[async_trait]
impl ReadModel for FeedbackModel {
    fn name(&self) -> &'static str {
        "feedback"
    }

    fn schema_version(&self) -> i64 {
        1
    }

    fn categories(&self) -> &'static [&'static str] {
        &["feedback"]
    }

    fn tables(&self) -> &'static [Table] {
        &[FEEDBACK]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        // Delivered again it is the same row.
        let rows = events.iter().filter_map(row);
        replace(transaction, generation, &FEEDBACK, rows, |row| row.feedback.clone()).await
    }
}

fn row(projected: &ProjectedEvent) -> Option<FeedbackRow> {
    let ReadEvent::Feedback(FeedbackEvent::FeedbackSent(sent)) = &projected.event else { return None };
    let contact = sent.contact.open();
    Some(FeedbackRow {
        feedback: projected.stream.id().to_owned(),
        sent_position: stored(projected.position),
        sender: sent.sender.to_string(),
        email: contact.map(|contact| contact.email.clone()),
        display_name: contact.map(|contact| contact.display_name.clone()),
        text: sent.text.open().cloned(),
        sent_at_micros: projected.recorded_at.as_microsecond(),
    })
}
