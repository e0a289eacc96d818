//! The ledger holds what one undisturbed pass over the finished log would write down: each message once, and no other.

use std::collections::BTreeMap;
use std::sync::Arc;

use dossier_eventlog::{Position, Sealer};
use dossier_processes::notifications::fan_out;
use dossier_processes::notifications::ledger::{
    IntendedMessage, LedgerEntry, MessageId, MessageState, Recipient,
};
use dossier_processes::work_store::WorkCheckpoint;

use crate::nodes::{Free, Ground};
use crate::part::Part;
use crate::processes::{ReactorNode, Role};
use crate::senders::Server;
use crate::work::Work;

/// Times of half a second within which the pass must have come to the log's end.
const PATIENCE: u32 = 100;

/// What a message says, with the address in the clear; when it was found differs.
async fn opened(sealer: &Sealer, message: &IntendedMessage) -> Result<(MessageId, String), String> {
    let recipient = match &message.recipient {
        Recipient::Address(address) => {
            format!(
                "{} {:?}",
                address.subject,
                address.open(sealer).await.map_err(|error| error.to_string())?
            )
        }
        other => format!("{other:?}"),
    };
    let IntendedMessage { id, channel, stream, organization, command_id, kind, reason, language, .. } =
        message;
    let place = (message.first_revision, message.last_revision, message.position);
    let about = (channel, stream, organization, command_id, place);
    Ok((*id, format!("{about:?} {kind} {reason} {language} {recipient}")))
}

fn all_opened(ground: &Ground, free: &Free, work: &Work) -> Result<BTreeMap<MessageId, String>, String> {
    let sealer = ground.sealer(&Part::new(&ground.world, "reader"));
    let messages = work.messages();
    free.finish(async {
        let mut all = BTreeMap::new();
        for LedgerEntry { message, .. } in &messages {
            all.extend([opened(&sealer, message).await?]);
        }
        Ok(all)
    })
}

/// Compares the ledger with what a fan-out writes down that begins where the first one began; answers how many messages
/// there are.
///
/// # Errors
/// A message that is missing, too many, or different.
pub fn each_intended_once(ground: &Ground, free: &Free, begin: &WorkCheckpoint) -> Result<usize, String> {
    let head = ground.log.head();
    let work = Arc::new(Work::default());
    let anew = Ground { work: work.clone(), ..ground.clone() };
    let part = Part::new(&ground.world, "anew");
    let first = free.finish(async { work.seen_by(&part).advance(fan_out::NAME, None, begin).await });
    first.map_err(|error| error.to_string())?;
    let node = ReactorNode::start(&anew, free, "anew", Role::FanOut);
    let behind = || work.checkpoint(fan_out::NAME).is_none_or(|checkpoint| checkpoint.position != head);
    for _ in 0..PATIENCE {
        if behind() {
            free.pass(500);
        }
    }
    node.check()?;
    drop(node);
    if behind() {
        return Err(format!("a new fan-out has come to {:?} only", work.checkpoint(fan_out::NAME)));
    }
    let (found, due) = (all_opened(ground, free, &ground.work)?, all_opened(ground, free, &work)?);
    let missing = due.iter().find(|(id, message)| found.get(id) != Some(message));
    let too_many = found.iter().find(|(id, message)| due.get(id) != Some(message));
    match (missing, too_many) {
        (None, None) => Ok(found.len()),
        _ => Err(format!("the ledger lacks {missing:?} and has {too_many:?} instead")),
    }
}

/// Makes sure that nobody is told of what happened up to a position.
///
/// # Errors
/// A message about it.
pub fn none_up_to(ground: &Ground, position: Position) -> Result<(), String> {
    let old = ground.work.messages().into_iter().find(|entry| entry.message.position <= position);
    old.map_or(Ok(()), |entry| Err(format!("history is told again: {:?}", entry.message)))
}

/// Makes sure that each message was accepted once, or is known not to be, or is marked as unknown.
///
/// # Errors
/// One that was lost, accepted twice, or is said to be what it is not.
pub fn none_is_lost_or_doubled(ground: &Ground, server: &Server) -> Result<(), String> {
    for entry in ground.work.messages() {
        let accepted = server.accepted(entry.message.id);
        let told = match entry.state {
            MessageState::Sent => accepted == 1,
            MessageState::Failed => accepted == 0,
            MessageState::Unknown => accepted <= 1,
            MessageState::Intended | MessageState::Sending | MessageState::Withheld => false,
        };
        if !told {
            return Err(format!("accepted {accepted} times: {entry:?}"));
        }
    }
    Ok(())
}
