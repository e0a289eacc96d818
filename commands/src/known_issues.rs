//! Commands on known issues, what reactors do with the cases of those who are affected, and phone calls (R-KI-1..6).

use std::sync::Arc;

use dossier_domain::case::{
    CaseCommand, CaseRejection, CaseState, FileForKnownIssue, LinkKnownIssue, ProposeResolution,
    UnlinkKnownIssue,
};
use dossier_domain::known_issue::{
    self, AffectedUserJoined, KnownIssue, KnownIssueCommand, KnownIssueRejection, KnownIssueState, MeToo,
};
use dossier_domain::phone_call::{PhoneCall, PhoneCallRejection, RecordPhoneCall};
use dossier_domain::{AccountId, CaseId, KnownIssueId, OrganizationId, Personal, PhoneCallId, Subject};
use dossier_eventlog::{Guard, Revision, StreamName};

use crate::commands::{AccessSource, CaseOutcome, Commands, Outcome, case_stream, stream_name};
use crate::error::{CommandError, LoadError};
use crate::request::Request;

/// How often a 'me too' is decided again because the case has moved that was filed for it before.
const MAX_ATTEMPTS: usize = 10;

/// What a command on a known issue did.
pub type KnownIssueOutcome = Outcome<KnownIssueState>;
/// What recording a phone call did.
pub type PhoneCallOutcome = Outcome<PhoneCall>;

/// What is done with the case of somebody whom a known issue affects.
#[derive(Clone, Debug)]
pub enum LinkedCaseAct {
    /// File it, with what was written when they said so; its personal values may be sealed still.
    File(Box<AffectedUserJoined>),
    /// Link it again.
    Link,
    /// Take the link away.
    Unlink,
    /// Propose the issue's resolution, where it is resolved by now, still affects the user, and the case is filed and linked.
    ProposeResolution {
        /// The user.
        account: AccountId,
    },
}

impl Commands {
    /// A known issue, at least as new as anything acknowledged before the call.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn known_issue_view(&self, issue: KnownIssueId) -> Result<Arc<KnownIssueState>, LoadError> {
        Ok(self.known_issues.view(&known_issue_stream(issue)?, true).await?.state)
    }

    /// A known issue as it stood right after an event of its stream.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn known_issue_at(
        &self,
        issue: KnownIssueId,
        revision: Revision,
    ) -> Result<Arc<KnownIssueState>, LoadError> {
        let none = Revision(u64::MAX);
        Ok(self.known_issues.replay(&known_issue_stream(issue)?, none, revision).await?.0.state)
    }

    /// Executes a command on a known issue: of support without an organization, of a user (or of the system on behalf of one)
    /// with the one that they speak for. `issue` is `None` for suspecting one, which derives it. Where a user joins again, the
    /// case that was filed for them is loaded, and must not move before the answer is stored.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn known_issue(
        &self,
        request: &Request,
        organization: Option<&OrganizationId>,
        issue: Option<KnownIssueId>,
        command: &KnownIssueCommand,
    ) -> Result<KnownIssueOutcome, CommandError<KnownIssueRejection>> {
        let id = issue.unwrap_or_else(|| KnownIssueId::derived(request.command_id));
        let stream = known_issue_stream(id)?;
        let (KnownIssueCommand::MeToo(me_too), Some(organization)) = (command, organization) else {
            return self.on_known_issue(&stream, request, organization, command, &[]).await;
        };
        for _ in 0..MAX_ATTEMPTS {
            let state = self.known_issues.view(&stream, true).await?.state;
            let affected = state.suspected().map(|issue| &issue.affected);
            let joined = affected.and_then(|users| users.get(organization, request.actor.account));
            let (case, guards) = match joined {
                None => (CaseState::default(), Vec::new()),
                Some(user) => {
                    let view = self.case_view(organization, user.case).await?;
                    let guard = Guard { stream: case_stream(user.case)?, revision: view.revision };
                    (CaseState::clone(&view.state), vec![guard])
                }
            };
            let command = KnownIssueCommand::MeToo(Box::new(MeToo { case, ..MeToo::clone(me_too) }));
            match self.on_known_issue(&stream, request, Some(organization), &command, &guards).await {
                // Something happened to the case: what it is now decides.
                Err(CommandError::Contention) => {}
                answer => return answer,
            }
        }
        Err(CommandError::Contention)
    }

    async fn on_known_issue(
        &self,
        stream: &StreamName,
        request: &Request,
        organization: Option<&OrganizationId>,
        command: &KnownIssueCommand,
        guards: &[Guard],
    ) -> Result<KnownIssueOutcome, CommandError<KnownIssueRejection>> {
        let source = organization.map_or(AccessSource::None, AccessSource::Guarded);
        self.execute(&self.known_issues, stream, request, organization, source, guards, |state, context| {
            known_issue::decide(state, command, context)
        })
        .await
    }

    /// Does something with the case of somebody whom a known issue affects, as the issue is now; `None`: there is nothing to
    /// do, or not yet.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn linked_case(
        &self,
        request: &Request,
        organization: &OrganizationId,
        case: CaseId,
        issue: KnownIssueId,
        act: &LinkedCaseAct,
    ) -> Result<Option<CaseOutcome>, CommandError<CaseRejection>> {
        let command = match act {
            LinkedCaseAct::Link => CaseCommand::LinkKnownIssue(LinkKnownIssue { issue }),
            LinkedCaseAct::Unlink => CaseCommand::UnlinkKnownIssue(UnlinkKnownIssue { issue }),
            LinkedCaseAct::File(joined) => {
                let view = self.known_issue_view(issue).await?;
                let Some(issue) = view.published() else { return Ok(None) };
                let mut joined = AffectedUserJoined::clone(joined);
                self.known_issues.open(&mut joined).await?;
                CaseCommand::FileForKnownIssue(Box::new(filing(issue, joined)))
            }
            LinkedCaseAct::ProposeResolution { account } => {
                let view = self.known_issue_view(issue).await?;
                // Who said since that it does not affect them is to be unlinked, which may not be done yet.
                let concerns = |issue: &&KnownIssue| {
                    issue.affected.get(organization, *account).is_some_and(|user| user.affected)
                };
                let resolution = view.suspected().filter(concerns).and_then(resolution);
                let Some(command) = resolution else { return Ok(None) };
                // One that is not filed yet gets it when it is.
                if self.case_view(organization, case).await?.state.filed().is_none() {
                    return Ok(None);
                }
                command
            }
        };
        self.case(request, organization, Some(case), &command).await.map(Some)
    }

    /// Records a phone call (R-KI-2).
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn phone_call(
        &self,
        request: &Request,
        command: &RecordPhoneCall,
    ) -> Result<PhoneCallOutcome, CommandError<PhoneCallRejection>> {
        let stream = stream_name(&format!("phone_call-{}", PhoneCallId::derived(request.command_id)))?;
        let organization = command.organization.as_ref();
        let source = organization.map_or(AccessSource::None, AccessSource::Guarded);
        self.execute(&self.phone_calls, &stream, request, organization, source, &[], |state, context| {
            command.decide(state, context)
        })
        .await
    }
}

/// The case of a user, as they would have filed it: about what the issue's summary says.
fn filing(issue: &KnownIssue, joined: AffectedUserJoined) -> FileForKnownIssue {
    let summary = issue.publication.as_ref().and_then(|published| published.summary.open());
    let title = summary.cloned().unwrap_or_else(|| format!("Known issue {}", issue.id));
    let own = |text: String| Personal::new(Subject::account(joined.account), text);
    let said = joined.description.clone().filter(|said| said.open().is_some());
    let description = said
        .unwrap_or_else(|| own(format!("This known issue affects me: {title} (knownIssues/{})", issue.id)));
    FileForKnownIssue { issue: issue.id, title: own(title), description, joined }
}

fn resolution(issue: &KnownIssue) -> Option<CaseCommand> {
    let resolution = issue.resolution.as_ref()?;
    Some(CaseCommand::ProposeResolution(Box::new(ProposeResolution {
        issue: issue.id,
        text: resolution.text.clone(),
        author: resolution.author.clone(),
        outage_url: issue.publication.as_ref().and_then(|published| published.outage_url.clone()),
    })))
}

pub(crate) fn known_issue_stream(issue: KnownIssueId) -> Result<StreamName, LoadError> {
    stream_name(&format!("known_issue-{issue}"))
}
