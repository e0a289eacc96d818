//! What the use cases that execute a command on a case share: reading common fields, executing, answering the case.

use dossier_commands::{CaseOutcome, CommandError, identity};
use dossier_domain::case::CaseCommand;
use dossier_domain::event::EventAudience;
use dossier_domain::{CaseId, DomainEvent, Personal, Side};

use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::refusals;
use crate::resources::{CaseResource, PRIORITIES, revision_of, row_of};
use crate::status::ApiError;

/// Most changes that a refusal names, the latest ones.
const MAX_CHANGES: usize = 20;

/// Executes a command on a case and answers the case.
pub(super) async fn execute(
    call: &Call,
    case: Option<CaseId>,
    command: &CaseCommand,
) -> Result<Reply, ApiError> {
    let outcome = outcome(call, case, command).await?;
    let row = row_of(&outcome.folded)?;
    let side = call.parent()?.authority.side();
    Ok(Reply::json(&CaseResource::new(&row, side, call.enums()))?
        .with_etag(revision_of(&row, side))
        .after_command(outcome.folded.position, outcome.replayed))
}

/// Executes a command on a case.
pub(super) async fn outcome(
    call: &Call,
    case: Option<CaseId>,
    command: &CaseCommand,
) -> Result<CaseOutcome, ApiError> {
    let request = call.command_request()?;
    let done = call.app.commands.case(&request, &call.parent()?.organization, case, command).await;
    match done {
        Ok(outcome) => Ok(outcome),
        Err(error) => {
            let refused = refusals::command(&error, refusals::case);
            let read = request.if_match.iter().flatten().max();
            Err(match (error, case, read) {
                (CommandError::PreconditionFailed, Some(case), Some(read)) => {
                    with_changes(call, case, *read, refused).await
                }
                _ => refused,
            })
        }
    }
}

/// Tells whoever acted on what they had read what has happened to the case since, as far as they may know it. Where that
/// cannot be told now, the refusal stands without.
async fn with_changes(call: &Call, case: CaseId, read: u64, refused: ApiError) -> ApiError {
    let (Ok(parent), Ok(scope)) = (call.parent(), call.scope()) else { return refused };
    let shown = call.app.current_cases.get(&scope, &parent.organization, case).await;
    if !matches!(shown, Ok(Some(_))) {
        return refused;
    }
    let Ok(history) = call.app.commands.case_history(case).await else { return refused };
    let is_support = parent.authority.side() == Side::Support;
    let since = history.iter().rev().take_while(|past| past.revision > read);
    let known = since.filter(|past| is_support || past.event.audience() == EventAudience::Customer);
    let mut changes: Vec<_> = known.map(|past| past.event.event_type()).take(MAX_CHANGES).collect();
    changes.reverse();
    if changes.is_empty() { refused } else { refused.with_metadata("changes", changes.join(", ")) }
}

/// The digit of the priority; `None` when it is absent or unspecified.
pub(super) fn priority(message: &Message) -> Result<Option<u8>, ApiError> {
    let number = message.enumeration("priority", PRIORITIES)?;
    Ok(number.and_then(|number| number.checked_sub(1)).and_then(|digit| u8::try_from(digit).ok()))
}

/// The subscribers, each its own subject.
pub(super) fn subscribers(call: &Call, message: &Message) -> Result<Vec<Personal<String>>, ApiError> {
    let sealer = call.app.commands.sealer();
    let addresses = message.string_list("subscriberEmailAddresses")?.unwrap_or_default();
    Ok(addresses
        .into_iter()
        .map(|address| Personal::new(identity::contact_subject(sealer, &address), address))
        .collect())
}
