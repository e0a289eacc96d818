//! One sign-in under way. It lives in a cookie, sealed, so that only the browser that began it can finish it, and no node keeps
//! anything of the many that are never finished.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dossier_eventlog::{Entropy, Opened, SealError, Sealer};
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::secret_text;

/// How long a person may take at the issuer.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// Under whose key attempts are sealed; they hold nothing personal.
const SUBJECT: &str = "sign-in-attempts";
/// Longer ways back would not fit into a cookie, in bytes.
const MAX_RETURN_TO_BYTES: usize = 1024;

/// One sign-in under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Ties the issuer's answer to this browser.
    pub state: String,
    /// Ties the ID token to this sign-in.
    pub nonce: String,
    /// Proves to the issuer that who comes with the code is who began (PKCE).
    pub verifier: String,
    /// The path to go to when signed in.
    pub return_to: String,
    /// When it began.
    pub begun_at: Timestamp,
}

impl Attempt {
    /// A new one.
    pub fn begin(return_to: String, entropy: &Entropy, now: Timestamp) -> Self {
        let secret = || secret_text(entropy);
        Self { state: secret(), nonce: secret(), verifier: secret(), return_to, begun_at: now }
    }

    /// The value of its cookie.
    ///
    /// # Errors
    /// [`SealError::Unavailable`].
    pub async fn sealed(&self, sealer: &Sealer) -> Result<String, SealError> {
        sealer.prepare_seal(&[SUBJECT.to_owned()]).await?;
        let plain = serde_json::to_vec(self).expect("an attempt is plain data");
        Ok(URL_SAFE_NO_PAD.encode(sealer.seal(SUBJECT, &plain)?))
    }

    /// The attempt in a cookie; `None` when it was not sealed here.
    ///
    /// # Errors
    /// [`SealError::Unavailable`].
    pub async fn opened(cookie: &str, sealer: &Sealer) -> Result<Option<Self>, SealError> {
        sealer.prepare_open(&[SUBJECT.to_owned()]).await?;
        let Ok(sealed) = URL_SAFE_NO_PAD.decode(cookie) else { return Ok(None) };
        Ok(match sealer.open(SUBJECT, &sealed) {
            Ok(Opened::Plain(plain)) => serde_json::from_slice(&plain).ok(),
            Ok(Opened::Erased) | Err(_) => None,
        })
    }

    /// When it can no longer be finished.
    pub fn ends_at(&self) -> Timestamp {
        self.begun_at.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX)
    }
}

/// Where to go when signed in, if it is a path of this origin: a link that leads through our sign-in must not end elsewhere.
pub fn local_path(text: &str, public_url: &str) -> Option<String> {
    let plain = text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= MAX_RETURN_TO_BYTES
        && !text.contains(|c: char| c == '\\' || c.is_control());
    let base = Url::parse(public_url).ok().filter(|_| plain)?;
    // What a browser will make of it decides, not what it looks like.
    let url = base.join(text).ok().filter(|url| url.origin() == base.origin())?;
    let path = &url[oauth2::url::Position::BeforePath..];
    (!path.starts_with("//")).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_here() {
        let local = |text: &str| local_path(text, "https://own.example");
        for (good, path) in [
            ("/", "/"),
            ("/cases?filter=state%3DOPEN#top", "/cases?filter=state%3DOPEN#top"),
            ("/a/../b", "/b"),
            ("/é", "/%C3%A9"),
            ("/https://evil.example", "/https://evil.example"),
        ] {
            assert_eq!(local(good).as_deref(), Some(path), "{good}");
        }
        for bad in [
            "",
            "cases",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "javascript:alert(1)",
            "/a/..//evil.example\\",
        ] {
            assert_eq!(local(bad), None, "{bad:?}");
        }
        // Whatever dots and slashes make of it, it stays a path of this origin.
        let odd = local("/a/..//evil.example");
        assert!(odd.is_none_or(|path| !path.starts_with("//")), "it would lead to another host");
        assert_eq!(local(&format!("/{}", "a".repeat(2_000))), None);
    }
}
