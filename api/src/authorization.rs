//! The authorization table: every endpoint against everybody there is, as the policy in the domain decides it. The rendered
//! table is committed, so that a change of who may do what is seen in a review.

use std::collections::BTreeMap;
use std::fmt::Write;

use dossier_domain::access::{Access, Grant, Member, Registration, ResellerRelation};
use dossier_domain::{
    AccountId, AccountStatus, ActingFor, Actor, Authority, CentreAccess, Contact, OrganizationId, Personal,
    Principal, ProductId, Role, StaffRole, Subject,
};
use jiff::Timestamp;

use crate::endpoints::{Endpoint, endpoints};
use crate::pipeline::NOT_BOUND;

/// Who asks, as the table's columns name them.
pub const STANDINGS: [&str; 20] = [
    "owner",
    "editor",
    "viewer",
    "listed",
    "pending",
    "deactivated",
    "reseller",
    "reader",
    "former",
    "shut_out",
    "directly",
    "other",
    "nobody",
    "agent",
    "agent_south",
    "engineer",
    "auditor",
    "analyst",
    "operator",
    "provisioner",
];

/// The reason that the policy gives each standing for an endpoint, or `yes`.
pub fn decide(endpoint_id: &str, standing: &str) -> Option<&'static str> {
    let endpoint = endpoints().find(|endpoint| endpoint.id == endpoint_id)?;
    // Who asks is not looked at.
    if endpoint.action.needs_no_sign_in() {
        return World::of(standing).map(|_| "yes");
    }
    let world = World::of(standing)?;
    if endpoint.is_for_directories() && world.actor.bound_to.is_none() {
        return Some(NOT_BOUND.reason());
    }
    Some(match world.authority(endpoint).open_to(endpoint.action) {
        Ok(()) => "yes",
        Err(refusal) => refusal.reason(),
    })
}

/// Somebody, and everything that their authority for the organization `acme` is computed from.
struct World {
    actor: Actor,
    account: AccountStatus,
    acts_for: Option<OrganizationId>,
    acme: Access,
    nimbus: Access,
}

impl World {
    /// Somebody of this standing; `None` only where ids are no ids.
    fn of(standing: &str) -> Option<Self> {
        let id = |name| OrganizationId::new(name).ok();
        let account = AccountId(ulid::Ulid::from(1));
        let contact = Personal::new(
            Subject::account(account),
            Contact { email: "somebody@acme.example".to_owned(), display_name: "Somebody".to_owned() },
        );
        let product = ProductId::new("compute").ok()?;
        let now = Timestamp::UNIX_EPOCH;
        let grant = |role, effective_at| {
            Some(Grant {
                roles: BTreeMap::from([(product.clone(), role)]),
                support_privilege: true,
                effective_at,
            })
        };
        let member = |grant| Member { contact: contact.clone(), grant };
        let role = match standing {
            "owner" | "deactivated" => Some(Some((Role::Owner, now))),
            "editor" => Some(Some((Role::Editor, now))),
            "viewer" => Some(Some((Role::Viewer, now))),
            "pending" => Some(Some((Role::Owner, Timestamp::MAX))),
            "listed" => Some(None),
            _ => None,
        };
        let own = role.map(|role| member(role.and_then(|(role, from)| grant(role, from))));
        let resellers_role = if standing == "reader" { Role::Viewer } else { Role::Owner };
        let is_of_reseller = ["reseller", "reader", "former", "shut_out", "directly"].contains(&standing);
        let of_reseller = is_of_reseller.then(|| member(grant(resellers_role, now)));
        let staff = standing.split('_').next().and_then(StaffRole::from_claim);
        let mut actor = Actor::new(account, contact.clone(), staff);
        actor.bound_to = id("acme").filter(|_| standing == "provisioner");
        let registration = |reseller| {
            Some(Registration {
                display_name: String::new(),
                country: String::new(),
                language: String::new(),
                reseller,
            })
        };
        Some(Self {
            actor,
            account: match standing {
                "deactivated" => AccountStatus::Deactivated,
                "nobody" => AccountStatus::Unknown,
                _ => AccountStatus::Active,
            },
            acts_for: id("nimbus").filter(|_| is_of_reseller && standing != "directly"),
            acme: Access {
                registration: registration(false),
                members: BTreeMap::from_iter(own.map(|member| (account, member))),
                relation: ResellerRelation {
                    manager: id(if standing == "former" { "stratus" } else { "nimbus" }),
                    allowed_in_centre: standing != "shut_out",
                    allowed_in_account_management: false,
                },
                ..Access::default()
            },
            nimbus: Access {
                registration: registration(true),
                members: BTreeMap::from_iter(of_reseller.map(|member| (account, member))),
                ..Access::default()
            },
        })
    }

    fn authority(&self, endpoint: &Endpoint) -> Authority {
        let principal = Principal {
            actor: &self.actor,
            account: self.account,
            acting_for: self.acts_for.as_ref().map(|organization| ActingFor {
                organization,
                access: &self.nimbus,
                centre: CentreAccess::Open,
            }),
        };
        let acme = OrganizationId::new("acme").ok().filter(|_| endpoint.names_organization());
        match &acme {
            Some(acme) => Authority::towards(&principal, acme, &self.acme, Timestamp::UNIX_EPOCH),
            None => Authority::across(&principal, Timestamp::UNIX_EPOCH),
        }
    }
}

/// What a cell says for a reason.
const CELLS: [(&str, &str); 8] = [
    ("yes", "yes"),
    ("ROLE_TOO_LOW", "role"),
    ("NO_SUPPORT_PRIVILEGE", "privilege"),
    ("ACCESS_PENDING", "pending"),
    ("NOT_A_MEMBER", "member"),
    ("NOT_FOR_YOU", "side"),
    ("NO_ACCOUNT", "account"),
    ("RESELLER_NOT_ALLOWED", "shut_out"),
];

/// The table as committed.
pub fn rendered() -> String {
    let mut table = String::from(
        "# Who may call what. Generated from the endpoint table and the policy: `make schemas`.\n\
         # A cell is `yes`, or stands for the reason of the refusal:\n",
    );
    for (reason, cell) in &CELLS[1..] {
        let _ = writeln!(table, "#   {cell:<10} {reason}");
    }
    table += "\
# `owner` to `pending` are acme's own people; `listed` is in the directory without access; `deactivated` was an owner.
# The next are acting for nimbus: `reseller` as an owner there and `reader` as a viewer, let in by acme; `former` when
# acme has another manager now; `shut_out` when acme does not let nimbus in. `directly` is of nimbus, acting for nobody.
# `other` has no relation to acme, `nobody` has no account. `provisioner` is the machine that feeds acme's accounts.
# What needs no sign-in is open to all. Without a good token every other answer is 401. What a role may do on one
# product only, and what a reseller sees of which period, is decided per case.

";
    let width = endpoints().map(|endpoint| endpoint.id.len()).max().unwrap_or_default();
    let mut row = |name: &str, cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> = STANDINGS
            .iter()
            .zip(cells)
            .map(|(name, cell)| format!("{cell:<0$}", name.len().max(9)))
            .collect();
        let _ = writeln!(table, "{}", format!("{name:<width$}  {}", cells.join(" ")).trim_end());
    };
    row("", &mut STANDINGS.into_iter());
    for endpoint in endpoints() {
        row(endpoint.id, &mut STANDINGS.into_iter().map(|standing| cell(endpoint.id, standing)));
    }
    table
}

fn cell(endpoint_id: &str, standing: &str) -> &'static str {
    let reason = decide(endpoint_id, standing);
    CELLS.iter().find(|(known, _)| Some(*known) == reason).map_or("?", |(_, cell)| cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_its_row_and_no_cell_is_open() {
        let table = rendered();
        for endpoint in endpoints() {
            assert!(table.contains(&format!("\n{} ", endpoint.id)), "{}", endpoint.id);
        }
        assert!(!table.contains('?'));
    }

    #[test]
    fn an_outsider_may_nothing_in_an_organization() {
        for endpoint in endpoints().filter(|endpoint| !endpoint.action.requirement().anyone) {
            let names_none = endpoint.action.spans_organizations() || endpoint.is_for_directories();
            // Where no organization is named there is none to be a member of.
            assert!(
                names_none || endpoint.names_organization() || endpoint.is_about_all(),
                "{}",
                endpoint.id
            );
            let reason = if names_none { "NOT_FOR_YOU" } else { "NOT_A_MEMBER" };
            for standing in ["other", "former", "directly"] {
                // A reseller that acme has left has other customers.
                if !(endpoint.is_about_all() && standing == "former") {
                    assert_eq!(decide(endpoint.id, standing), Some(reason), "{} {standing}", endpoint.id);
                }
            }
        }
    }
}
