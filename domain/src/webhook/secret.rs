//! The secret that a webhook's messages are signed with.

use std::borrow::Cow;
use std::fmt;

use data_encoding::BASE64;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, Serializer};

use crate::ids::WebhookId;
use crate::personal::{Personal, PersonalFields, PersonalSlot, Subject};

/// What a secret begins with where it is shown, as Standard Webhooks has it.
pub const SECRET_PREFIX: &str = "whsec_";
/// Bytes of a secret; Standard Webhooks wants 24 to 64.
pub const SECRET_BYTES: usize = 32;

/// Random bytes that become a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSecret(pub [u8; SECRET_BYTES]);

impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewSecret")
    }
}

impl NewSecret {
    pub(super) fn of(&self, webhook: WebhookId) -> WebhookSecret {
        let shown = format!("{SECRET_PREFIX}{}", BASE64.encode(&self.0));
        WebhookSecret(Personal::new(Subject::webhook(webhook), shown))
    }
}

/// A webhook's secret, sealed like a personal value; unlike one it is written nowhere while it is open, so that no history
/// and no state shows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct WebhookSecret(Personal<String>);

impl WebhookSecret {
    /// The secret as its owner is shown it, once: `whsec_` and base64. `None` while it is sealed, or when it was erased.
    pub fn reveal(&self) -> Option<&str> {
        self.0.open().map(String::as_str)
    }

    /// The key for signing.
    pub fn key(&self) -> Option<Vec<u8>> {
        BASE64.decode(self.reveal()?.strip_prefix(SECRET_PREFIX)?.as_bytes()).ok()
    }
}

impl Serialize for WebhookSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.open().is_some() {
            return Personal::<String>::erased(self.0.subject().clone()).serialize(serializer);
        }
        self.0.serialize(serializer)
    }
}

impl JsonSchema for WebhookSecret {
    fn schema_name() -> Cow<'static, str> {
        Personal::<String>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Personal::<String>::json_schema(generator)
    }
}

impl PersonalFields for WebhookSecret {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        visit(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;

    fn secret() -> WebhookSecret {
        NewSecret([7; SECRET_BYTES]).of(WebhookId(Ulid::from(1)))
    }

    #[test]
    fn a_secret_is_shown_as_standard_webhooks_has_it_and_its_key_are_the_bytes() {
        let shown = secret().reveal().unwrap().to_owned();
        assert!(shown.starts_with("whsec_"), "{shown}");
        assert_eq!(secret().key(), Some(vec![7; SECRET_BYTES]));
    }

    #[test]
    fn an_open_secret_is_written_nowhere_and_a_sealed_one_is() {
        let mut secret = secret();
        let base64 = secret.reveal().unwrap().trim_start_matches(SECRET_PREFIX).to_owned();
        let open = serde_json::to_string(&secret).unwrap();
        assert!(!open.contains(&base64) && !format!("{secret:?}").contains(&base64), "{open}");
        secret.0.set_sealed(vec![1, 2, 3]);
        let sealed = serde_json::to_string(&secret).unwrap();
        assert_eq!(serde_json::from_str::<WebhookSecret>(&sealed).unwrap(), secret, "{sealed}");
        assert_eq!((secret.reveal(), secret.key()), (None, None));
    }
}
