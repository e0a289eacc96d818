//! What the use cases that execute a command on a case share: reading common fields, executing, answering the case.

use dossier_commands::{CaseOutcome, identity};
use dossier_domain::case::CaseCommand;
use dossier_domain::{CaseId, Personal};

use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::refusals;
use crate::resources::{CaseResource, PRIORITIES, revision_of, row_of};
use crate::status::ApiError;

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
    call.app
        .commands
        .case(&request, &call.parent()?.organization, case, command)
        .await
        .map_err(|error| refusals::command(&error, refusals::case))
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
