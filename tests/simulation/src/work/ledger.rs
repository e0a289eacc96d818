//! The ledger of messages in the simulated work store.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dossier_processes::notifications::ledger::{
    Attempt, AttemptOutcome, Channel, Claimed, IntendedMessage, LedgerEntry, LedgerFilter, LedgerPage,
    MessageCount, MessageId, MessageState, NotificationLedger, Outcome, Recipient, Recovered,
};
use dossier_processes::work_store::{WorkCheckpoint, WorkStoreError};
use jiff::Timestamp;

use super::{View, Work};

/// All messages, by their ids.
pub(super) type Rows = BTreeMap<MessageId, Row>;

/// A message and what became of it.
pub(super) struct Row {
    message: IntendedMessage,
    state: MessageState,
    due: Timestamp,
    trying_since: Timestamp,
    attempt: u32,
    tries: u32,
    handed_over: bool,
    lease_until: Option<Timestamp>,
    attempts: BTreeMap<u32, Attempt>,
}

impl Row {
    fn new(message: IntendedMessage) -> Self {
        let due = message.intended_at;
        Self {
            message,
            state: MessageState::Intended,
            due,
            trying_since: due,
            attempt: 0,
            tries: 0,
            handed_over: false,
            lease_until: None,
            attempts: BTreeMap::new(),
        }
    }

    fn entry(&self) -> LedgerEntry {
        LedgerEntry {
            message: self.message.clone(),
            state: self.state,
            due: (self.state == MessageState::Intended).then_some(self.due),
            attempts: self.attempts.values().cloned().collect(),
        }
    }

    /// Notes how an attempt ended, unless that is known already.
    fn note(&mut self, number: u32, at: Timestamp, outcome: AttemptOutcome, detail: &str) {
        if self.attempts.get(&number).is_none_or(|noted| noted.outcome == AttemptOutcome::Unknown) {
            let detail = detail.to_owned();
            self.attempts.insert(number, Attempt { number, at, outcome, detail });
        }
    }

    fn is_due(&self, channel: Channel, now: Timestamp, except: &[String]) -> bool {
        let passed_by = matches!(&self.message.recipient, Recipient::Endpoint(name) if except.contains(name));
        let due = self.state == MessageState::Intended && self.due <= now;
        self.message.channel == channel && due && !passed_by
    }

    /// Whether it is settled before a later message of its ordering key.
    fn holds_up(&self, later: &IntendedMessage) -> bool {
        later.ordering_key.is_some()
            && self.message.ordering_key == later.ordering_key
            && self.message.channel == later.channel
            && matches!(self.state, MessageState::Intended | MessageState::Sending)
            && (self.message.position, self.message.id) < (later.position, later.id)
    }

    fn is_wanted(&self, filter: &LedgerFilter, page: &LedgerPage) -> bool {
        let message = &self.message;
        let endpoint = |name: &String| matches!(&message.recipient, Recipient::Endpoint(to) if to == name);
        filter.stream.as_ref().is_none_or(|stream| message.stream == *stream)
            && filter.state.is_none_or(|state| self.state == state)
            && filter.channel.is_none_or(|channel| message.channel == channel)
            && filter.endpoint.as_ref().is_none_or(endpoint)
            && page.after.is_none_or(|after| (message.position, message.id) > after)
    }
}

fn settled(outcome: &Outcome) -> (MessageState, Option<Timestamp>, AttemptOutcome, &str) {
    match outcome {
        Outcome::Sent { detail } => (MessageState::Sent, None, AttemptOutcome::Sent, detail),
        Outcome::Retry { detail, at } => (MessageState::Intended, Some(*at), AttemptOutcome::Retry, detail),
        Outcome::Failed { detail } => (MessageState::Failed, None, AttemptOutcome::Failed, detail),
        Outcome::Unknown { detail } => (MessageState::Unknown, None, AttemptOutcome::Unknown, detail),
        Outcome::Withheld { detail } => (MessageState::Withheld, None, AttemptOutcome::Withheld, detail),
    }
}

impl Work {
    /// A message that is still to be sent, or is being sent.
    pub fn first_unsettled(&self) -> Option<MessageId> {
        let open = |row: &&Row| matches!(row.state, MessageState::Intended | MessageState::Sending);
        self.kept().messages.values().find(open).map(|row| row.message.id)
    }

    /// Every message, by its id.
    pub fn messages(&self) -> Vec<LedgerEntry> {
        self.kept().messages.values().map(Row::entry).collect()
    }
}

#[async_trait]
impl NotificationLedger for View {
    async fn intend(
        &self,
        process: &str,
        from: &WorkCheckpoint,
        to: &WorkCheckpoint,
        messages: &[IntendedMessage],
    ) -> Result<(), WorkStoreError> {
        self.advance_and(process, Some(from), to, |kept| {
            for message in messages {
                kept.messages.entry(message.id).or_insert_with(|| Row::new(message.clone()));
            }
        })
        .await
    }

    async fn claim(
        &self,
        channel: Channel,
        _node: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
        except: &[String],
    ) -> Result<Vec<Claimed>, WorkStoreError> {
        self.call("claim messages", |kept| {
            let rows = &mut kept.messages;
            let free = |row: &&Row| {
                row.is_due(channel, now, except) && !rows.values().any(|other| other.holds_up(&row.message))
            };
            let mut due: Vec<_> = rows
                .values()
                .filter(free)
                .map(|row| (row.due, row.message.position, row.message.id))
                .collect();
            due.sort();
            due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            let claimed = due.into_iter().filter_map(|(_, _, id)| {
                let row = rows.get_mut(&id)?;
                row.state = MessageState::Sending;
                row.handed_over = false;
                row.attempt += 1;
                row.tries += 1;
                row.lease_until = Some(lease_until);
                let (attempt, tries, trying_since) = (row.attempt, row.tries, row.trying_since);
                Some(Claimed { message: row.message.clone(), attempt, tries, trying_since })
            });
            claimed.collect()
        })
        .await
    }

    async fn hand_over(&self, id: MessageId, attempt: u32) -> Result<bool, WorkStoreError> {
        self.call("hand a message over", |kept| {
            let holds = |row: &&mut Row| {
                row.attempt == attempt && row.state == MessageState::Sending && !row.handed_over
            };
            let row = kept.messages.get_mut(&id).filter(holds);
            row.map(|row| row.handed_over = true).is_some()
        })
        .await
    }

    async fn finish(
        &self,
        id: MessageId,
        attempt: u32,
        now: Timestamp,
        outcome: &Outcome,
    ) -> Result<bool, WorkStoreError> {
        self.call("finish a message", |kept| {
            let Some(row) = kept.messages.get_mut(&id) else { return false };
            let (state, due, ended, detail) = settled(outcome);
            let open = matches!(row.state, MessageState::Sending | MessageState::Unknown);
            let moves = row.attempt == attempt && open;
            if moves {
                row.state = state;
                row.due = due.unwrap_or(row.due);
                row.lease_until = None;
            }
            if row.attempt >= attempt {
                row.note(attempt, now, ended, detail);
            }
            moves
        })
        .await
    }

    async fn recover(&self, now: Timestamp) -> Result<Recovered, WorkStoreError> {
        self.call("recover messages", |kept| {
            let mut recovered = Recovered::default();
            let expired = |row: &&mut Row| {
                row.state == MessageState::Sending && row.lease_until.is_some_and(|until| until <= now)
            };
            for row in kept.messages.values_mut().filter(expired) {
                row.lease_until = None;
                if row.handed_over {
                    row.state = MessageState::Unknown;
                    row.note(row.attempt, now, AttemptOutcome::Unknown, "handed over, then gone");
                    recovered.unknown += 1;
                } else {
                    row.state = MessageState::Intended;
                    row.tries -= 1;
                    row.note(row.attempt, now, AttemptOutcome::Interrupted, "gone before anything had left");
                    recovered.again += 1;
                }
            }
            recovered
        })
        .await
    }

    async fn retry(&self, id: MessageId, now: Timestamp) -> Result<bool, WorkStoreError> {
        self.call("retry a message", |kept| {
            let over = |row: &&mut Row| matches!(row.state, MessageState::Failed | MessageState::Unknown);
            let Some(row) = kept.messages.get_mut(&id).filter(over) else { return false };
            row.state = MessageState::Intended;
            (row.due, row.trying_since, row.tries) = (now, now, 0);
            true
        })
        .await
    }

    async fn message(&self, id: MessageId) -> Result<Option<LedgerEntry>, WorkStoreError> {
        self.call("read a message", |kept| kept.messages.get(&id).map(Row::entry)).await
    }

    async fn messages_in(
        &self,
        filter: &LedgerFilter,
        page: LedgerPage,
    ) -> Result<Vec<LedgerEntry>, WorkStoreError> {
        self.call("read messages", |kept| {
            let mut rows: Vec<_> =
                kept.messages.values().filter(|row| row.is_wanted(filter, &page)).collect();
            rows.sort_by_key(|row| (row.message.position, row.message.id));
            rows.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
            rows.into_iter().map(Row::entry).collect()
        })
        .await
    }

    async fn message_counts(&self) -> Result<Vec<MessageCount>, WorkStoreError> {
        self.call("count messages", |kept| {
            let mut counts: BTreeMap<(&str, &str), MessageCount> = BTreeMap::new();
            for Row { message, state, .. } in kept.messages.values() {
                if !matches!(state, MessageState::Sent | MessageState::Withheld) {
                    let (channel, state) = (message.channel, *state);
                    let count = counts.entry((channel.as_str(), state.as_str()));
                    count.or_insert(MessageCount { channel, state, count: 0 }).count += 1;
                }
            }
            counts.into_values().collect()
        })
        .await
    }

    async fn next_message_due(&self, channel: Channel) -> Result<Option<Timestamp>, WorkStoreError> {
        self.call("read when a message is due", |kept| {
            let intended = |row: &&Row| row.message.channel == channel && row.state == MessageState::Intended;
            kept.messages.values().filter(intended).map(|row| row.due).min()
        })
        .await
    }
}
