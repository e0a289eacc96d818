//! The OpenAPI document, generated from the use cases.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::endpoints::account_recovery_list::RECOVERY_STATES;
use crate::endpoints::event_subscriptions_resource::{FAILURE_REASONS, SUBSCRIPTION_STATES};
use crate::endpoints::help_sessions::{
    start_case as help_start_case, stats as help_stats, steps as help_steps,
};
use crate::endpoints::known_issues_resources::{CUSTOMER_IMPACTS, KNOWN_ISSUE_STATES, SUSPICION_SOURCES};
use crate::endpoints::notification_resource::MESSAGE_STATES;
use crate::endpoints::organizations_resources::{DOMAIN_STATES, ENTITLEMENT_STATES, MEMBER_STATES};
use crate::endpoints::webhooks_resource::DISABLE_CAUSES;
use crate::endpoints::{
    account_recovery_close, account_recovery_list, account_recovery_request, agents_list, attachments_get,
    attachments_list, case_classifications_search, case_notifications, cases_allowed_actions, cases_batch,
    cases_close, cases_create, cases_escalate, cases_explain_access, cases_get, cases_list, cases_patch,
    cases_search, cases_show_feed, cases_watch, comments_create, comments_get, comments_list, domains_create,
    domains_delete, domains_list, domains_verify, entitlements_create, entitlements_end, entitlements_list,
    event_subscriptions_create, event_subscriptions_delete, event_subscriptions_patch,
    event_subscriptions_read, events_feed, events_list, feedback, known_issues_members, known_issues_read,
    known_issues_support, me_get, me_notification_preferences, media_download, media_upload, members_create,
    members_delete, members_get, members_list, members_patch, note_attachments_read, note_attachments_upload,
    notifications_operator, organizations_create, organizations_get, organizations_list, organizations_patch,
    organizations_reseller_access, organizations_support_profile, organizations_transfer_management,
    phone_calls_create, priorities_list, queues, satisfaction_get, saved_views, scim_discovery, scim_users,
    support_answers, support_assignment, support_edits, support_escalations, support_follow_up,
    support_links, support_notes_create, support_notes_list, support_objective, support_outages,
    support_stats, support_survey, volume_watch_dry_run, webhooks_change, webhooks_create, webhooks_read,
    webhooks_rotate_secret, webhooks_test,
};
use crate::resources::{ESCALATION_REASONS, PRIORITIES, PRODUCT_LINES, REPRODUCIBLE, STATES};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Dossier",
        description = "Support cases. The customer side is the public Cloud Support API, v2 and v2beta: its official clients work unmodified."
    ),
    paths(
        case_classifications_search::handle,
        priorities_list::handle,
        cases_create::handle,
        cases_get::handle,
        cases_list::handle,
        cases_search::handle,
        cases_watch::handle,
        cases_search::handle_by_query,
        cases_patch::handle,
        cases_escalate::handle,
        cases_close::handle,
        cases_allowed_actions::handle,
        cases_explain_access::handle,
        support_assignment::assign,
        support_assignment::unassign,
        support_assignment::route,
        support_answers::request_information,
        support_answers::propose_solution,
        support_escalations::acknowledge,
        support_escalations::resolve,
        support_edits::change_priority,
        support_edits::add_internal_note,
        support_outages::service_credit,
        support_outages::incident_report,
        support_survey::handle,
        me_notification_preferences::get,
        me_notification_preferences::patch,
        case_notifications::list,
        case_notifications::stop,
        case_notifications::resume,
        notifications_operator::list,
        notifications_operator::retry,
        support_follow_up::handle,
        support_notes_create::handle,
        support_notes_list::handle,
        note_attachments_upload::handle,
        note_attachments_upload::without_media,
        note_attachments_read::list,
        note_attachments_read::get,
        note_attachments_read::download,
        support_links::link,
        support_links::unlink,
        support_links::merge,
        support_links::undo_merge,
        support_objective::handle,
        support_stats::handle,
        support_stats::handle_all,
        satisfaction_get::handle,
        agents_list::handle,
        saved_views::list,
        saved_views::create,
        saved_views::get,
        saved_views::patch,
        saved_views::delete,
        cases_batch::handle,
        queues::list,
        queues::cases,
        account_recovery_request::handle,
        help_steps::create,
        help_steps::get,
        help_steps::describe,
        help_steps::open,
        help_steps::helped,
        help_steps::not_helped,
        help_steps::choose_case,
        help_steps::choose_kind,
        help_steps::choose_contact,
        help_steps::back,
        help_steps::search_again,
        help_start_case::handle,
        help_stats::handle,
        feedback::create,
        feedback::list,
        feedback::get,
        account_recovery_list::list,
        account_recovery_list::get,
        account_recovery_close::handle,
        comments_create::handle,
        comments_get::handle,
        comments_list::handle,
        cases_show_feed::handle,
        attachments_get::handle,
        attachments_list::handle,
        media_upload::handle,
        media_upload::without_media,
        media_download::handle,
        events_list::of_case,
        events_list::of_access,
        events_list::of_known_issue,
        known_issues_support::create,
        known_issues_read::list,
        known_issues_read::get,
        known_issues_support::confirm,
        known_issues_support::dismiss,
        known_issues_support::publish,
        known_issues_support::post_update,
        known_issues_support::resolve,
        known_issues_members::list,
        known_issues_members::banner,
        known_issues_members::get,
        known_issues_members::me_too,
        known_issues_members::not_affected,
        known_issues_members::unsubscribe,
        phone_calls_create::handle,
        volume_watch_dry_run::handle,
        events_feed::handle,
        event_subscriptions_create::handle,
        event_subscriptions_read::get,
        event_subscriptions_read::list,
        event_subscriptions_patch::handle,
        event_subscriptions_delete::delete,
        event_subscriptions_delete::undelete,
        event_subscriptions_delete::expunge,
        webhooks_create::handle,
        webhooks_read::get,
        webhooks_read::list,
        webhooks_change::patch,
        webhooks_change::delete,
        webhooks_rotate_secret::handle,
        webhooks_test::handle,
        me_get::handle,
        organizations_list::handle,
        organizations_create::handle,
        organizations_get::handle,
        organizations_patch::handle,
        organizations_reseller_access::allow,
        organizations_reseller_access::withdraw,
        organizations_transfer_management::handle,
        organizations_support_profile::handle,
        members_list::handle,
        members_create::handle,
        members_get::handle,
        members_patch::handle,
        members_delete::handle,
        entitlements_list::handle,
        entitlements_create::handle,
        entitlements_end::handle,
        domains_list::handle,
        domains_create::handle,
        domains_verify::handle,
        domains_delete::handle,
        scim_users::list,
        scim_users::create,
        scim_users::get,
        scim_users::replace,
        scim_users::patch,
        scim_users::delete,
        scim_discovery::service_provider_config,
        scim_discovery::resource_types,
        scim_discovery::resource_type,
        scim_discovery::schemas,
        scim_discovery::schema,
    )
)]
struct Document;

/// The document: every path in both versions, with the errors and the sign-in that all share.
pub fn document() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    let v2 = document["paths"].as_object().cloned().unwrap_or_default();
    let mut paths = Map::new();
    for version in ["v2", "v2beta"] {
        for (path, item) in &v2 {
            let only_beta = path.starts_with("/v2beta/");
            if (only_beta && version == "v2") || (path.starts_with("/scim/") && version != "v2") {
                continue;
            }
            let mut item = item.clone();
            for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
                complete(operation, version);
                if path.starts_with("/scim/") {
                    operation["responses"]["default"] = scim_refusal();
                }
            }
            paths.insert(path.replacen("/v2/", &format!("/{version}/"), 1), item);
        }
    }
    document["paths"] = Value::Object(paths);
    for (name, schema) in document["components"]["schemas"].as_object_mut().into_iter().flatten() {
        let is_answer = ["Resource", "List", "Feed"].iter().any(|end| name.ends_with(end));
        for (field, property) in schema["properties"].as_object_mut().into_iter().flatten() {
            tighten(name, field, property, is_answer);
        }
    }
    document["components"]["schemas"]["Status"] = status_schema();
    document["components"]["schemas"]["ScimError"] = scim_error_schema();
    document["components"]["securitySchemes"] = json!({
        "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An OpenID Connect token" }
    });
    document["security"] = json!([{ "bearer": [] }]);
    document
}

fn complete(operation: &mut Value, version: &str) {
    if version != "v2" && !operation["operationId"].as_str().is_some_and(|id| id.starts_with("v2beta.")) {
        let id = operation["operationId"].as_str().map(|id| format!("{version}.{id}"));
        operation["operationId"] = json!(id);
    }
    operation["responses"]["default"] = json!({
        "description": "A refusal; `details` holds an ErrorInfo with a stable `reason`",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Status" } } }
    });
}

/// Says of a field what its Rust type does not: the names of an enum, the form of an instant, and that an answer leaves
/// out what is unset instead of sending null.
fn tighten(schema: &str, field: &str, property: &mut Value, is_answer: bool) {
    if is_answer && let Some(types) = property["type"].as_array() {
        let plain = types.iter().find(|one| *one != "null").cloned();
        property["type"] = plain.unwrap_or_default();
    }
    let choices = property["oneOf"].as_array();
    let plain =
        choices.and_then(|choices| choices.iter().find(|choice| choice.get("$ref").is_some())).cloned();
    if let Some(plain) = plain.filter(|_| is_answer) {
        *property = plain;
    }
    let names = match field {
        "state" => match schema {
            "MemberResource" | "OrganizationEntryResource" => MEMBER_STATES,
            "EntitlementResource" => ENTITLEMENT_STATES,
            "DomainResource" => DOMAIN_STATES,
            "AccountRecoveryResource" => RECOVERY_STATES,
            "SupportEventSubscriptionResource" => SUBSCRIPTION_STATES,
            "KnownIssueResource" | "OrganizationKnownIssueResource" => KNOWN_ISSUE_STATES,
            "NotificationResource" => MESSAGE_STATES,
            _ => STATES,
        },
        "priority" => PRIORITIES,
        "failureReason" => FAILURE_REASONS,
        "disableCause" => DISABLE_CAUSES,
        "impact" if schema.starts_with("KnownIssue") => CUSTOMER_IMPACTS,
        "source" if schema.ends_with("KnownIssueResource") || schema == "NewKnownIssue" => SUSPICION_SOURCES,
        "productLine" => PRODUCT_LINES,
        // Elsewhere it is the stable reason of a refusal.
        "reason" if schema.contains("Escalation") => ESCALATION_REASONS,
        "reproducible" => REPRODUCIBLE,
        _ => {
            if field.ends_with("Time") {
                property["format"] = json!("date-time");
            }
            return;
        }
    };
    // Number 0 says that nothing was said.
    let mut names: Vec<Value> =
        names.iter().filter(|(_, number)| *number != 0).map(|(name, _)| json!(name)).collect();
    if property["type"].is_array() {
        names.push(Value::Null);
    }
    property["enum"] = json!(names);
}

fn scim_refusal() -> Value {
    json!({
        "description": "A refusal; `reason` is stable",
        "content": { "application/scim+json": { "schema": { "$ref": "#/components/schemas/ScimError" } } }
    })
}

fn scim_error_schema() -> Value {
    json!({
        "type": "object",
        "description": "An error response of RFC 7644, 3.12",
        "required": ["schemas", "status", "detail", "reason"],
        "properties": {
            "schemas": { "type": "array", "items": { "type": "string" } },
            "status": { "type": "string", "description": "The HTTP status" },
            "scimType": { "type": "string", "description": "The keyword, where one fits" },
            "detail": { "type": "string", "description": "What is wrong and what to do next" },
            "reason": { "type": "string", "description": "The stable reason" }
        }
    })
}

fn status_schema() -> Value {
    json!({
        "type": "object",
        "description": "google.rpc.Status in JSON",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message", "status"],
            "properties": {
                "code": { "type": "integer", "description": "The HTTP status" },
                "message": { "type": "string", "description": "What is wrong and what to do next" },
                "status": { "type": "string", "description": "The canonical code" },
                "details": { "type": "array", "items": { "type": "object" } }
            }
        } }
    })
}

/// The document as committed: sorted, indented, with a line break at the end.
pub fn rendered() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// `/openapi.json`.
pub async fn serve() -> Response {
    ([(CONTENT_TYPE, "application/json")], rendered()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::endpoints::endpoints;

    #[test]
    fn every_endpoint_is_described_and_nothing_else() {
        let document = document();
        let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| {
                (
                    path.clone(),
                    method.clone(),
                    operation["operationId"].as_str().unwrap_or_default().to_owned(),
                )
            })
        });
        let described: BTreeSet<String> =
            operations.map(|(.., id)| id.trim_start_matches("v2beta.").to_owned()).collect();
        let served: BTreeSet<String> = endpoints().map(|endpoint| endpoint.id.to_owned()).collect();
        assert_eq!(described, served);
    }

    #[test]
    fn every_described_path_leads_to_its_endpoint() {
        for (path, item) in document()["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let method = method.to_uppercase().parse().unwrap();
                let concrete = path.replace(['{', '}'], "");
                let (endpoint, ..) = crate::endpoints::route(&method, &concrete).expect("served");
                let id = operation["operationId"].as_str().unwrap();
                assert_eq!(id.trim_start_matches("v2beta."), endpoint.id, "{method} {path}");
            }
        }
    }

    #[test]
    fn the_fields_of_answers_say_what_they_hold() {
        let schemas = &document()["components"]["schemas"];
        let case = &schemas["CaseResource"]["properties"];
        assert_eq!(case["state"]["enum"][4], "CLOSED");
        assert_eq!(case["priority"]["enum"][0], "P0");
        assert_eq!(case["createTime"]["format"], "date-time");
        assert_eq!(case["timeZone"]["type"], "string", "an answer leaves out what is unset");
        assert_eq!(case["problem"]["$ref"], "#/components/schemas/ProblemResource");
        assert!(
            schemas["CasePatch"]["properties"]["priority"]["enum"].as_array().unwrap().contains(&Value::Null)
        );
    }
}
