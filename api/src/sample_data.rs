//! The sample organizations of `--dev`, told through the same commands that everybody uses. Each step has a command id of its
//! own, so that starting again, also after a crash half way, adds nothing twice.

use std::collections::BTreeMap;

use dossier_commands::{CommandError, Commands, Request, identity};
use dossier_domain::access::{
    AccessCommand, AddMember, AllowResellerAccess, GrantEntitlement, ListMember, RegisterOrganization,
    TransferManagement, VerifyDomain,
};
use dossier_domain::account::{AccountCommand, OpenAccount, Provisioning, SignIn};
use dossier_domain::address::EmailAddress;
use dossier_domain::case::{AddComment, CaseCommand, CloseCase, EscalateCase, EscalationReason, FileCase};
use dossier_domain::catalogue::Priority;
use dossier_domain::{AccountStatus, CaseId, OrganizationId, Personal, PlanId, ProductId, Role};

use crate::app::App;
use crate::sign_in::Principal;
use crate::sign_in::dev_issuer::{DEV_ISSUER, StaffClaims};

/// What somebody of the sample data is when they sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplePerson {
    /// Address.
    pub email: &'static str,
    /// Name to show.
    pub name: &'static str,
    /// What they are on the operator's side.
    pub staff: StaffClaims,
}

/// Everybody of the sample data.
pub const PEOPLE: &[SamplePerson] = &[
    customer("alice@acme.example", "Alice"),
    customer("bob@acme.example", "Bob"),
    customer("carol@acme.example", "Carol"),
    customer("dave@acme.example", "Dave"),
    customer("hank@globex.example", "Hank"),
    customer("peter@initech.example", "Peter"),
    customer("wesker@umbrella.example", "Wesker"),
    customer("nina@nimbus.example", "Nina"),
    customer("sam@stratus.example", "Sam"),
    staff("agent-north@support.example", "Agent North", &["agent"], Some("north")),
    staff("agent-south@support.example", "Agent South", &["agent"], Some("south")),
    staff("engineer@support.example", "Engineer", &["engineer"], None),
    staff("auditor@support.example", "Auditor", &["auditor"], None),
    staff("analyst@support.example", "Analyst", &["analyst"], None),
    staff("operator@support.example", "Operator", &["operator"], None),
    SamplePerson {
        email: "directory@acme.example",
        name: "Acme's directory",
        staff: StaffClaims { roles: &["provisioner"], provider: None, organization: Some("acme") },
    },
];

const fn customer(email: &'static str, name: &'static str) -> SamplePerson {
    SamplePerson { email, name, staff: StaffClaims { roles: &[], provider: None, organization: None } }
}

const fn staff(
    email: &'static str,
    name: &'static str,
    roles: &'static [&'static str],
    provider: Option<&'static str>,
) -> SamplePerson {
    SamplePerson { email, name, staff: StaffClaims { roles, provider, organization: None } }
}

/// The sample person of an address.
pub fn person(email: &str) -> Option<&'static SamplePerson> {
    PEOPLE.iter().find(|person| person.email.eq_ignore_ascii_case(email))
}

/// Why the sample data are incomplete.
#[derive(Debug, thiserror::Error)]
#[error("the sample data are incomplete: step {step}: {cause}")]
pub struct SampleDataError {
    step: String,
    cause: String,
}

/// Tells the whole story.
///
/// # Errors
/// [`SampleDataError`] names the step that was refused.
pub async fn load(app: &App) -> Result<(), SampleDataError> {
    let story = Story { app };
    // Who manages others is there first.
    story.organization("nimbus", "Nimbus", "FR", "fr", true).await?;
    story.organization("stratus", "Stratus", "US", "en", true).await?;
    story.acme().await?;
    story.globex().await?;
    story.initech().await?;
    story.umbrella().await?;
    story.resellers().await?;
    story.agents().await
}

const SUPPORT: &str = "agent-north@support.example";

struct Story<'a> {
    app: &'a App,
}

/// A case to file.
struct Filing {
    step: &'static str,
    who: &'static str,
    organization: &'static str,
    classification: &'static str,
    priority: Priority,
    title: &'static str,
    description: &'static str,
}

impl Story<'_> {
    async fn acme(&self) -> Result<(), SampleDataError> {
        self.organization("acme", "Acme", "FR", "fr", false).await?;
        for product in ["compute", "storage"] {
            self.entitle("acme", product, "platinum").await?;
            self.entitle("acme", product, "premier").await?;
        }
        let both = |role| [("compute", role), ("storage", role)];
        self.add("acme", "alice@acme.example", &both(Role::Owner)).await?;
        self.add("acme", "bob@acme.example", &both(Role::Editor)).await?;
        self.add("acme", "carol@acme.example", &both(Role::Viewer)).await?;
        self.list("acme", "dave@acme.example").await?;
        let down = self
            .file(&Filing {
                step: "down",
                who: "alice@acme.example",
                organization: "acme",
                classification: "compute-vm",
                priority: Priority::P2,
                title: "Virtual machines in europe-west do not start",
                description: "Since 09:10 new machines stay in STAGING. Existing ones are fine.\nWe tried two images.",
            })
            .await?;
        self.comment("down/1", SUPPORT, "acme", down, "Thank you. Which zones did you try?").await?;
        self.comment("down/2", "bob@acme.example", "acme", down, "b and c. d works.").await?;
        let slow = self
            .file(&Filing {
                step: "slow",
                who: "bob@acme.example",
                organization: "acme",
                classification: "storage-transfer",
                priority: Priority::P3,
                title: "Transfers from on-premises are slow",
                description: "About 40 Mbit/s where we had 400 last week.",
            })
            .await?;
        self.escalate("slow/1", "bob@acme.example", "acme", slow).await?;
        let solved = self
            .file(&Filing {
                step: "solved",
                who: "alice@acme.example",
                organization: "acme",
                classification: "compute-quota",
                priority: Priority::P4,
                title: "How do we raise a quota?",
                description: "We need 200 more cores next month.",
            })
            .await?;
        self.comment("solved/1", SUPPORT, "acme", solved, "In the console, under Quotas; it takes two days.")
            .await?;
        self.close("solved/2", "alice@acme.example", "acme", solved).await
    }

    async fn globex(&self) -> Result<(), SampleDataError> {
        self.organization("globex", "Globex", "DE", "de", false).await?;
        self.transfer("globex", "1", Some("nimbus")).await?;
        self.allow("globex", "nimbus").await?;
        self.entitle("globex", "compute", "gold").await?;
        self.add("globex", "hank@globex.example", &[("compute", Role::Owner)]).await?;
        let case = self
            .file(&Filing {
                step: "network",
                who: "hank@globex.example",
                organization: "globex",
                classification: "compute-network",
                priority: Priority::P3,
                title: "A load balancer drops one connection in a thousand",
                description: "Seen from two regions; captures are ready.",
            })
            .await?;
        self.comment(
            "network/1",
            "agent-north@support.example",
            "globex",
            case,
            "Please attach the captures.",
        )
        .await
    }

    async fn initech(&self) -> Result<(), SampleDataError> {
        self.organization("initech", "Initech", "US", "en", false).await?;
        self.add("initech", "peter@initech.example", &[("compute", Role::Owner), ("storage", Role::Owner)])
            .await
    }

    /// Direct first, then under nimbus, now under stratus; a case in each period.
    async fn umbrella(&self) -> Result<(), SampleDataError> {
        self.organization("umbrella", "Umbrella", "JP", "ja", false).await?;
        self.entitle("umbrella", "storage", "silver").await?;
        self.add("umbrella", "wesker@umbrella.example", &[("storage", Role::Owner)]).await?;
        let filing = |step, title| Filing {
            step,
            who: "wesker@umbrella.example",
            organization: "umbrella",
            classification: "storage-bucket",
            priority: Priority::P3,
            title,
            description: "Details follow.",
        };
        self.file(&filing("direct", "Objects listed twice")).await?;
        self.transfer("umbrella", "1", Some("nimbus")).await?;
        self.file(&filing("under-nimbus", "A bucket cannot be emptied")).await?;
        self.transfer("umbrella", "2", Some("stratus")).await?;
        self.allow("umbrella", "stratus").await?;
        self.file(&filing("under-stratus", "Lifecycle rules are late")).await?;
        Ok(())
    }

    async fn resellers(&self) -> Result<(), SampleDataError> {
        for product in ["compute", "storage"] {
            self.entitle("nimbus", product, "gold").await?;
            self.entitle("stratus", product, "silver").await?;
        }
        let both = [("compute", Role::Owner), ("storage", Role::Owner)];
        self.add("nimbus", "nina@nimbus.example", &both).await?;
        self.add("stratus", "sam@stratus.example", &both).await?;
        self.file(&Filing {
            step: "own",
            who: "nina@nimbus.example",
            organization: "nimbus",
            classification: "compute-quota",
            priority: Priority::P4,
            title: "Quota of our own project",
            description: "For the partner demonstration next week.",
        })
        .await?;
        self.file(&Filing {
            step: "own",
            who: "sam@stratus.example",
            organization: "stratus",
            classification: "storage-bucket",
            priority: Priority::P4,
            title: "Which storage class for cold archives?",
            description: "We advise several customers on it.",
        })
        .await?;
        Ok(())
    }

    /// As if support's agents had signed in, so that there is somebody to give cases to.
    async fn agents(&self) -> Result<(), SampleDataError> {
        for person in PEOPLE.iter().filter(|person| !person.staff.roles.is_empty()) {
            let step = format!("recognize/{}", person.email);
            let done = self.commands().recognize(&self.request(&step, person.email)).await;
            done.map_err(|error| SampleDataError { step, cause: error.to_string() })?;
        }
        Ok(())
    }

    async fn organization(
        &self,
        id: &'static str,
        name: &str,
        country: &str,
        language: &str,
        reseller: bool,
    ) -> Result<(), SampleDataError> {
        let register = RegisterOrganization {
            organization: organization(id)?,
            display_name: name.to_owned(),
            country: country.to_owned(),
            language: language.to_owned(),
            reseller,
            technical_contact: None,
        };
        self.access(id, "register", AccessCommand::RegisterOrganization(register)).await?;
        let verify = VerifyDomain { domain: format!("{id}.example") };
        self.access(id, "domain", AccessCommand::VerifyDomain(verify)).await
    }

    async fn entitle(&self, id: &'static str, product: &str, plan: &str) -> Result<(), SampleDataError> {
        let command = GrantEntitlement {
            product: checked(ProductId::new(product))?,
            plan: checked(PlanId::new(plan))?,
            // Long before anything that the sample data tell.
            from: jiff::Timestamp::UNIX_EPOCH,
            until: None,
        };
        self.access(id, &format!("entitle/{product}/{plan}"), AccessCommand::GrantEntitlement(command)).await
    }

    async fn add(
        &self,
        id: &'static str,
        email: &'static str,
        roles: &[(&str, Role)],
    ) -> Result<(), SampleDataError> {
        self.account(id, email).await?;
        let actor = self.app.actor(&principal(email));
        let mut by_product = BTreeMap::new();
        for (product, role) in roles {
            by_product.insert(checked(ProductId::new(product))?, *role);
        }
        let command = AddMember {
            account: actor.account,
            account_status: AccountStatus::Active,
            contact: actor.contact,
            roles: by_product,
            effective_at: None,
        };
        self.access(id, &format!("add/{email}"), AccessCommand::AddMember(command)).await
    }

    /// The account of one of the organization's people, as its directory would open it.
    async fn account(&self, id: &'static str, email: &'static str) -> Result<(), SampleDataError> {
        let step = format!("{id}/account/{email}");
        let failed = |cause: String| SampleDataError { step: step.clone(), cause };
        let actor = self.app.actor(&principal(email));
        let address = EmailAddress::parse(email).map_err(|why| failed(why.to_string()))?;
        let sign_in = SignIn { issuer: DEV_ISSUER.to_owned(), subject: email.to_owned() };
        let command = AccountCommand::Open(OpenAccount {
            provisioning: Provisioning::Directory,
            sign_in: Personal::new(actor.contact.subject().clone(), sign_in),
            contact: actor.contact.clone(),
            email: identity::email_key(self.commands().sealer(), &address),
        });
        let request = self.request(&step, "operator@support.example");
        let opened = self.commands().account(&request, &organization(id)?, actor.account, &command).await;
        opened.map(|_| ()).map_err(|error| failed(error.to_string()))
    }

    async fn list(&self, id: &'static str, email: &'static str) -> Result<(), SampleDataError> {
        self.account(id, email).await?;
        let actor = self.app.actor(&principal(email));
        let command = ListMember { account: actor.account, contact: actor.contact };
        self.access(id, &format!("list/{email}"), AccessCommand::ListMember(command)).await
    }

    async fn transfer(&self, id: &'static str, step: &str, to: Option<&str>) -> Result<(), SampleDataError> {
        let manager = to.map(organization).transpose()?;
        let command = AccessCommand::TransferManagement(TransferManagement { manager });
        self.access(id, &format!("transfer/{step}"), command).await
    }

    async fn allow(&self, id: &'static str, reseller: &str) -> Result<(), SampleDataError> {
        let command = AllowResellerAccess { reseller: organization(reseller)? };
        self.access(id, &format!("allow/{reseller}"), AccessCommand::AllowResellerAccess(command)).await
    }

    async fn access(&self, id: &str, step: &str, command: AccessCommand) -> Result<(), SampleDataError> {
        let step = format!("{id}/{step}");
        let request = self.request(&step, "operator@support.example");
        self.commands()
            .access(&request, &organization(id)?, &command)
            .await
            .map(|_| ())
            .map_err(|error| SampleDataError { step, cause: error.to_string() })
    }

    async fn file(&self, filing: &Filing) -> Result<CaseId, SampleDataError> {
        let actor = self.app.actor(&principal(filing.who));
        let own = |text: &str| Personal::new(actor.contact.subject().clone(), text.to_owned());
        let command = CaseCommand::File(Box::new(FileCase {
            classification: filing.classification.to_owned(),
            title: own(filing.title),
            description: own(filing.description),
            priority: Some(filing.priority),
            language: "en".to_owned(),
            time_zone: Some("Europe/Paris".to_owned()),
            contact_email: None,
            subscribers: Vec::new(),
            test_case: false,
            problem: None,
            channel: None,
            follow_up_of: None,
            help: None,
        }));
        let step = format!("{}/{}", filing.organization, filing.step);
        let request = self.request(&step, filing.who);
        let outcome = self
            .commands()
            .case(&request, &organization(filing.organization)?, None, &command)
            .await
            .map_err(|error| SampleDataError { step, cause: error.to_string() })?;
        outcome
            .folded
            .state
            .filed()
            .map(|case| case.id)
            .ok_or_else(|| SampleDataError { step: filing.step.to_owned(), cause: "left no case".to_owned() })
    }

    async fn comment(
        &self,
        step: &str,
        who: &str,
        id: &str,
        case: CaseId,
        body: &str,
    ) -> Result<(), SampleDataError> {
        let subject = self.app.actor(&principal(who)).contact.subject().clone();
        let command = CaseCommand::Comment(AddComment { body: Personal::new(subject, body.to_owned()) });
        self.case(step, who, id, case, &command).await
    }

    async fn escalate(&self, step: &str, who: &str, id: &str, case: CaseId) -> Result<(), SampleDataError> {
        let subject = self.app.actor(&principal(who)).contact.subject().clone();
        let command = CaseCommand::Escalate(EscalateCase {
            reason: Some(EscalationReason::BusinessImpact),
            justification: Personal::new(
                subject,
                "The nightly copy does not finish before the day begins.".to_owned(),
            ),
        });
        self.case(step, who, id, case, &command).await
    }

    async fn close(&self, step: &str, who: &str, id: &str, case: CaseId) -> Result<(), SampleDataError> {
        self.case(step, who, id, case, &CaseCommand::Close(CloseCase {})).await
    }

    async fn case(
        &self,
        step: &str,
        who: &str,
        id: &str,
        case: CaseId,
        command: &CaseCommand,
    ) -> Result<(), SampleDataError> {
        let step = format!("{id}/{step}");
        let request = self.request(&step, who);
        match self.commands().case(&request, &organization(id)?, Some(case), command).await {
            Ok(_) => Ok(()),
            Err(CommandError::Rejected(why)) => Err(SampleDataError { step, cause: why.to_string() }),
            Err(error) => Err(SampleDataError { step, cause: error.to_string() }),
        }
    }

    fn commands(&self) -> &Commands {
        &self.app.commands
    }

    fn request(&self, step: &str, who: &str) -> Request {
        let sealer = self.commands().sealer();
        Request {
            command_id: identity::command_id(sealer, &["sample-data"], step),
            fingerprint: identity::fingerprint(sealer, step.as_bytes()),
            actor: self.app.actor(&principal(who)),
            acting_for: None,
            correlation_id: "sample-data".to_owned(),
            causation_id: None,
            if_match: None,
        }
    }
}

fn checked<T>(id: Result<T, dossier_domain::ids::InvalidId>) -> Result<T, SampleDataError> {
    id.map_err(|error| SampleDataError { step: "ids".to_owned(), cause: error.to_string() })
}

fn organization(id: &str) -> Result<OrganizationId, SampleDataError> {
    OrganizationId::new(id).map_err(|error| SampleDataError { step: id.to_owned(), cause: error.to_string() })
}

/// Who signs in with a token of the built-in issuer for an address.
fn principal(email: &str) -> Principal {
    let known = person(email);
    let staff = known.map(|person| person.staff).unwrap_or_default();
    Principal {
        issuer: DEV_ISSUER.to_owned(),
        subject: email.to_owned(),
        email: email.to_owned(),
        display_name: known.map(|person| person.name.to_owned()),
        staff_roles: staff.roles.iter().map(|role| (*role).to_owned()).collect(),
        provider: staff.provider.map(str::to_owned),
        organization: staff.organization.map(str::to_owned),
        token_expires_at: jiff::Timestamp::MAX,
    }
}
