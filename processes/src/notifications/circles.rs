//! Loading what decides who is told of a case: the states around it, as they stood at an event or as they are now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dossier_commands::{AccessView, Commands, LoadError, identity};
use dossier_domain::access::Access;
use dossier_domain::account::Account;
use dossier_domain::address::EmailAddress;
use dossier_domain::case::{Case, CaseState};
use dossier_domain::known_issue::KnownIssue;
use dossier_domain::notification::{
    Circle, Directory, IssueCircle, Person, Reason, Recipient, Reseller, Withheld,
};
use dossier_domain::{AccountId, AccountStatus, CentreAccess, Contact, EmailKey, OrganizationId, Personal};
use dossier_eventlog::{Position, Revision};
use dossier_projections::organizations::OrganizationQueries;
use jiff::Timestamp;

/// How many customers with a plan are looked at for a reseller that has none itself (R-RES-6).
const ENTITLED_CUSTOMERS: u32 = 5;
/// Of so many organizations it is remembered who signs in with which address.
const REMEMBERED_ORGANIZATIONS: usize = 100;

/// At which state of the log something is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AsOf {
    /// By the events up to a position, inclusive.
    Position(Position),
    /// By all that was acknowledged before the call.
    Now,
}

/// An organization's access, and that of the reseller that manages it.
#[derive(Clone, Debug)]
pub(super) struct OrganizationAt {
    /// The organization.
    pub(super) organization: OrganizationId,
    access: AccessView,
    reseller: Option<(OrganizationId, AccessView, CentreAccess)>,
    /// The instant.
    pub(super) at: Timestamp,
    as_of: AsOf,
}

impl OrganizationAt {
    /// Its access.
    pub(super) fn access(&self) -> &Access {
        &self.access.access
    }

    /// The reseller that manages it, as the domain wants it.
    pub(super) fn reseller(&self) -> Option<Reseller<'_>> {
        self.reseller.as_ref().map(|(organization, view, centre)| Reseller {
            organization,
            access: &view.access,
            centre: *centre,
        })
    }
}

/// The states around a case.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    /// The case.
    pub(super) case: Case,
    /// Whose it is.
    pub(super) whose: OrganizationAt,
}

impl Surroundings {
    /// Everything that decides who may be told.
    pub(super) fn circle(&self) -> Circle<'_> {
        let Self { case, whose } = self;
        Circle { case, access: whose.access(), reseller: whose.reseller(), at: whose.at }
    }
}

/// Members of an organization by the pseudonyms of their addresses.
type Addresses = Arc<BTreeMap<EmailKey, AccountId>>;

/// Loads them.
pub(super) struct Circles {
    commands: Arc<Commands>,
    /// Knows customers of a reseller; `None` in tests that have no read models.
    organizations: Option<OrganizationQueries>,
    remembered: Mutex<BTreeMap<(OrganizationId, Option<Revision>), Addresses>>,
}

impl Circles {
    pub(super) fn new(commands: Arc<Commands>, organizations: Option<OrganizationQueries>) -> Self {
        Self { commands, organizations, remembered: Mutex::default() }
    }

    pub(super) fn commands(&self) -> &Commands {
        &self.commands
    }

    /// The states around a case at an instant; `None` where there is none.
    pub(super) async fn around(
        &self,
        case: &CaseState,
        as_of: AsOf,
        at: Timestamp,
    ) -> Result<Option<Surroundings>, LoadError> {
        let Some(case) = case.filed().cloned() else { return Ok(None) };
        let whose = self.organization(&case.organization, as_of, at).await?;
        Ok(Some(Surroundings { case, whose }))
    }

    /// An organization as it stood at an instant.
    pub(super) async fn organization(
        &self,
        organization: &OrganizationId,
        as_of: AsOf,
        at: Timestamp,
    ) -> Result<OrganizationAt, LoadError> {
        let access = self.access(organization, as_of).await?;
        let reseller = match access.access.manager() {
            None => None,
            Some(manager) => {
                let own = self.access(manager, as_of).await?;
                let centre = self.centre(manager, &own.access, &access.access, as_of, at).await?;
                Some((manager.clone(), own, centre))
            }
        };
        Ok(OrganizationAt { organization: organization.clone(), access, reseller, at, as_of })
    }

    /// A known issue and an organization whose people it affects.
    pub(super) fn issue_circle<'a>(
        &'a self,
        issue: &'a KnownIssue,
        whose: &'a OrganizationAt,
    ) -> IssueCircle<'a> {
        IssueCircle {
            issue,
            organization: &whose.organization,
            access: whose.access(),
            reseller: whose.reseller(),
            catalogue: self.commands.catalogue(),
            at: whose.at,
        }
    }

    /// Everybody who is concerned by a case, and who did something to it.
    pub(super) async fn directory(&self, around: &Surroundings) -> Result<Directory, LoadError> {
        let mut directory = Directory::default();
        let (case, circle, as_of) = (&around.case, around.circle(), around.whose.as_of);
        for address in &case.subscribers {
            self.know_address(&mut directory, address, around).await?;
        }
        let owners = circle.access.members.keys().copied();
        let owners = owners
            .filter(|account| circle.access.is_effective_owner(*account, &case.product, around.whose.at));
        let filer = case.filer.subject().account_id();
        // Owners are told only in the place of a reseller's filer.
        for account in owners.filter(|_| case.filed_by_reseller().is_some()).chain(filer).collect::<Vec<_>>()
        {
            self.know_account(&mut directory, account, as_of).await?;
        }
        Ok(directory)
    }

    /// Whether somebody may still be told of a case, by all that holds now (R-NOTIFY-3).
    pub(super) async fn check(
        &self,
        around: &Surroundings,
        recipient: &Recipient,
        reason: Reason,
    ) -> Result<Result<(), Withheld>, LoadError> {
        let (circle, as_of) = (around.circle(), around.whose.as_of);
        let mut directory = Directory::default();
        match recipient {
            Recipient::Account(account) => self.know_account(&mut directory, *account, as_of).await?,
            Recipient::Address(address) => self.know_address(&mut directory, address, around).await?,
        }
        let Some((key, address)) = directory.keys(recipient) else {
            return Ok(Err(Withheld::UnverifiedAddress));
        };
        let account = directory.account_of(key);
        Ok(circle.check(&Person { recipient, reason, key, address, account: account.as_deref() }))
    }

    /// Whether a machine of somebody may be told of a case (R-NOTIFY-3).
    pub(super) async fn check_machine_of(
        &self,
        around: &Surroundings,
        person: AccountId,
    ) -> Result<Result<(), Withheld>, LoadError> {
        let account = self.account(person, around.whose.as_of).await?;
        Ok(around.circle().check_machine_of(person, &account))
    }

    /// The address that an account signs in with, as far as is known: of the account, or of a member for whom none was opened.
    pub(super) async fn sign_in_address(
        &self,
        account: AccountId,
        known: &Account,
        whose: &OrganizationAt,
    ) -> Result<Option<Contact>, LoadError> {
        if let Some(opened) = known.opened() {
            let active = known.status() == AccountStatus::Active;
            return Ok(opened.contact.open().filter(|_| active).cloned());
        }
        let reseller = whose.reseller().map(|reseller| reseller.access);
        for access in [Some(whose.access()), reseller].into_iter().flatten() {
            if let Some(member) = access.members.get(&account) {
                return self.commands.contact(&member.contact).await;
            }
        }
        Ok(None)
    }

    /// How somebody is shown to an organization who did something, by the id of their account: one of its people, or of its
    /// reseller's. Support has no name here.
    pub(super) async fn person(
        &self,
        account: &str,
        whose: &OrganizationAt,
    ) -> Result<Option<Contact>, LoadError> {
        let Ok(account) = account.parse::<AccountId>() else { return Ok(None) };
        let reseller = whose.reseller().map(|reseller| reseller.access);
        for access in [Some(whose.access()), reseller].into_iter().flatten() {
            if let Some(member) = access.members.get(&account) {
                return self.commands.contact(&member.contact).await;
            }
        }
        Ok(None)
    }

    /// Whom a customer with a partner turns to (R-KI-7): the managing reseller, with its technical contact where it has one.
    pub(super) async fn partner(&self, whose: &OrganizationAt) -> Result<Option<String>, LoadError> {
        let Some(reseller) = whose.reseller() else { return Ok(None) };
        let Some(registration) = &reseller.access.registration else { return Ok(None) };
        let contact = match &reseller.access.technical_contact {
            Some(contact) => self.commands.contact(contact).await?,
            None => None,
        };
        let name = &registration.display_name;
        Ok(Some(contact.map_or_else(|| name.clone(), |contact| format!("{name}, {}", contact.email))))
    }

    async fn access(&self, organization: &OrganizationId, as_of: AsOf) -> Result<AccessView, LoadError> {
        match as_of {
            AsOf::Position(position) => self.commands.access_at(organization, position).await,
            AsOf::Now => self.commands.access_view(organization).await,
        }
    }

    /// An account.
    pub(super) async fn account(&self, account: AccountId, as_of: AsOf) -> Result<Arc<Account>, LoadError> {
        match as_of {
            AsOf::Position(position) => self.commands.account_until(account, position).await,
            AsOf::Now => Ok(self.commands.account_view(account).await?.account),
        }
    }

    /// Whether a reseller may use the centre (R-RES-6): the customers that a read model names are looked up in the log.
    async fn centre(
        &self,
        reseller: &OrganizationId,
        own: &Access,
        customer: &Access,
        as_of: AsOf,
        at: Timestamp,
    ) -> Result<CentreAccess, LoadError> {
        let catalogue = self.commands.catalogue();
        let mut centre = CentreAccess::of(reseller, own, [customer], catalogue, at);
        let (CentreAccess::Closed, Some(organizations)) = (centre, &self.organizations) else {
            return Ok(centre);
        };
        let products = catalogue.products.iter();
        let eligible: Vec<_> = products
            .flat_map(|product| product.eligible_plans.iter().map(|plan| (product.id.clone(), plan.clone())))
            .collect();
        let named = organizations.entitled_customers(reseller, &eligible, at, ENTITLED_CUSTOMERS).await;
        for row in named.map_err(|error| LoadError::Unavailable(error.to_string()))? {
            let Ok(organization) = OrganizationId::new(&row.organization) else { continue };
            let named = self.access(&organization, as_of).await?;
            centre = CentreAccess::of(reseller, own, [&*named.access], catalogue, at);
            if centre == CentreAccess::Open {
                break;
            }
        }
        Ok(centre)
    }

    async fn know_account(
        &self,
        directory: &mut Directory,
        account: AccountId,
        as_of: AsOf,
    ) -> Result<(), LoadError> {
        let known = self.account(account, as_of).await?;
        directory.accounts.insert(account, known);
        Ok(())
    }

    /// Who signs in with an address: by the claim of the address, else a member for whom no account was opened.
    async fn know_address(
        &self,
        directory: &mut Directory,
        address: &Personal<String>,
        around: &Surroundings,
    ) -> Result<(), LoadError> {
        let Some(address) = address.open().and_then(|address| EmailAddress::parse(address).ok()) else {
            return Ok(());
        };
        let key = identity::email_key(self.commands.sealer(), &address);
        directory.addresses.insert(address.canonical().to_owned(), key);
        let mut holder = self.commands.holder_of(key).await?;
        let whose = &around.whose;
        let reseller = whose.reseller.as_ref().map(|(organization, view, _)| (organization, view));
        let customer = (&whose.organization, &whose.access);
        for (organization, view) in [customer].into_iter().chain(reseller) {
            let domain = address.domain().as_str();
            if holder.is_none() && view.access.domains.contains(domain) {
                holder = self.members(organization.clone(), view).await?.get(&key).copied();
            }
        }
        if let Some(holder) = holder {
            directory.holders.insert(key, holder);
            self.know_account(directory, holder, whose.as_of).await?;
        }
        Ok(())
    }

    async fn members(&self, organization: OrganizationId, view: &AccessView) -> Result<Addresses, LoadError> {
        let key = (organization, view.revision);
        if let Some(known) = self.remembered().get(&key) {
            return Ok(known.clone());
        }
        let members = Arc::new(self.commands.members_by_address(&view.access).await?);
        let mut remembered = self.remembered();
        // What was remembered of earlier revisions is of no more use.
        remembered.retain(|(organization, _), _| *organization != key.0);
        if remembered.len() >= REMEMBERED_ORGANIZATIONS {
            remembered.pop_first();
        }
        remembered.insert(key, members.clone());
        Ok(members)
    }

    fn remembered(
        &self,
    ) -> std::sync::MutexGuard<'_, BTreeMap<(OrganizationId, Option<Revision>), Addresses>> {
        self.remembered.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
