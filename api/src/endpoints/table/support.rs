//! What support does with a case, and what comes after its solution.

use axum::http::Method;
use dossier_domain::Action;

use super::super::Segment::{All, Attachment, Case, Item, Literal, Parent, ParentOrAll};
use super::super::{
    Endpoint, Kind, Segment, note_attachments_read, note_attachments_upload, support_answers,
    support_assignment, support_edits, support_escalations, support_follow_up, support_links,
    support_notes_create, support_notes_list, support_objective, support_outages, support_stats,
    support_survey,
};
use super::BOTH;
use crate::endpoints::Handler;

const CASE: &[Segment] = &[Parent, Literal("cases"), Case];
const NOTE_FILES: &[Segment] =
    &[Parent, Literal("cases"), Case, Literal("notes"), Item, Literal("attachments")];
const NOTE_FILE: &[Segment] =
    &[Parent, Literal("cases"), Case, Literal("notes"), Item, Literal("attachments"), Attachment];

pub(super) static ENDPOINTS: &[Endpoint] = &[
    act("cases.assign", "assign", Action::WorkOnCase, |call| Box::pin(support_assignment::assign(call))),
    act("cases.unassign", "unassign", Action::WorkOnCase, |call| {
        Box::pin(support_assignment::unassign(call))
    }),
    act("cases.route", "route", Action::WorkOnCase, |call| Box::pin(support_assignment::route(call))),
    act("cases.requestInformation", "requestInformation", Action::WorkOnCase, |call| {
        Box::pin(support_answers::request_information(call))
    }),
    act("cases.proposeSolution", "proposeSolution", Action::WorkOnCase, |call| {
        Box::pin(support_answers::propose_solution(call))
    }),
    act("cases.acknowledgeEscalation", "acknowledgeEscalation", Action::WorkOnCase, |call| {
        Box::pin(support_escalations::acknowledge(call))
    }),
    act("cases.resolveEscalation", "resolveEscalation", Action::WorkOnCase, |call| {
        Box::pin(support_escalations::resolve(call))
    }),
    act("cases.changePriority", "changePriority", Action::WorkOnCase, |call| {
        Box::pin(support_edits::change_priority(call))
    }),
    act("cases.addInternalNote", "addInternalNote", Action::WorkOnCase, |call| {
        Box::pin(support_edits::add_internal_note(call))
    }),
    act("cases.requestServiceCredit", "requestServiceCredit", Action::RequestCompensation, |call| {
        Box::pin(support_outages::service_credit(call))
    }),
    act("cases.requestIncidentReport", "requestIncidentReport", Action::RequestCompensation, |call| {
        Box::pin(support_outages::incident_report(call))
    }),
    act("cases.answerSurvey", "answerSurvey", Action::AnswerSurvey, |call| {
        Box::pin(support_survey::handle(call))
    }),
    act("cases.followUp", "followUp", Action::FileCase, |call| Box::pin(support_follow_up::handle(call))),
    act("cases.linkCases", "linkCases", Action::WorkOnCase, |call| Box::pin(support_links::link(call))),
    act("cases.mergeInto", "mergeInto", Action::WorkOnCase, |call| Box::pin(support_links::merge(call))),
    act("cases.undoMerge", "undoMerge", Action::WorkOnCase, |call| Box::pin(support_links::undo_merge(call))),
    Endpoint {
        id: "cases.notes.create",
        method: Method::POST,
        path: &[Parent, Literal("cases"), Case, Literal("notes")],
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::WorkOnCase,
        handler: |call| Box::pin(support_notes_create::handle(call)),
    },
    Endpoint {
        id: "cases.notes.list",
        method: Method::GET,
        path: &[Parent, Literal("cases"), Case, Literal("notes")],
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::WorkOnCase,
        handler: |call| Box::pin(support_notes_list::handle(call)),
    },
    note_files("cases.notes.attachments.upload", Method::POST, Kind::Upload, |call| {
        Box::pin(note_attachments_upload::handle(call))
    }),
    note_files("cases.notes.attachments.upload.withoutMedia", Method::POST, Kind::Command, |_| {
        Box::pin(std::future::ready(Err(note_attachments_upload::without_media())))
    }),
    note_files("cases.notes.attachments.list", Method::GET, Kind::Query, |call| {
        Box::pin(note_attachments_read::list(call))
    }),
    note_file("cases.notes.attachments.get", None, |call| Box::pin(note_attachments_read::get(call))),
    note_file("cases.notes.attachments.download", Some("download"), |call| {
        Box::pin(note_attachments_read::download(call))
    }),
    Endpoint {
        id: "cases.explainObjective",
        method: Method::GET,
        path: CASE,
        verb: Some("explainObjective"),
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadCases,
        handler: |call| Box::pin(support_objective::handle(call)),
    },
    Endpoint {
        id: "stats.get",
        method: Method::GET,
        path: &[ParentOrAll, Literal("stats")],
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadCases,
        handler: |call| Box::pin(support_stats::handle(call)),
    },
    Endpoint {
        id: "stats.getAll",
        method: Method::GET,
        path: &[All, Literal("stats")],
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadCases,
        handler: |call| Box::pin(support_stats::handle_all(call)),
    },
];

/// A command on a case, by what stands behind the last `:`.
const fn act(id: &'static str, verb: &'static str, action: Action, handler: Handler) -> Endpoint {
    Endpoint {
        id,
        method: Method::POST,
        path: CASE,
        verb: Some(verb),
        kind: Kind::Command,
        versions: BOTH,
        action,
        handler,
    }
}

/// Of the files of a note: whoever may read the note may do everything with them.
const fn note_files(id: &'static str, method: Method, kind: Kind, handler: Handler) -> Endpoint {
    Endpoint {
        id,
        method,
        path: NOTE_FILES,
        verb: None,
        kind,
        versions: BOTH,
        action: Action::WorkOnCase,
        handler,
    }
}

/// A read of one file of a note.
const fn note_file(id: &'static str, verb: Option<&'static str>, handler: Handler) -> Endpoint {
    Endpoint {
        id,
        method: Method::GET,
        path: NOTE_FILE,
        verb,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::WorkOnCase,
        handler,
    }
}
