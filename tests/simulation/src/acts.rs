//! What people do, drawn at random, and the ledger of what they were answered.

use std::sync::{Arc, Mutex, MutexGuard};

use dossier_commands::{CommandError, Commands, LoadError, Outcome, Request};
use dossier_domain::access::{AccessCommand, VerifyDomain};
use dossier_domain::case::{
    AcknowledgeEscalation, AddComment, AssignCase, CaseCommand, CaseState, CloseCase, EditCase, EscalateCase,
    EscalationReason, FileCase, InformationKind, MergeInto, ProposeSolution, RequestInformation,
    ResolveEscalation, SolutionKind, SolutionParticulars, UnassignCase, UndoMerge,
};
use dossier_domain::catalogue::Priority;
use dossier_domain::{Aggregate, CaseId, CommandId, Personal, Subject};
use uuid::Uuid;

use crate::people::{self, AGENT, OPERATOR, ORGANIZATIONS};

/// What somebody wants done.
#[derive(Clone, Debug)]
pub enum Wish {
    /// To a case; `None`: a new one.
    Case(Option<CaseId>, CaseCommand),
    /// That a case goes on in another one.
    Merge(CaseId, CaseId),
    /// To an organization's access.
    Access(AccessCommand),
}

/// One intention of somebody, sent once or more often.
#[derive(Clone, Debug)]
pub struct Act {
    /// The command's id.
    pub command_id: CommandId,
    /// What tells this body from another under the same id.
    pub fingerprint: String,
    /// Who.
    pub who: String,
    /// In which organization.
    pub organization: &'static str,
    /// What.
    pub wish: Wish,
    /// Only if the resource has this revision.
    pub if_match: Option<u64>,
}

/// What somebody was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet, or the node was killed before it answered.
    None,
    /// Done: so many events, the last at this revision.
    Done {
        /// Events of the command.
        events: usize,
        /// Revision of the resource right after it.
        revision: Option<u64>,
        /// Whether it was done before.
        replayed: bool,
    },
    /// Refused by the business.
    Refused(String),
    /// The id was used for another body.
    KeyReused,
    /// The resource has another revision.
    PreconditionFailed,
    /// Not stored, for now.
    NotStored,
    /// Not known.
    Unknown,
    /// Something that must not happen.
    Broken(String),
}

/// One sending of an act.
#[derive(Clone, Debug)]
pub struct Sending {
    /// What was sent.
    pub act: Act,
    /// What came back.
    pub answer: Answer,
}

/// Everything sent, and what came back.
#[derive(Default)]
pub struct Ledger {
    sendings: Mutex<Vec<Sending>>,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Vec<Sending>> {
        self.sendings.lock().expect("no holder of the lock panics")
    }

    /// Notes that something is sent; answers its number.
    pub fn send(&self, act: &Act) -> usize {
        let mut sendings = self.lock();
        sendings.push(Sending { act: act.clone(), answer: Answer::None });
        sendings.len() - 1
    }

    /// Notes what came back.
    pub fn answered(&self, number: usize, answer: Answer) {
        self.lock()[number].answer = answer;
    }

    /// Everything.
    pub fn sendings(&self) -> Vec<Sending> {
        self.lock().clone()
    }

    fn pick(&self, random: &mut fastrand::Rng) -> Option<Act> {
        let sendings = self.lock();
        random.choice(&*sendings).map(|sending| sending.act.clone())
    }

    /// The last merge that was sent, whatever came of it.
    fn last_merge(&self) -> Option<(&'static str, CaseId, CaseId)> {
        self.lock().iter().rev().find_map(|Sending { act, .. }| match act.wish {
            Wish::Merge(source, target) => Some((act.organization, source, target)),
            _ => None,
        })
    }

    /// Cases whose filing was sent, whatever came of it.
    fn cases(&self) -> Vec<(&'static str, CaseId)> {
        let sendings = self.lock();
        let filed = sendings.iter().filter(|sending| matches!(sending.act.wish, Wish::Case(None, _)));
        filed.map(|sending| (sending.act.organization, CaseId::derived(sending.act.command_id))).collect()
    }
}

/// Draws what somebody does next: something new, something again, or something else under an old id.
pub fn draw(random: &mut fastrand::Rng, ledger: &Ledger) -> Act {
    match random.u32(0..100) {
        0..12 => {
            if let Some(act) = ledger.pick(random) {
                return act;
            }
        }
        12..15 => {
            if let Some(act) = ledger.pick(random) {
                let fingerprint = format!("{}, changed", act.fingerprint);
                return Act { fingerprint, ..act };
            }
        }
        _ => {}
    }
    let command_id = CommandId(Uuid::from_u128(random.u128(..)));
    let (organization, members) = ORGANIZATIONS[random.usize(0..ORGANIZATIONS.len())];
    let member = format!("{}@{organization}.example", members[random.usize(0..members.len())]);
    let new = |organization, who: &str, wish| Act {
        command_id,
        fingerprint: "body".to_owned(),
        who: who.to_owned(),
        organization,
        wish,
        if_match: None,
    };
    let cases = ledger.cases();
    let drawn = random.u32(0..100);
    if drawn < 6 {
        let domain = format!("d{}.{organization}.example", random.u32(0..20));
        return new(
            organization,
            OPERATOR,
            Wish::Access(AccessCommand::VerifyDomain(VerifyDomain { domain })),
        );
    }
    let case = if drawn < 16 || cases.len() < 2 { None } else { random.choice(&cases) };
    let Some((organization, case)) = case.copied() else {
        let file = FileCase {
            classification: "compute-vm".to_owned(),
            title: text("a machine is down"),
            description: text("since this morning"),
            priority: Some(Priority::P3),
            language: "en".to_owned(),
            time_zone: None,
            contact_email: None,
            subscribers: Vec::new(),
            test_case: false,
            problem: None,
            channel: None,
            follow_up_of: None,
            help: None,
        };
        return new(organization, &member, Wish::Case(None, CaseCommand::File(Box::new(file))));
    };
    match random.u32(0..100) {
        0..12 => {
            if let Some((organization, wish)) = merge(random, ledger, &cases) {
                return new(organization, AGENT, wish);
            }
        }
        12..18 => {
            if let Some((organization, source, _)) = ledger.last_merge() {
                let undo = CaseCommand::UndoMerge(UndoMerge { target: None });
                return new(organization, AGENT, Wish::Case(Some(source), undo));
            }
        }
        _ => {}
    }
    let (_, members) = ORGANIZATIONS.iter().find(|(name, _)| *name == organization).expect("one of them");
    let member = format!("{}@{organization}.example", members[random.usize(0..members.len())]);
    let (by_support, command) = command(random);
    let who = if by_support { AGENT } else { &member };
    let mut act = new(organization, who, Wish::Case(Some(case), command));
    if random.u32(0..100) < 15 {
        act.if_match = Some(random.u64(0..8));
    }
    act
}

/// A case is merged, taken back, takes the other one over, and goes on in a third: faster than whoever tells the targets.
pub fn back_and_forth(random: &mut fastrand::Rng, ledger: &Ledger) -> Vec<Act> {
    let cases = ledger.cases();
    let Some((organization, one)) = random.choice(&cases[cases.len().saturating_sub(6)..]).copied() else {
        return Vec::new();
    };
    let others = cases.iter().rev().filter(|(of, case)| *of == organization && *case != one);
    let others: Vec<_> = others.map(|(_, case)| *case).take(2).collect();
    let [other, third] = others[..] else { return Vec::new() };
    let undo = CaseCommand::UndoMerge(UndoMerge { target: None });
    let wishes = [
        Wish::Merge(one, other),
        Wish::Case(Some(one), undo),
        Wish::Merge(other, one),
        Wish::Merge(one, third),
    ];
    let act = |wish| Act {
        command_id: CommandId(Uuid::from_u128(random.u128(..))),
        fingerprint: "body".to_owned(),
        who: AGENT.to_owned(),
        organization,
        wish,
        if_match: None,
    };
    wishes.into_iter().map(act).collect()
}

/// Now and then somebody else merges the same two cases the other way round in the same instant.
pub fn mirrored(random: &mut fastrand::Rng, act: &Act) -> Option<Act> {
    match act.wish {
        Wish::Merge(source, target) if random.bool() => Some(Act {
            command_id: CommandId(Uuid::from_u128(random.u128(..))),
            wish: Wish::Merge(target, source),
            if_match: None,
            ..act.clone()
        }),
        _ => None,
    }
}

/// One of the latest cases into another one; often what the last merge was about, the other way round or once more.
fn merge(
    random: &mut fastrand::Rng,
    ledger: &Ledger,
    cases: &[(&'static str, CaseId)],
) -> Option<(&'static str, Wish)> {
    if let Some((organization, source, target)) = ledger.last_merge() {
        match random.u32(0..10) {
            0..3 => return Some((organization, Wish::Merge(target, source))),
            3 => return Some((organization, Wish::Merge(source, target))),
            _ => {}
        }
    }
    let latest = &cases[cases.len().saturating_sub(8)..];
    let (organization, source) = *random.choice(latest)?;
    let of_the_same: Vec<_> = latest.iter().filter(|(of, _)| *of == organization).collect();
    // Now and then it is the same case, or another organization's.
    let others = random.u32(0..10) == 0;
    let (_, target) = if others { *random.choice(latest)? } else { **random.choice(&of_the_same)? };
    Some((organization, Wish::Merge(source, target)))
}

fn text(text: &str) -> Personal<String> {
    Personal::new(Subject::contact(7), text.to_owned())
}

/// A command on a case, and whether support gives it.
fn command(random: &mut fastrand::Rng) -> (bool, CaseCommand) {
    let some = random.u32(0..1_000);
    match random.u32(0..100) {
        0..30 => (random.bool(), CaseCommand::Comment(AddComment { body: text(&format!("comment {some}")) })),
        30..40 => {
            let title = Some(text(&format!("title {some}")));
            (random.bool(), CaseCommand::Edit(EditCase { title, ..EditCase::default() }))
        }
        40..47 => {
            let subscribers = Some(vec![text(&format!("s{}@acme.example", some % 3))]);
            (false, CaseCommand::Edit(EditCase { subscribers, ..EditCase::default() }))
        }
        47..53 => {
            let priority = Some(Priority::ALL[random.usize(1..Priority::ALL.len())]);
            let priority_reason = Some(text("it became clear"));
            (random.bool(), CaseCommand::Edit(EditCase { priority, priority_reason, ..EditCase::default() }))
        }
        53..70 => {
            let reason = Some(EscalationReason::BusinessImpact);
            (false, CaseCommand::Escalate(EscalateCase { reason, justification: text("we lose orders") }))
        }
        70..72 => (true, CaseCommand::Assign(AssignCase { to: None })),
        72 => (true, CaseCommand::Unassign(UnassignCase {})),
        73..75 => (true, CaseCommand::AcknowledgeEscalation(AcknowledgeEscalation {})),
        75..83 => (true, CaseCommand::ResolveEscalation(ResolveEscalation {})),
        83..88 => {
            let solution = SolutionKind::Solved;
            (
                true,
                CaseCommand::ProposeSolution(ProposeSolution {
                    solution,
                    text: text("restart it"),
                    particulars: SolutionParticulars::default(),
                }),
            )
        }
        88..94 => {
            let information = InformationKind::LogsAndHeaders;
            let text = text("please send the logs");
            (true, CaseCommand::RequestInformation(RequestInformation { information, text }))
        }
        _ => (random.bool(), CaseCommand::Close(CloseCase {})),
    }
}

/// Sends an act to a node and answers what came back.
pub async fn send(commands: Arc<Commands>, act: Act) -> Answer {
    let request = Request {
        command_id: act.command_id,
        fingerprint: act.fingerprint,
        actor: people::actor(commands.sealer(), &act.who),
        acting_for: None,
        correlation_id: "simulation".to_owned(),
        causation_id: None,
        if_match: act.if_match.map(|revision| vec![revision]),
    };
    let organization = people::organization(act.organization);
    match act.wish {
        Wish::Merge(source, target) => {
            let target = match commands.case_view(&organization, target).await {
                Ok(view) => CaseState::clone(&view.state),
                Err(LoadError::Unavailable(_)) => return Answer::NotStored,
                Err(LoadError::Damaged(why)) => return Answer::Broken(why),
            };
            let command = CaseCommand::MergeInto(Box::new(MergeInto { target }));
            answer(commands.case(&request, &organization, Some(source), &command).await)
        }
        Wish::Case(case, command) => answer(commands.case(&request, &organization, case, &command).await),
        Wish::Access(command) => answer(commands.access(&request, &organization, &command).await),
    }
}

fn answer<A: Aggregate, R: std::fmt::Display>(result: Result<Outcome<A>, CommandError<R>>) -> Answer {
    match result {
        Ok(outcome) => Answer::Done {
            events: outcome.events.len(),
            revision: outcome.folded.revision.map(|revision| revision.0),
            replayed: outcome.replayed,
        },
        Err(CommandError::Rejected(why)) => Answer::Refused(why.to_string()),
        Err(CommandError::KeyReused) => Answer::KeyReused,
        Err(CommandError::PreconditionFailed) => Answer::PreconditionFailed,
        Err(CommandError::Unavailable(_) | CommandError::Contention) => Answer::NotStored,
        Err(CommandError::OutcomeUnknown) => Answer::Unknown,
        Err(CommandError::TooLarge(why) | CommandError::Damaged(why)) => Answer::Broken(why),
    }
}
