//! Giving a webhook another secret, without a message that its receiver could not check.

use jiff::{SignedDuration, Timestamp};

use super::secret::NewSecret;
use super::{Hook, WebhookEvent, WebhookRejection, WebhookSecretRotated};
use crate::context::Context;

/// How long messages are signed with the old secret too, unless asked otherwise: a day.
pub const DEFAULT_OVERLAP_SECONDS: i64 = 24 * 3_600;
/// The longest overlap: a week.
pub const MAX_OVERLAP_SECONDS: i64 = 7 * 24 * 3_600;

/// Gives a webhook another secret. During the overlap messages are signed with both, so that the receiver can change over at
/// any time in it; without one the old secret is worth nothing at once. Of three secrets the oldest ends at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateSecret {
    /// What becomes the new secret.
    pub secret: NewSecret,
    /// How long the old one is used too, in seconds.
    pub overlap_seconds: i64,
}

impl RotateSecret {
    pub(super) fn decide(
        &self,
        hook: &Hook,
        context: &Context<'_>,
    ) -> Result<Vec<WebhookEvent>, WebhookRejection> {
        if !(0..=MAX_OVERLAP_SECONDS).contains(&self.overlap_seconds) {
            let why = format!("must be 0 to {MAX_OVERLAP_SECONDS} seconds");
            return Err(WebhookRejection::Invalid { field: "overlapSeconds", why });
        }
        let overlap = SignedDuration::from_secs(self.overlap_seconds);
        let previous_until = context.now.saturating_add(overlap).unwrap_or(Timestamp::MAX);
        Ok(vec![WebhookSecretRotated { secret: self.secret.of(hook.webhook), previous_until }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{after, created, reason};
    use super::super::{Webhook, WebhookCommand};
    use super::*;
    use crate::testing::at;

    fn rotate(byte: u8, overlap_seconds: i64) -> WebhookCommand {
        WebhookCommand::RotateSecret(RotateSecret { secret: NewSecret([byte; 32]), overlap_seconds })
    }

    fn keys(state: &Webhook, second: i64) -> Vec<u8> {
        state.hook().unwrap().signing_keys(at(second)).iter().map(|key| key[0]).collect()
    }

    #[test]
    fn during_the_overlap_both_secrets_sign_and_then_only_the_new_one() {
        let state = after("alice", &created(), &rotate(2, 100), 10);
        assert_eq!(keys(&state, 10), [2, 1]);
        assert_eq!(keys(&state, 109), [2, 1]);
        assert_eq!(keys(&state, 110), [2]);
        let again = after("alice", &state, &rotate(3, 100), 50);
        assert_eq!(keys(&again, 60), [3, 2], "of three the oldest ends at once");
        let at_once = after("alice", &state, &rotate(4, 0), 50);
        assert_eq!(keys(&at_once, 50), [4], "without an overlap the old one is worth nothing");
    }

    #[test]
    fn an_overlap_is_at_most_a_week_and_only_owners_rotate() {
        assert_eq!(reason("alice", &created(), &rotate(2, -1), 1), Some("INVALID_FIELD"));
        assert_eq!(
            reason("alice", &created(), &rotate(2, MAX_OVERLAP_SECONDS + 1), 1),
            Some("INVALID_FIELD")
        );
        assert_eq!(reason("alice", &created(), &rotate(2, MAX_OVERLAP_SECONDS), 1), None);
        assert_eq!(reason("bob", &created(), &rotate(2, 1), 1), Some("ROLE_TOO_LOW"));
        assert_eq!(
            reason("operator", &created(), &rotate(2, 1), 1),
            Some("NOT_FOR_YOU"),
            "who learns it is told"
        );
    }
}
