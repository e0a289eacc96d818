//! Claiming a domain: the claim first, then what the organization's access says of it (R-ORG-1).

use dossier_domain::OrganizationId;
use dossier_domain::access::{AccessRejection, VerifyDomain};
use dossier_domain::address::DomainName;
use dossier_domain::domain_claim::{self, ClaimDomain, DomainClaim, DomainClaimCommand, ReleaseDomain};
use dossier_eventlog::{Guard, StreamName};

use crate::commands::{AccessSource, AccessView, Commands, Outcome, access_stream, stream_name};
use crate::error::{CommandError, LoadError};
use crate::request::Request;

/// What a command on a domain's claim did.
pub type DomainClaimOutcome = Outcome<DomainClaim>;

/// How often a claim is decided again because its holder moved.
const MAX_ROUNDS: usize = 3;

impl Commands {
    /// Claims a domain for an organization; the answer's state holds the challenge to publish. The claim that another
    /// organization did not complete may be taken over: its access is guarded then.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn claim_domain(
        &self,
        request: &Request,
        organization: &OrganizationId,
        domain: &DomainName,
    ) -> Result<DomainClaimOutcome, CommandError<AccessRejection>> {
        let stream = domain_stream(domain)?;
        for _ in 0..MAX_ROUNDS {
            let holder = self.domain_claims.view(&stream, true).await?.state.holder.clone();
            let mut guards = Vec::new();
            let mut holder_has_verified = false;
            if let Some(holder) = holder.filter(|holder| holder.organization != *organization) {
                let view = self.access_view(&holder.organization).await?;
                holder_has_verified = view.access.domains.contains(domain.as_str());
                guards.push(Guard { stream: access_stream(&holder.organization)?, revision: view.revision });
            }
            let command =
                DomainClaimCommand::Claim(ClaimDomain { domain: domain.clone(), holder_has_verified });
            let claimed = self.domain_claim(request, &stream, organization, &command, &guards).await;
            if !matches!(claimed, Err(CommandError::Contention)) {
                return claimed;
            }
        }
        Err(CommandError::Contention)
    }

    /// The organization that has verified a domain, with its access.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn organization_of_domain(
        &self,
        domain: &DomainName,
    ) -> Result<Option<(OrganizationId, AccessView)>, LoadError> {
        let claim = self.domain_claims.view(&domain_stream(domain)?, true).await?;
        let Some(holder) = claim.state.holder.clone() else { return Ok(None) };
        let view = self.access_view(&holder.organization).await?;
        let verified = view.access.domains.contains(domain.as_str());
        Ok(verified.then_some((holder.organization, view)))
    }

    /// Gives up a claim that is not verified.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn release_domain(
        &self,
        request: &Request,
        organization: &OrganizationId,
        domain: &DomainName,
    ) -> Result<DomainClaimOutcome, CommandError<AccessRejection>> {
        let command = DomainClaimCommand::Release(ReleaseDomain { domain: domain.clone() });
        self.domain_claim(request, &domain_stream(domain)?, organization, &command, &[]).await
    }

    /// Claims the domain that is to be verified, and answers what the verification must guard. A name that is none is
    /// left to the verification to refuse.
    pub(crate) async fn claim_to_verify(
        &self,
        request: &Request,
        organization: &OrganizationId,
        command: &VerifyDomain,
    ) -> Result<Vec<Guard>, CommandError<AccessRejection>> {
        let Ok(domain) = DomainName::parse(&command.domain) else { return Ok(Vec::new()) };
        self.claim_domain(&request.step("domain claim"), organization, &domain).await?;
        // Looked at again: a repeat is told that it once held the claim, which others may have taken over since.
        let stream = domain_stream(&domain)?;
        let claim = self.domain_claims.view(&stream, true).await?;
        if claim.state.holder.as_ref().is_none_or(|holder| holder.organization != *organization) {
            return Err(CommandError::Rejected(AccessRejection::DomainTaken { domain: domain.to_string() }));
        }
        Ok(vec![Guard { stream, revision: claim.revision }])
    }

    async fn domain_claim(
        &self,
        request: &Request,
        stream: &StreamName,
        organization: &OrganizationId,
        command: &DomainClaimCommand,
        guards: &[Guard],
    ) -> Result<DomainClaimOutcome, CommandError<AccessRejection>> {
        let source = AccessSource::Guarded(organization);
        self.execute(
            &self.domain_claims,
            stream,
            request,
            Some(organization),
            source,
            guards,
            |state, context| domain_claim::decide(state, command, context),
        )
        .await
    }
}

fn domain_stream(domain: &DomainName) -> Result<StreamName, LoadError> {
    stream_name(&format!("domain-{domain}"))
}
