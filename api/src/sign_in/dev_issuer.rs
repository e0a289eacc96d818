//! The issuer built in for `--dev`: signs tokens for anybody who can read its key file. Never for production.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::keys::{StaticKeys, VerifyKey};
use super::verifier::normalized;

/// The issuer's name; `.invalid` makes sure that it is nobody's.
pub const DEV_ISSUER: &str = "https://dossier.dev.invalid";
/// The audience of its tokens.
pub const DEV_AUDIENCE: &str = "dossier";
/// The claim in which it writes staff roles.
pub const DEV_STAFF_CLAIM: &str = "roles";
/// Its key file in the data directory.
pub const DEV_KEY_FILE: &str = "dev-issuer.pem";

/// Why the built-in issuer is not there. The operator acts.
#[derive(Debug, thiserror::Error)]
pub enum DevIssuerError {
    /// There is no key file: not a data directory of `--dev`.
    #[error("{} does not exist; start `dossier serve --dev` with this data directory first", .0.display())]
    Missing(PathBuf),
    /// The file system refused.
    #[error("{} cannot be read or written: {source}", path.display())]
    Io {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds no P-256 private key.
    #[error("{} holds no usable key; remove it, and the next start with --dev makes a new one", .0.display())]
    BadKey(PathBuf),
    /// The source of randomness gave nothing usable.
    #[error("the source of randomness gave no usable key")]
    NoRandomness,
    /// The address to issue a token for is none.
    #[error("{0} is not an email address")]
    BadEmail(String),
    /// The lifetime asked for leaves the calendar.
    #[error("the token would expire beyond the end of the calendar")]
    BadLifetime,
}

/// What a token says of somebody of the operator's side; of customers nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StaffClaims {
    /// Staff roles.
    pub roles: &'static [&'static str],
    /// The support provider that an agent works for.
    pub provider: Option<&'static str>,
    /// The organization whose accounts a provisioner feeds.
    pub organization: Option<&'static str>,
}

/// The built-in issuer.
pub struct DevIssuer {
    key: SigningKey,
    point: Vec<u8>,
    key_id: String,
}

impl DevIssuer {
    /// The issuer of a data directory; its key is made when there is none. `random` fills a buffer.
    ///
    /// # Errors
    /// [`DevIssuerError`] when the file cannot be read or written, or holds something else.
    pub fn load_or_create(data: &Path, mut random: impl FnMut(&mut [u8])) -> Result<Self, DevIssuerError> {
        match Self::load(data) {
            Err(DevIssuerError::Missing(path)) => {
                let key = draw_key(&mut random)?;
                let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| DevIssuerError::NoRandomness)?;
                write_private(data, &path, pem.as_bytes())
                    .map_err(|source| DevIssuerError::Io { path, source })?;
                Ok(Self::new(&key))
            }
            other => other,
        }
    }

    /// The issuer of a data directory that `--dev` has used.
    ///
    /// # Errors
    /// [`DevIssuerError::Missing`] without a key file, else as [`DevIssuer::load_or_create`].
    pub fn load(data: &Path) -> Result<Self, DevIssuerError> {
        let path = data.join(DEV_KEY_FILE);
        match fs::read_to_string(&path) {
            Ok(pem) => SecretKey::from_pkcs8_pem(&pem)
                .map(|key| Self::new(&key))
                .map_err(|_| DevIssuerError::BadKey(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(DevIssuerError::Missing(path)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(DevIssuerError::BadKey(path)),
            Err(source) => Err(DevIssuerError::Io { path, source }),
        }
    }

    fn new(key: &SecretKey) -> Self {
        let point = key.public_key().to_sec1_point(false).as_bytes().to_vec();
        let key_id = URL_SAFE_NO_PAD.encode(&Sha256::digest(&point)[..12]);
        Self { key: SigningKey::from(key), point, key_id }
    }

    /// A bearer token. The subject is the address in lower case.
    ///
    /// # Errors
    /// [`DevIssuerError::BadEmail`], [`DevIssuerError::BadLifetime`].
    pub fn issue(
        &self,
        email: &str,
        name: Option<&str>,
        staff: &StaffClaims,
        now: Timestamp,
        ttl: SignedDuration,
    ) -> Result<String, DevIssuerError> {
        let email = normalized(email).ok_or_else(|| DevIssuerError::BadEmail(email.to_owned()))?;
        let expires = now.checked_add(ttl).map_err(|_| DevIssuerError::BadLifetime)?;
        let mut claims = json!({
            "iss": DEV_ISSUER,
            "aud": DEV_AUDIENCE,
            "sub": email,
            "email": email,
            "email_verified": true,
            "iat": now.as_second(),
            "exp": expires.as_second(),
        });
        if let Some(name) = name {
            claims["name"] = name.into();
        }
        if !staff.roles.is_empty() {
            claims[DEV_STAFF_CLAIM] = json!(staff.roles);
        }
        if let Some(provider) = staff.provider {
            claims["support_provider"] = provider.into();
        }
        if let Some(organization) = staff.organization {
            claims["organization"] = organization.into();
        }
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": self.key_id});
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature: Signature = self.key.sign(message.as_bytes());
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes())))
    }

    /// The keys that verify its tokens.
    pub fn keys(&self) -> StaticKeys {
        StaticKeys::new(vec![VerifyKey::es256(self.key_id.clone(), &self.point)])
    }
}

impl std::fmt::Debug for DevIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevIssuer").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// Nearly every 32 bytes are a key; a source that never gives one is broken.
fn draw_key(random: &mut impl FnMut(&mut [u8])) -> Result<SecretKey, DevIssuerError> {
    let mut bytes = [0; 32];
    for _ in 0..16 {
        random(&mut bytes);
        if let Ok(key) = SecretKey::from_slice(&bytes) {
            return Ok(key);
        }
    }
    Err(DevIssuerError::NoRandomness)
}

/// Written beside and moved into place, so that a crash leaves no half key behind.
fn write_private(data: &Path, path: &Path, pem: &[u8]) -> io::Result<()> {
    fs::create_dir_all(data)?;
    let beside = path.with_extension("pem.new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(pem)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(data)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;

    use super::super::verifier::{Verifier, VerifierSettings};
    use super::*;

    fn seeded(seed: u8) -> impl FnMut(&mut [u8]) {
        move |buffer| buffer.fill(seed)
    }

    fn verifier(issuer: &DevIssuer) -> Verifier {
        let settings = VerifierSettings::new(DEV_ISSUER, vec![DEV_AUDIENCE.into()], DEV_STAFF_CLAIM);
        Verifier::new(settings, Arc::new(issuer.keys()))
    }

    #[tokio::test]
    async fn a_token_it_issues_signs_in() {
        let data = tempfile::tempdir().unwrap();
        let issuer = DevIssuer::load_or_create(data.path(), seeded(1)).unwrap();
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let hour = SignedDuration::from_hours(1);
        let staff = StaffClaims { roles: &["agent"], provider: Some("north"), organization: Some("acme") };
        let token = issuer.issue(" Agent-North@Support.example", Some("North"), &staff, now, hour).unwrap();
        let principal = verifier(&issuer).verify(&token, now).await.unwrap();
        assert_eq!(principal.email, "agent-north@support.example");
        assert_eq!(principal.subject, "agent-north@support.example");
        assert_eq!(principal.display_name.as_deref(), Some("North"));
        assert_eq!(principal.staff_roles, ["agent"]);
        assert_eq!(principal.provider.as_deref(), Some("north"));
        assert_eq!(principal.organization.as_deref(), Some("acme"));
        assert_eq!(principal.token_expires_at, now + hour);
    }

    #[tokio::test]
    async fn the_key_stays_the_same_and_is_private() {
        let data = tempfile::tempdir().unwrap();
        let directory = data.path().join("new");
        let first = DevIssuer::load_or_create(&directory, seeded(1)).unwrap();
        let again = DevIssuer::load_or_create(&directory, seeded(2)).unwrap();
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let token =
            again.issue("a@b", None, &StaffClaims::default(), now, SignedDuration::from_secs(1)).unwrap();
        assert!(verifier(&first).verify(&token, now).await.is_ok());
        let mode = fs::metadata(directory.join(DEV_KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let data = tempfile::tempdir().unwrap();
        assert!(matches!(DevIssuer::load(data.path()), Err(DevIssuerError::Missing(_))));
        assert!(matches!(
            DevIssuer::load_or_create(data.path(), seeded(0)),
            Err(DevIssuerError::NoRandomness)
        ));
        let issuer = DevIssuer::load_or_create(data.path(), seeded(1)).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let issue = |email, ttl| issuer.issue(email, None, &StaffClaims::default(), now, ttl);
        assert!(matches!(issue("bob", SignedDuration::ZERO), Err(DevIssuerError::BadEmail(_))));
        assert!(matches!(issue("a@b", SignedDuration::MAX), Err(DevIssuerError::BadLifetime)));
        fs::write(data.path().join(DEV_KEY_FILE), "not a key").unwrap();
        assert!(matches!(DevIssuer::load(data.path()), Err(DevIssuerError::BadKey(_))));
    }
}
