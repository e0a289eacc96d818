//! Given/when/then for decisions on a known issue. Only built for tests.

use super::*;
use crate::Authority;
use crate::case::CaseState;
use crate::event::Aggregate;
use crate::ids::{OrganizationId, ProductId};
use crate::testing::{Circumstances, acme, acme_id, at, people, reseller};

/// What happened before.
#[derive(Clone)]
pub(crate) struct Given {
    state: KnownIssueState,
    access: Access,
    organization: OrganizationId,
    /// For whom nina acts; nobody else acts for anybody.
    reseller: Access,
    commands: u128,
}

impl Given {
    pub(crate) fn nothing() -> Self {
        Self {
            state: KnownIssueState::default(),
            access: acme().build(),
            organization: acme_id(),
            reseller: reseller("nimbus").build(),
            commands: 0,
        }
    }

    pub(crate) fn suspected() -> Self {
        Self::nothing().and("engineer", 0, &KnownIssueCommand::Suspect(suspect()))
    }

    pub(crate) fn published() -> Self {
        Self::published_for("compute")
    }

    pub(crate) fn published_for(product: &str) -> Self {
        let suspect = SuspectKnownIssue { product: ProductId::new(product).unwrap(), ..suspect() };
        Self::nothing()
            .and("engineer", 0, &KnownIssueCommand::Suspect(suspect))
            .and("engineer", 1, &confirm(CustomerImpact::High))
            .and("engineer", 2, &publish())
    }

    pub(crate) fn in_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    pub(crate) fn for_organization(mut self, organization: OrganizationId) -> Self {
        self.organization = organization;
        self
    }

    pub(crate) fn for_reseller(mut self, access: Access) -> Self {
        self.reseller = access;
        self
    }

    /// A command that must have been accepted.
    pub(crate) fn and(mut self, who: &str, second: i64, command: &KnownIssueCommand) -> Self {
        for event in self.clone().when(who, second, command).events() {
            self.state.evolve(&event, at(second));
        }
        self.commands += 1;
        self
    }

    pub(crate) fn when(self, who: &str, second: i64, command: &KnownIssueCommand) -> Outcome {
        let actor = people(who);
        let nimbus = OrganizationId::new("nimbus").unwrap();
        let circumstances = Circumstances {
            organization: self.organization.clone(),
            command_number: self.commands + 1,
            acting_for: (who == "nina").then(|| (nimbus, self.reseller.clone())),
            ..Circumstances::new(&self.access, &actor, at(second))
        };
        // Support speaks for no organization.
        let across = Authority::across_organizations(&actor);
        let is_support = !actor.staff_roles.is_empty() && command.action() != Action::LeaveKnownIssue;
        Outcome(circumstances.decide(|context| {
            if is_support && command.action() != Action::JoinKnownIssue {
                let context = Context {
                    authority: &across,
                    organization: None,
                    access: &Access::default(),
                    access_revision: None,
                    ..*context
                };
                decide(&self.state, command, &context)
            } else {
                decide(&self.state, command, context)
            }
        }))
    }

    pub(crate) fn issue(&self) -> &KnownIssue {
        self.state.suspected().expect("suspected")
    }

    pub(crate) fn state(self) -> KnownIssueState {
        self.state
    }
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Outcome(Result<Vec<KnownIssueEvent>, KnownIssueRejection>);

impl Outcome {
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<KnownIssueEvent> {
        self.0.clone().expect("accepted")
    }

    #[track_caller]
    pub(crate) fn reason(&self) -> &'static str {
        self.0.as_ref().expect_err("refused").reason()
    }

    #[track_caller]
    pub(crate) fn field(&self) -> Option<&'static str> {
        self.0.as_ref().expect_err("refused").field()
    }
}

pub(crate) fn suspect() -> SuspectKnownIssue {
    SuspectKnownIssue {
        product: ProductId::new("compute").unwrap(),
        title: "machines do not start".to_owned(),
        source: SuspicionSource::InternalAlert,
        details: None,
        figures: None,
    }
}

pub(crate) fn confirm(impact: CustomerImpact) -> KnownIssueCommand {
    KnownIssueCommand::Confirm(ConfirmKnownIssue { impact, statement: "nobody can work".to_owned() })
}

pub(crate) fn dismiss() -> KnownIssueCommand {
    KnownIssueCommand::Dismiss(DismissKnownIssue { reason: "a false alarm".to_owned() })
}

pub(crate) fn publish() -> KnownIssueCommand {
    KnownIssueCommand::Publish(PublishKnownIssue {
        summary: "Machines do not start".to_owned(),
        outage_url: None,
    })
}

pub(crate) fn post(text: &str) -> KnownIssueCommand {
    KnownIssueCommand::PostUpdate(PostUpdate { text: text.to_owned() })
}

pub(crate) fn resolve() -> KnownIssueCommand {
    KnownIssueCommand::Resolve(ResolveKnownIssue { text: "Start them again.".to_owned() })
}

pub(crate) fn me_too() -> KnownIssueCommand {
    me_too_with(|_| ())
}

pub(crate) fn me_too_with(change: impl FnOnce(&mut MeToo)) -> KnownIssueCommand {
    let mut command = MeToo {
        case: CaseState::default(),
        priority: None,
        language: "en".to_owned(),
        time_zone: None,
        description: None,
    };
    change(&mut command);
    KnownIssueCommand::MeToo(Box::new(command))
}

pub(crate) fn not_affected() -> KnownIssueCommand {
    KnownIssueCommand::SayNotAffected(SayNotAffected { on_behalf_of: None })
}

pub(crate) fn unsubscribe() -> KnownIssueCommand {
    KnownIssueCommand::Unsubscribe(Unsubscribe { on_behalf_of: None })
}
