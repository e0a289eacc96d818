//! The access aggregate, one per organization: who it is, its verified domains, what it is entitled to, its people and
//! what each may do, and which reseller manages it.

mod add_member;
mod events;
mod grant_entitlement;
mod list_member;
mod register_organization;
mod rejection;
mod reseller;
mod state;
mod verify_domain;

pub use add_member::AddMember;
pub use events::{
    AccessEvent, AccessGranted, DomainVerified, EntitlementGranted, ManagementTransferred, MemberListed,
    OrganizationRegistered, ResellerAccessAllowed, ResellerAccessWithdrawn,
};
pub use grant_entitlement::GrantEntitlement;
pub use list_member::ListMember;
pub use register_organization::RegisterOrganization;
pub use rejection::AccessRejection;
pub use reseller::{AllowResellerAccess, TransferManagement, WithdrawResellerAccess};
pub use state::{Access, Entitlement, Grant, ManagementPeriod, Member, Registration};
pub use verify_domain::VerifyDomain;

use crate::authority::Action;
use crate::context::Context;

/// What can be asked of an organization's access.
#[derive(Clone, Debug)]
pub enum AccessCommand {
    /// Register the organization.
    RegisterOrganization(RegisterOrganization),
    /// Record a domain as verified.
    VerifyDomain(VerifyDomain),
    /// Grant a product with a plan for a period.
    GrantEntitlement(GrantEntitlement),
    /// List somebody in the directory, without access.
    ListMember(ListMember),
    /// Give somebody access.
    AddMember(AddMember),
    /// Hand the organization's management to a reseller, or take it back.
    TransferManagement(TransferManagement),
    /// Let the managing reseller see cases.
    AllowResellerAccess(AllowResellerAccess),
    /// Stop the reseller from seeing cases.
    WithdrawResellerAccess(WithdrawResellerAccess),
}

/// Decides a command on an organization's access.
///
/// # Errors
/// [`AccessRejection`] says why nothing happens.
pub fn decide(
    access: &Access,
    command: &AccessCommand,
    context: &Context<'_>,
) -> Result<Vec<AccessEvent>, AccessRejection> {
    context.authority.open_to(Action::AdministerOrganizations)?;
    match command {
        AccessCommand::RegisterOrganization(command) => command.decide(access),
        AccessCommand::VerifyDomain(command) => command.decide(access),
        AccessCommand::GrantEntitlement(command) => command.decide(access, context),
        AccessCommand::ListMember(command) => command.decide(access),
        AccessCommand::AddMember(command) => command.decide(access, context),
        AccessCommand::TransferManagement(command) => command.decide(access, context),
        AccessCommand::AllowResellerAccess(command) => command.decide(access),
        AccessCommand::WithdrawResellerAccess(command) => Ok(command.decide(access)),
    }
}
