//! Translates what the domain says to SQL: a visibility scope to a condition, a side to its name. The rules are in the domain.

use dossier_domain::{Side, VisibilityScope};
use sqlx::{QueryBuilder, Sqlite};

/// Appends the scope's condition on the columns `organization` and `product`.
pub(crate) fn push_scope(query: &mut QueryBuilder<Sqlite>, scope: &VisibilityScope) {
    match scope {
        VisibilityScope::Nothing => {
            query.push("FALSE");
        }
        VisibilityScope::Organization { organization, products } => {
            query.push("organization = ").push_bind(organization.as_str().to_owned());
            if let Some(products) = products {
                query.push(" AND product IN (");
                let mut list = query.separated(", ");
                for product in products {
                    list.push_bind(product.as_str().to_owned());
                }
                query.push(")");
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
