//! The signature of a webhook's message: `v1,` and the base64 of an HMAC-SHA256 over id, instant and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// The message's id, the same for every attempt.
pub const WEBHOOK_ID: &str = "webhook-id";
/// When the attempt was made, in seconds since 1970.
pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// The signatures, separated by blanks.
pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";

/// The value of [`WEBHOOK_SIGNATURE`]: a signature by each key, in their order. A receiver takes the message when one fits,
/// so that both secrets of a rotation are good. `id` holds no full stop.
pub fn signatures(keys: &[Vec<u8>], id: &str, at: Timestamp, body: &[u8]) -> String {
    let signed_by = |key: &Vec<u8>| {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(at.as_second().to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    };
    keys.iter().map(signed_by).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample of the standard's own libraries.
    #[test]
    fn a_signature_is_the_one_that_the_standards_libraries_make() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = signatures(&[key], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn during_a_rotation_there_is_a_signature_by_each_secret() {
        let at = Timestamp::from_second(1).unwrap();
        let (old, new) = (vec![1; 32], vec![2; 32]);
        let alone = |key: &Vec<u8>| signatures(std::slice::from_ref(key), "id", at, b"x");
        assert_eq!(
            signatures(&[new.clone(), old.clone()], "id", at, b"x"),
            format!("{} {}", alone(&new), alone(&old))
        );
        for other in [
            signatures(std::slice::from_ref(&new), "other", at, b"x"),
            signatures(std::slice::from_ref(&new), "id", Timestamp::from_second(2).unwrap(), b"x"),
            signatures(std::slice::from_ref(&new), "id", at, b"y"),
        ] {
            assert_ne!(other, alone(&new), "id, instant and body are all signed");
        }
    }
}
