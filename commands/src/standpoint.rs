//! What a decision stands on beside the stream it is about: the organization's access, the actor's account, and the
//! access of whom they act for. Each is guarded by the append.

use std::sync::Arc;

use dossier_domain::access::Access;
use dossier_domain::account::{Account, AccountStatus, is_news};
use dossier_domain::{
    AccountId, ActingFor, Actor, Authority, Catalogue, CentreAccess, OrganizationId, Principal,
};
use dossier_eventlog::{Guard, Revision, StreamName};
use jiff::Timestamp;

use crate::commands::{AccessView, Commands, access_stream, stream_name};
use crate::error::LoadError;
use crate::request::ActsFor;

/// An account as it stood when it was asked for.
#[derive(Clone, Debug)]
pub struct AccountView {
    /// The state.
    pub account: Arc<Account>,
    /// Its revision; `None` when it has no event.
    pub revision: Option<Revision>,
}

/// What a principal's authority is computed from.
#[derive(Clone, Debug)]
pub struct Standpoint {
    account: AccountStatus,
    /// The actor's account, where it was looked at.
    seen: Option<Arc<Account>>,
    acting: Option<Acting>,
    guards: Vec<Guard>,
}

#[derive(Clone, Debug)]
struct Acting {
    organization: OrganizationId,
    own: Arc<Access>,
    centre: CentreAccess,
}

impl Standpoint {
    /// The organization that they act for, as the domain wants it.
    pub fn acting_for(&self) -> Option<ActingFor<'_>> {
        self.acting.as_ref().map(|acting| ActingFor {
            organization: &acting.organization,
            access: &acting.own,
            centre: acting.centre,
        })
    }

    /// The state of the actor's account.
    pub fn account(&self) -> AccountStatus {
        self.account
    }

    /// Whether the actor's sign-in says something of them as staff that their account does not tell yet.
    pub fn is_news_of(&self, actor: &Actor) -> bool {
        self.seen.as_ref().is_some_and(|account| is_news(account, actor))
    }

    /// The principal.
    pub fn principal<'a>(&'a self, actor: &'a Actor) -> Principal<'a> {
        Principal { actor, account: self.account, acting_for: self.acting_for() }
    }

    /// What the principal may do for an organization, or for none in particular.
    pub fn authority(
        &self,
        actor: &Actor,
        organization: Option<(&OrganizationId, &Access)>,
        now: Timestamp,
    ) -> Authority {
        let principal = self.principal(actor);
        match organization {
            Some((organization, access)) => Authority::towards(&principal, organization, access, now),
            None => Authority::across(&principal, now),
        }
    }

    /// What an append must guard.
    pub(crate) fn guards(&self) -> &[Guard] {
        &self.guards
    }
}

/// How new a standpoint must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// As cached: the append's guards check it.
    Cached,
    /// At least as new as anything acknowledged before the call.
    Current,
}

impl Commands {
    /// An account, at least as new as anything acknowledged before the call. Who has none has an empty one.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn account_view(&self, account: AccountId) -> Result<AccountView, LoadError> {
        self.account_as(account, Freshness::Current).await
    }

    /// What an actor's authority is computed from, for reads: at least as new as anything acknowledged before the call.
    /// `organization` is the one whose resource is asked for, with its access; `None`: all that the principal acts for.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn standpoint(
        &self,
        actor: &Actor,
        acts_for: Option<&ActsFor>,
        organization: Option<(&OrganizationId, &AccessView)>,
    ) -> Result<Standpoint, LoadError> {
        let account = self.account_view(actor.account).await?;
        self.stand(Some(account), actor, acts_for, organization, Freshness::Current).await
    }

    /// The same for reading while the log may be away: then the account as this process saw it last. Who acts for a
    /// reseller sees by others' leave, which may have been withdrawn meanwhile: they are not judged by what was seen last.
    ///
    /// # Errors
    /// [`LoadError`], also when this process has not seen the account yet.
    pub async fn standpoint_for_reading(
        &self,
        actor: &Actor,
        acts_for: Option<&ActsFor>,
        organization: Option<(&OrganizationId, &AccessView)>,
    ) -> Result<Standpoint, LoadError> {
        match self.standpoint(actor, acts_for, organization).await {
            Err(LoadError::Unavailable(why)) if acts_for.is_none() => {
                let folded = self.accounts.last_seen(&account_stream(actor.account)?);
                let account = folded.ok_or(LoadError::Unavailable(why))?.state.status();
                Ok(Standpoint { account, seen: None, acting: None, guards: Vec::new() })
            }
            known => known,
        }
    }

    /// The standpoint of a command on a stream. Where that is the actor's own account, its state is the command's matter.
    pub(crate) async fn standpoint_of(
        &self,
        stream: &StreamName,
        actor: &Actor,
        acts_for: Option<&ActsFor>,
        organization: Option<(&OrganizationId, &AccessView)>,
        freshness: Freshness,
    ) -> Result<Standpoint, LoadError> {
        let account = if *stream == account_stream(actor.account)? {
            None
        } else {
            Some(self.account_as(actor.account, freshness).await?)
        };
        // Nobody changes an organization's access for another one. That one's access is not looked at: its lock might be
        // held by a command that waits for this one.
        let foreign = |acts_for: &ActsFor| {
            stream.category() == "access"
                && organization.is_none_or(|(organization, _)| *organization != acts_for.organization)
        };
        if let Some(acts_for) = acts_for.filter(|acts_for| foreign(acts_for)) {
            let mut standpoint = self.stand(account, actor, None, organization, freshness).await?;
            standpoint.acting = Some(Acting {
                organization: acts_for.organization.clone(),
                own: Arc::default(),
                centre: CentreAccess::Closed,
            });
            return Ok(standpoint);
        }
        self.stand(account, actor, acts_for, organization, freshness).await
    }

    async fn stand(
        &self,
        account: Option<AccountView>,
        actor: &Actor,
        acts_for: Option<&ActsFor>,
        organization: Option<(&OrganizationId, &AccessView)>,
        freshness: Freshness,
    ) -> Result<Standpoint, LoadError> {
        let mut guards = Vec::new();
        if let Some(view) = &account {
            guards.push(Guard { stream: account_stream(actor.account)?, revision: view.revision });
        }
        let acting = match acts_for {
            None => None,
            Some(acts_for) => Some(self.acting(acts_for, organization, freshness, &mut guards).await?),
        };
        let seen = account.map(|view| view.account);
        let account = seen.as_ref().map_or(AccountStatus::Active, |account| account.status());
        Ok(Standpoint { account, seen, acting, guards })
    }

    async fn acting(
        &self,
        acts_for: &ActsFor,
        organization: Option<(&OrganizationId, &AccessView)>,
        freshness: Freshness,
        guards: &mut Vec<Guard>,
    ) -> Result<Acting, LoadError> {
        let reseller = &acts_for.organization;
        if let Some((_, view)) = organization.filter(|(organization, _)| *organization == reseller) {
            return Ok(Acting {
                organization: reseller.clone(),
                own: view.access.clone(),
                centre: CentreAccess::Open,
            });
        }
        let own = self.access_as(reseller, freshness).await?;
        guards.push(Guard { stream: access_stream(reseller)?, revision: own.revision });
        let customer = organization.map(|(_, view)| &*view.access);
        let mut centre = self.centre(reseller, &own, customer);
        for name in acts_for.entitled_customers.iter().take(MAX_ENTITLED_CUSTOMERS) {
            if centre == CentreAccess::Open {
                break;
            }
            let named = self.access_as(name, freshness).await?;
            centre = self.centre(reseller, &own, Some(&named.access));
            if centre == CentreAccess::Open {
                guards.push(Guard { stream: access_stream(name)?, revision: named.revision });
            }
        }
        Ok(Acting { organization: reseller.clone(), own: own.access, centre })
    }

    fn centre(&self, reseller: &OrganizationId, own: &AccessView, customer: Option<&Access>) -> CentreAccess {
        let catalogue: &Catalogue = self.catalogue();
        CentreAccess::of(reseller, &own.access, customer, catalogue, self.now())
    }

    async fn access_as(
        &self,
        organization: &OrganizationId,
        freshness: Freshness,
    ) -> Result<AccessView, LoadError> {
        match freshness {
            Freshness::Cached => self.cached_access_view(organization).await,
            Freshness::Current => self.access_view(organization).await,
        }
    }

    /// Never waits for whoever is changing the account: who asks may hold the lock of a stream that they wait for.
    async fn account_as(&self, account: AccountId, freshness: Freshness) -> Result<AccountView, LoadError> {
        let stream = account_stream(account)?;
        let view = self.accounts.view(&stream, freshness == Freshness::Current).await?;
        Ok(AccountView { account: view.state, revision: view.revision })
    }
}

/// How many named customers are looked up for one that has an eligible plan.
const MAX_ENTITLED_CUSTOMERS: usize = 5;

pub(crate) fn account_stream(account: AccountId) -> Result<StreamName, LoadError> {
    stream_name(&format!("account-{account}"))
}
