//! Translates what the domain says to SQL: a visibility scope to a condition, a side to its name. The rules are in the domain.

use dossier_domain::{OrganizationId, ProductId, ProviderId, Side, VisibilityScope};

use crate::reseller_visibility::INTERVALS;
use crate::sql::Sql;

/// Appends the condition that a row of a table is in scope and, where one is named, of an organization: on the columns
/// `organization`, `product`, `manager` and `provider`.
pub(crate) fn push_scope(
    query: &mut Sql,
    table: &'static str,
    scope: &VisibilityScope,
    organization: Option<&OrganizationId>,
) {
    if let Some(organization) = organization {
        query.push("organization = ").push_bind(organization.as_str()).push(" AND ");
    }
    match scope {
        VisibilityScope::Nothing => {
            query.push("FALSE");
        }
        VisibilityScope::Organization { organization, products } => {
            query.push("organization = ").push_bind(organization.as_str());
            if let Some(products) = products {
                query.push(" AND product").push_is_one_of(products.iter().map(ProductId::as_str));
            }
        }
        VisibilityScope::AllOrganizations => {
            query.push("TRUE");
        }
        VisibilityScope::Provider { provider, organization: only } => {
            if let Some(only) = only {
                query.push("organization = ").push_bind(only.as_str()).push(" AND ");
            }
            // An organization's index leads to fewer rows than its provider's: an expression keeps the planner from that one.
            let is_of_one = only.is_some() || organization.is_some();
            query.push(if is_of_one { "coalesce(provider, '')" } else { "provider" });
            query.push_is_one_of(providers(provider.as_ref()));
        }
        VisibilityScope::Reseller { reseller, customer, products } => {
            // A customer's index leads to fewer rows than its reseller's: an expression keeps the planner from that one.
            let is_of_one = customer.is_some() || organization.is_some();
            query.push(if is_of_one { "manager || '' = " } else { "manager = " });
            query.push_bind(reseller.as_str());
            query.push(" AND product").push_is_one_of(products.iter().map(ProductId::as_str));
            if let Some(customer) = customer {
                query.push(" AND organization = ").push_bind(customer.as_str());
            }
            // Whether it is let in now, in the same statement as the rows: nobody sees one without the other.
            query.push(" AND EXISTS (SELECT 1 FROM ").push_live(INTERVALS);
            query.push(format!(" WHERE customer = {table}.organization AND reseller = "));
            query.push_bind(reseller.as_str()).push(" AND until_sequence IS NULL)");
        }
    }
}

/// What the column `provider` holds in the rows that an agent sees: their provider's, and nothing where there is none.
pub(crate) fn providers(provider: Option<&ProviderId>) -> Vec<&str> {
    provider.map(ProviderId::as_str).into_iter().chain([""]).collect()
}

/// The name of a side as stored.
pub(crate) fn side_name(side: Side) -> &'static str {
    match side {
        Side::Customer => "customer",
        Side::Reseller => "reseller",
        Side::Support => "support",
    }
}
