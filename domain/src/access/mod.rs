//! The access aggregate, one per organization: who it is, its verified domains, what it is entitled to, its people and
//! what each may do, and which reseller manages it.

mod add_member;
mod change_member;
mod change_organization;
mod end_entitlement;
mod events;
mod grant_entitlement;
mod list_member;
mod register_organization;
mod rejection;
mod relation;
mod remove_member;
mod reseller;
mod state;
mod transfer_management;
mod verify_domain;

pub use add_member::AddMember;
pub use change_member::ChangeMember;
pub use change_organization::ChangeOrganization;
pub use end_entitlement::EndEntitlement;
pub use events::{
    AccessEvent, AccessGranted, DomainVerified, EntitlementEnded, EntitlementGranted,
    FirstSignInPolicyChanged, GrantChannel, ManagementTransferred, MemberAccessChanged, MemberListed,
    MemberRemoved, OrganizationChanged, OrganizationRegistered, ResellerAccessAllowed,
    ResellerAccessAllowedV1, ResellerAccessWithdrawn, ResellerAccessWithdrawnV1, TechnicalContactChanged,
};
pub use grant_entitlement::GrantEntitlement;
pub use list_member::ListMember;
pub use register_organization::RegisterOrganization;
pub use rejection::AccessRejection;
pub use relation::ResellerRelation;
pub use remove_member::RemoveMember;
pub use reseller::{AllowResellerAccess, WithdrawResellerAccess};
pub use state::{Access, Entitlement, Grant, ManagementPeriod, Member, Registration};
pub use transfer_management::TransferManagement;
pub use verify_domain::VerifyDomain;

use crate::authority::Action;
use crate::context::Context;

/// What can be asked of an organization's access.
#[derive(Clone, Debug)]
pub enum AccessCommand {
    /// Register the organization.
    RegisterOrganization(RegisterOrganization),
    /// Change what the registration said, the technical contact, or who gets an account.
    ChangeOrganization(ChangeOrganization),
    /// Record a domain as verified.
    VerifyDomain(VerifyDomain),
    /// Grant a product with a plan for a period.
    GrantEntitlement(GrantEntitlement),
    /// End a product's plan.
    EndEntitlement(EndEntitlement),
    /// List somebody in the directory, without access.
    ListMember(ListMember),
    /// Give somebody access.
    AddMember(AddMember),
    /// Change what a member may do.
    ChangeMember(ChangeMember),
    /// Remove a member.
    RemoveMember(RemoveMember),
    /// Hand the organization's management to a reseller, or take it back.
    TransferManagement(TransferManagement),
    /// Let the managing reseller see cases.
    AllowResellerAccess(AllowResellerAccess),
    /// Stop the reseller from seeing cases.
    WithdrawResellerAccess(WithdrawResellerAccess),
}

impl AccessCommand {
    /// What the actor must be allowed to do.
    pub fn action(&self) -> Action {
        match self {
            Self::RegisterOrganization(_) => Action::RegisterOrganization,
            Self::VerifyDomain(_)
            | Self::GrantEntitlement(_)
            | Self::EndEntitlement(_)
            | Self::TransferManagement(_) => Action::AdministerOrganizations,
            Self::ChangeOrganization(_) => Action::EditOrganization,
            Self::ListMember(_) | Self::AddMember(_) => Action::AddMembers,
            Self::ChangeMember(_) | Self::RemoveMember(_) => Action::ManageMembers,
            Self::AllowResellerAccess(_) | Self::WithdrawResellerAccess(_) => Action::ManageResellerAccess,
        }
    }
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
    context.authority.open_to(command.action())?;
    if let AccessCommand::RegisterOrganization(command) = command {
        return command.decide(access);
    }
    if access.registration.is_none() {
        return Err(AccessRejection::NotRegistered);
    }
    match command {
        AccessCommand::RegisterOrganization(_) => Err(AccessRejection::AlreadyRegistered),
        AccessCommand::ChangeOrganization(command) => command.decide(access, context),
        AccessCommand::VerifyDomain(command) => command.decide(access, context),
        AccessCommand::GrantEntitlement(command) => command.decide(context),
        AccessCommand::EndEntitlement(command) => command.decide(access, context),
        AccessCommand::ListMember(command) => command.decide(access, context),
        AccessCommand::AddMember(command) => command.decide(access, context),
        AccessCommand::ChangeMember(command) => command.decide(access, context),
        AccessCommand::RemoveMember(command) => command.decide(access, context),
        AccessCommand::TransferManagement(command) => command.decide(access, context),
        AccessCommand::AllowResellerAccess(command) => command.decide(access, context),
        AccessCommand::WithdrawResellerAccess(command) => Ok(command.decide(access, context)),
    }
}
