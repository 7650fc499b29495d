//! Instants: milliseconds since 1970 inside, RFC 3339 UTC text with milliseconds outside. Nobody here asks what time it is.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant in milliseconds since 1970-01-01T00:00:00Z. Always database time, never a machine's wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct UnixMs(#[cfg_attr(feature = "ts", ts(type = "string"))] pub i64);

impl UnixMs {
    /// Reads RFC 3339 text; anything finer than a millisecond is cut off.
    ///
    /// # Errors
    /// When the text is no instant.
    pub fn parse(text: &str) -> Result<Self, jiff::Error> {
        // The very last second can be read and not be written: what is taken can always be told again.
        let ms = text.parse::<jiff::Timestamp>()?.as_millisecond();
        jiff::Timestamp::from_millisecond(ms).map(|_| Self(ms))
    }
}

impl fmt::Display for UnixMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{instant:.3}")
    }
}

impl Add<Duration> for UnixMs {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub for UnixMs {
    type Output = Duration;
    /// The time since `earlier`; zero when `earlier` is later.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Serialize for UnixMs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UnixMs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_with_exactly_three_decimals() {
        assert_eq!(UnixMs(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(UnixMs(1_700_000_000_120).to_string(), "2023-11-14T22:13:20.120Z");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let instant = UnixMs(1_763_731_234_567);
        assert_eq!(UnixMs::parse(&instant.to_string()).expect("own text"), instant);
        assert_eq!(UnixMs::parse("2023-11-14T23:13:20.1209+01:00").expect("offset"), UnixMs(1_700_000_000_120));
    }

    #[test]
    fn what_cannot_be_written_is_not_read() {
        assert!(UnixMs::parse("9999-12-30T22:00:00.999999999Z").is_err(), "the last second there is");
        let last = UnixMs::parse("9999-12-30T21:59:59.999Z").expect("the one before");
        assert_eq!(last.to_string(), "9999-12-30T21:59:59.999Z");
    }
}
