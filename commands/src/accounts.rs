//! Commands on accounts: the claim of an address first, then the account, last the address that was given up.

use std::sync::Arc;

use dossier_domain::account::{
    self, Account, AccountCommand, AccountRejection, ChangeNotificationPreferences, ClaimEmail,
    EmailClaimCommand, HolderState, ReleaseEmail, email_claim,
};
use dossier_domain::address::EmailAddress;
use dossier_domain::{AccountId, Actor, Context, EmailKey, OrganizationId};
use dossier_eventlog::{Guard, StreamName};

use crate::commands::{AccessSource, Commands, Outcome, stream_name};
use crate::error::{CommandError, LoadError};
use crate::identity;
use crate::request::Request;
use crate::standpoint::{Freshness, account_stream};

/// What a command on an account did.
pub type AccountOutcome = Outcome<Account>;

/// What saying which mails one wants did.
pub type PreferencesOutcome = Outcome<Account>;

/// How often a claim is decided again because its holder moved.
const MAX_ROUNDS: usize = 3;

impl Commands {
    /// The account that has an address, if one has (R-ACCESS-1), however the address is written.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn find_account(
        &self,
        email: &EmailAddress,
    ) -> Result<Option<(AccountId, Arc<Account>)>, LoadError> {
        let email = identity::email_key(self.sealer(), email);
        let claim = self.email_claims.view(&email_stream(email)?, true).await?;
        let Some(holder) = claim.state.holder else { return Ok(None) };
        let account = self.account_view(holder).await?.account;
        Ok(account.has_email(email).then_some((holder, account)))
    }

    /// Executes a command on an account, for the organization for which it is or was opened.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn account(
        &self,
        request: &Request,
        organization: &OrganizationId,
        account: AccountId,
        command: &AccountCommand,
    ) -> Result<AccountOutcome, CommandError<AccountRejection>> {
        let email = match command {
            AccountCommand::Open(command) => Some(command.email),
            AccountCommand::ChangeContact(command) => Some(command.email),
            AccountCommand::Deactivate(_) | AccountCommand::Reactivate(_) | AccountCommand::Delete(_) => None,
        };
        for _ in 0..MAX_ROUNDS {
            let before = self.account_view(account).await?.account;
            let mut guards = Vec::new();
            if let Some(email) = email.filter(|email| !before.has_email(*email)) {
                // Who may not, claims nothing.
                if self.would_change(request, organization, account, &before, command).await? {
                    guards.push(self.claim_email(request, email, account).await?);
                }
            }
            let stream = account_stream(account)?;
            let source = AccessSource::Guarded(organization);
            let outcome = self
                .execute(
                    &self.accounts,
                    &stream,
                    request,
                    Some(organization),
                    source,
                    &guards,
                    |state, context| account::decide(state, account, command, context),
                )
                .await;
            let outcome = match outcome {
                Err(CommandError::Contention) => continue,
                other => other?,
            };
            let given_up = before.opened().map(|opened| opened.email);
            if let Some(given_up) = given_up.filter(|given_up| !outcome.folded.state.has_email(*given_up)) {
                self.release_email(request, given_up, account).await;
            }
            return Ok(outcome);
        }
        Err(CommandError::Contention)
    }

    /// Changes which mails the actor wants: on the stream of their account, whether that was ever opened or not.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn change_notification_preferences(
        &self,
        request: &Request,
        command: &ChangeNotificationPreferences,
    ) -> Result<PreferencesOutcome, CommandError<AccountRejection>> {
        let account = request.actor.account;
        let stream = account_stream(account)?;
        let source = AccessSource::None;
        self.execute(&self.accounts, &stream, request, None, source, &[], |state, context| {
            command.decide(state, account, context)
        })
        .await
    }

    /// Records on the actor's own account what their sign-in says of them as staff, where it is new (R-ROUTE-1).
    ///
    /// # Errors
    /// [`CommandError`] says who acts next; nothing is refused.
    pub async fn recognize(
        &self,
        request: &Request,
    ) -> Result<AccountOutcome, CommandError<AccountRejection>> {
        let stream = account_stream(request.actor.account)?;
        let source = AccessSource::None;
        self.execute(&self.accounts, &stream, request, None, source, &[], |state, context| {
            Ok(account::recognize(state, context))
        })
        .await
    }

    /// Whether an actor's sign-in says something of them as staff that their account does not tell yet; `false` where nobody
    /// can tell now.
    pub async fn is_news_of(&self, actor: &Actor) -> bool {
        let view = self.account_view(actor.account).await;
        view.is_ok_and(|view| account::is_news(&view.account, actor))
    }

    /// Whether a command would change an account, decided on the log's head without appending anything.
    async fn would_change(
        &self,
        request: &Request,
        organization: &OrganizationId,
        account: AccountId,
        before: &Account,
        command: &AccountCommand,
    ) -> Result<bool, CommandError<AccountRejection>> {
        let view = self.access_view(organization).await?;
        let (stream, towards) = (account_stream(account)?, Some((organization, &view)));
        let acts_for = request.acting_for.as_ref();
        let standpoint =
            self.standpoint_of(&stream, &request.actor, acts_for, towards, Freshness::Current).await?;
        let now = self.now();
        let authority = standpoint.authority(&request.actor, Some((organization, &view.access)), now);
        let context = Context {
            now,
            command_id: request.command_id,
            actor: &request.actor,
            authority: &authority,
            acting_for: standpoint.acting_for(),
            organization: Some(organization),
            access: &view.access,
            access_revision: view.revision.map(|revision| revision.0),
            catalogue: self.catalogue(),
        };
        account::decide(before, account, command, &context)
            .map(|events| !events.is_empty())
            .map_err(CommandError::Rejected)
    }

    /// Claims an address for an account, and answers what the account's append must guard.
    async fn claim_email(
        &self,
        request: &Request,
        email: EmailKey,
        account: AccountId,
    ) -> Result<Guard, CommandError<AccountRejection>> {
        let stream = email_stream(email)?;
        let claim = self.email_claims.view(&stream, true).await?;
        let mut guards = Vec::new();
        let mut holder_state = HolderState::HasItNot;
        if let Some(holder) = claim.state.holder.filter(|holder| *holder != account) {
            let view = self.account_view(holder).await?;
            if view.account.has_email(email) {
                holder_state = HolderState::HasIt;
            }
            guards.push(Guard { stream: account_stream(holder)?, revision: view.revision });
        }
        // The step is one of its own in each round: a claim may come and go.
        let round = claim.revision.map_or_else(|| "first".to_owned(), |revision| revision.0.to_string());
        let step = request.step(&format!("claim of an address after {round}"));
        let command = EmailClaimCommand::Claim(ClaimEmail { account, holder: holder_state });
        let claimed = self
            .execute(&self.email_claims, &stream, &step, None, AccessSource::None, &guards, |claim, _| {
                email_claim::decide(claim, &command)
            })
            .await?;
        Ok(Guard { stream, revision: claimed.folded.revision })
    }

    /// Gives an address up. What goes wrong here is made up for by whoever claims it next.
    async fn release_email(&self, request: &Request, email: EmailKey, account: AccountId) {
        let command = EmailClaimCommand::Release(ReleaseEmail { account });
        let released = async {
            let (stream, step) = (email_stream(email)?, request.step("release of an address"));
            self.execute(&self.email_claims, &stream, &step, None, AccessSource::None, &[], |claim, _| {
                email_claim::decide(claim, &command)
            })
            .await
            .map(|_| ())
        };
        if let Err(error) = released.await {
            let error: CommandError<AccountRejection> = error;
            tracing::warn!(account = %account, %error, "an address was not given up; whoever claims it next takes it over");
        }
    }
}

pub(crate) fn email_stream(email: EmailKey) -> Result<StreamName, LoadError> {
    stream_name(&format!("account_email-{email}"))
}
