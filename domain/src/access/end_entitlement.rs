//! Ending a product's plan, from an instant on (R-PLAN-1, R-PLAN-4).

use jiff::Timestamp;

use crate::access::{Access, AccessEvent, AccessRejection, EntitlementEnded};
use crate::context::Context;
use crate::ids::{PlanId, ProductId};

/// Ends an entitlement.
#[derive(Clone, Debug)]
pub struct EndEntitlement {
    /// The product.
    pub product: ProductId,
    /// The plan.
    pub plan: PlanId,
    /// From this instant on, inclusive; `None`: with the decision. Never earlier: what was filed stays as it was.
    pub until: Option<Timestamp>,
}

impl EndEntitlement {
    /// Ending what has ended changes nothing.
    pub(super) fn decide(
        &self,
        access: &Access,
        context: &Context<'_>,
    ) -> Result<Vec<AccessEvent>, AccessRejection> {
        let until = self.until.unwrap_or(context.now);
        if until < context.now {
            return Err(AccessRejection::invalid("endTime", "must be from now on"));
        }
        let holds_longer = access.entitlements.iter().any(|entitlement| {
            entitlement.product == self.product
                && entitlement.plan == self.plan
                && entitlement.until.is_none_or(|ends| until < ends)
        });
        if !holds_longer {
            return Ok(Vec::new());
        }
        Ok(vec![EntitlementEnded { product: self.product.clone(), plan: self.plan.clone(), until }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::access::AccessCommand;
    use crate::testing::{acme, at, catalogue, decide_access, people};

    fn end(access: &Access, who: &str, until: Option<Timestamp>) -> Result<(usize, Access), &'static str> {
        let command = AccessCommand::EndEntitlement(EndEntitlement {
            product: ProductId::new("compute").unwrap(),
            plan: PlanId::new("platinum").unwrap(),
            until,
        });
        let events =
            decide_access(access, &command, &people(who), at(10)).map_err(|refused| refused.reason())?;
        let mut after = access.clone();
        for event in &events {
            after.evolve(event, at(10));
        }
        Ok((events.len(), after))
    }

    /// R-PLAN-1.
    #[test]
    fn r_plan_1_a_plan_ends_at_the_instant_given_exclusive_and_others_go_on() {
        let (_, after) = end(&acme().build(), "operator", Some(at(20))).unwrap();
        let holds = |product: &str, second| {
            let product = ProductId::new(product).unwrap();
            after.eligible_entitlement(&product, &catalogue(), at(second)).is_ok()
        };
        assert!(holds("compute", 19) && !holds("compute", 20));
        assert!(holds("storage", 20));
        let (_, after) = end(&acme().build(), "operator", None).unwrap();
        assert!(
            after.eligible_entitlement(&ProductId::new("compute").unwrap(), &catalogue(), at(10)).is_err()
        );
    }

    #[test]
    fn one_that_would_begin_later_never_begins_and_ending_again_changes_nothing() {
        let mut access = acme().without_entitlements().entitled("compute", "platinum").build();
        access.entitlements[0].from = at(30);
        let (events, after) = end(&access, "operator", Some(at(20))).unwrap();
        assert_eq!((events, after.entitlements.len()), (1, 0));
        assert_eq!(end(&after, "operator", Some(at(20))).unwrap().0, 0);
        let (_, ended) = end(&acme().build(), "operator", Some(at(20))).unwrap();
        assert_eq!(end(&ended, "operator", Some(at(20))).unwrap().0, 0);
        assert_eq!(end(&ended, "operator", Some(at(15))).unwrap().0, 1);
    }

    #[test]
    fn nothing_ends_in_the_past_and_nobody_but_the_operator_ends_a_plan() {
        assert_eq!(end(&acme().build(), "operator", Some(at(9))).err(), Some("INVALID_FIELD"));
        assert_eq!(end(&acme().build(), "alice", None).err(), Some("NOT_FOR_YOU"));
    }
}
