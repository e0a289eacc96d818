//! The authorization table: every endpoint against everybody there is, as the policy in the domain decides it. The rendered
//! table is committed, so that a change of who may do what is seen in a review.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use dossier_domain::access::{Access, Grant, Member};
use dossier_domain::{
    AccountId, Actor, Authority, Contact, OrganizationId, Personal, ProductId, Role, StaffRole, Subject,
};
use jiff::Timestamp;

use crate::endpoints::ENDPOINTS;

/// Who asks, as the table's columns name them.
pub const STANDINGS: [&str; 11] = [
    "owner", "editor", "viewer", "listed", "pending", "other", "agent", "engineer", "auditor", "analyst",
    "operator",
];

/// The reason that the policy gives each standing for an endpoint, or `yes`.
pub fn decide(endpoint_id: &str, standing: &str) -> Option<&'static str> {
    let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.id == endpoint_id)?;
    let (actor, access) = world(standing);
    let organization = OrganizationId::new("acme").ok()?;
    let authority = Authority::of(&actor, &organization, &access, Timestamp::UNIX_EPOCH);
    Some(match authority.open_to(endpoint.action) {
        Ok(()) => "yes",
        Err(refusal) => refusal.reason(),
    })
}

/// An actor of this standing, and the organization's access state in which they have it.
fn world(standing: &str) -> (Actor, Access) {
    let account = AccountId(ulid::Ulid::from(1));
    let contact = Personal::new(
        Subject::account(account),
        Contact { email: "somebody@acme.example".to_owned(), display_name: "Somebody".to_owned() },
    );
    let staff_roles: BTreeSet<StaffRole> = StaffRole::from_claim(standing).into_iter().collect();
    let grant = |role, effective_at| {
        let roles =
            ProductId::new("compute").map(|product| BTreeMap::from([(product, role)])).unwrap_or_default();
        Some(Grant { roles, support_privilege: true, effective_at })
    };
    let now = Timestamp::UNIX_EPOCH;
    let grant = match standing {
        "owner" => Some(grant(Role::Owner, now)),
        "editor" => Some(grant(Role::Editor, now)),
        "viewer" => Some(grant(Role::Viewer, now)),
        "pending" => Some(grant(Role::Owner, Timestamp::MAX)),
        "listed" => Some(None),
        _ => None,
    };
    let members = grant.map(|grant| (account, Member { contact: contact.clone(), grant }));
    let access = Access { members: BTreeMap::from_iter(members), ..Access::default() };
    (Actor { account, contact, staff_roles }, access)
}

/// What a cell says for a reason.
const CELLS: [(&str, &str); 6] = [
    ("yes", "yes"),
    ("ROLE_TOO_LOW", "role"),
    ("NO_SUPPORT_PRIVILEGE", "privilege"),
    ("ACCESS_PENDING", "pending"),
    ("NOT_A_MEMBER", "member"),
    ("NOT_FOR_YOU", "side"),
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
    table += "# `listed` is in the directory without access; `other` has no relation to the organization; without a bearer\n\
              # token every answer is 401. What a role may do on one product only is decided per case.\n\n";
    let width = ENDPOINTS.iter().map(|endpoint| endpoint.id.len()).max().unwrap_or_default();
    let mut row = |name: &str, cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> = cells.map(|cell| format!("{cell:<10}")).collect();
        let _ = writeln!(table, "{}", format!("{name:<width$}  {}", cells.join(" ")).trim_end());
    };
    row("", &mut STANDINGS.into_iter());
    for endpoint in ENDPOINTS {
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
        for endpoint in ENDPOINTS {
            assert!(table.contains(&format!("\n{} ", endpoint.id)), "{}", endpoint.id);
        }
        assert!(!table.contains('?'));
    }

    #[test]
    fn an_outsider_may_nothing_in_an_organization() {
        for endpoint in ENDPOINTS.iter().filter(|endpoint| !endpoint.action.requirement().anyone) {
            let reason = if endpoint.action.spans_organizations() { "NOT_FOR_YOU" } else { "NOT_A_MEMBER" };
            assert_eq!(decide(endpoint.id, "other"), Some(reason), "{}", endpoint.id);
        }
    }
}
