//! Wall-clock times as they are written: RFC 3339, UTC, milliseconds.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment, kept to the millisecond; its text sorts in time order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(jiff::Timestamp);

/// Why a text or number is no time.
#[derive(Debug, Clone, thiserror::Error)]
#[error("time is not RFC 3339 within the years 0000 to 9999")]
pub struct TimestampError(#[source] Option<jiff::Error>);

impl Timestamp {
    /// The first moment of 1970.
    pub const UNIX_EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    pub fn from_millis(millis: i64) -> Result<Self, TimestampError> {
        let time = jiff::Timestamp::from_millisecond(millis)
            .map_err(|error| TimestampError(Some(error)))?;
        Self::in_range(time)
    }

    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Four-digit years alone sort as text.
    fn in_range(time: jiff::Timestamp) -> Result<Self, TimestampError> {
        const FIRST: i64 = -62_167_219_200_000;
        const LAST: i64 = 253_402_300_799_999;
        let millis = time.as_millisecond();
        if !(FIRST..=LAST).contains(&millis) {
            return Err(TimestampError(None));
        }
        jiff::Timestamp::from_millisecond(millis)
            .map(Self)
            .map_err(|error| TimestampError(Some(error)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = TimestampError;
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        Self::in_range(text.parse().map_err(|error| TimestampError(Some(error)))?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
