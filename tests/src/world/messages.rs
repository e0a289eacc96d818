//! Messages in a state that takes trouble to come by.

use dossier_domain::{AccountId, CommandId};
use dossier_eventlog::{Position, Revision};
use dossier_processes::notifications::ledger::{Channel, IntendedMessage, MessageId, Outcome, Recipient};
use dossier_processes::work_store::WorkCheckpoint;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::server::Server;

impl Server {
    /// A message that was refused for good, under a number of its own, on a server without a mail server; answers its id.
    pub async fn failed_notification(&self, number: u32) -> String {
        let work = &self.app().fleet.work;
        let message = IntendedMessage {
            id: MessageId(Uuid::from_u64_pair(7, u64::from(number))),
            channel: Channel::Email,
            stream: "case-nobody".to_owned(),
            organization: Some("acme".to_owned()),
            command_id: CommandId(Uuid::nil()),
            first_revision: Revision(0),
            last_revision: Revision(0),
            position: Position(1),
            kind: "case_filed".to_owned(),
            reason: "filer".to_owned(),
            recipient: Recipient::Account(AccountId::derived(CommandId(Uuid::nil()))),
            language: "en".to_owned(),
            ordering_key: None,
            intended_at: self.clock.now(),
        };
        let (name, id) = (format!("test {number}"), message.id);
        let checkpoint = WorkCheckpoint { log_id: Uuid::nil(), position: Position(1), event_id: None };
        work.advance(&name, None, &checkpoint).await.expect("a name of its own");
        work.intend(&name, &checkpoint, &checkpoint, &[message]).await.expect("written down");
        let now = self.clock.now();
        let later = now + SignedDuration::from_hours(1);
        let claimed = work.claim(Channel::Email, "test", now, later, 100_000, &[]).await.expect("claimed");
        let attempt = claimed.iter().find(|claimed| claimed.message.id == id).expect("it is due").attempt;
        let failed = Outcome::Failed { detail: "550 no such user".to_owned() };
        assert!(work.finish(id, attempt, now, &failed).await.expect("finished"));
        id.to_string()
    }
}
