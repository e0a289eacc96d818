//! What a directory can learn of this service before it feeds anything (RFC 7644, 4).

use serde_json::{Value, json};

use crate::call::{Call, Reply};
use crate::scim::{LIST_SCHEMA, USER_SCHEMA};
use crate::status::ApiError;

use super::scim_users::MAX_RESULTS;

/// What of SCIM is spoken here.
///
/// # Errors
/// Only those of every call.
#[utoipa::path(
    get,
    path = "/scim/v2/ServiceProviderConfig",
    operation_id = "scim.serviceProviderConfig",
    tag = "scim",
    responses((status = 200, description = "What is supported", body = Object, content_type = "application/scim+json")),
)]
pub fn service_provider_config(_call: &Call) -> Result<Reply, ApiError> {
    let (yes, no) = (json!({"supported": true}), json!({"supported": false}));
    Reply::json(&json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": yes,
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": MAX_RESULTS},
        "changePassword": no,
        "sort": no,
        "etag": yes,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth bearer token",
            "description": "A token of the OpenID Connect provider with the role provisioner and the organization",
            "primary": true,
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": "/scim/v2/ServiceProviderConfig"},
    }))
}

/// The types of resources: users, and no others.
///
/// # Errors
/// Only those of every call.
#[utoipa::path(
    get,
    path = "/scim/v2/ResourceTypes",
    operation_id = "scim.resourceTypes.list",
    tag = "scim",
    responses((status = 200, description = "The types", body = Object, content_type = "application/scim+json")),
)]
pub fn resource_types(_call: &Call) -> Result<Reply, ApiError> {
    Reply::json(&list(&user_type()))
}

/// The type of users.
///
/// # Errors
/// Only those of every call.
#[utoipa::path(
    get,
    path = "/scim/v2/ResourceTypes/User",
    operation_id = "scim.resourceTypes.get",
    tag = "scim",
    responses((status = 200, description = "The type", body = Object, content_type = "application/scim+json")),
)]
pub fn resource_type(_call: &Call) -> Result<Reply, ApiError> {
    Reply::json(&user_type())
}

/// The schemas: that of users.
///
/// # Errors
/// Only those of every call.
#[utoipa::path(
    get,
    path = "/scim/v2/Schemas",
    operation_id = "scim.schemas.list",
    tag = "scim",
    responses((status = 200, description = "The schemas", body = Object, content_type = "application/scim+json")),
)]
pub fn schemas(_call: &Call) -> Result<Reply, ApiError> {
    Reply::json(&list(&user_schema()))
}

/// The schema of users: the attributes that are kept. Others are passed over.
///
/// # Errors
/// Only those of every call.
#[utoipa::path(
    get,
    path = "/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
    operation_id = "scim.schemas.get",
    tag = "scim",
    responses((status = 200, description = "The schema", body = Object, content_type = "application/scim+json")),
)]
pub fn schema(_call: &Call) -> Result<Reply, ApiError> {
    Reply::json(&user_schema())
}

fn list(only: &Value) -> Value {
    json!({"schemas": [LIST_SCHEMA], "totalResults": 1, "startIndex": 1, "itemsPerPage": 1, "Resources": [only]})
}

fn user_type() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": "User",
        "name": "User",
        "description": "Account of one of the organization's people",
        "endpoint": "/Users",
        "schema": USER_SCHEMA,
        "meta": {"resourceType": "ResourceType", "location": "/scim/v2/ResourceTypes/User"},
    })
}

fn user_schema() -> Value {
    let text = |name: &str, description: &str| attribute(name, "string", description);
    let mut user_name = text("userName", "The address, in a verified domain of the organization");
    user_name["required"] = json!(true);
    user_name["uniqueness"] = json!("server");
    let mut external_id = text("externalId", "The claim `sub` of the person's tokens");
    external_id["required"] = json!(true);
    external_id["caseExact"] = json!(true);
    external_id["mutability"] = json!("immutable");
    external_id["uniqueness"] = json!("server");
    let mut name = attribute("name", "complex", "The name to show");
    name["subAttributes"] = json!([
        text("formatted", "As a whole"),
        write_only(text("givenName", "Joined with familyName where no whole name is told")),
        write_only(text("familyName", "Joined with givenName where no whole name is told")),
    ]);
    let mut emails = attribute("emails", "complex", "The address again");
    emails["multiValued"] = json!(true);
    emails["subAttributes"] = json!([
        text("value", "The address"),
        text("type", "work"),
        attribute("primary", "boolean", "True: there is one"),
    ]);
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": USER_SCHEMA,
        "name": "User",
        "description": "Account of one of the organization's people",
        "attributes": [
            user_name,
            external_id,
            text("displayName", "Name to show"),
            name,
            emails,
            attribute("active", "boolean", "Whether the person is in; false takes them out at once"),
        ],
        "meta": {"resourceType": "Schema", "location": format!("/scim/v2/Schemas/{USER_SCHEMA}")},
    })
}

fn attribute(name: &str, kind: &str, description: &str) -> Value {
    json!({
        "name": name,
        "type": kind,
        "description": description,
        "multiValued": false,
        "required": false,
        "caseExact": false,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    })
}

fn write_only(mut attribute: Value) -> Value {
    attribute["mutability"] = json!("writeOnly");
    attribute["returned"] = json!("never");
    attribute
}
