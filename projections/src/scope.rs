//! Translates what the domain says to SQL: a visibility scope to a condition, a side to its name. The rules are in the domain.

use dossier_domain::{ProductId, Side, VisibilityScope};

use crate::sql::Sql;

/// Appends the scope's condition on the columns `organization` and `product`.
pub(crate) fn push_scope(query: &mut Sql, scope: &VisibilityScope) {
    match scope {
        // Until the rows of who lets whom in are kept beside the cases: nothing rather than too much.
        VisibilityScope::Nothing | VisibilityScope::Reseller { .. } => {
            query.push("FALSE");
        }
        VisibilityScope::Organization { organization, products } => {
            query.push("organization = ").push_bind(organization.as_str());
            if let Some(products) = products {
                query.push(" AND product").push_is_one_of(products.iter().map(ProductId::as_str));
            }
        }
    }
}

/// The name of a side as stored.
pub(crate) fn side_name(side: Side) -> &'static str {
    match side {
        Side::Customer => "customer",
        Side::Reseller => "reseller",
        Side::Support => "support",
    }
}
