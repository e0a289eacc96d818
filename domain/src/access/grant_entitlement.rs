//! Granting a product with a plan for a period (R-PLAN-1).

use jiff::Timestamp;

use crate::access::{AccessEvent, AccessRejection, EntitlementGranted};
use crate::context::Context;
use crate::ids::{PlanId, ProductId};

/// Entitles the organization.
#[derive(Clone, Debug)]
pub struct GrantEntitlement {
    /// The product.
    pub product: ProductId,
    /// The plan.
    pub plan: PlanId,
    /// From this instant on, inclusive.
    pub from: Timestamp,
    /// Until this instant, exclusive.
    pub until: Option<Timestamp>,
}

impl GrantEntitlement {
    pub(super) fn decide(&self, context: &Context<'_>) -> Result<Vec<AccessEvent>, AccessRejection> {
        if context.catalogue.product(&self.product).is_none() {
            return Err(AccessRejection::Invalid {
                field: "product",
                why: format!("{} is not in the catalogue", self.product),
            });
        }
        if context.catalogue.plan(&self.plan).is_none() {
            return Err(AccessRejection::Invalid {
                field: "plan",
                why: format!("{} is not in the catalogue", self.plan),
            });
        }
        if self.until.is_some_and(|until| until <= self.from) {
            return Err(AccessRejection::Invalid {
                field: "endTime",
                why: "must be after startTime".to_owned(),
            });
        }
        Ok(vec![
            EntitlementGranted {
                product: self.product.clone(),
                plan: self.plan.clone(),
                from: self.from,
                until: self.until,
            }
            .into(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::AccessCommand;
    use crate::testing::{acme, at, catalogue, decide_access, people};

    fn grant(product: &str, plan: &str, until: Option<Timestamp>) -> AccessCommand {
        AccessCommand::GrantEntitlement(GrantEntitlement {
            product: ProductId::new(product).unwrap(),
            plan: PlanId::new(plan).unwrap(),
            from: at(10),
            until,
        })
    }

    /// R-PLAN-1.
    #[test]
    fn r_plan_1_an_entitlement_holds_from_its_start_until_just_before_its_end() {
        let mut access = acme().without_entitlements().build();
        let compute = ProductId::new("compute").unwrap();
        let events =
            decide_access(&access, &grant("compute", "gold", Some(at(20))), &people("operator"), at(0))
                .unwrap();
        for event in &events {
            crate::Aggregate::evolve(&mut access, event, at(0));
        }
        let eligible = |second| access.eligible_entitlement(&compute, &catalogue(), at(second)).is_ok();
        assert_eq!([9, 10, 19, 20].map(eligible), [false, true, true, false]);
    }

    /// R-PLAN-1.
    #[test]
    fn r_plan_1_the_plan_must_be_one_that_makes_the_product_eligible() {
        let mut access = acme().without_entitlements().build();
        let identity = ProductId::new("identity").unwrap();
        for event in
            decide_access(&access, &grant("identity", "gold", None), &people("operator"), at(0)).unwrap()
        {
            crate::Aggregate::evolve(&mut access, &event, at(0));
        }
        let refusal = access.eligible_entitlement(&identity, &catalogue(), at(15)).unwrap_err();
        assert_eq!(refusal.reason(), "NO_ELIGIBLE_PLAN");
        assert_eq!(
            refusal.metadata(),
            vec![("product", "identity".to_owned()), ("plans", "premium".to_owned())]
        );
    }

    #[test]
    fn what_the_catalogue_does_not_know_is_refused() {
        for command in [
            grant("toaster", "gold", None),
            grant("compute", "tin", None),
            grant("compute", "gold", Some(at(10))),
        ] {
            let refused = decide_access(&acme().build(), &command, &people("operator"), at(0)).unwrap_err();
            assert_eq!(refused.reason(), "INVALID_FIELD");
        }
    }
}
