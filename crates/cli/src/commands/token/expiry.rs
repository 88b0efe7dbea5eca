//! When a token ends: after a time, or at a moment.

use std::str::FromStr;

use jiff::civil::Date;
use syncline_model::Timestamp;

use crate::span::Span;

/// What `--expires` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    Never,
    AfterMillis(i64),
    At(Timestamp),
}

/// A text that says no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 90d, 12h or 30m, a date, an RFC 3339 time, or never")]
pub(super) struct ExpiryError;

impl Expiry {
    /// The moment, if there is one; an error if it is not after `now`.
    pub(super) fn end_after(self, now: Timestamp) -> Result<Option<Timestamp>, ExpiryError> {
        let end = match self {
            Self::Never => return Ok(None),
            Self::At(end) => end,
            Self::AfterMillis(millis) => {
                let end = now.as_millis().checked_add(millis).ok_or(ExpiryError)?;
                Timestamp::from_millis(end).map_err(|_| ExpiryError)?
            }
        };
        if end > now {
            Ok(Some(end))
        } else {
            Err(ExpiryError)
        }
    }
}

impl FromStr for Expiry {
    type Err = ExpiryError;
    fn from_str(text: &str) -> Result<Self, ExpiryError> {
        let text = text.trim();
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Ok(date) = text.parse::<Date>()
            && text.len() == "2026-01-02".len()
        {
            return format!("{date}T00:00:00Z")
                .parse()
                .map(Self::At)
                .map_err(|_| ExpiryError);
        }
        if let Ok(moment) = text.parse() {
            return Ok(Self::At(moment));
        }
        let span: Span = text.parse().map_err(|_| ExpiryError)?;
        let millis = i64::try_from(span.duration().as_millis()).map_err(|_| ExpiryError)?;
        Ok(Self::AfterMillis(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Result<Option<String>, ExpiryError> {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let end = text.parse::<Expiry>()?.end_after(now)?;
        Ok(end.map(|end| end.to_string()))
    }

    #[test]
    fn an_end_is_a_time_from_now_or_a_moment() {
        let table = [
            ("90d", Some("2026-04-01T00:00:00.000Z")),
            ("1s", Some("2026-01-01T00:00:01.000Z")),
            ("2w", Some("2026-01-15T00:00:00.000Z")),
            ("2026-02-03", Some("2026-02-03T00:00:00.000Z")),
            (
                "2026-02-03T04:05:06+01:00",
                Some("2026-02-03T03:05:06.000Z"),
            ),
            ("never", None),
        ];
        for (text, expected) in table {
            assert_eq!(end(text), Ok(expected.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn an_end_that_is_none_or_past_is_refused() {
        for text in [
            "",
            "d",
            "0d",
            "-1d",
            "1.5d",
            "90",
            "90x",
            "2025-12-31",
            "9999999999999y",
            "+5d",
            "é",
        ] {
            assert_eq!(end(text), Err(ExpiryError), "{text}");
        }
    }
}
