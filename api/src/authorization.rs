//! The authorization table: every endpoint against everybody there is, as the policy in the domain decides it. The rendered
//! table is committed, so that a change of who may do what is seen in a review.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use dossier_domain::access::{Access, Grant, Member};
use dossier_domain::{
    AccountId, Actor, Authority, Contact, OrganizationId, Personal, ProductId, Role, StaffRole, Subject,
};
use jiff::Timestamp;

use crate::endpoints::{ENDPOINTS, Segment};

/// Who asks, as the table's columns name them.
pub const STANDINGS: [&str; 11] = [
    "owner", "editor", "viewer", "listed", "pending", "other", "agent", "engineer", "auditor", "analyst",
    "operator",
];

/// The reason that the policy gives each standing for an endpoint, or `yes`.
pub fn decide(endpoint_id: &str, standing: &str) -> Option<&'static str> {
    let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.id == endpoint_id)?;
    let has_parent = endpoint.path.contains(&Segment::Parent);
    if !has_parent {
        return Some("yes");
    }
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

/// The table as committed.
pub fn rendered() -> String {
    let mut table = String::from(
        "# Who may call what. Generated from the endpoint table and the policy: `make schemas`.\n\
         # `other` is somebody without any relation to the organization; without a bearer token the answer is 401.\n\
         # What a role may do on one product only is decided per case.\n\n",
    );
    let width = ENDPOINTS.iter().map(|endpoint| endpoint.id.len()).max().unwrap_or_default();
    for endpoint in ENDPOINTS {
        let _ = writeln!(table, "{}", endpoint.id);
        for standing in STANDINGS {
            let answer = decide(endpoint.id, standing).unwrap_or("?");
            let _ = writeln!(table, "    {standing:<width$} {answer}", width = width.min(12));
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_its_row_and_no_cell_is_open() {
        let table = rendered();
        for endpoint in ENDPOINTS {
            assert!(table.contains(&format!("\n{}\n", endpoint.id)), "{}", endpoint.id);
        }
        assert!(!table.contains('?'));
    }

    #[test]
    fn an_outsider_may_nothing_in_an_organization() {
        for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.path.contains(&Segment::Parent)) {
            assert_eq!(decide(endpoint.id, "other"), Some("NOT_A_MEMBER"), "{}", endpoint.id);
        }
    }
}
