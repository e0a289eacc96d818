//! What a sign-in leaves: an account when somebody signs in for the first time, where the organization that has verified the
//! domain of their address allows it; and what an agent's token says of them, where that is new, so that others can give
//! them cases.

use dossier_commands::{CommandError, LoadError, Request, identity};
use dossier_domain::account::{AccountCommand, OpenAccount, Provisioning, SignIn};
use dossier_domain::address::EmailAddress;
use dossier_domain::{Actor, CommandId, Personal};

use crate::app::App;
use crate::pipeline::OWN_WRITES_PATIENCE;
use crate::refusals;
use crate::sign_in::Principal;
use crate::status::ApiError;

/// Opens the account of who has none, if they may have one; answers whether there is one now. Staff need none.
///
/// # Errors
/// 503 where nobody can tell now.
pub async fn opens_account(
    app: &App,
    principal: &Principal,
    actor: &Actor,
    request_id: &str,
) -> Result<bool, ApiError> {
    if !actor.staff_roles.is_empty() {
        return Ok(false);
    }
    let Ok(address) = EmailAddress::parse(&principal.email) else { return Ok(false) };
    let holder = match app.commands.organization_of_domain(address.domain()).await {
        Ok(holder) => holder,
        // Whoever reads on while the log is away does so without one.
        Err(LoadError::Unavailable(_)) => return Ok(false),
        Err(error) => return Err(refusals::load(error)),
    };
    let Some((organization, view)) = holder.filter(|(_, view)| view.access.first_sign_in_opens_accounts)
    else {
        return Ok(false);
    };
    let sealer = app.commands.sealer();
    let sign_in = SignIn { issuer: principal.issuer.clone(), subject: principal.subject.clone() };
    let command = AccountCommand::Open(OpenAccount {
        provisioning: Provisioning::FirstSignIn,
        sign_in: Personal::new(actor.contact.subject().clone(), sign_in),
        contact: actor.contact.clone(),
        email: identity::email_key(sealer, &address),
    });
    // A new attempt each time that the organization's access has moved: what was refused then may be allowed now.
    let attempt = view.revision.map_or_else(String::new, |revision| revision.0.to_string());
    let account = actor.account.to_string();
    let request = Request {
        command_id: identity::command_id(sealer, &["first-sign-in", &account], &attempt),
        fingerprint: identity::fingerprint(sealer, organization.as_str().as_bytes()),
        actor: actor.clone(),
        acting_for: None,
        correlation_id: request_id.to_owned(),
        causation_id: None,
        if_match: None,
    };
    match app.commands.account(&request, &organization, actor.account, &command).await {
        Ok(_) => Ok(true),
        // Who may not have one is told by whatever they ask for that there is none.
        Err(CommandError::Rejected(_)) => Ok(false),
        Err(error) => Err(refusals::command(&error, refusals::account)),
    }
}

/// Records what a sign-in says of an agent. Whoever asks is answered whether or not that could be written: the next request
/// tries again.
pub async fn recognize_staff(app: &App, actor: &Actor, request_id: &str) {
    let sealer = app.commands.sealer();
    let request = Request {
        command_id: CommandId(uuid::Uuid::from_u128(app.random_id())),
        fingerprint: identity::fingerprint(sealer, b"recognize"),
        actor: actor.clone(),
        acting_for: None,
        correlation_id: request_id.to_owned(),
        causation_id: None,
        if_match: None,
    };
    match app.commands.recognize(&request).await {
        Ok(outcome) => {
            // As after a command: who has just come sees themselves among the agents.
            let _ = app.read_models.wait_for(outcome.folded.position, OWN_WRITES_PATIENCE).await;
        }
        Err(error) => {
            tracing::warn!(account = %actor.account, %error, "what a sign-in says of an agent was not recorded; the next request tries again");
        }
    }
}
