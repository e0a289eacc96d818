//! Whether cases close by themselves (R-CLOSE-1): only where a number of days is given.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::InvalidCatalogue;

const HOURS_OF_DAY: i64 = 24;
/// Longest time after which a case closes by itself, in days.
const MAX_DAYS: u16 = 366;

/// When a case closes whose solution nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClosingPolicy {
    /// Days of 24 hours after the solution; none: it stays open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unanswered_solution_days: Option<u16>,
    /// How many days before that it is announced by mail; at least one, and at most as many as above.
    pub announced_days_before: u16,
}

impl Default for ClosingPolicy {
    fn default() -> Self {
        Self { unanswered_solution_days: None, announced_days_before: 1 }
    }
}

impl ClosingPolicy {
    /// When a case whose solution is proposed at an instant is announced to close, and closes.
    pub fn instants(&self, proposed_at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let days = self.unanswered_solution_days?;
        let after = |days| proposed_at.checked_add(of_days(days)).ok();
        Some((after(days.saturating_sub(self.announced_days_before))?, after(days)?))
    }

    pub(super) fn validate(self) -> Result<(), InvalidCatalogue> {
        let Some(days) = self.unanswered_solution_days else { return Ok(()) };
        if !(1..=MAX_DAYS).contains(&days) {
            return Err(InvalidCatalogue(format!(
                "catalogue: closing.unanswered_solution_days is {days}; 1 to {MAX_DAYS} will do"
            )));
        }
        if !(1..=days).contains(&self.announced_days_before) {
            return Err(InvalidCatalogue(format!(
                "catalogue: closing.announced_days_before is {}; 1 to {days} will do",
                self.announced_days_before
            )));
        }
        Ok(())
    }
}

fn of_days(days: u16) -> SignedDuration {
    SignedDuration::from_hours(i64::from(days) * HOURS_OF_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(days: Option<u16>, before: u16) -> ClosingPolicy {
        ClosingPolicy { unanswered_solution_days: days, announced_days_before: before }
    }

    /// R-CLOSE-1.
    #[test]
    fn r_close_1_nothing_closes_by_itself_unless_days_are_given() {
        assert_eq!(ClosingPolicy::default().instants(Timestamp::UNIX_EPOCH), None);
        let (announced, closes) = policy(Some(14), 3).instants(Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(announced.as_second(), 11 * 86_400);
        assert_eq!(closes.as_second(), 14 * 86_400);
    }

    #[test]
    fn a_closing_that_cannot_be_announced_before_is_refused() {
        for good in [policy(None, 0), policy(Some(1), 1), policy(Some(366), 366)] {
            assert_eq!(good.validate(), Ok(()));
        }
        for bad in [policy(Some(0), 1), policy(Some(367), 1), policy(Some(7), 0), policy(Some(7), 8)] {
            assert!(bad.validate().unwrap_err().to_string().contains("closing."), "{bad:?}");
        }
    }
}
