//! Phone calls that support took, as its tooling records them: `phone_call-{ULID}`. Only the watch over the volume reads them
//! (R-KI-2); nothing is written of who called or what was said.

mod record;

pub use record::{MAX_AGE_HOURS, RecordPhoneCall};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::authority::AccessRefusal;
use crate::case::Kind;
use crate::event::{Aggregate, EventAudience, domain_events};
use crate::ids::{OrganizationId, PhoneCallId, ProductId};
use crate::personal::{PersonalFields, PersonalSlot, personal_fields};

/// Somebody called (R-KI-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PhoneCallRecorded {
    /// The call.
    pub call: PhoneCallId,
    /// What it was about.
    pub product: ProductId,
    /// When it was.
    pub at: Timestamp,
    /// From where, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
}
personal_fields!(PhoneCallRecorded {});

domain_events! {
    /// Everything that can have happened to a phone call.
    pub enum PhoneCallEvent {
        /// It was recorded.
        PhoneCallRecorded @ 1,
    }
}

/// A phone call, or nothing yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PhoneCall(Option<PhoneCallRecorded>);

impl PhoneCall {
    /// The call, once it is recorded.
    pub fn recorded(&self) -> Option<&PhoneCallRecorded> {
        self.0.as_ref()
    }
}

impl PersonalFields for PhoneCall {
    fn for_each_personal(&mut self, _visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {}
}

impl Aggregate for PhoneCall {
    type Event = PhoneCallEvent;

    fn evolve(&mut self, event: &PhoneCallEvent, _at: Timestamp) {
        let PhoneCallEvent::PhoneCallRecorded(recorded) = event;
        self.0 = Some(recorded.clone());
    }

    fn audience(_event: &PhoneCallEvent) -> EventAudience {
        EventAudience::Support
    }
}

/// Why a call is not recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneCallRejection {
    /// The actor may not.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// A value does not fit.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, camel case.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
}

impl PhoneCallRejection {
    /// Which of the caller's mistakes it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Access(_) => Kind::Forbidden,
            Self::Invalid { .. } => Kind::Invalid,
        }
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Access(refusal) => refusal.reason(),
            Self::Invalid { .. } => "INVALID_FIELD",
        }
    }

    /// The field that does not fit, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::Access(_) => None,
        }
    }
}
