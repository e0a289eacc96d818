//! The watch over the volume (R-KI-2): cases and phone calls of a product, by the hour (UTC), against the mean of the same
//! weekday-hour over the last four weeks.
//!
//! There is no state and no clock: whether an act starts a burst follows from the counts of a few hours, the act included.
//! A burst is an unbroken run of hours that each reach their threshold: a full hour below ends it, also one in which nothing
//! happened. So the act that makes its hour reach the threshold starts a burst exactly where the hour before did not reach its
//! own; and not where the hour after did, which only an act that was recorded late can meet: then that burst was raised.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::CaseEvent;
use crate::catalogue::VolumePolicy;
use crate::ids::ProductId;
use crate::phone_call::PhoneCallEvent;

/// How many weeks the mean is taken over.
pub const WEEKS: usize = 4;
const HOUR_SECONDS: i64 = 3_600;
const HOURS_OF_WEEK: i64 = 168;

/// Something that counts for the volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedAct {
    /// The product.
    pub product: ProductId,
    /// What it is.
    pub kind: CountedKind,
    /// When it was; `None`: when it was recorded.
    pub at: Option<Timestamp>,
    /// Whether it was taken over from elsewhere: then it is counted, and is no alarm itself.
    pub imported: bool,
}

/// What counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedKind {
    /// A case.
    Case,
    /// A phone call.
    PhoneCall,
}

impl CountedKind {
    /// The name in the read model.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::PhoneCall => "phone_call",
        }
    }
}

impl CountedAct {
    /// The filing of a case, at the instant that its metadata names where it was taken over from elsewhere. Test cases do not
    /// count; nor do those that were filed for a known issue, which is known.
    pub fn of_case(event: &CaseEvent, occurred_at: Option<Timestamp>) -> Option<Self> {
        let CaseEvent::CaseFiled(filed) = event else { return None };
        let counts = !filed.test_case && filed.known_issue.is_none();
        counts.then(|| Self {
            product: filed.product.clone(),
            kind: CountedKind::Case,
            at: occurred_at,
            imported: filed.imported_from.is_some(),
        })
    }

    /// A phone call.
    pub fn of_phone_call(event: &PhoneCallEvent) -> Self {
        let PhoneCallEvent::PhoneCallRecorded(call) = event;
        let (product, at) = (call.product.clone(), Some(call.at));
        Self { product, kind: CountedKind::PhoneCall, at, imported: false }
    }

    /// The hour in which it counts.
    pub fn hour(&self, recorded_at: Timestamp) -> Timestamp {
        hour_of(self.at.unwrap_or(recorded_at))
    }
}

/// What a suspicion from the volume rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeFigures {
    /// The hour, by its beginning.
    #[schemars(extend("x-analytics" = true))]
    pub hour: Timestamp,
    /// Cases and calls in it, so far.
    #[schemars(extend("x-analytics" = true))]
    pub count: u32,
    /// How many would have been unusual: the least such number.
    #[schemars(extend("x-analytics" = true))]
    pub threshold: u32,
    /// Cases and calls in the same hour of the four weeks before, the latest first.
    #[schemars(extend("x-analytics" = true))]
    pub weeks_before: [u32; WEEKS],
}

/// The beginning of the hour (UTC) in which an instant lies.
pub fn hour_of(instant: Timestamp) -> Timestamp {
    let second = instant.as_second();
    // Whole seconds are rounded towards zero, which matters before 1970 only.
    Timestamp::from_second(second - second.rem_euclid(HOUR_SECONDS)).unwrap_or(Timestamp::MIN)
}

fn hours_after(hour: Timestamp, hours: i64) -> Timestamp {
    hour.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MAX)
}

/// The hours whose counts [`burst_begun`] asks for, when an act lies in an hour.
pub fn hours_needed(hour: Timestamp) -> Vec<Timestamp> {
    [-1, 0, 1]
        .into_iter()
        .flat_map(|near| (0..=WEEKS).map(move |week| (near, week)))
        .map(|(near, week)| hours_after(weeks_before(hour, week), near))
        .collect()
}

fn weeks_before(hour: Timestamp, weeks: usize) -> Timestamp {
    hours_after(hour, -HOURS_OF_WEEK * i64::try_from(weeks).unwrap_or(i64::MAX / HOURS_OF_WEEK))
}

/// The figures of an hour, by the counts of hours.
fn figures(policy: VolumePolicy, hour: Timestamp, count: &impl Fn(Timestamp) -> u32) -> VolumeFigures {
    let weeks_before: [u32; WEEKS] = std::array::from_fn(|week| count(weeks_before(hour, week + 1)));
    let sum: u64 = weeks_before.iter().copied().map(u64::from).sum();
    // factor × mean, rounded up: counts are whole, so at or above it is at or above the next whole number.
    let scaled = (sum * u64::from(policy.factor.hundredths())).div_ceil(100 * WEEKS as u64);
    let threshold = u32::try_from(scaled).unwrap_or(u32::MAX).max(policy.minimum);
    VolumeFigures { hour, count: count(hour), threshold, weeks_before }
}

impl VolumeFigures {
    fn is_unusual(&self) -> bool {
        self.count >= self.threshold
    }
}

/// Whether an act in an hour starts a burst, by the counts of hours with this act and all before it: then a suspicion is raised,
/// once.
pub fn burst_begun(
    policy: VolumePolicy,
    hour: Timestamp,
    count: &impl Fn(Timestamp) -> u32,
) -> Option<VolumeFigures> {
    let now = figures(policy, hour, count);
    let unusual = |near| figures(policy, hours_after(hour, near), count).is_unusual();
    // The act is the one that reached the threshold: those after it in the same hour find more.
    (now.count == now.threshold && !unusual(-1) && !unusual(1)).then_some(now)
}

/// The bursts of a stretch of whole hours, [from, until), by the counts of hours: what would have been raised, with the figures
/// of each burst's first hour when it was over.
pub fn bursts_between(
    policy: VolumePolicy,
    from: Timestamp,
    until: Timestamp,
    counts: &BTreeMap<Timestamp, u32>,
) -> Vec<VolumeFigures> {
    let count = |hour: Timestamp| counts.get(&hour).copied().unwrap_or_default();
    let (from, until) = (hour_of(from), until.max(from));
    // Nothing is unusual where nothing happened, for the minimum is at least one.
    counts
        .range(from..until)
        .map(|(hour, _)| figures(policy, *hour, &count))
        .filter(|now| now.is_unusual() && !figures(policy, hours_after(now.hour, -1), &count).is_unusual())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalogue::VolumeFactor;

    fn policy(minimum: u32, hundredths: u32) -> VolumePolicy {
        VolumePolicy { minimum, factor: VolumeFactor::of_hundredths(hundredths) }
    }

    /// An hour by its number; some Monday's midnight is the first.
    fn hour(number: i64) -> Timestamp {
        Timestamp::from_second(1_700_438_400 + number * HOUR_SECONDS).unwrap()
    }

    /// What the acts at these hours raise, one after the other, each with what is known then.
    fn raised(policy: VolumePolicy, acts: &[i64]) -> Vec<(i64, u32)> {
        let mut counts = BTreeMap::new();
        let mut raised = Vec::new();
        for act in acts {
            *counts.entry(hour(*act)).or_insert(0) += 1;
            let count = |hour: Timestamp| counts.get(&hour).copied().unwrap_or(0);
            if let Some(figures) = burst_begun(policy, hour(*act), &count) {
                assert_eq!(figures.hour, hour(*act));
                raised.push((*act, figures.count));
            }
        }
        raised
    }

    /// The rule in its own words: a state, and hours that pass.
    fn raised_by_the_book(policy: VolumePolicy, acts: &[i64]) -> Vec<(i64, u32)> {
        let mut counts: BTreeMap<i64, u32> = BTreeMap::new();
        let (mut burst, mut looked_at, mut raised) = (false, None, Vec::new());
        let reaches = |counts: &BTreeMap<i64, u32>, hour: i64| {
            let count = |hour: i64| counts.get(&hour).copied().unwrap_or(0);
            let sum: u32 = (1..=4).map(|week| count(hour - 168 * week)).sum();
            // count >= factor * sum / 4, without a fraction.
            count(hour) >= policy.minimum && count(hour) * 400 >= policy.factor.hundredths() * sum
        };
        for act in acts {
            let passed: Vec<i64> = looked_at.map_or_else(Vec::new, |last| (last..*act).collect());
            for hour in passed {
                burst &= reaches(&counts, hour);
            }
            looked_at = Some(*act);
            *counts.entry(*act).or_insert(0) += 1;
            if !burst && reaches(&counts, *act) {
                burst = true;
                raised.push((*act, counts[act]));
            }
        }
        raised
    }

    /// R-KI-2.
    #[test]
    fn r_ki_2_a_suspicion_is_raised_at_the_minimum_once_per_burst_which_a_full_hour_below_ends() {
        let policy = policy(3, 200);
        assert_eq!(raised(policy, &[0, 0]), []);
        assert_eq!(raised(policy, &[0, 0, 0, 0, 0]), [(0, 3)]);
        assert_eq!(raised(policy, &[0, 0, 0, 1, 1, 1, 1]), [(0, 3)], "the burst goes on");
        assert_eq!(raised(policy, &[0, 0, 0, 1, 2, 2, 2]), [(0, 3), (2, 3)], "an hour with less ended it");
        assert_eq!(raised(policy, &[0, 0, 0, 2, 2, 2]), [(0, 3), (2, 3)], "an hour with nothing, too");
    }

    /// R-KI-2.
    #[test]
    fn r_ki_2_what_is_usual_for_the_weekday_and_hour_raises_nothing_until_the_factor_is_reached() {
        let mut usual: Vec<i64> = (0..4).flat_map(|week| [week * 168; 6]).collect();
        // Each of those weeks was itself unusual at first; what counts here is the fifth.
        let before = raised(policy(5, 150), &usual).len();
        usual.extend([4 * 168; 8]);
        assert_eq!(
            raised(policy(5, 150), &usual).len(),
            before,
            "eight are less than one and a half times six"
        );
        usual.push(4 * 168);
        assert_eq!(raised(policy(5, 150), &usual).last(), Some(&(4 * 168, 9)));
        let elsewhere: Vec<i64> = usual.iter().copied().chain([4 * 168 + 24; 5]).collect();
        assert_eq!(raised(policy(5, 150), &elsewhere).last(), Some(&(4 * 168 + 24, 5)), "another weekday");
    }

    /// R-KI-2.
    #[test]
    fn r_ki_2_an_act_recorded_late_raises_no_second_suspicion_of_the_burst_that_it_belongs_to() {
        let policy = policy(3, 200);
        assert_eq!(raised(policy, &[0, 0, 1, 1, 1, 0]), [(1, 3)]);
        assert_eq!(raised(policy, &[0, 0, 5, 0]), [(0, 3)], "else it is raised late");
    }

    /// R-KI-2.
    #[test]
    fn r_ki_2_cases_and_calls_count_but_not_test_cases_nor_those_filed_for_what_is_known_already() {
        use crate::case::CaseCommand;
        use crate::testing::{Given, at, file_case};
        let file = CaseCommand::File(Box::new(file_case()));
        let CaseEvent::CaseFiled(filed) = Given::nothing().when("alice", 0, &file).events()[0].clone() else {
            panic!("a filing");
        };
        let counted = |change: &dyn Fn(&mut crate::case::CaseFiled)| {
            let mut filed = filed.clone();
            change(&mut filed);
            CountedAct::of_case(&filed.into(), None)
        };
        let act = counted(&|_| ()).expect("counts");
        assert_eq!((act.product.as_str(), act.kind, act.imported), ("compute", CountedKind::Case, false));
        assert_eq!(act.hour(at(0)), hour_of(at(0)));
        assert_eq!(counted(&|filed| filed.test_case = true), None);
        let issue = crate::KnownIssueId(ulid::Ulid::nil());
        assert_eq!(counted(&|filed| filed.known_issue = Some(issue)), None);
        let call = PhoneCallEvent::from(crate::phone_call::PhoneCallRecorded {
            call: crate::PhoneCallId(ulid::Ulid::nil()),
            product: filed.product.clone(),
            at: at(-7_200),
            organization: None,
        });
        assert_eq!(CountedAct::of_phone_call(&call).hour(at(0)), hour_of(at(-7_200)));
    }

    #[test]
    fn the_figures_say_what_was_counted_against_what() {
        let counts = BTreeMap::from([(hour(672), 9), (hour(504), 6), (hour(336), 2), (hour(0), 4)]);
        let count = |hour: Timestamp| counts.get(&hour).copied().unwrap_or(0);
        let figures = burst_begun(policy(2, 300), hour(672), &count).expect("nine is three times three");
        assert_eq!((figures.count, figures.threshold, figures.weeks_before), (9, 9, [6, 2, 0, 4]));
        assert_eq!(hours_needed(hour(672)).len(), 15);
        assert_eq!(hour_of(Timestamp::from_second(-1).unwrap()), Timestamp::from_second(-3_600).unwrap());
    }

    proptest! {
        /// R-KI-2.
        #[test]
        fn r_ki_2_the_watch_agrees_with_the_rule_in_its_own_words(
            mut acts in proptest::collection::vec((0_i64..5, -2_i64..4), 0..120),
            minimum in 1_u32..6,
            hundredths in 100_u32..400,
        ) {
            // The same few hours of five weeks, in order.
            acts.sort_unstable();
            let acts: Vec<i64> = acts.iter().map(|(week, hour)| week * 168 + hour).collect();
            let policy = policy(minimum, hundredths);
            let expected = raised_by_the_book(policy, &acts);
            prop_assert_eq!(raised(policy, &acts), expected.clone());
            let mut counts = BTreeMap::new();
            for act in &acts {
                *counts.entry(hour(*act)).or_insert(0) += 1;
            }
            let dry: Vec<_> = bursts_between(policy, hour(-10), hour(1_000), &counts)
                .iter()
                .map(|figures| (figures.hour, figures.threshold))
                .collect();
            let expected: Vec<_> = expected.iter().map(|(act, count)| (hour(*act), *count)).collect();
            prop_assert_eq!(dry, expected, "a dry run over past data says the same");
        }

        /// R-KI-2.
        #[test]
        fn r_ki_2_the_same_acts_in_the_same_order_always_raise_the_same(
            acts in proptest::collection::vec(0_i64..6, 0..40),
        ) {
            let policy = policy(3, 200);
            prop_assert_eq!(raised(policy, &acts), raised(policy, &acts));
        }
    }
}
