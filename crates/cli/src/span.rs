//! Lengths of time as they are typed.

use std::str::FromStr;
use std::time::Duration;

/// A length of time, such as `90d`, `12h`, `30m` or `45s`; `0s` at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(Duration);

/// A text that is no length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 90d, 12h, 30m or 45s")]
pub(crate) struct SpanError;

/// The longest that can be typed: past it, a moment would leave the years that there are.
const SECONDS_MAX: u64 = 100 * 366 * 86_400;

impl Span {
    pub(crate) const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let text = text.trim();
        let unit = text.chars().last().ok_or(SpanError)?;
        let seconds: u64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            'y' => 365 * 86_400,
            _ => return Err(SpanError),
        };
        let digits = &text[..text.len() - 1];
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(SpanError);
        }
        let count: u64 = digits.parse().map_err(|_| SpanError)?;
        match count.checked_mul(seconds) {
            Some(seconds) if seconds <= SECONDS_MAX => Ok(Self(Duration::from_secs(seconds))),
            Some(_) | None => Err(SpanError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        let seconds = |text: &str| text.parse::<Span>().map(|span| span.duration().as_secs());
        assert_eq!(seconds("45s"), Ok(45));
        assert_eq!(seconds(" 2m "), Ok(120));
        assert_eq!(seconds("0s"), Ok(0));
        assert_eq!(seconds("90d"), Ok(90 * 86_400));
        assert_eq!(seconds("2w"), Ok(14 * 86_400));
        for wrong in [
            "",
            "d",
            "5",
            "-5d",
            "+5d",
            "5 d",
            "5x",
            "é",
            "99999999999999999999d",
            "40000d",
        ] {
            assert_eq!(seconds(wrong), Err(SpanError), "{wrong:?}");
        }
    }
}
