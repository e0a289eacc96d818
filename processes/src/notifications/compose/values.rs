//! What a mail may say of one command: read from its events, never from what came later. `None` where something that would be
//! said was erased.

use dossier_commands::{CaseMoment, KnownIssueMoment};
use dossier_domain::Contact;
use dossier_domain::case::{Case, CaseEvent, SolutionKind};
use dossier_domain::known_issue::{KnownIssue, KnownIssueEvent};
use dossier_domain::personal::Personal;

use super::super::circles::Surroundings;
use super::super::templates::Values;

/// Which closing of a case events are, where they are one.
pub(super) fn closing(events: &[CaseEvent]) -> Option<u32> {
    events.iter().find_map(|event| match event {
        CaseEvent::CaseClosed(closed) => Some(closed.closing),
        _ => None,
    })
}

/// What is said of a command on a case. The title is the one of now: somebody may have had reason to change it.
pub(super) fn of_case(moment: &CaseMoment, around: &Surroundings, actor: Option<&Contact>) -> Option<Values> {
    let (before, after) = (moment.before.filed(), moment.after.filed()?);
    let registration = around.whose.access().registration.as_ref();
    let mut values = Values {
        title: around.case.title.open()?.clone(),
        reference: after.id.to_string(),
        organization: registration.map(|registration| registration.display_name.clone()),
        actor: actor.and_then(name),
        state: Some(after.status.as_str().to_owned()),
        previous_state: before.map(|case| case.status.as_str().to_owned()),
        priority: Some(priority(after)),
        previous_priority: before.map(priority),
        ..Values::default()
    };
    for event in &moment.events {
        take_in(&mut values, event)?;
    }
    Some(values)
}

fn take_in(values: &mut Values, event: &CaseEvent) -> Option<()> {
    match event {
        CaseEvent::CaseFiled(filed) => values.actor = filed.filer.open().and_then(name),
        CaseEvent::CommentAdded(added) => said(values, &added.body, &added.author)?,
        CaseEvent::InformationRequested(asked) => said(values, &asked.text, &asked.author)?,
        CaseEvent::SolutionProposed(proposed) => {
            said(values, &proposed.text, &proposed.author)?;
            values.solution = Some(solution(proposed.solution).to_owned());
        }
        CaseEvent::CaseEscalated(escalated) => values.text = Some(escalated.justification.open()?.clone()),
        CaseEvent::CaseMerged(merged) => values.other = Some(merged.target.to_string()),
        CaseEvent::MergeUndone(undone) => values.other = Some(undone.target.to_string()),
        CaseEvent::ClosingAnnounced(announced) => values.at = Some(announced.closes_at),
        _ => {}
    }
    Some(())
}

fn said(values: &mut Values, text: &Personal<String>, author: &Personal<Contact>) -> Option<()> {
    values.text = Some(text.open()?.clone());
    values.actor = author.open().and_then(name);
    Some(())
}

/// What is said of news of a known issue.
pub(super) fn of_issue(
    moment: &KnownIssueMoment,
    issue: &KnownIssue,
    partner: Option<String>,
) -> Option<Values> {
    let mut values = Values {
        title: issue.publication.as_ref()?.summary.open()?.clone(),
        reference: issue.id.to_string(),
        partner,
        ..Values::default()
    };
    for event in &moment.events {
        match event {
            KnownIssueEvent::KnownIssueUpdatePosted(posted) => {
                values.text = Some(posted.text.open()?.clone());
            }
            KnownIssueEvent::KnownIssueResolved(resolved) => {
                values.text = Some(resolved.text.open()?.clone());
            }
            _ => {}
        }
    }
    Some(values)
}

/// A name to show; what acts by itself and who is known by an address alone have none.
fn name(contact: &Contact) -> Option<String> {
    let shown = !contact.email.is_empty() && contact.display_name != contact.email;
    shown.then(|| contact.display_name.clone())
}

fn priority(case: &Case) -> String {
    format!("P{}", case.priority.digit())
}

/// The name of a solution's kind in the words of the templates.
fn solution(kind: SolutionKind) -> &'static str {
    match kind {
        SolutionKind::Solved => "solved",
        SolutionKind::MissingFeature => "missing_feature",
        SolutionKind::NotReproducible => "not_reproducible",
        SolutionKind::ThirdParty => "third_party",
        SolutionKind::OutOfScope => "out_of_scope",
        SolutionKind::Outage => "outage",
    }
}
