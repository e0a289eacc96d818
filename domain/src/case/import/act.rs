//! The acts of an imported history, each checked against what the case was like by then.

use jiff::Timestamp;

use super::super::attach::{self, AttachFile};
use super::super::close::closed;
use super::super::comment::{MAX_COMMENT_CHARS, consequence};
use super::super::edit::MAX_REASON_CHARS;
use super::super::escalate::MAX_JUSTIFICATION_CHARS;
use super::super::events::{
    CaseEscalated, CaseEvent, CaseStateChanged, CommentAdded, EscalationAcknowledged, EscalationReason,
    EscalationResolved, InformationKind, InformationRequested, InternalNoteAdded, PriorityChanged,
    SolutionKind, SolutionParticulars, SolutionProposed, StateChangeCause, SurveyChannel,
};
use super::super::file::check_text;
use super::super::note::of_note;
use super::super::rejection::CaseRejection;
use super::super::reopen::FollowUpOffer;
use super::super::state::{Case, Status, check_open};
use super::super::survey::AnswerSurvey;
use super::super::{acknowledge_escalation, propose_solution};
use super::ImportedPerson;
use crate::authority::Side;
use crate::catalogue::Priority;
use crate::context::Context;
use crate::ids::{CommentId, NoteId};
use crate::personal::Personal;

/// Something that happened then.
#[derive(Clone, Debug)]
pub struct ImportedAct {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: ImportedPerson,
    /// From which side.
    pub side: Side,
    /// What.
    pub kind: ImportedActKind,
}

/// What happened then.
#[derive(Clone, Debug)]
pub enum ImportedActKind {
    /// A comment of either side; the customer side's reopens a closed case within its window.
    Comment {
        /// The text.
        body: Personal<String>,
    },
    /// A file of either side.
    Attachment {
        /// The file.
        file: AttachFile,
    },
    /// An internal note of support.
    InternalNote {
        /// The text.
        body: Personal<String>,
        /// Its files.
        files: Vec<AttachFile>,
    },
    /// A request of support.
    InformationRequest {
        /// What for.
        information: InformationKind,
        /// In support's words.
        text: Personal<String>,
    },
    /// A solution of support.
    Solution {
        /// Of which kind.
        solution: SolutionKind,
        /// In support's words.
        text: Personal<String>,
        /// What the kind needs.
        particulars: SolutionParticulars,
    },
    /// A change of priority by either side.
    PriorityChange {
        /// To which.
        priority: Priority,
        /// Why.
        reason: Option<Personal<String>>,
    },
    /// An escalation by the customer side.
    Escalation {
        /// Why.
        reason: EscalationReason,
        /// In their words.
        justification: Personal<String>,
    },
    /// Support took the escalation up.
    EscalationAcknowledgement,
    /// Support finished the escalation.
    EscalationResolution,
    /// A closing by either side.
    Closing,
    /// The filer's answer to the survey of the closing before it.
    SurveyAnswer {
        /// From 1, bad, to 5, good.
        rating: u8,
        /// In their words.
        text: Option<Personal<String>>,
    },
}

impl ImportedActKind {
    /// Whose act it is; `None`: of either side.
    fn is_of_support(&self) -> Option<bool> {
        match self {
            Self::Comment { .. } | Self::Attachment { .. } | Self::PriorityChange { .. } | Self::Closing => {
                None
            }
            Self::Escalation { .. } | Self::SurveyAnswer { .. } => Some(false),
            Self::InternalNote { .. }
            | Self::InformationRequest { .. }
            | Self::Solution { .. }
            | Self::EscalationAcknowledgement
            | Self::EscalationResolution => Some(true),
        }
    }

    /// The files that come with it, in order: whether everything else fits can be asked before their content is stored, and what
    /// is stored is filled in here.
    pub fn files_mut(&mut self) -> &mut [AttachFile] {
        match self {
            Self::Attachment { file } => std::slice::from_mut(file),
            Self::InternalNote { files, .. } => files,
            _ => &mut [],
        }
    }
}

impl ImportedAct {
    /// The events of an act of a case as it was by then.
    pub(super) fn events(
        &self,
        index: usize,
        case: &Case,
        context: &Context<'_>,
    ) -> Result<Vec<CaseEvent>, CaseRejection> {
        if self.kind.is_of_support().is_some_and(|support| support != (self.side == Side::Support)) {
            return Err(CaseRejection::invalid("side", "this is an act of the other side"));
        }
        // Each has ids of its own, though one command takes over all of them.
        let step = context.command_id.step(&format!("import/{index}"));
        let author = self.by.contact.clone();
        match &self.kind {
            ImportedActKind::Comment { body } => {
                check_text("body", body, 1, MAX_COMMENT_CHARS)?;
                self.check_reopening(case)?;
                let (comment, body) = (CommentId::derived(step), body.clone());
                let comment = CommentAdded { comment, body, author, side: self.side };
                let consequence = consequence(case, &comment);
                Ok([comment.into()].into_iter().chain(consequence).collect())
            }
            ImportedActKind::Attachment { file } => {
                attach::check_side(case, self.side)?;
                Ok(vec![file.added(step, &author, self.side)?.into()])
            }
            ImportedActKind::InternalNote { body, files } => {
                check_text("body", body, 1, MAX_COMMENT_CHARS)?;
                let (note, body) = (NoteId::derived(step), body.clone());
                let mut events = vec![InternalNoteAdded { note, body, author: author.clone() }.into()];
                for (number, file) in files.iter().enumerate() {
                    let step = step.step(&format!("file/{number}"));
                    events.push(of_note(note, file.added(step, &author, self.side)?).into());
                }
                Ok(events)
            }
            ImportedActKind::InformationRequest { information, text } => {
                check_text("text", text, 1, MAX_COMMENT_CHARS)?;
                check_open(case)?;
                let (information, text) = (*information, text.clone());
                Ok(vec![InformationRequested { information, text, author }.into()])
            }
            ImportedActKind::Solution { solution, text, particulars } => {
                check_text("text", text, 1, MAX_COMMENT_CHARS)?;
                check_open(case)?;
                let community = context.catalogue.links.community.as_deref();
                let particulars = propose_solution::particulars(*solution, particulars, community)?;
                let (solution, text) = (*solution, text.clone());
                // What was proposed then closes nothing by itself now.
                let automatic_closing = None;
                let known_issue = None;
                let proposed =
                    SolutionProposed { solution, text, author, particulars, automatic_closing, known_issue };
                Ok(vec![proposed.into()])
            }
            ImportedActKind::PriorityChange { priority, reason } => {
                reason.as_ref().map_or(Ok(()), |reason| check_text("reason", reason, 0, MAX_REASON_CHARS))?;
                let (from, to, reason) = (case.priority, *priority, reason.clone());
                Ok(vec![PriorityChanged { from, to, side: self.side, reason }.into()])
            }
            ImportedActKind::Escalation { reason, justification } => {
                self.escalation(*reason, justification, case)
            }
            ImportedActKind::EscalationAcknowledgement => {
                acknowledge_escalation::check_acknowledge(case)?;
                Ok(vec![EscalationAcknowledged {}.into()])
            }
            ImportedActKind::EscalationResolution => {
                acknowledge_escalation::check_resolve(case)?;
                Ok(vec![EscalationResolved {}.into()])
            }
            ImportedActKind::Closing => {
                check_open(case)?;
                Ok(closed(case, self.side, false, self.at))
            }
            ImportedActKind::SurveyAnswer { rating, text } => {
                let (closing, via) = (case.closings, SurveyChannel::SignedIn);
                AnswerSurvey { closing, rating: *rating, text: text.clone(), via }.of_then(case, &author)
            }
        }
    }

    /// As R-REOPEN-1 has it, by the instants of then; whether there was a plan then is not asked.
    fn check_reopening(&self, case: &Case) -> Result<(), CaseRejection> {
        match case.reopen_window_ends_at {
            Some(ended_at) if self.side.is_customer_side() && self.at > ended_at => {
                let follow_up = Box::new(FollowUpOffer::of(case));
                Err(CaseRejection::ReopenWindowEnded { ended_at, follow_up })
            }
            _ => Ok(()),
        }
    }

    fn escalation(
        &self,
        reason: EscalationReason,
        justification: &Personal<String>,
        case: &Case,
    ) -> Result<Vec<CaseEvent>, CaseRejection> {
        check_text("justification", justification, 1, MAX_JUSTIFICATION_CHARS)?;
        check_open(case)?;
        if case.escalation.is_active() {
            return Err(CaseRejection::EscalationActive);
        }
        let mut events =
            vec![CaseEscalated { reason, justification: justification.clone(), side: self.side }.into()];
        if case.status == Status::SolutionProvided {
            let (from, to) = (case.status, Status::InProgress);
            events.push(CaseStateChanged { from, to, cause: StateChangeCause::Escalation }.into());
        }
        Ok(events)
    }
}
