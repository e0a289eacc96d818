//! From the words of a line to the history that the domain takes: whose account an address is, and under whose key each text
//! is sealed, so that erasing somebody reaches what was imported.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use dossier_commands::{Commands, LoadError, identity};
use dossier_domain::address::EmailAddress;
use dossier_domain::case::import::{self as domain, ImportHistory, ImportedAct, ImportedActKind};
use dossier_domain::case::{AttachFile, FileCase, Problem, SolutionParticulars};
use dossier_domain::{Contact, OrganizationId, Personal, PlanId, Subject};
use dossier_eventlog::SealError;

use super::Refusal;
use super::line::{Act, ImportedCase, ImportedPerson, ImportedProblem, What};

/// The people of a file, each looked up once.
#[derive(Default)]
pub(super) struct People {
    known: Mutex<HashMap<String, (dossier_domain::AccountId, Subject)>>,
}

/// Why a line became no history.
pub(super) enum Unread {
    /// It is the line's fault.
    Refused(Refusal),
    /// It is not.
    Trouble(LoadError),
}

impl People {
    /// The organization and the history of a line.
    pub(super) async fn history(
        &self,
        line: &ImportedCase,
        commands: &Commands,
    ) -> Result<(OrganizationId, ImportHistory), Unread> {
        let organization =
            OrganizationId::new(&line.organization).map_err(|why| field("organization", &why))?;
        let plan = line.plan.as_deref().map(PlanId::new).transpose().map_err(|why| field("plan", &why))?;
        let filer = self.person("filer.email", &line.filer, commands).await?;
        let own = |text: &String| Personal::new(filer.contact.subject().clone(), text.clone());
        let sealer = commands.sealer();
        let address = |text: &String| Personal::new(identity::contact_subject(sealer, text), text.clone());
        let addresses = line.contact_email.iter().chain(&line.subscriber_email_addresses);
        for text in addresses {
            check_not_erased(commands, &identity::contact_subject(sealer, text)).await?;
        }
        let mut acts = Vec::with_capacity(line.acts.len());
        for act in &line.acts {
            acts.push(act.read(self.person("by.email", &act.by, commands).await?));
        }
        let filing = FileCase {
            classification: line.classification.clone(),
            title: own(&line.display_name),
            description: own(&line.description),
            priority: Some(line.priority),
            language: line.language_code.clone().unwrap_or_default(),
            time_zone: line.time_zone.clone(),
            contact_email: line.contact_email.as_ref().map(address),
            subscribers: line.subscriber_email_addresses.iter().map(address).collect(),
            test_case: line.test_case,
            problem: line.problem.as_ref().map(|problem| problem.read(own)).transpose()?,
            channel: line.channel,
            follow_up_of: None,
            help: None,
        };
        let history = ImportHistory {
            source: line.source.clone(),
            external_id: line.external_id.clone(),
            filed_at: line.filed_at,
            filing,
            filer,
            side: line.side,
            plan,
            acts,
        };
        Ok((organization, history))
    }

    /// Somebody, as the account that has their address; else under a pseudonym of it.
    async fn person(
        &self,
        name: &str,
        person: &ImportedPerson,
        commands: &Commands,
    ) -> Result<domain::ImportedPerson, Unread> {
        let email = EmailAddress::parse(&person.email).map_err(|why| field(name, &why))?;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(email.canonical()).cloned();
        let (account, subject) = if let Some(known) = known {
            known
        } else {
            let found = commands.find_account(&email).await.map_err(Unread::Trouble)?;
            let sealer = commands.sealer();
            let found = match found {
                Some((account, _)) => (account, Subject::account(account)),
                None => (
                    identity::account_id(sealer, "dossier:imported", email.canonical()),
                    identity::contact_subject(sealer, email.canonical()),
                ),
            };
            check_not_erased(commands, &found.1).await?;
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(email.canonical().to_owned(), found.clone());
            found
        };
        let display_name = person.display_name.clone().unwrap_or_else(|| person.email.clone());
        let contact = Contact { email: person.email.clone(), display_name };
        Ok(domain::ImportedPerson { account, contact: Personal::new(subject, contact) })
    }
}

impl ImportedProblem {
    /// An empty text tells nothing, as where a case is filed over HTTP.
    fn read(&self, own: impl Fn(&String) -> Personal<String>) -> Result<Problem, Unread> {
        let told = |text: &Option<String>| text.as_ref().filter(|text| !text.is_empty()).map(&own);
        let affected_user_percent = self.affected_user_percent.map(u8::try_from).transpose();
        Ok(Problem {
            start: self.start,
            end: self.end,
            version: self.version.clone().filter(|version| !version.is_empty()),
            log_entries: told(&self.log_entries),
            reproducible: self.reproducible,
            code: told(&self.code),
            application_flow: told(&self.application_flow),
            affected_user_percent: affected_user_percent
                .map_err(|_| field("problem.affectedUserPercent", &"must be from 0 to 100"))?,
            user_impact: told(&self.user_impact),
        })
    }
}

impl Act {
    fn read(&self, by: domain::ImportedPerson) -> ImportedAct {
        let own = |text: &String| Personal::new(by.contact.subject().clone(), text.clone());
        let kind = match &self.what {
            What::Comment { body } => ImportedActKind::Comment { body: own(body) },
            What::Attachment { file: _, filename, media_type } => {
                ImportedActKind::Attachment { file: not_stored_yet(own(filename), media_type.as_ref()) }
            }
            What::InternalNote { body, attachments } => {
                let files =
                    attachments.iter().map(|of| not_stored_yet(own(&of.filename), of.media_type.as_ref()));
                ImportedActKind::InternalNote { body: own(body), files: files.collect() }
            }
            What::InformationRequest { information, text } => {
                ImportedActKind::InformationRequest { information: *information, text: own(text) }
            }
            What::Solution { kind, text, idea_url, recommendations, third_party_contact, outage_url } => {
                let particulars = SolutionParticulars {
                    idea_url: idea_url.clone(),
                    recommendations: recommendations.as_ref().map(own),
                    third_party_contact: third_party_contact.as_ref().map(own),
                    outage_url: outage_url.clone(),
                };
                ImportedActKind::Solution { solution: *kind, text: own(text), particulars }
            }
            What::PriorityChange { priority, reason } => {
                ImportedActKind::PriorityChange { priority: *priority, reason: reason.as_ref().map(own) }
            }
            What::Escalation { reason, justification } => {
                ImportedActKind::Escalation { reason: *reason, justification: own(justification) }
            }
            What::EscalationAcknowledgement {} => ImportedActKind::EscalationAcknowledgement,
            What::EscalationResolution {} => ImportedActKind::EscalationResolution,
            What::Closing {} => ImportedActKind::Closing,
            What::SurveyAnswer { rating, text } => {
                // What is no rating at all is refused as one that is too low.
                let rating = u8::try_from(*rating).unwrap_or_default();
                let text = text.as_ref().filter(|text| !text.is_empty()).map(own);
                ImportedActKind::SurveyAnswer { rating, text }
            }
        };
        ImportedAct { at: self.at, by, side: self.side, kind }
    }
}

/// A file of which [`super::files`] says the rest, once its content is stored.
fn not_stored_yet(filename: Personal<String>, media_type: Option<&String>) -> AttachFile {
    let media_type = media_type.cloned().unwrap_or_default();
    AttachFile { filename, media_type, size_bytes: 0, sha256: [0; 32], blob: String::new() }
}

/// Nothing is taken over of somebody who was erased here.
async fn check_not_erased(commands: &Commands, subject: &Subject) -> Result<(), Unread> {
    match commands.sealer().prepare_seal(&[subject.as_str().to_owned()]).await {
        Ok(()) => Ok(()),
        Err(SealError::Erased(_)) => Err(Unread::Refused(Refusal::person_erased())),
        Err(error) => Err(Unread::Trouble(error.into())),
    }
}

fn field(name: &str, why: &dyn std::fmt::Display) -> Unread {
    Unread::Refused(Refusal::new("INVALID_FIELD", format!("{name}: {why}")))
}
