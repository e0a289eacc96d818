//! Opening an account when somebody signs in for the first time, where the organization that has verified the domain of
//! their address allows it.

use dossier_commands::{CommandError, LoadError, Request, identity};
use dossier_domain::account::{AccountCommand, OpenAccount, Provisioning, SignIn};
use dossier_domain::address::EmailAddress;
use dossier_domain::{Actor, Personal};

use crate::app::App;
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
