//! The past, as it stood when something happened: a case just before and after one command, and the access and accounts of
//! that instant. For what acts on events long after they were recorded (R-NOTIFY-3).

use std::collections::BTreeMap;
use std::sync::Arc;

use dossier_domain::access::Access;
use dossier_domain::account::Account;
use dossier_domain::address::EmailAddress;
use dossier_domain::case::CaseState;
use dossier_domain::known_issue::KnownIssueState;
use dossier_domain::personal::Personal;
use dossier_domain::{
    AccountId, Aggregate, CaseId, CommandId, Contact, EmailKey, KnownIssueId, OrganizationId,
};
use dossier_eventlog::{Position, Revision};
use jiff::Timestamp;

use crate::accounts::email_stream;
use crate::commands::{AccessView, Commands, access_stream, case_stream};
use crate::error::LoadError;
use crate::identity;
use crate::known_issues::known_issue_stream;
use crate::standpoint::account_stream;

/// One command on a stream, with the state around it; personal values are open.
#[derive(Clone, Debug)]
pub struct Moment<A: Aggregate> {
    /// The command.
    pub command_id: CommandId,
    /// Who gave it, as the metadata names them.
    pub actor: String,
    /// The state just before.
    pub before: Arc<A>,
    /// The state right after the command's last event.
    pub after: Arc<A>,
    /// Its events in this stream.
    pub events: Vec<A::Event>,
    /// Revision of the last of them.
    pub last_revision: Revision,
    /// When they were recorded.
    pub at: Timestamp,
}

/// A command on a case.
pub type CaseMoment = Moment<CaseState>;
/// A command on a known issue.
pub type KnownIssueMoment = Moment<KnownIssueState>;

impl Commands {
    /// The command on a case whose first event has a revision; `None` where there is no such event.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn case_moment(&self, case: CaseId, first: Revision) -> Result<Option<CaseMoment>, LoadError> {
        self.cases.moment(&case_stream(case)?, first).await
    }

    /// The command on a known issue whose first event has a revision; `None` where there is no such event.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn known_issue_moment(
        &self,
        issue: KnownIssueId,
        first: Revision,
    ) -> Result<Option<KnownIssueMoment>, LoadError> {
        self.known_issues.moment(&known_issue_stream(issue)?, first).await
    }

    /// A known issue by its events up to a position of the log, inclusive.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn known_issue_until(
        &self,
        issue: KnownIssueId,
        position: Position,
    ) -> Result<Arc<KnownIssueState>, LoadError> {
        Ok(self.known_issues.until(&known_issue_stream(issue)?, position).await?.state)
    }

    /// A case as it is now, of whichever organization; nothing where there is none.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn current_case(&self, case: CaseId) -> Result<Arc<CaseState>, LoadError> {
        Ok(self.cases.view(&case_stream(case)?, true).await?.state)
    }

    /// An organization's access by its events up to a position of the log, inclusive. Personal values are sealed.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn access_at(
        &self,
        organization: &OrganizationId,
        position: Position,
    ) -> Result<AccessView, LoadError> {
        let folded = self.access.until(&access_stream(organization)?, position).await?;
        Ok(AccessView { access: folded.state, revision: folded.revision })
    }

    /// An account by its events up to a position of the log, inclusive.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn account_until(
        &self,
        account: AccountId,
        position: Position,
    ) -> Result<Arc<Account>, LoadError> {
        Ok(self.accounts.until(&account_stream(account)?, position).await?.state)
    }

    /// Who has an address now, by its pseudonym; who was deleted has none.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn holder_of(&self, email: EmailKey) -> Result<Option<AccountId>, LoadError> {
        let claim = self.email_claims.view(&email_stream(email)?, true).await?;
        let Some(holder) = claim.state.holder else { return Ok(None) };
        let account = self.account_view(holder).await?.account;
        Ok(account.has_email(email).then_some(holder))
    }

    /// The members of an organization by the pseudonyms of their addresses; those whose address was erased are left out.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn members_by_address(
        &self,
        access: &Access,
    ) -> Result<BTreeMap<EmailKey, AccountId>, LoadError> {
        let mut access = access.clone();
        self.access.open(&mut access).await?;
        let members = access.members.iter().filter_map(|(account, member)| {
            let email = EmailAddress::parse(&member.contact.open()?.email).ok()?;
            Some((identity::email_key(self.sealer(), &email), *account))
        });
        Ok(members.collect())
    }

    /// How somebody is reached, opened; `None` where that was erased.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn contact(&self, contact: &Personal<Contact>) -> Result<Option<Contact>, LoadError> {
        let mut contact = contact.clone();
        self.accounts.open(&mut contact).await?;
        Ok(contact.open().cloned())
    }
}
