//! Page tokens: where a list goes on, opaque and authenticated.
//!
//! A token is bound to a *scope*, the text of everything that must be the same on the next call (method, parent,
//! canonical filter, order), so that it can neither be forged nor carried over to another list. It is not
//! secret and may be used more than once: cursors hold positions, never personal data.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use crate::status::ApiError;

const TAG_BYTES: usize = 32;
/// Longer tokens were not made here.
const MAX_TOKEN_CHARS: usize = 4096;

/// Makes and reads page tokens.
#[derive(Clone)]
pub struct PageTokens {
    mac: Hmac<Sha256>,
}

impl PageTokens {
    /// Tokens under this secret: the same on every node, and after a restart.
    pub fn new(secret: [u8; 32]) -> Self {
        // HMAC fills a key shorter than a block with zeros; done here, no length can be wrong.
        let mut block = [0; 64];
        block[..secret.len()].copy_from_slice(&secret);
        Self { mac: Hmac::new(&block.into()) }
    }

    /// A token for `cursor`, good for `scope` alone.
    ///
    /// # Panics
    /// When `cursor` cannot be JSON (a map whose keys are no text): a mistake of the program, not of a request.
    pub fn seal(&self, scope: &str, cursor: &impl Serialize) -> String {
        let payload = serde_json::to_vec(cursor).expect("a cursor is plain data");
        let mut token = self.tag(scope, &payload).finalize().into_bytes().to_vec();
        token.extend_from_slice(&payload);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The cursor of a token that was made for `scope`.
    ///
    /// # Errors
    /// 400 with reason INVALID_PAGE_TOKEN when it is malformed, altered, or made for something else.
    pub fn open<C: DeserializeOwned>(&self, scope: &str, token: &str) -> Result<C, ApiError> {
        if token.len() > MAX_TOKEN_CHARS {
            return Err(refused());
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| refused())?;
        let (tag, payload) = bytes.split_at_checked(TAG_BYTES).ok_or_else(refused)?;
        self.tag(scope, payload).verify_slice(tag).map_err(|_| refused())?;
        serde_json::from_slice(payload).map_err(|_| refused())
    }

    fn tag(&self, scope: &str, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(b"dossier page token 1\0");
        // The length keeps the end of the scope apart from the beginning of the cursor.
        mac.update(&(scope.len() as u64).to_be_bytes());
        mac.update(scope.as_bytes());
        mac.update(payload);
        mac
    }
}

impl std::fmt::Debug for PageTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageTokens")
    }
}

fn refused() -> ApiError {
    ApiError::invalid_field(
        "pageToken",
        "is malformed, or was made for another method, parent, filter or order; begin again without it",
    )
    .with_reason("INVALID_PAGE_TOKEN")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Cursor {
        after: u64,
        name: String,
    }

    fn cursor() -> Cursor {
        Cursor { after: 42, name: "01J".into() }
    }

    fn tokens() -> PageTokens {
        PageTokens::new([7; 32])
    }

    fn is_refused(opened: Result<Cursor, ApiError>) -> bool {
        opened.is_err_and(|error| error.code().http_status() == 400 && error.reason() == "INVALID_PAGE_TOKEN")
    }

    #[test]
    fn a_token_opens_again_and_again_for_its_own_scope() {
        let token = tokens().seal("cases.list organizations/acme state=OPEN", &cursor());
        for _ in 0..2 {
            assert_eq!(
                tokens().open::<Cursor>("cases.list organizations/acme state=OPEN", &token).unwrap(),
                cursor()
            );
        }
        assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    }

    #[test]
    fn a_token_for_another_scope_or_under_another_secret_is_refused() {
        let token = tokens().seal("cases.list organizations/acme", &cursor());
        assert!(is_refused(tokens().open("cases.list organizations/globex", &token)));
        assert!(is_refused(tokens().open("cases.list organizations/acmf", &token)));
        assert!(is_refused(tokens().open("cases.list organizations/acm", &token)));
        assert!(is_refused(PageTokens::new([8; 32]).open("cases.list organizations/acme", &token)));
    }

    #[test]
    fn a_malformed_token_is_refused() {
        for token in ["", "garbage!", "AAAA", &"A".repeat(100), &"A".repeat(100_000), "é"] {
            assert!(is_refused(tokens().open("s", token)), "{token}");
        }
        let other_shape = tokens().seal("s", &"text");
        assert!(is_refused(tokens().open("s", &other_shape)));
    }

    #[test]
    fn any_altered_byte_is_noticed() {
        let token = tokens().seal("s", &cursor());
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for i in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[i] ^= 1;
            assert!(is_refused(tokens().open("s", &URL_SAFE_NO_PAD.encode(altered))), "byte {i}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(token in "[A-Za-z0-9_-]{0,80}|\\PC{0,40}") {
            prop_assert!(is_refused(tokens().open("s", &token)));
        }
    }
}
