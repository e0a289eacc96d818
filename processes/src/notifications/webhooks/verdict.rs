//! What an attempt means for the message, and for the subscriptions that it was sent for.

use dossier_domain::event_subscription::FailureReason;
use dossier_eventlog::BusError;
use jiff::SignedDuration;

use super::send::Answer;

/// After so many attempts in vain a subscription counts as failing, though the message is still tried.
pub const FAILING_AFTER_TRIES: u32 = 3;

/// What came of an attempt, whichever way it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it was taken.
    pub accepted: bool,
    /// Whether nothing is to be gained by trying again.
    pub is_final: bool,
    /// Why not, for the subscription.
    pub reason: FailureReason,
    /// How long the receiver asked to be left alone.
    pub retry_after: Option<SignedDuration>,
    /// What happened, for people.
    pub detail: String,
}

impl Verdict {
    /// Whether the subscriptions are told after so many tries: as soon as something was taken, and when a message is given up or
    /// was tried in vain for a while.
    pub fn is_told(&self, tries: u32, is_given_up: bool) -> bool {
        self.accepted || is_given_up || tries >= FAILING_AFTER_TRIES
    }
}

/// What a webhook's answer means.
pub fn verdict_of_answer(answer: &Answer) -> Verdict {
    let (reason, retry_after) = match answer {
        // Nobody serves the topic there any more.
        Answer::Gone => (FailureReason::TopicNotFound, None),
        Answer::Refused { status: 401 | 403, retry_after } => (FailureReason::PermissionDenied, *retry_after),
        Answer::Refused { status: 404, retry_after } => (FailureReason::TopicNotFound, *retry_after),
        Answer::Refused { retry_after, .. } => (FailureReason::Other, *retry_after),
        Answer::Accepted { .. } | Answer::Unreached { .. } => (FailureReason::Other, None),
    };
    Verdict {
        accepted: matches!(answer, Answer::Accepted { .. }),
        is_final: *answer == Answer::Gone,
        reason,
        retry_after,
        detail: answer.detail(),
    }
}

/// What the bus's answer means. What it refuses, it may take when the operator has acted.
pub fn verdict_of_bus(published: &Result<(), BusError>) -> Verdict {
    let (reason, detail) = match published {
        Ok(()) => (FailureReason::Other, "kept on its subject".to_owned()),
        Err(error @ BusError::Refused(_)) => (FailureReason::PermissionDenied, error.to_string()),
        Err(error) => (FailureReason::Other, error.to_string()),
    };
    Verdict { accepted: published.is_ok(), is_final: false, reason, retry_after: None, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Verdict {
        verdict_of_answer(&Answer::Refused { status, retry_after: None })
    }

    #[test]
    fn only_gone_is_final_and_every_other_refusal_has_its_reason() {
        let gone = verdict_of_answer(&Answer::Gone);
        assert_eq!((gone.is_final, gone.reason), (true, FailureReason::TopicNotFound));
        for (status, reason) in [
            (401, FailureReason::PermissionDenied),
            (403, FailureReason::PermissionDenied),
            (404, FailureReason::TopicNotFound),
            (429, FailureReason::Other),
            (500, FailureReason::Other),
            (302, FailureReason::Other),
        ] {
            let verdict = refused(status);
            assert_eq!(
                (verdict.accepted, verdict.is_final, verdict.reason),
                (false, false, reason),
                "{status}"
            );
        }
        assert!(verdict_of_answer(&Answer::Accepted { status: 204 }).accepted);
        assert!(verdict_of_bus(&Ok(())).is_told(1, false));
    }

    #[test]
    fn a_subscription_fails_when_a_message_is_given_up_or_tried_in_vain_for_a_while() {
        assert!(!refused(500).is_told(1, false));
        assert!(refused(500).is_told(FAILING_AFTER_TRIES, false));
        assert!(refused(500).is_told(1, true));
    }
}
