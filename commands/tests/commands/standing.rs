//! Who stands how when a command is decided: accounts, claims, and acting for a reseller; never on anything stale.

use dossier_commands::ActsFor;
use dossier_domain::access::{AllowResellerAccess, EndEntitlement, RemoveMember, WithdrawResellerAccess};
use dossier_domain::account::{
    AccountCommand, ChangeContact, DeactivateAccount, OpenAccount, Provisioning, ReactivateAccount, SignIn,
};
use dossier_domain::address::{DomainName, EmailAddress};
use dossier_domain::{AccountId, Side};

use super::*;

#[path = "resellers.rs"]
mod resellers;

const OPERATOR: &str = "operator@support.example";

fn organization(name: &str) -> OrganizationId {
    OrganizationId::new(name).unwrap()
}

fn compute() -> ProductId {
    ProductId::new("compute").unwrap()
}

fn reason<A: dossier_domain::Aggregate, R: std::error::Error>(
    result: Result<dossier_commands::Outcome<A>, CommandError<R>>,
    of: impl Fn(&R) -> &'static str,
) -> Result<usize, &'static str> {
    match result {
        Ok(outcome) => Ok(outcome.events.len()),
        Err(CommandError::Rejected(rejection)) => Err(of(&rejection)),
        Err(other) => panic!("{other}"),
    }
}

impl World {
    async fn administer(
        &self,
        commands: &Commands,
        who: &str,
        number: u128,
        name: &str,
        command: AccessCommand,
    ) -> Result<usize, &'static str> {
        let result = commands.access(&self.request(who, number), &organization(name), &command).await;
        reason(result, dossier_domain::access::AccessRejection::reason)
    }

    async fn register(&self, number: u128, name: &str, reseller: bool) {
        let register = AccessCommand::RegisterOrganization(RegisterOrganization {
            organization: organization(name),
            display_name: name.to_owned(),
            country: "FR".to_owned(),
            language: "fr".to_owned(),
            reseller,
            technical_contact: None,
        });
        self.administer(&self.commands, OPERATOR, number, name, register).await.unwrap();
    }

    async fn verify(
        &self,
        commands: &Commands,
        number: u128,
        name: &str,
        domain: &str,
    ) -> Result<usize, &'static str> {
        let command = AccessCommand::VerifyDomain(VerifyDomain { domain: domain.to_owned() });
        self.administer(commands, OPERATOR, number, name, command).await
    }

    /// Nimbus, a reseller with nina, that manages acme and is let in.
    async fn with_nimbus(&self) {
        self.register(2_000, "nimbus", true).await;
        self.verify(&self.commands, 2_001, "nimbus", "nimbus.example").await.unwrap();
        let nina = self.actor("nina@nimbus.example");
        let add = AccessCommand::AddMember(AddMember {
            account: nina.account,
            account_status: AccountStatus::Unknown,
            contact: nina.contact,
            roles: BTreeMap::from([(compute(), Role::Owner)]),
            effective_at: None,
        });
        self.administer(&self.commands, OPERATOR, 2_002, "nimbus", add).await.unwrap();
        let nimbus = organization("nimbus");
        let transfer = TransferManagement { manager: Some(nimbus.clone()) };
        let transfer = AccessCommand::TransferManagement(transfer);
        self.administer(&self.commands, OPERATOR, 2_003, "acme", transfer).await.unwrap();
        let allow = AccessCommand::AllowResellerAccess(AllowResellerAccess { reseller: nimbus });
        self.administer(&self.commands, "alice@acme.example", 2_004, "acme", allow).await.unwrap();
    }

    fn for_nimbus(&self, who: &str, number: u128) -> Request {
        let acting_for =
            Some(ActsFor { organization: organization("nimbus"), entitled_customers: Vec::new() });
        Request { acting_for, ..self.request(who, number) }
    }

    async fn file_for(&self, commands: &Commands, who: &str, number: u128) -> Result<usize, &'static str> {
        let result = commands.case(&self.for_nimbus(who, number), &acme(), None, &self.file()).await;
        reason(result, dossier_domain::case::CaseRejection::reason)
    }

    fn account_command(&self, who: &str, email: &str, opens: bool) -> (AccountId, AccountCommand) {
        let actor = self.actor(who);
        let subject = actor.contact.subject().clone();
        let contact =
            Personal::new(subject.clone(), Contact { email: email.to_owned(), display_name: who.to_owned() });
        let email = identity::email_key(&self.sealer, &EmailAddress::parse(email).unwrap());
        let command = if opens {
            let sign_in = SignIn { issuer: "https://issuer.example".to_owned(), subject: who.to_owned() };
            AccountCommand::Open(OpenAccount {
                provisioning: Provisioning::Directory,
                sign_in: Personal::new(subject, sign_in),
                contact,
                email,
            })
        } else {
            AccountCommand::ChangeContact(ChangeContact { contact, email })
        };
        (actor.account, command)
    }

    async fn on_account(
        &self,
        as_whom: &str,
        number: u128,
        account: AccountId,
        command: &AccountCommand,
    ) -> Result<usize, &'static str> {
        let result = self.commands.account(&self.request(as_whom, number), &acme(), account, command).await;
        reason(result, dossier_domain::account::AccountRejection::reason)
    }

    async fn open(&self, number: u128, who: &str, email: &str) -> Result<usize, &'static str> {
        let (account, command) = self.account_command(who, email, true);
        self.on_account(OPERATOR, number, account, &command).await
    }

    async fn found(&self, email: &str) -> Option<AccountId> {
        let email = EmailAddress::parse(email).unwrap();
        self.commands.find_account(&email).await.unwrap().map(|(account, _)| account)
    }

    async fn count(&self, event_type: &str) -> usize {
        self.events().await.iter().filter(|event| &*event.event_type == event_type).count()
    }
}

/// R-ORG-1: two organizations claim one domain at once.
#[tokio::test]
async fn r_org_1_of_two_organizations_that_claim_one_domain_at_once_one_has_it() {
    let world = World::new().await;
    world.register(1, "initech", false).await;
    let (one, other) = (world.restarted(), world.restarted());
    let (acme, initech) = tokio::join!(
        world.verify(&one, 2, "acme", "Shared.example"),
        world.verify(&other, 3, "initech", "shared.example"),
    );
    let mut results = [acme, initech];
    results.sort_unstable();
    assert_eq!(results, [Ok(1), Err("DOMAIN_TAKEN")]);
    // The claims of acme's first domain and of this one.
    assert_eq!((world.count("DomainClaimed").await, world.count("DomainVerified").await), (2, 2));
}

/// R-ORG-1: what completes a half-done pair.
#[tokio::test]
async fn r_org_1_verifying_completes_a_claim_whose_second_half_never_came_and_repeating_adds_nothing() {
    let world = World::new().await;
    let domain = DomainName::parse("new.example").unwrap();
    let request = world.request("alice@acme.example", 1);
    let claimed = world.commands.claim_domain(&request, &acme(), &domain).await.unwrap();
    assert!(!claimed.folded.state.holder.as_ref().unwrap().challenge.is_empty());
    assert_eq!(world.verify(&world.restarted(), 2, "acme", "NEW.example").await, Ok(1));
    let before = world.events().await.len();
    let again = AccessCommand::VerifyDomain(VerifyDomain { domain: "NEW.example".to_owned() });
    let again = world.restarted().access(&world.request(OPERATOR, 2), &acme(), &again).await.unwrap();
    assert!(again.replayed);
    assert_eq!(world.events().await.len(), before);
}

/// R-ORG-1.
#[tokio::test]
async fn r_org_1_a_claim_left_for_seven_days_is_taken_over_unless_it_was_verified() {
    let world = World::new().await;
    world.register(1, "initech", false).await;
    let domain = DomainName::parse("new.example").unwrap();
    world.commands.claim_domain(&world.request("alice@acme.example", 2), &acme(), &domain).await.unwrap();
    world.second.store(7 * 24 * 3600 - 1, Ordering::Relaxed);
    assert_eq!(world.verify(&world.commands, 3, "initech", "new.example").await, Err("DOMAIN_TAKEN"));
    world.second.store(7 * 24 * 3600, Ordering::Relaxed);
    assert_eq!(world.verify(&world.commands, 3, "initech", "new.example").await, Ok(1));
    assert_eq!(world.verify(&world.commands, 4, "acme", "new.example").await, Err("DOMAIN_TAKEN"));
    assert_eq!(world.verify(&world.commands, 5, "initech", "acme.example").await, Err("DOMAIN_TAKEN"));
}

/// R-ORG-1.
#[tokio::test]
async fn r_org_1_a_verification_repeated_after_its_claim_was_taken_over_is_refused() {
    let world = World::new().await;
    world.register(1, "initech", false).await;
    // The first half of the operator's command 2; the second never came.
    let domain = DomainName::parse("new.example").unwrap();
    let command_id = world.request(OPERATOR, 2).command_id.step("domain claim");
    let first_half = Request { command_id, ..world.request(OPERATOR, 2) };
    world.commands.claim_domain(&first_half, &acme(), &domain).await.unwrap();
    world.second.store(7 * 24 * 3600, Ordering::Relaxed);
    assert_eq!(world.verify(&world.commands, 3, "initech", "new.example").await, Ok(1));
    assert_eq!(world.verify(&world.restarted(), 2, "acme", "new.example").await, Err("DOMAIN_TAKEN"));
}

#[tokio::test]
async fn an_account_is_found_by_its_address_however_it_is_written_and_an_address_has_one_account() {
    let world = World::new().await;
    assert_eq!(world.found("erin@acme.example").await, None);
    assert_eq!(world.open(1, "erin", "Erin@acme.example").await, Ok(1));
    let erin = world.actor("erin").account;
    for email in ["erin@acme.example", "ERIN+x@Acme.Example"] {
        assert_eq!(world.found(email).await, Some(erin), "{email}");
    }
    let before = world.events().await.len();
    assert_eq!(world.open(2, "mallory", "erin+other@acme.example").await, Err("EMAIL_TAKEN"));
    assert_eq!(world.open(3, "erin", "erin@acme.example").await, Err("ACCOUNT_ALREADY_OPEN"));
    assert_eq!(world.events().await.len(), before, "a refusal leaves nothing");
}

#[tokio::test]
async fn a_change_of_address_moves_the_claim_and_the_old_address_is_free() {
    let world = World::new().await;
    world.open(1, "erin", "erin@acme.example").await.unwrap();
    let (erin, change) = world.account_command("erin", "smith@acme.example", false);
    // By oneself, at a sign-in that brings another address.
    assert_eq!(world.on_account("erin", 2, erin, &change).await, Ok(1));
    assert_eq!(world.found("erin@acme.example").await, None);
    assert_eq!(world.count("EmailReleased").await, 1);
    assert_eq!(world.found("smith@acme.example").await, Some(erin));
    assert_eq!(world.open(3, "frank", "erin@acme.example").await, Ok(1));
    let (_, back) = world.account_command("erin", "erin@acme.example", false);
    assert_eq!(world.on_account("erin", 4, erin, &back).await, Err("EMAIL_TAKEN"));
    // The first command again: nothing new.
    let before = world.events().await.len();
    world.on_account("erin", 2, erin, &change).await.unwrap();
    assert_eq!(world.events().await.len(), before);
}

#[tokio::test]
async fn of_two_accounts_that_claim_one_address_at_once_one_has_it() {
    let world = World::new().await;
    let (one, other) = (world.restarted(), world.restarted());
    let (erin, open_erin) = world.account_command("erin", "team@acme.example", true);
    let (frank, open_frank) = world.account_command("frank", "team@acme.example", true);
    let (first, second) = (world.request(OPERATOR, 1), world.request(OPERATOR, 2));
    let here = acme();
    let (erins, franks) = tokio::join!(
        one.account(&first, &here, erin, &open_erin),
        other.account(&second, &here, frank, &open_frank),
    );
    assert!(erins.is_ok() != franks.is_ok(), "{erins:?} {franks:?}");
    assert_eq!(world.count("AccountOpened").await, 1);
    let holder = if erins.is_ok() { erin } else { frank };
    assert_eq!(world.found("team@acme.example").await, Some(holder));
}

#[tokio::test]
async fn who_may_not_open_an_account_claims_no_address() {
    let world = World::new().await;
    let before = world.events().await.len();
    let (account, command) = world.account_command("erin", "erin@acme.example", true);
    assert_eq!(world.on_account("alice@acme.example", 1, account, &command).await, Err("NOT_FOR_YOU"));
    assert_eq!(world.on_account("erin", 2, account, &command).await, Err("NOT_A_MEMBER"));
    assert_eq!(world.events().await.len(), before);
}

#[tokio::test]
async fn a_deactivated_account_is_out_at_once_on_a_node_that_has_not_heard_of_it_too() {
    let world = World::new().await;
    let alice = "alice@acme.example";
    world.open(10, alice, alice).await.unwrap();
    let case = world.filed().await;
    let stale = world.restarted();
    stale.case(&world.request(alice, 2), &acme(), Some(case), &world.comment("warm")).await.unwrap();
    let account = world.actor(alice).account;
    let out = AccountCommand::Deactivate(DeactivateAccount {});
    assert_eq!(world.on_account(OPERATOR, 3, account, &out).await, Ok(1));
    let refused = stale.case(&world.request(alice, 4), &acme(), Some(case), &world.comment("late")).await;
    assert_eq!(reason(refused, dossier_domain::case::CaseRejection::reason), Err("NO_ACCOUNT"));
    let remove = AccessCommand::RemoveMember(RemoveMember { account });
    assert_eq!(world.administer(&stale, alice, 5, "acme", remove).await, Err("NO_ACCOUNT"));
    let back = AccountCommand::Reactivate(ReactivateAccount {});
    assert_eq!(world.on_account(alice, 6, account, &back).await, Err("NOT_FOR_YOU"), "not by themselves");
    assert_eq!(world.on_account(OPERATOR, 7, account, &back).await, Ok(1));
    assert!(stale.case(&world.request(alice, 8), &acme(), Some(case), &world.comment("back")).await.is_ok());
}

#[tokio::test]
async fn a_standpoint_for_reads_is_as_new_as_anything_acknowledged() {
    let world = World::new().await;
    world.with_nimbus().await;
    let reader = world.restarted();
    let nina = world.actor("nina@nimbus.example");
    let acts_for = ActsFor { organization: organization("nimbus"), entitled_customers: Vec::new() };
    let sees = || async {
        let view = reader.access_view(&acme()).await.unwrap();
        let name = acme();
        let standpoint = reader.standpoint(&nina, Some(&acts_for), Some((&name, &view))).await.unwrap();
        let authority = standpoint.authority(&nina, Some((&name, &view.access)), reader.now());
        authority.open_to(dossier_domain::Action::ReadCases).is_ok()
    };
    assert!(sees().await);
    let withdraw = WithdrawResellerAccess { reseller: organization("nimbus") };
    let withdraw = AccessCommand::WithdrawResellerAccess(withdraw);
    world.administer(&world.commands, "alice@acme.example", 1, "acme", withdraw).await.unwrap();
    assert!(!sees().await);
}

/// Nothing personal stands in a stream's name or in the clear.
#[tokio::test]
async fn an_account_leaves_no_address_in_the_clear() {
    let world = World::new().await;
    world.open(1, "erin", "erin@acme.example").await.unwrap();
    for event in world.events().await {
        let everything = [&event.payload[..], &event.metadata[..], event.stream.as_str().as_bytes()].concat();
        let everything = String::from_utf8_lossy(&everything).into_owned();
        for secret in ["erin", "@", "issuer.example"] {
            assert!(!everything.contains(secret), "{secret:?} in {everything}");
        }
    }
}
