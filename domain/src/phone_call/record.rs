//! Recording a phone call (R-KI-2).

use jiff::{SignedDuration, Timestamp};

use super::{PhoneCall, PhoneCallEvent, PhoneCallRecorded, PhoneCallRejection};
use crate::authority::Action;
use crate::context::Context;
use crate::ids::{OrganizationId, PhoneCallId, ProductId};

/// How long after a call it may be recorded, in hours.
pub const MAX_AGE_HOURS: i64 = 24;

/// Records a phone call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPhoneCall {
    /// What it was about.
    pub product: ProductId,
    /// When it was; now where it is not given.
    pub at: Option<Timestamp>,
    /// From where, where that is known: the context's organization.
    pub organization: Option<OrganizationId>,
}

impl RecordPhoneCall {
    /// Decides it; what is recorded already stays as it is.
    ///
    /// # Errors
    /// [`PhoneCallRejection`] says why nothing happens.
    pub fn decide(
        &self,
        state: &PhoneCall,
        context: &Context<'_>,
    ) -> Result<Vec<PhoneCallEvent>, PhoneCallRejection> {
        context.authority.open_to(Action::RecordPhoneCall)?;
        if state.recorded().is_some() {
            return Ok(Vec::new());
        }
        let invalid = |field, why: String| Err(PhoneCallRejection::Invalid { field, why });
        if context.catalogue.product(&self.product).is_none() {
            return invalid("product", "no such product in the catalogue".to_owned());
        }
        if self.organization.is_some() && context.access.registration.is_none() {
            return invalid("organization", "no such organization is registered".to_owned());
        }
        let at = self.at.unwrap_or(context.now);
        let oldest = context.now.saturating_sub(SignedDuration::from_hours(MAX_AGE_HOURS));
        if at > context.now || at < oldest.unwrap_or(Timestamp::MIN) {
            return invalid("at", format!("must lie in the last {MAX_AGE_HOURS} hours"));
        }
        let call = PhoneCallId::derived(context.command_id);
        let (product, organization) = (self.product.clone(), self.organization.clone());
        Ok(vec![PhoneCallRecorded { call, product, at, organization }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use crate::testing::{Circumstances, acme, acme_id, at, people};

    fn call() -> RecordPhoneCall {
        RecordPhoneCall { product: ProductId::new("compute").unwrap(), at: None, organization: None }
    }

    fn record(
        who: &str,
        access: &Access,
        command: &RecordPhoneCall,
    ) -> Result<Vec<PhoneCallEvent>, PhoneCallRejection> {
        let who = people(who);
        Circumstances::new(access, &who, at(0))
            .decide(|context| command.decide(&PhoneCall::default(), context))
    }

    /// R-KI-2.
    #[test]
    fn r_ki_2_support_tooling_records_a_call_with_its_product_and_instant_and_nobody_else_does() {
        let acme = acme().build();
        let events = record("agent-north", &acme, &call()).unwrap();
        let [PhoneCallEvent::PhoneCallRecorded(recorded)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((recorded.product.as_str(), recorded.at), ("compute", at(0)));
        let then = RecordPhoneCall { at: Some(at(-3_600)), organization: Some(acme_id()), ..call() };
        let events = record("engineer", &acme, &then).unwrap();
        let [PhoneCallEvent::PhoneCallRecorded(recorded)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((recorded.at, &recorded.organization), (at(-3_600), &Some(acme_id())));
        for who in ["alice", "nina", "auditor"] {
            assert_eq!(record(who, &acme, &call()).unwrap_err().reason(), "NOT_FOR_YOU", "{who}");
        }
    }

    /// R-KI-2.
    #[test]
    fn r_ki_2_a_call_of_no_product_of_no_organization_or_of_another_day_is_refused_by_field() {
        let refused = |access: &Access, command: RecordPhoneCall| {
            record("agent-north", access, &command).unwrap_err().field()
        };
        let acme = acme().build();
        let unknown = ProductId::new("toaster").unwrap();
        assert_eq!(refused(&acme, RecordPhoneCall { product: unknown, ..call() }), Some("product"));
        for odd in [1, -86_401] {
            assert_eq!(refused(&acme, RecordPhoneCall { at: Some(at(odd)), ..call() }), Some("at"), "{odd}");
        }
        let nobody = RecordPhoneCall { organization: Some(acme_id()), ..call() };
        assert_eq!(refused(&Access::default(), nobody), Some("organization"));
    }
}
