//! Commands on the recovery of an account, which belongs to no organization (R-ACCESS-6).

use dossier_domain::AccountRecoveryId;
use dossier_domain::account_recovery::{
    self, AccountRecovery, AccountRecoveryCommand, AccountRecoveryRejection,
};

use crate::commands::{AccessSource, Commands, Outcome, stream_name};
use crate::error::CommandError;
use crate::request::Request;

/// What a command on the recovery of an account did.
pub type AccountRecoveryOutcome = Outcome<AccountRecovery>;

impl Commands {
    /// Executes a command on the recovery of an account; `recovery` is `None` for asking, which derives it. No account but
    /// the actor's own is looked at.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn account_recovery(
        &self,
        request: &Request,
        recovery: Option<AccountRecoveryId>,
        command: &AccountRecoveryCommand,
    ) -> Result<AccountRecoveryOutcome, CommandError<AccountRecoveryRejection>> {
        let id = recovery.unwrap_or_else(|| AccountRecoveryId::derived(request.command_id));
        let stream = stream_name(&format!("account_recovery-{id}"))?;
        let source = AccessSource::None;
        self.execute(&self.account_recoveries, &stream, request, None, source, &[], |state, context| {
            account_recovery::decide(state, command, context)
        })
        .await
    }
}
