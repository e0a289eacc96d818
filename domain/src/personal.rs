//! Personal values: emails, names and free text, each tied to the subject whose key seals it. A value is open while a
//! command is decided, sealed in the log, and erased when the subject's key is gone; all code handles all three.

use std::borrow::Cow;
use std::fmt;
use std::io::{Read, Write};

use data_encoding::BASE64;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{AccountId, AccountRecoveryId, KnownIssueId, WebhookId};

/// Plaintexts longer than this many bytes are compressed before they are sealed, so that 50,000 characters of any
/// script stay within the bound of one event.
const COMPRESS_FROM_BYTES: usize = 4 * 1024;
/// A sealed value never opens to more than this many bytes, whatever its compressed form claims.
const MAX_PLAIN_BYTES: u64 = 4 * 1024 * 1024;

/// Whose key seals a value: `account-…` for a person who signed in, `contact-…` (a pseudonym of an address) for others,
/// `account_recovery-…` for what somebody wrote who could not sign in, `known_issue-…` for what support writes about one,
/// `webhook-…` for what a webhook keeps secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Subject(String);

impl Subject {
    /// The subject that stands for a person with an account.
    pub fn account(account: AccountId) -> Self {
        Self(format!("account-{account}"))
    }

    /// The subject that stands for an address without a known account, by the address's pseudonym.
    pub fn contact(pseudonym: u128) -> Self {
        Self(format!("contact-{}", ulid::Ulid::from(pseudonym)))
    }

    /// The subject of all that one recovery of an account holds.
    pub fn account_recovery(recovery: AccountRecoveryId) -> Self {
        Self(format!("account_recovery-{recovery}"))
    }

    /// The subject of all that one webhook keeps secret.
    pub fn webhook(webhook: WebhookId) -> Self {
        Self(format!("webhook-{webhook}"))
    }

    /// The account that it stands for, where it is one.
    pub fn account_id(&self) -> Option<AccountId> {
        self.0.strip_prefix("account-")?.parse().ok()
    }

    /// The subject of all that support writes about a known issue: it stays when an author goes.
    pub fn known_issue(issue: KnownIssueId) -> Self {
        Self(format!("known_issue-{issue}"))
    }

    /// The subject's name, which holds no personal data.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How somebody is shown and reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// Email address, normalized.
    pub email: String,
    /// Name to show; the email where none is known.
    pub display_name: String,
}

/// A value that belongs to a person.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Personal<T> {
    subject: Subject,
    value: Value<T>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Value<T> {
    Open(T),
    Sealed(Vec<u8>),
    Erased,
}

impl<T> Personal<T> {
    /// An open value of a subject.
    pub fn new(subject: Subject, value: T) -> Self {
        Self { subject, value: Value::Open(value) }
    }

    /// A value whose subject was erased.
    pub fn erased(subject: Subject) -> Self {
        Self { subject, value: Value::Erased }
    }

    /// Whose value it is.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The value, `None` when it is erased or still sealed.
    pub fn open(&self) -> Option<&T> {
        match &self.value {
            Value::Open(value) => Some(value),
            Value::Sealed(_) | Value::Erased => None,
        }
    }
}

impl<T> fmt::Debug for Personal<T> {
    /// Never shows the value: debug output reaches logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.value {
            Value::Open(_) => "open",
            Value::Sealed(_) => "sealed",
            Value::Erased => "erased",
        };
        write!(f, "Personal({}, {state})", self.subject.as_str())
    }
}

/// A personal value in the log: base64 of the sealed bytes, or a mark that it was erased. The open form exists only for
/// values that never reach a store.
#[derive(Serialize, Deserialize)]
struct Wire<'a, V> {
    subject: Cow<'a, Subject>,
    #[serde(skip_serializing_if = "Option::is_none", default = "none")]
    open: Option<V>,
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    sealed: Option<Cow<'a, str>>,
}

fn none<V>() -> Option<V> {
    None
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (open, sealed) = match &self.value {
            Value::Open(value) => (Some(value), None),
            Value::Sealed(bytes) => (None, Some(Cow::Owned(BASE64.encode(bytes)))),
            Value::Erased => (None, None),
        };
        Wire { subject: Cow::Borrowed(&self.subject), open, sealed }.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::<'de, T>::deserialize(deserializer)?;
        let value = match (wire.open, wire.sealed) {
            (Some(value), _) => Value::Open(value),
            (None, Some(text)) => {
                Value::Sealed(BASE64.decode(text.as_bytes()).map_err(serde::de::Error::custom)?)
            }
            (None, None) => Value::Erased,
        };
        Ok(Self { subject: wire.subject.into_owned(), value })
    }
}

impl<T: JsonSchema> JsonSchema for Personal<T> {
    fn schema_name() -> Cow<'static, str> {
        Cow::Owned(format!("Personal_{}", T::schema_name()))
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let plain = generator.subschema_for::<T>();
        json_schema!({
            "type": "object",
            "description": "A personal value, sealed with the key of its subject; without `sealed` it was erased.",
            "properties": {
                "subject": { "type": "string" },
                "sealed": { "type": "string", "contentEncoding": "base64" }
            },
            "required": ["subject"],
            "x-personal": plain
        })
    }
}

/// A personal value of any type, as the sealing sees it.
pub trait PersonalSlot {
    /// Whose value it is.
    fn subject(&self) -> &Subject;

    /// The bytes to seal, when the value is open.
    fn plain_bytes(&self) -> Option<Vec<u8>>;

    /// Whether the value is open.
    fn is_open(&self) -> bool;

    /// The sealed bytes, when the value is sealed.
    fn sealed_bytes(&self) -> Option<&[u8]>;

    /// Replaces the value by its sealed form.
    fn set_sealed(&mut self, sealed: Vec<u8>);

    /// Replaces the value by what its opened bytes say.
    ///
    /// # Errors
    /// When the bytes are not a value of this type.
    fn set_opened(&mut self, plain: &[u8]) -> Result<(), InvalidPlain>;

    /// Marks the value as erased.
    fn set_erased(&mut self);
}

/// Opened bytes that are no value of the wanted type.
#[derive(Debug, thiserror::Error)]
#[error("an opened personal value of {subject} is not readable: {cause}")]
pub struct InvalidPlain {
    subject: String,
    cause: String,
}

impl<T: Serialize + DeserializeOwned> PersonalSlot for Personal<T> {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn plain_bytes(&self) -> Option<Vec<u8>> {
        self.open().map(|value| {
            pack(
                &serde_json::to_vec(value).expect("personal values have string keys and serializable values"),
            )
        })
    }

    fn is_open(&self) -> bool {
        self.open().is_some()
    }

    fn sealed_bytes(&self) -> Option<&[u8]> {
        match &self.value {
            Value::Sealed(bytes) => Some(bytes),
            Value::Open(_) | Value::Erased => None,
        }
    }

    fn set_sealed(&mut self, sealed: Vec<u8>) {
        self.value = Value::Sealed(sealed);
    }

    fn set_opened(&mut self, plain: &[u8]) -> Result<(), InvalidPlain> {
        let invalid = |cause: String| InvalidPlain { subject: self.subject.0.clone(), cause };
        let json = unpack(plain).map_err(|error| invalid(error.to_string()))?;
        self.value = Value::Open(serde_json::from_slice(&json).map_err(|error| invalid(error.to_string()))?);
        Ok(())
    }

    fn set_erased(&mut self) {
        self.value = Value::Erased;
    }
}

const FORM_RAW: u8 = 0;
const FORM_DEFLATE: u8 = 1;

/// One form byte, then the JSON, deflated where that pays.
fn pack(json: &[u8]) -> Vec<u8> {
    if json.len() >= COMPRESS_FROM_BYTES {
        let mut encoder = flate2::write::DeflateEncoder::new(vec![FORM_DEFLATE], flate2::Compression::fast());
        if encoder.write_all(json).is_ok()
            && let Ok(packed) = encoder.finish()
            && packed.len() < json.len()
        {
            return packed;
        }
    }
    let mut packed = Vec::with_capacity(json.len() + 1);
    packed.push(FORM_RAW);
    packed.extend_from_slice(json);
    packed
}

fn unpack(packed: &[u8]) -> std::io::Result<Cow<'_, [u8]>> {
    match packed.split_first() {
        Some((&FORM_RAW, json)) => Ok(Cow::Borrowed(json)),
        Some((&FORM_DEFLATE, deflated)) => {
            let mut json = Vec::new();
            flate2::read::DeflateDecoder::new(deflated).take(MAX_PLAIN_BYTES).read_to_end(&mut json)?;
            Ok(Cow::Owned(json))
        }
        _ => Err(std::io::Error::other("unknown form")),
    }
}

/// Something that holds personal values.
pub trait PersonalFields {
    /// Visits every personal value.
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot));
}

impl<T: Serialize + DeserializeOwned> PersonalFields for Personal<T> {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        visit(self);
    }
}

impl<T: PersonalFields> PersonalFields for Option<T> {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        if let Some(value) = self {
            value.for_each_personal(visit);
        }
    }
}

impl<T: PersonalFields> PersonalFields for Vec<T> {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        for value in self {
            value.for_each_personal(visit);
        }
    }
}

/// The subjects of all values in a form that the predicate picks, each once.
fn subjects_of(fields: &mut dyn PersonalFields, pick: fn(&dyn PersonalSlot) -> bool) -> Vec<String> {
    let mut subjects = Vec::new();
    fields.for_each_personal(&mut |slot| {
        if pick(slot) && !subjects.iter().any(|subject| subject == slot.subject().as_str()) {
            subjects.push(slot.subject().as_str().to_owned());
        }
    });
    subjects
}

/// The subjects whose keys [`seal_all`] will need, each once.
pub fn subjects_to_seal(fields: &mut dyn PersonalFields) -> Vec<String> {
    subjects_of(fields, |slot| slot.is_open())
}

/// The subjects whose keys [`open_all`] will need, each once.
pub fn subjects_to_open(fields: &mut dyn PersonalFields) -> Vec<String> {
    subjects_of(fields, |slot| slot.sealed_bytes().is_some())
}

/// Seals every open value by a function of subject and plain bytes.
///
/// # Errors
/// The first error of `seal`; values before it are sealed already.
pub fn seal_all<E>(
    fields: &mut dyn PersonalFields,
    seal: impl Fn(&str, &[u8]) -> Result<Vec<u8>, E>,
) -> Result<(), E> {
    let mut result = Ok(());
    fields.for_each_personal(&mut |slot| {
        if result.is_ok()
            && let Some(plain) = slot.plain_bytes()
        {
            match seal(slot.subject().as_str(), &plain) {
                Ok(sealed) => slot.set_sealed(sealed),
                Err(error) => result = Err(error),
            }
        }
    });
    result
}

/// Opens every sealed value by a function of subject and sealed bytes, which answers `None` for an erased subject.
///
/// # Errors
/// The first error of `open`, or [`InvalidPlain`]; values before it are open already.
pub fn open_all<E: From<InvalidPlain>>(
    fields: &mut dyn PersonalFields,
    open: impl Fn(&str, &[u8]) -> Result<Option<Vec<u8>>, E>,
) -> Result<(), E> {
    let mut result = Ok(());
    fields.for_each_personal(&mut |slot| {
        if result.is_ok()
            && let Some(sealed) = slot.sealed_bytes()
        {
            match open(slot.subject().as_str(), sealed) {
                Ok(Some(plain)) => result = slot.set_opened(&plain).map_err(E::from),
                Ok(None) => slot.set_erased(),
                Err(error) => result = Err(error),
            }
        }
    });
    result
}

/// Implements [`PersonalFields`] for a struct by naming the fields that hold personal values; a struct without any
/// names none.
macro_rules! personal_fields {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::personal::PersonalFields for $name {
            fn for_each_personal(
                &mut self,
                _visit: &mut dyn FnMut(&mut dyn $crate::personal::PersonalSlot),
            ) {
                $( $crate::personal::PersonalFields::for_each_personal(&mut self.$field, _visit); )*
            }
        }
    };
}
pub(crate) use personal_fields;

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject::contact(1)
    }

    #[test]
    fn a_long_text_in_any_script_packs_below_the_bound_of_an_event() {
        // Every plane of Unicode, in an order that does not repeat: the worst that fifty thousand characters can be.
        let mut state = 1_u32;
        let text: String = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from_u32(0x1_0000 + (state >> 8) % 0x1_0000 * 16 % 0x10_0000).unwrap_or('x')
        })
        .take(50_000)
        .collect();
        let slot = Personal::new(subject(), text.clone());
        let packed = slot.plain_bytes().expect("open");
        assert!(packed.len() * 4 / 3 < 250 * 1024, "{} bytes", packed.len());
        let mut again = Personal::<String>::erased(subject());
        again.set_opened(&packed).expect("readable");
        assert_eq!(again.open(), Some(&text));
    }

    #[test]
    fn debug_output_never_shows_the_value() {
        let shown = format!("{:?}", Personal::new(subject(), "alice@acme.example".to_owned()));
        assert!(!shown.contains("alice"), "{shown}");
    }

    #[test]
    fn the_three_forms_survive_the_wire() {
        let open = Personal::new(subject(), "text".to_owned());
        let mut sealed = open.clone();
        sealed.set_sealed(vec![1, 2, 255]);
        for value in [open, sealed, Personal::erased(subject())] {
            let json = serde_json::to_string(&value).expect("serializable");
            assert_eq!(serde_json::from_str::<Personal<String>>(&json).expect("readable"), value, "{json}");
        }
    }

    #[test]
    fn bytes_of_another_form_are_an_error_not_a_panic() {
        let mut slot = Personal::<String>::erased(subject());
        for bytes in [&[][..], &[9, 9], &[FORM_DEFLATE, 7, 7, 7], &[FORM_RAW, b'{']] {
            assert!(slot.set_opened(bytes).is_err(), "{bytes:?}");
        }
    }
}
