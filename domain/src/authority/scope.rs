//! Which cases may be seen, as data.

use std::collections::BTreeSet;

use crate::case::Case;
use crate::ids::{OrganizationId, ProductId, ProviderId};

/// Which cases may be seen. Projections translate it to SQL and hold no rule of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VisibilityScope {
    /// None.
    Nothing,
    /// Those of an organization.
    Organization {
        /// The organization.
        organization: OrganizationId,
        /// Only of these products; `None`: of all.
        products: Option<BTreeSet<ProductId>>,
    },
    /// All of all organizations: of engineers, who name none.
    AllOrganizations,
    /// Those that a provider's agents see (R-ROUTE-1): routed to it, or to nobody, which only happens while the catalogue
    /// has no providers.
    Provider {
        /// The provider; `None`: of an agent who works for none, and sees only what was routed to nobody.
        provider: Option<ProviderId>,
        /// Only of this organization; `None`: of all.
        organization: Option<OrganizationId>,
    },
    /// Those that a reseller sees of its customers (R-RES-3): filed while it managed the customer (the manager in the
    /// filing event is the reseller), of customers that let it in now ([`crate::access::ResellerRelation::allowed`]). Both
    /// are needed: the first is fixed, the second ends with a withdrawal or a transfer.
    Reseller {
        /// The reseller.
        reseller: OrganizationId,
        /// Only of this customer; `None`: of all that let it in.
        customer: Option<OrganizationId>,
        /// Only of these products.
        products: BTreeSet<ProductId>,
    },
}

/// What decides whether a case is in a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseFacts<'a> {
    /// Whose case it is.
    pub organization: &'a OrganizationId,
    /// The product.
    pub product: &'a ProductId,
    /// The reseller that managed the organization when the case was filed, as the filing event says.
    pub manager_at_filing: Option<&'a OrganizationId>,
    /// The reseller that the organization lets in now.
    pub allowed_reseller: Option<&'a OrganizationId>,
    /// The provider that it was last routed to.
    pub provider: Option<&'a ProviderId>,
}

impl<'a> CaseFacts<'a> {
    /// The facts of a case whose organization lets a reseller in now, or none.
    pub fn of(case: &'a Case, allowed_reseller: Option<&'a OrganizationId>) -> Self {
        Self {
            organization: &case.organization,
            product: &case.product,
            manager_at_filing: case.manager.as_ref(),
            allowed_reseller,
            provider: case.provider.as_ref(),
        }
    }
}

impl VisibilityScope {
    /// Whether a case is in scope.
    pub fn admits(&self, case: &CaseFacts<'_>) -> bool {
        match self {
            Self::Nothing => false,
            Self::AllOrganizations => true,
            Self::Provider { provider, organization } => {
                organization.as_ref().is_none_or(|organization| organization == case.organization)
                    && (case.provider.is_none() || case.provider == provider.as_ref())
            }
            Self::Organization { organization, products } => {
                organization == case.organization
                    && products.as_ref().is_none_or(|products| products.contains(case.product))
            }
            Self::Reseller { reseller, customer, products } => {
                customer.as_ref().is_none_or(|customer| customer == case.organization)
                    && products.contains(case.product)
                    && case.manager_at_filing == Some(reseller)
                    && case.allowed_reseller == Some(reseller)
            }
        }
    }

    /// Whether any case of an organization and product is in scope, whoever managed it: never for a reseller. Of a provider's
    /// agents it says whether a case that was routed to nobody would be.
    pub fn contains(&self, of_organization: &OrganizationId, of_product: &ProductId) -> bool {
        self.admits(&CaseFacts {
            organization: of_organization,
            product: of_product,
            manager_at_filing: None,
            allowed_reseller: None,
            provider: None,
        })
    }
}
