//! Rate limits: token buckets, one per caller, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// The most callers that one limit keeps apart. Each costs about a hundred bytes; past this, the
/// callers that have been quiet for longest are forgotten, which only favours them.
const CALLERS_MAX: usize = 10_000;

/// How often something may happen: `burst` at once, and again as many in each `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub burst: u32,
    pub per: Duration,
}

/// What is left to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub limit: u32,
    pub remaining: u32,
    /// How long until everything is free again.
    pub reset: Duration,
    /// How long until one more is free; none: one is free now.
    pub retry_after: Option<Duration>,
}

/// Counts what each caller does against one rate.
#[derive(Debug)]
pub(crate) struct RateLimiter<Caller> {
    rate: Rate,
    buckets: HashMap<Caller, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// What is left, in parts of one use.
    left: f64,
    at: Duration,
}

impl<Caller: Eq + Hash + Clone> RateLimiter<Caller> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            buckets: HashMap::new(),
        }
    }

    /// Takes one use from `caller` at `now` (time since any fixed moment), if it has one left.
    pub(crate) fn take(&mut self, caller: &Caller, now: Duration) -> Allowance {
        let burst = f64::from(self.rate.burst.max(1));
        let per_second = burst / self.rate.per.as_secs_f64().max(0.001);
        if self.buckets.len() >= CALLERS_MAX && !self.buckets.contains_key(caller) {
            self.forget_the_quiet();
        }
        let bucket = self.buckets.entry(caller.clone()).or_insert(Bucket {
            left: burst,
            at: now,
        });
        let passed = now.saturating_sub(bucket.at).as_secs_f64();
        bucket.left = burst.min(bucket.left + passed * per_second);
        bucket.at = bucket.at.max(now);
        let allowed = bucket.left >= 1.0;
        if allowed {
            bucket.left -= 1.0;
        }
        let wait = |missing: f64| Duration::from_secs_f64(missing.max(0.0) / per_second);
        Allowance {
            limit: self.rate.burst,
            remaining: bucket.left as u32,
            reset: wait(burst - bucket.left),
            retry_after: (!allowed).then(|| wait(1.0 - bucket.left)),
        }
    }

    /// Drops the half that was quiet for longest: sorting seldom costs less than keeping an order.
    fn forget_the_quiet(&mut self) {
        let mut times: Vec<_> = self.buckets.values().map(|bucket| bucket.at).collect();
        times.sort_unstable();
        let median = times[times.len() / 2];
        self.buckets.retain(|_, bucket| bucket.at > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        per: Duration::from_secs(3),
    };

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let mut limiter = RateLimiter::new(RATE);
        let start = Duration::from_secs(100);
        for remaining in [2, 1, 0] {
            let allowance = limiter.take(&"a", start);
            assert_eq!(
                (allowance.remaining, allowance.retry_after),
                (remaining, None)
            );
        }
        let refused = limiter.take(&"a", start);
        assert_eq!(refused.retry_after, Some(Duration::from_secs(1)));
        assert_eq!(refused.reset, Duration::from_secs(3));
        let later = limiter.take(&"a", start + Duration::from_secs(1));
        assert_eq!(later.retry_after, None);
    }

    #[test]
    fn callers_are_counted_apart() {
        let mut limiter = RateLimiter::new(RATE);
        for _ in 0..4 {
            limiter.take(&"a", Duration::ZERO);
        }
        assert_eq!(limiter.take(&"b", Duration::ZERO).retry_after, None);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_away() {
        let mut limiter = RateLimiter::new(RATE);
        for _ in 0..3 {
            limiter.take(&"a", Duration::from_secs(50));
        }
        let refused = limiter.take(&"a", Duration::from_secs(10));
        assert!(refused.retry_after.is_some());
    }

    #[test]
    fn memory_is_bounded() {
        let mut limiter = RateLimiter::new(RATE);
        for caller in 0..3 * CALLERS_MAX {
            limiter.take(&caller, Duration::from_millis(caller as u64));
        }
        assert!(limiter.buckets.len() <= CALLERS_MAX);
    }
}
