//! How organizations' directories feed accounts.

use axum::http::Method;
use dossier_domain::Action;

use super::super::Segment::{Item, Literal};
use super::super::{Endpoint, Kind, Segment, scim_discovery, scim_users};
use crate::call::Version;

const SCIM: &[Version] = &[Version::Scim];
const USERS: &[Segment] = &[Literal("Users")];
const USER: &[Segment] = &[Literal("Users"), Item];

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        id: "scim.users.list",
        method: Method::GET,
        path: USERS,
        verb: None,
        kind: Kind::Query,
        versions: SCIM,
        action: Action::ProvisionAccounts,
        handler: |call| Box::pin(scim_users::list(call)),
    },
    Endpoint {
        id: "scim.users.create",
        method: Method::POST,
        path: USERS,
        verb: None,
        kind: Kind::Command,
        versions: SCIM,
        action: Action::ProvisionAccounts,
        handler: |call| Box::pin(scim_users::create(call)),
    },
    Endpoint {
        id: "scim.users.get",
        method: Method::GET,
        path: USER,
        verb: None,
        kind: Kind::Query,
        versions: SCIM,
        action: Action::ProvisionAccounts,
        handler: |call| Box::pin(scim_users::get(call)),
    },
    Endpoint {
        id: "scim.users.replace",
        method: Method::PUT,
        path: USER,
        verb: None,
        kind: Kind::Command,
        versions: SCIM,
        action: Action::ProvisionAccounts,
        handler: |call| Box::pin(scim_users::replace(call)),
    },
    Endpoint {
        id: "scim.users.patch",
        method: Method::PATCH,
        path: USER,
        verb: None,
        kind: Kind::Command,
        versions: SCIM,
        action: Action::ProvisionAccounts,
        handler: |call| Box::pin(scim_users::patch(call)),
    },
    Endpoint {
        id: "scim.users.delete",
        method: Method::DELETE,
        path: USER,
        verb: None,
        kind: Kind::Command,
        versions: SCIM,
        action: Action::ProvisionAccounts,
        handler: |call| Box::pin(scim_users::delete(call)),
    },
    Endpoint {
        id: "scim.serviceProviderConfig",
        method: Method::GET,
        path: &[Literal("ServiceProviderConfig")],
        verb: None,
        kind: Kind::Query,
        versions: SCIM,
        action: Action::ProvisionAccounts,
        handler: |call| Box::pin(async move { scim_discovery::service_provider_config(&call) }),
    },
    Endpoint {
        id: "scim.resourceTypes.list",
        method: Method::GET,
        path: &[Literal("ResourceTypes")],
        verb: None,
        kind: Kind::Query,
        versions: SCIM,
        action: Action::ProvisionAccounts,
        handler: |call| Box::pin(async move { scim_discovery::resource_types(&call) }),
    },
    Endpoint {
        id: "scim.resourceTypes.get",
        method: Method::GET,
        path: &[Literal("ResourceTypes"), Literal("User")],
        verb: None,
        kind: Kind::Query,
        versions: SCIM,
        action: Action::ProvisionAccounts,
        handler: |call| Box::pin(async move { scim_discovery::resource_type(&call) }),
    },
    Endpoint {
        id: "scim.schemas.list",
        method: Method::GET,
        path: &[Literal("Schemas")],
        verb: None,
        kind: Kind::Query,
        versions: SCIM,
        action: Action::ProvisionAccounts,
        handler: |call| Box::pin(async move { scim_discovery::schemas(&call) }),
    },
    Endpoint {
        id: "scim.schemas.get",
        method: Method::GET,
        // What stands behind a schema's last colon looks like a verb.
        path: &[Literal("Schemas"), Literal("urn:ietf:params:scim:schemas:core:2.0")],
        verb: Some("User"),
        kind: Kind::Query,
        versions: SCIM,
        action: Action::ProvisionAccounts,
        handler: |call| Box::pin(async move { scim_discovery::schema(&call) }),
    },
];
