//! Two reactors made of real commands. The greeter's command is one that the domain would accept any number of times, so that
//! nothing but its id keeps it from being applied twice; the acknowledger's is refused or empty when somebody was faster.

use async_trait::async_trait;
use dossier_domain::case::{AcknowledgeEscalation, AddComment, CaseCommand, CaseEvent};
use dossier_domain::{Actor, Personal, StaffRole};
use dossier_eventlog::Sealer;
use dossier_processes::reactor::{Order, ReactError, Trigger, system_actor};
use dossier_processes::{Begin, Reactor};

/// The names of both.
pub const NAMES: [&str; 2] = ["greeter", "acknowledger"];

/// Thanks for each case that is filed.
pub struct Greeter {
    actor: Actor,
}

/// Takes each escalation up.
pub struct Acknowledger {
    actor: Actor,
}

impl Greeter {
    /// The greeter.
    pub fn new(sealer: &Sealer) -> Self {
        Self { actor: system_actor(sealer, NAMES[0], [StaffRole::Agent, StaffRole::System]) }
    }
}

impl Acknowledger {
    /// The acknowledger.
    pub fn new(sealer: &Sealer) -> Self {
        Self { actor: system_actor(sealer, NAMES[1], [StaffRole::System]) }
    }
}

fn on_case(
    trigger: Trigger<'_>,
    command: impl FnOnce(&CaseEvent) -> Option<CaseCommand>,
) -> Result<Vec<Order>, ReactError> {
    let Some((case, event)) = trigger.case()? else { return Ok(Vec::new()) };
    let Some(command) = command(&event) else { return Ok(Vec::new()) };
    let organization = trigger.organization()?;
    Ok(vec![Order::Case { organization, case: Some(case), command: Box::new(command) }])
}

#[async_trait]
impl Reactor for Greeter {
    fn name(&self) -> &'static str {
        NAMES[0]
    }

    fn begins(&self) -> Begin {
        Begin::AtHead
    }

    fn actor(&self) -> &Actor {
        &self.actor
    }

    async fn react(&self, trigger: &Trigger<'_>) -> Result<Vec<Order>, ReactError> {
        let body =
            Personal::new(self.actor.contact.subject().clone(), "we have received your case".to_owned());
        on_case(*trigger, |event| {
            matches!(event, CaseEvent::CaseFiled(_)).then_some(CaseCommand::Comment(AddComment { body }))
        })
    }
}

#[async_trait]
impl Reactor for Acknowledger {
    fn name(&self) -> &'static str {
        NAMES[1]
    }

    fn begins(&self) -> Begin {
        Begin::AtBeginning
    }

    fn actor(&self) -> &Actor {
        &self.actor
    }

    async fn react(&self, trigger: &Trigger<'_>) -> Result<Vec<Order>, ReactError> {
        on_case(*trigger, |event| {
            let acknowledge = CaseCommand::AcknowledgeEscalation(AcknowledgeEscalation {});
            matches!(event, CaseEvent::CaseEscalated(_)).then_some(acknowledge)
        })
    }
}
