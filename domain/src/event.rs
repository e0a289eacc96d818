//! What every aggregate and every event is: the fold, and the contract of payloads with their versions and upcasters.

use jiff::Timestamp;
use schemars::Schema;

use crate::personal::PersonalFields;

/// Why stored bytes are not an event that this release understands. The reader stops; it never skips.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A type or version that this release does not know: written by a newer release.
    #[error(
        "event type {event_type} version {version} is not known to this release; deploy readers before writers"
    )]
    Unknown {
        /// The type as stored.
        event_type: String,
        /// The version as stored.
        version: u16,
    },
    /// The payload does not fit the schema of its type and version.
    #[error("payload of {event_type} version {version} is not readable: {cause}")]
    Payload {
        /// The type as stored.
        event_type: String,
        /// The version as stored.
        version: u16,
        /// What the reader said.
        cause: serde_json::Error,
    },
}

/// The JSON Schema of one version of an event's payload.
pub struct EventSchema {
    /// Type name.
    pub event_type: &'static str,
    /// Version of the payload.
    pub version: u16,
    /// The schema.
    pub schema: Schema,
}

/// The events of one aggregate: a closed set, each with its current version and the older ones it still reads.
pub trait DomainEvent: PersonalFields + Clone + Sized + Send + Sync + 'static {
    /// Past-tense type name.
    fn event_type(&self) -> &'static str;

    /// Current version of the payload's schema.
    fn version(&self) -> u16;

    /// The payload as JSON. Personal values must have been sealed before this reaches a store.
    fn encode(&self) -> Vec<u8>;

    /// Reads a stored payload, raising older versions to the current one.
    ///
    /// # Errors
    /// [`DecodeError`].
    fn decode(event_type: &str, version: u16, payload: &[u8]) -> Result<Self, DecodeError>;

    /// Schemas of every version that this release reads.
    fn schemas() -> Vec<EventSchema>;
}

/// Who may ever learn of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventAudience {
    /// The customer side, and support.
    Customer,
    /// Support only (R-COMMENT-3).
    Support,
    /// The system itself.
    Internal,
}

/// A consistency boundary: its state is the fold of its events.
pub trait Aggregate: Default + Clone + PersonalFields + Send + Sync + 'static {
    /// Its events.
    type Event: DomainEvent;

    /// The state after an event that happened at an instant. Never fails.
    fn evolve(&mut self, event: &Self::Event, at: Timestamp);

    /// Who may ever learn of an event; the customer side too unless an aggregate says otherwise.
    fn audience(_event: &Self::Event) -> EventAudience {
        EventAudience::Customer
    }
}

/// Declares an aggregate's event enum from payload structs of the same names: `CommentAdded @ 2 { 1: CommentAddedV1 }`
/// is a type at version 2 that still reads version 1, raised by `From<CommentAddedV1> for CommentAdded`.
macro_rules! domain_events {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $( $(#[$doc:meta])* $variant:ident @ $version:literal $({ $($old_version:literal : $old:ident),* $(,)? })? ),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(clippy::large_enum_variant, reason = "the one large event is the one every stream begins with")]
        $vis enum $name {
            $( $(#[$doc])* $variant($variant), )*
        }

        $( impl From<$variant> for $name {
            fn from(payload: $variant) -> Self {
                Self::$variant(payload)
            }
        } )*

        impl $crate::personal::PersonalFields for $name {
            fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn $crate::personal::PersonalSlot)) {
                match self {
                    $( Self::$variant(payload) => payload.for_each_personal(visit), )*
                }
            }
        }

        impl $crate::event::DomainEvent for $name {
            fn event_type(&self) -> &'static str {
                match self {
                    $( Self::$variant(_) => stringify!($variant), )*
                }
            }

            fn version(&self) -> u16 {
                match self {
                    $( Self::$variant(_) => $version, )*
                }
            }

            fn encode(&self) -> Vec<u8> {
                match self {
                    $( Self::$variant(payload) => serde_json::to_vec(payload), )*
                }
                .expect("payloads have string keys and serializable values")
            }

            fn decode(event_type: &str, version: u16, payload: &[u8]) -> Result<Self, $crate::event::DecodeError> {
                let unreadable = |cause| $crate::event::DecodeError::Payload {
                    event_type: event_type.to_owned(),
                    version,
                    cause,
                };
                match (event_type, version) {
                    $(
                        (stringify!($variant), $version) => {
                            serde_json::from_slice(payload).map(Self::$variant).map_err(unreadable)
                        }
                        $($(
                            (stringify!($variant), $old_version) => serde_json::from_slice::<$old>(payload)
                                .map(|old| Self::$variant(old.into()))
                                .map_err(unreadable),
                        )*)?
                    )*
                    _ => Err($crate::event::DecodeError::Unknown { event_type: event_type.to_owned(), version }),
                }
            }

            fn schemas() -> Vec<$crate::event::EventSchema> {
                vec![$(
                    $crate::event::EventSchema {
                        event_type: stringify!($variant),
                        version: $version,
                        schema: schemars::schema_for!($variant),
                    },
                    $($(
                        $crate::event::EventSchema {
                            event_type: stringify!($variant),
                            version: $old_version,
                            schema: schemars::schema_for!($old),
                        },
                    )*)?
                )*]
            }
        }
    };
}
pub(crate) use domain_events;
