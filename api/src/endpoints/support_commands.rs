//! What the use cases of support share: reading what they are sent.

use dossier_domain::Personal;

use crate::call::Call;
use crate::proto_json::{EnumTable, Message};
use crate::status::ApiError;

/// A text that was not given is empty, which the domain refuses where it needs one.
pub(super) fn own_text(call: &Call, message: &Message, name: &str) -> Result<Personal<String>, ApiError> {
    Ok(own(call, message.string(name)?.unwrap_or_default()))
}

/// A text of the caller's, where one was given.
pub(super) fn own_text_if_any(
    call: &Call,
    message: &Message,
    name: &str,
) -> Result<Option<Personal<String>>, ApiError> {
    Ok(message.string(name)?.filter(|text| !text.is_empty()).map(|text| own(call, text)))
}

/// A text of the caller's: sealed with their key.
pub(super) fn own(call: &Call, text: String) -> Personal<String> {
    Personal::new(call.actor.contact.subject().clone(), text)
}

/// An enum that must be given; number 0 says that nothing was said.
pub(super) fn required(message: &Message, name: &str, table: &EnumTable) -> Result<i32, ApiError> {
    let given = message.enumeration(name, table)?.filter(|number| *number != 0);
    given.ok_or_else(|| {
        let names: Vec<_> = table.iter().filter(|(_, number)| *number != 0).map(|(name, _)| *name).collect();
        wrong(&message.path(name), format!("must be given: one of {}", names.join(", ")))
    })
}

/// A field that does not fit, refused as the domain refuses one.
pub(super) fn wrong(field: &str, why: impl Into<String>) -> ApiError {
    ApiError::invalid_field(field, why).with_reason("INVALID_FIELD")
}
