//! How often callers may ask: `100/60`, or `off`.

use std::str::FromStr;
use std::time::Duration;

use syncline_server::Rate;

/// A limit, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct RateLimit(Option<Rate>);

/// A text that is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected requests and seconds, such as 100/60, or off")]
pub(super) struct RateLimitError;

impl RateLimit {
    pub(super) const fn rate(self) -> Option<Rate> {
        self.0
    }
}

impl FromStr for RateLimit {
    type Err = RateLimitError;
    fn from_str(text: &str) -> Result<Self, RateLimitError> {
        if text == "off" {
            return Ok(Self(None));
        }
        let (burst, seconds) = text.split_once('/').ok_or(RateLimitError)?;
        let burst: u32 = burst.trim().parse().map_err(|_| RateLimitError)?;
        let seconds: u32 = seconds.trim().parse().map_err(|_| RateLimitError)?;
        if burst == 0 || seconds == 0 {
            return Err(RateLimitError);
        }
        Ok(Self(Some(Rate {
            burst,
            per: Duration::from_secs(seconds.into()),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_of_requests_in_a_time() {
        let rate = "100/60".parse::<RateLimit>().unwrap().rate().unwrap();
        assert_eq!((rate.burst, rate.per), (100, Duration::from_secs(60)));
        assert!("off".parse::<RateLimit>().unwrap().rate().is_none());
        for text in ["", "100", "0/60", "100/0", "-1/60", "a/b", "1/2/3"] {
            assert!(text.parse::<RateLimit>().is_err(), "{text}");
        }
    }
}
