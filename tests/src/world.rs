//! People and organizations beside those of the sample data, made by the same commands that everybody uses, and projectors
//! that are held back.

mod held;
mod messages;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dossier_api::sign_in::dev_issuer::DEV_ISSUER;
use dossier_commands::{AccessOutcome, CommandError, identity};
use dossier_domain::access::{
    AccessCommand, AccessRejection, AddMember, AllowResellerAccess, ChangeMember, EndEntitlement,
    GrantEntitlement, RegisterOrganization, RemoveMember, TransferManagement, VerifyDomain,
    WithdrawResellerAccess,
};
use dossier_domain::account::{
    AccountCommand, DeactivateAccount, OpenAccount, Provisioning, ReactivateAccount, SignIn,
};
use dossier_domain::account_recovery::{AccountRecoveryCommand, RequestAccountRecovery};
use dossier_domain::address::EmailAddress;
use dossier_domain::{AccountStatus, OrganizationId, Personal, PlanId, ProductId, Role};
use dossier_eventlog::Position;
use jiff::Timestamp;

use crate::people::OPERATOR;
use crate::server::Server;

pub use held::HeldProjectors;

/// Numbers of the commands made here, far from those that tests give themselves.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// How long a change waits for the read models.
const OWN_WRITES_PATIENCE: Duration = Duration::from_millis(500);

fn number() -> u128 {
    (1 << 100) + u128::from(NUMBERS.fetch_add(1, Ordering::Relaxed))
}

/// An organization's id.
pub fn organization(name: &str) -> OrganizationId {
    OrganizationId::new(name).expect("an organization's id")
}

/// A product's id.
pub fn product(name: &str) -> ProductId {
    ProductId::new(name).expect("a product's id")
}

fn plan(name: &str) -> PlanId {
    PlanId::new(name).expect("a plan's id")
}

fn by_product<T>(roles: &[(&str, T)]) -> BTreeMap<ProductId, T>
where
    T: Copy,
{
    roles.iter().map(|(name, role)| (product(name), *role)).collect()
}

impl Server {
    /// Has somebody change an organization's access.
    ///
    /// # Errors
    /// What the business refuses.
    pub async fn change_access(
        &self,
        who: &str,
        name: &str,
        command: AccessCommand,
    ) -> Result<AccessOutcome, CommandError<AccessRejection>> {
        self.app().commands.access(&self.request(who, number()), &organization(name), &command).await
    }

    async fn have(&self, who: &str, name: &str, command: AccessCommand) -> Position {
        let done = self.change_access(who, name, command).await;
        done.unwrap_or_else(|error| panic!("{who} at {name}: {error}")).folded.position
    }

    /// Has somebody do it, and waits for the read models as the answer to a request does.
    async fn have_shown(&self, who: &str, name: &str, command: AccessCommand) {
        let position = self.have(who, name, command).await;
        let _ = self.app().read_models.wait_for(position, OWN_WRITES_PATIENCE).await;
    }

    /// Registers an organization with the domain `{name}.example`.
    pub async fn register(&self, name: &str, reseller: bool) {
        let register = RegisterOrganization {
            organization: organization(name),
            display_name: name.to_owned(),
            country: "FR".to_owned(),
            language: "en".to_owned(),
            reseller,
            technical_contact: None,
        };
        self.have_shown(OPERATOR, name, AccessCommand::RegisterOrganization(register)).await;
        let verify = VerifyDomain { domain: format!("{name}.example") };
        self.have_shown(OPERATOR, name, AccessCommand::VerifyDomain(verify)).await;
    }

    /// Opens the account of somebody with an address in a domain of the organization, as its directory would.
    pub async fn open_account(&self, name: &str, email: &str) {
        let actor = self.actor(email);
        let sign_in = SignIn { issuer: DEV_ISSUER.to_owned(), subject: email.to_owned() };
        let address = EmailAddress::parse(email).expect("an address");
        let open = OpenAccount {
            provisioning: Provisioning::Directory,
            sign_in: Personal::new(actor.contact.subject().clone(), sign_in),
            contact: actor.contact,
            email: identity::email_key(self.app().commands.sealer(), &address),
        };
        self.change_account(name, email, AccountCommand::Open(open)).await;
    }

    /// Deactivates somebody's account, or makes it active again.
    pub async fn set_active(&self, name: &str, email: &str, active: bool) {
        let command = if active {
            AccountCommand::Reactivate(ReactivateAccount {})
        } else {
            AccountCommand::Deactivate(DeactivateAccount {})
        };
        self.change_account(name, email, command).await;
    }

    async fn change_account(&self, name: &str, email: &str, command: AccountCommand) {
        let (request, account) = (self.request(OPERATOR, number()), self.actor(email).account);
        let done = self.app().commands.account(&request, &organization(name), account, &command).await;
        let position = done.unwrap_or_else(|error| panic!("the account of {email}: {error}")).folded.position;
        let _ = self.app().read_models.wait_for(position, OWN_WRITES_PATIENCE).await;
    }

    /// Opens somebody's account and gives them access, at once or from an instant on.
    pub async fn employ(&self, name: &str, email: &str, roles: &[(&str, Role)], from: Option<Timestamp>) {
        self.open_account(name, email).await;
        self.add_member(name, email, roles, from).await;
    }

    /// Gives somebody with an account access.
    pub async fn add_member(&self, name: &str, email: &str, roles: &[(&str, Role)], from: Option<Timestamp>) {
        let actor = self.actor(email);
        let add = AddMember {
            account: actor.account,
            account_status: AccountStatus::Active,
            contact: actor.contact,
            roles: by_product(roles),
            effective_at: from,
        };
        self.have_shown(OPERATOR, name, AccessCommand::AddMember(add)).await;
    }

    /// Sets somebody's roles on products; `None` takes one away.
    pub async fn change_member(&self, name: &str, email: &str, roles: &[(&str, Option<Role>)]) {
        let change = ChangeMember {
            account: self.actor(email).account,
            roles: by_product(roles),
            support_privilege: None,
        };
        self.have_shown(OPERATOR, name, AccessCommand::ChangeMember(change)).await;
    }

    /// Removes somebody.
    pub async fn remove_member(&self, name: &str, email: &str) {
        let remove = RemoveMember { account: self.actor(email).account };
        self.have_shown(OPERATOR, name, AccessCommand::RemoveMember(remove)).await;
    }

    /// Gives an organization a plan, from long ago on.
    pub async fn entitle(&self, name: &str, for_product: &str, plan_name: &str, until: Option<Timestamp>) {
        let grant = GrantEntitlement {
            product: product(for_product),
            plan: plan(plan_name),
            from: Timestamp::UNIX_EPOCH,
            until,
        };
        self.have_shown(OPERATOR, name, AccessCommand::GrantEntitlement(grant)).await;
    }

    /// Ends a plan, at once or from an instant on.
    pub async fn end_plan(&self, name: &str, of_product: &str, plan_name: &str, until: Option<Timestamp>) {
        let end = EndEntitlement { product: product(of_product), plan: plan(plan_name), until };
        self.have_shown(OPERATOR, name, AccessCommand::EndEntitlement(end)).await;
    }

    /// Has somebody ask for their account back; answers the recovery's id.
    pub async fn ask_for_recovery(&self, email: &str) -> String {
        let ask = AccountRecoveryCommand::Request(RequestAccountRecovery {
            email: email.to_owned(),
            description: "I cannot sign in.".to_owned(),
            language: "en".to_owned(),
        });
        let asked = self.app().commands.account_recovery(&self.request(email, number()), None, &ask).await;
        let asked = asked.unwrap_or_else(|error| panic!("the recovery for {email}: {error}"));
        asked.folded.state.requested().expect("what was asked").recovery.to_string()
    }

    /// Hands a customer to a reseller, or makes it direct.
    pub async fn transfer(&self, customer: &str, manager: Option<&str>) {
        let transfer = TransferManagement { manager: manager.map(organization) };
        self.have_shown(OPERATOR, customer, AccessCommand::TransferManagement(transfer)).await;
    }

    /// Has somebody let the managing reseller in: an owner of the customer in the centre, the operator in account
    /// management.
    pub async fn allow(&self, who: &str, customer: &str, reseller: &str) {
        let allow = AllowResellerAccess { reseller: organization(reseller) };
        self.have_shown(who, customer, AccessCommand::AllowResellerAccess(allow)).await;
    }

    /// Has somebody withdraw it. Once this returns, it is acknowledged; no read model need know of it yet.
    pub async fn withdraw(&self, who: &str, customer: &str, reseller: &str) {
        let withdraw = WithdrawResellerAccess { reseller: organization(reseller) };
        self.have(who, customer, AccessCommand::WithdrawResellerAccess(withdraw)).await;
    }
}
