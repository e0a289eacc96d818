//! What must hold after a run, whatever happened in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dossier_domain::case::{CaseEvent, CaseState, EscalationStatus};
use dossier_domain::personal::{InvalidPlain, open_all, subjects_to_open};
use dossier_domain::{Aggregate, DomainEvent, VisibilityScope};
use dossier_eventlog::{EventId, Metadata, Opened, Position, RecordedEvent, Revision, Sealer, WhenEmpty};
use dossier_projections::ReadDatabase;
use dossier_projections::cases::{CaseCondition, CaseQueries, CaseRow};
use uuid::Uuid;

use crate::acts::{Answer, Sending};
use crate::nodes::Ground;
use crate::part::Part;
use crate::people::{ORGANIZATIONS, organization};

pub mod merges;
pub mod messages;
pub mod timers;

/// An event with its metadata.
struct Seen {
    event: RecordedEvent,
    metadata: Metadata,
}

fn seen(ground: &Ground) -> Result<Vec<Seen>, String> {
    let events = ground.log.events().into_iter();
    events
        .map(|event| {
            let metadata = event.metadata().map_err(|error| error.to_string())?;
            Ok(Seen { event, metadata })
        })
        .collect()
}

/// Everything that the log, the bus and the ledgers tell.
///
/// # Errors
/// What does not hold.
pub fn all(ground: &Ground, sendings: &[Sending], repeated: &[Sending]) -> Result<(), String> {
    let log = seen(ground)?;
    streams_have_no_hole(&log)?;
    each_command_is_there_once_and_whole(&log)?;
    answers_are_true(&log, sendings)?;
    repeats_get_the_first_answer(sendings, repeated)?;
    decisions_rest_on_the_access_of_their_time(&log)?;
    the_bus_skips_nothing(ground, &log)?;
    by_itself(ground)
}

/// What was done by nobody but the system itself.
///
/// # Errors
/// What does not hold.
pub fn by_itself(ground: &Ground) -> Result<(), String> {
    every_trigger_has_one_effect(ground, &seen(ground)?)?;
    timers::gone_off(ground)?;
    timers::none_is_lost(ground)?;
    merges::on_both_sides(ground).map(drop)
}

fn streams_have_no_hole(log: &[Seen]) -> Result<(), String> {
    let mut heads = BTreeMap::new();
    let mut position = Position::START;
    let mut ids = BTreeSet::new();
    for Seen { event, .. } in log {
        let before = heads.insert(event.stream.clone(), (event.revision, event.recorded_at));
        let expected = before.map_or(Revision(0), |(revision, _)| revision.next());
        if event.revision != expected {
            return Err(format!("{} has revision {} after {before:?}", event.stream, event.revision));
        }
        if before.is_some_and(|(_, recorded_at)| event.recorded_at < recorded_at) {
            return Err(format!("{} goes back in time at revision {}", event.stream, event.revision));
        }
        if event.position <= position {
            return Err(format!("position {} follows {position}", event.position));
        }
        if !ids.insert(event.event_id) {
            return Err(format!("event {} is in the log twice", event.event_id));
        }
        position = event.position;
    }
    Ok(())
}

/// The events of each command, in order.
fn by_command(log: &[Seen]) -> BTreeMap<Uuid, Vec<&Seen>> {
    let mut commands: BTreeMap<Uuid, Vec<&Seen>> = BTreeMap::new();
    for seen in log {
        commands.entry(seen.metadata.command_id).or_default().push(seen);
    }
    commands
}

fn each_command_is_there_once_and_whole(log: &[Seen]) -> Result<(), String> {
    for (command, events) in by_command(log) {
        let id = dossier_domain::CommandId(command);
        for (index, seen) in events.iter().enumerate() {
            let first = &events[0].event;
            let in_place = seen.event.stream == first.stream
                && seen.event.revision.0 == first.revision.0 + index as u64
                && seen.event.event_id == EventId(id.event_id(index));
            if !in_place {
                return Err(format!(
                    "command {command} was applied twice or in part: {:?}",
                    seen.event.event_id
                ));
            }
        }
    }
    Ok(())
}

fn answers_are_true(log: &[Seen], sendings: &[Sending]) -> Result<(), String> {
    let commands = by_command(log);
    let mut may_be_there = BTreeSet::new();
    for (number, Sending { act, answer }) in sendings.iter().enumerate() {
        let id = act.command_id.0;
        let there = commands.get(&id);
        let wrong = |why: &str| Err(format!("#{number} {id}: answered {answer:?}, but {why}"));
        match answer {
            Answer::Done { events: events @ 1.., revision, replayed } => {
                may_be_there.insert(id);
                let Some(there) = there else { return wrong("it is not in the log") };
                if there[0].metadata.fingerprint != act.fingerprint.as_str() {
                    return wrong("it was another command that was done under this id");
                }
                let last = there.last().map(|seen| seen.event.revision.0);
                if (there.len(), last) != (*events, *revision) {
                    return wrong(&format!("the log has {} events up to {last:?}", there.len()));
                }
                let begins = there[0].event.revision.0;
                if !replayed
                    && act.if_match.is_some_and(|wanted| wanted + 1 != begins)
                    && act.who.starts_with("agent")
                {
                    return wrong(&format!("it begins at revision {begins} in spite of its condition"));
                }
            }
            Answer::None | Answer::Unknown => {
                may_be_there.insert(id);
            }
            Answer::KeyReused => {
                // Of a command in two streams, perhaps only the first part was done.
                let claim = commands.get(&act.command_id.step("domain claim").0);
                let other = there
                    .or(claim)
                    .is_some_and(|there| there[0].metadata.fingerprint != act.fingerprint.as_str());
                if !other {
                    return wrong("no other command has this id");
                }
            }
            Answer::Broken(why) => return wrong(why),
            Answer::Done { .. } | Answer::Refused(_) | Answer::PreconditionFailed | Answer::NotStored => {}
        }
    }
    for Sending { act, answer } in sendings {
        let id = act.command_id.0;
        if commands.contains_key(&id) && !may_be_there.contains(&id) {
            return Err(format!("{id} is in the log, and whoever sent it was told {answer:?}"));
        }
    }
    Ok(())
}

fn repeats_get_the_first_answer(sendings: &[Sending], repeated: &[Sending]) -> Result<(), String> {
    let firsts: BTreeMap<_, _> = sendings
        .iter()
        .filter_map(|Sending { act, answer }| match answer {
            Answer::Done { events: events @ 1.., revision, .. } => {
                Some((act.command_id.0, (*events, *revision)))
            }
            _ => None,
        })
        .collect();
    for Sending { act, answer } in repeated {
        let first = firsts.get(&act.command_id.0);
        let same = matches!(answer, Answer::Done { events, revision, replayed: true } if first == Some(&(*events, *revision)));
        if !same {
            return Err(format!("{}: first {first:?}, repeated {answer:?}", act.command_id.0));
        }
    }
    Ok(())
}

/// No command is decided on access state older than its guard.
fn decisions_rest_on_the_access_of_their_time(log: &[Seen]) -> Result<(), String> {
    let mut access: BTreeMap<String, u64> = BTreeMap::new();
    for Seen { event, metadata } in log {
        if event.stream.category() == "access" {
            access.insert(event.stream.id().to_owned(), event.revision.0);
            continue;
        }
        let stands_at = metadata.organization.as_ref().and_then(|name| access.get(name)).copied();
        if metadata.access_revision != stands_at {
            return Err(format!(
                "the event at {} was decided on access revision {:?}, which was {stands_at:?} then",
                event.position, metadata.access_revision
            ));
        }
    }
    Ok(())
}

fn the_bus_skips_nothing(ground: &Ground, log: &[Seen]) -> Result<(), String> {
    let record = ground.bus.record();
    let mut before = record.first().map(|(previous, _)| *previous);
    if ground.relaying.when_empty == WhenEmpty::FromBeginning && before != Some(Position::START) {
        return Err(format!("a bus that keeps begins after {before:?}"));
    }
    let mut published = BTreeSet::new();
    for (previous, position) in &record {
        if before != Some(*previous) {
            return Err(format!("on the bus {position} names {previous} before it, which was {before:?}"));
        }
        before = Some(*position);
        published.insert(*position);
    }
    let first = record.first().map(|(_, position)| *position);
    let due = log
        .iter()
        .map(|seen| seen.event.position)
        .filter(|position| Some(*position) >= first && first.is_some());
    let missing: Vec<_> = due.filter(|position| !published.contains(position)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("the bus has skipped {missing:?}")) }
}

/// What reactors did: trigger, and type of the first event.
///
/// # Errors
/// When a causation is no event.
pub fn effects(ground: &Ground) -> Result<Vec<(EventId, String)>, String> {
    let mut effects = Vec::new();
    for (command, events) in by_command(&seen(ground)?) {
        let Some(causation) = &events[0].metadata.causation_id else { continue };
        let trigger = causation.parse().map_err(|_| format!("{command} was caused by {causation}"))?;
        effects.push((EventId(trigger), events[0].event.event_type.to_string()));
    }
    Ok(effects)
}

fn every_trigger_has_one_effect(ground: &Ground, log: &[Seen]) -> Result<(), String> {
    let mut count: BTreeMap<(EventId, String), usize> = BTreeMap::new();
    for effect in effects(ground)?.into_iter().filter(|(_, effect)| !merges::EFFECTS.contains(&&**effect)) {
        *count.entry(effect).or_default() += 1;
    }
    for Seen { event, .. } in log {
        // The type of the effect, and how often it must be there; somebody of support may acknowledge faster.
        let (effect, due) = match &*event.event_type {
            "CaseFiled" => ("CommentAdded", 1..=1),
            "CaseEscalated" => ("EscalationAcknowledged", 0..=1),
            _ => continue,
        };
        let found = count.remove(&(event.event_id, effect.to_owned())).unwrap_or(0);
        if !due.contains(&found) {
            return Err(format!(
                "{} at {} has {found} times the effect {effect}",
                event.event_type, event.position
            ));
        }
    }
    if let Some(effect) = count.keys().next() {
        return Err(format!("{effect:?} has no trigger"));
    }
    let waiting = folded(log)?.into_iter().find(|(_, fold)| {
        fold.state.filed().is_some_and(|case| case.escalation == EscalationStatus::Requested)
    });
    waiting.map_or(Ok(()), |(case, _)| Err(format!("the escalation of {case} was passed over")))
}

/// A case as the log tells it.
struct Fold {
    state: CaseState,
    filed: Position,
    last: RecordedEvent,
}

fn folded(log: &[Seen]) -> Result<BTreeMap<String, Fold>, String> {
    let mut folds: BTreeMap<String, Fold> = BTreeMap::new();
    for Seen { event, .. } in log.iter().filter(|seen| seen.event.stream.category() == "case") {
        let decoded = CaseEvent::decode(&event.event_type, event.version, &event.payload)
            .map_err(|error| error.to_string())?;
        let fold = folds.entry(event.stream.id().to_owned()).or_insert_with(|| Fold {
            state: CaseState::default(),
            filed: event.position,
            last: event.clone(),
        });
        fold.state.evolve(&decoded, event.recorded_at);
        fold.last = event.clone();
    }
    Ok(folds)
}

/// Compares two dumps.
///
/// # Errors
/// The first row that differs.
pub fn same_rows(
    model: &str,
    one: &str,
    ones: &[String],
    other: &str,
    others: &[String],
) -> Result<(), String> {
    if ones == others {
        return Ok(());
    }
    let (ones, others): (BTreeSet<_>, BTreeSet<_>) = (ones.iter().collect(), others.iter().collect());
    Err(format!(
        "{model}: only {one}: {:?}; only {other}: {:?}",
        ones.difference(&others).next(),
        others.difference(&ones).next()
    ))
}

/// Compares the rows of `cases` with the fold of the log.
///
/// # Errors
/// The first row that differs.
pub async fn rows_are_the_fold(
    ground: &Ground,
    part: &Arc<Part>,
    database: &Arc<ReadDatabase>,
) -> Result<(), String> {
    let sealer = ground.sealer(part);
    let mut folds = folded(&seen(ground)?)?;
    let queries = CaseQueries::new(database.clone());
    for (name, _) in ORGANIZATIONS {
        let organization = organization(name);
        let scope = VisibilityScope::Organization { organization: organization.clone(), products: None };
        let page = queries
            .list(&scope, Some(&organization), &CaseCondition::anything(), None, 10_000)
            .await
            .map_err(|error| error.to_string())?;
        for row in page.cases {
            let mut fold = folds.remove(&row.case_id).ok_or_else(|| format!("{row:?} has no event"))?;
            open(&sealer, &mut fold.state).await?;
            let (shown, told) = (of_row(&row), of_fold(&fold));
            if shown != told {
                return Err(format!("the row shows {shown:?}, the log tells {told:?}"));
            }
        }
    }
    folds.keys().next().map_or(Ok(()), |case| Err(format!("{case} has no row")))
}

struct Unopened;

impl From<InvalidPlain> for Unopened {
    fn from(_: InvalidPlain) -> Self {
        Self
    }
}

async fn open(sealer: &Sealer, state: &mut CaseState) -> Result<(), String> {
    let unopened = |_| "a sealed value does not open".to_owned();
    sealer.prepare_open(&subjects_to_open(state)).await.map_err(|error| error.to_string())?;
    open_all(state, |subject, sealed| match sealer.open(subject, sealed) {
        Ok(Opened::Plain(plain)) => Ok(Some(plain)),
        Ok(Opened::Erased) => Ok(None),
        Err(_) => Err(Unopened),
    })
    .map_err(unopened)
}

/// What a row and a fold are compared by.
type Facts = (Vec<String>, Vec<i64>, bool);

fn of_row(row: &CaseRow) -> Facts {
    let texts = [&row.organization, &row.product, &row.classification_id, &row.status, &row.subscribers];
    let texts = texts
        .into_iter()
        .cloned()
        .chain([&row.title, &row.description, &row.filer_email].map(|text| shown(text.as_ref())))
        .chain([&row.provider, &row.assignee, &row.response_kind].map(|text| shown(text.as_ref())));
    let numbers = vec![row.sequence, row.priority, row.revision, row.filed_at_micros, row.updated_at_micros];
    (texts.collect(), numbers, row.escalated)
}

fn shown(text: Option<&String>) -> String {
    format!("{text:?}")
}

fn of_fold(fold: &Fold) -> Facts {
    let Some(case) = fold.state.filed() else { return Facts::default() };
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let subscribers: Vec<_> = case.subscribers.iter().filter_map(|subscriber| subscriber.open()).collect();
    let texts = vec![
        case.organization.to_string(),
        case.product.to_string(),
        case.classification.id.clone(),
        case.status.as_str().to_owned(),
        format!("{subscribers:?}").replace(", ", ","),
        shown(case.title.open()),
        shown(case.description.open()),
        shown(case.filer.open().map(|contact| &contact.email)),
        shown(case.provider.as_ref().map(ToString::to_string).as_ref()),
        shown(case.assignment.as_ref().map(|assignment| assignment.agent.to_string()).as_ref()),
        shown(case.objective.as_ref().map(|open| open.kind.as_str().to_owned()).as_ref()),
    ];
    let numbers = vec![
        number(fold.filed.0),
        i64::from(case.priority.digit()),
        number(fold.last.revision.0),
        case.filed_at.as_microsecond(),
        fold.last.recorded_at.as_microsecond(),
    ];
    (texts, numbers, case.escalation.is_active())
}
