//! What one may do with a case, who sees it, and accounts to recover.

use axum::http::Method;
use dossier_domain::Action;

use super::super::Segment::{Case, Item, Literal, Parent};
use super::super::{
    Endpoint, Kind, Segment, account_recovery_close, account_recovery_list, account_recovery_request,
    cases_allowed_actions, cases_explain_access,
};
use super::BOTH;

const CASE: &[Segment] = &[Parent, Literal("cases"), Case];
const RECOVERIES: &[Segment] = &[Literal("accountRecoveryCases")];
const RECOVERY: &[Segment] = &[Literal("accountRecoveryCases"), Item];

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        id: "cases.allowedActions",
        method: Method::GET,
        path: CASE,
        verb: Some("allowedActions"),
        kind: Kind::Query,
        versions: BOTH,
        action: Action::ReadCases,
        handler: |call| Box::pin(cases_allowed_actions::handle(call)),
    },
    Endpoint {
        id: "cases.explainAccess",
        method: Method::GET,
        path: CASE,
        verb: Some("explainAccess"),
        kind: Kind::Export,
        versions: BOTH,
        action: Action::ExplainAccess,
        handler: |call| Box::pin(cases_explain_access::handle(call)),
    },
    Endpoint {
        id: "accountRecoveryCases.create",
        method: Method::POST,
        path: RECOVERIES,
        verb: None,
        kind: Kind::Command,
        versions: BOTH,
        action: Action::RequestAccountRecovery,
        handler: |call| Box::pin(account_recovery_request::handle(call)),
    },
    Endpoint {
        id: "accountRecoveryCases.list",
        method: Method::GET,
        path: RECOVERIES,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::HandleAccountRecovery,
        handler: |call| Box::pin(account_recovery_list::list(call)),
    },
    Endpoint {
        id: "accountRecoveryCases.get",
        method: Method::GET,
        path: RECOVERY,
        verb: None,
        kind: Kind::Query,
        versions: BOTH,
        action: Action::HandleAccountRecovery,
        handler: |call| Box::pin(account_recovery_list::get(call)),
    },
    Endpoint {
        id: "accountRecoveryCases.close",
        method: Method::POST,
        path: RECOVERY,
        verb: Some("close"),
        kind: Kind::Command,
        versions: BOTH,
        action: Action::HandleAccountRecovery,
        handler: |call| Box::pin(account_recovery_close::handle(call)),
    },
];
