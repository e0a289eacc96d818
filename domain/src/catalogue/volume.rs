//! How much of a product's cases and calls in one hour is unusual (R-KI-2).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::InvalidCatalogue;

/// Largest factor.
const MAX_FACTOR: f64 = 1_000.0;
const HUNDREDTHS: f64 = 100.0;

/// How many times the usual volume is unusual, kept in hundredths so that every comparison is exact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeFactor {
    hundredths: u32,
}

impl VolumeFactor {
    /// A factor of so many hundredths: 250 is 2.5.
    pub const fn of_hundredths(hundredths: u32) -> Self {
        Self { hundredths }
    }

    /// The factor that a text names; `None` unless it is a number from 1 to 1,000.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().and_then(Self::of_number)
    }

    fn of_number(factor: f64) -> Option<Self> {
        if !(1.0..=MAX_FACTOR).contains(&factor) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be from 1 to 1,000 above"
        )]
        let hundredths = (factor * HUNDREDTHS).round() as u32;
        Some(Self { hundredths })
    }

    /// So many hundredths.
    pub const fn hundredths(self) -> u32 {
        self.hundredths
    }
}

impl fmt::Display for VolumeFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.hundredths / 100, self.hundredths % 100)
    }
}

impl fmt::Debug for VolumeFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for VolumeFactor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.hundredths) / HUNDREDTHS)
    }
}

impl<'de> Deserialize<'de> for VolumeFactor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let factor = f64::deserialize(deserializer)?;
        Self::of_number(factor).ok_or_else(|| {
            serde::de::Error::custom(format!("{factor} is no factor; 1 to {MAX_FACTOR} will do"))
        })
    }
}

/// When a suspicion is raised: at or above max(minimum, factor × mean of the same weekday-hour over the last four weeks).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VolumePolicy {
    /// Cases and calls of one product and hour below which nothing is unusual; at least 1.
    pub minimum: u32,
    /// How many times the mean is unusual; 1 to 1,000, to two places.
    pub factor: VolumeFactor,
}

impl Default for VolumePolicy {
    fn default() -> Self {
        Self { minimum: 50, factor: VolumeFactor::of_hundredths(300) }
    }
}

impl VolumePolicy {
    pub(super) fn validate(self) -> Result<(), InvalidCatalogue> {
        if self.minimum == 0 {
            return Err(InvalidCatalogue(
                "catalogue: volume_watch.minimum is 0; at least 1 will do".to_owned(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R-KI-2.
    #[test]
    fn r_ki_2_the_factor_is_a_number_to_two_places_and_the_minimum_at_least_one() {
        let read = |text: &str| serde_json::from_str::<VolumePolicy>(text);
        let policy = read(r#"{"minimum": 4, "factor": 2.5}"#).unwrap();
        assert_eq!((policy.minimum, policy.factor.hundredths()), (4, 250));
        assert_eq!(read(r#"{"factor": 2}"#).unwrap().factor, VolumeFactor::of_hundredths(200));
        assert_eq!(serde_json::to_string(&policy).unwrap(), r#"{"minimum":4,"factor":2.5}"#);
        for bad in ["0.5", "-1", "1001", "\"two\""] {
            assert!(read(&format!(r#"{{"factor": {bad}}}"#)).is_err(), "{bad}");
        }
        let why = read(r#"{"minimum": 0}"#).unwrap().validate().unwrap_err().to_string();
        assert!(why.contains("volume_watch.minimum"), "{why}");
    }
}
