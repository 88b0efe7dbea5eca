//! How long to wait before the next try: longer each time, never the same for two clients, and never
//! over half a minute.

use std::time::Duration;

/// The longest wait, also where a server asks for more.
pub const WAIT_MAX: Duration = Duration::from_secs(30);

/// Why a call is to be tried again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryClass {
    /// No answer, half an answer, or one that can't be read.
    Transport,
    /// 5xx: the server is starting, stopping, or at fault.
    Unavailable,
    /// 429.
    RateLimited,
    /// 507: the server's disk is full.
    StorageFull,
    /// The server refuses the whole request, and will until one of the two is updated or told.
    Refused,
    /// This machine's own disk failed.
    Local,
    /// A recovery that follows on another without any progress between.
    Recovery,
}

impl RetryClass {
    pub const ALL: [Self; 7] = [
        Self::Transport,
        Self::Unavailable,
        Self::RateLimited,
        Self::StorageFull,
        Self::Refused,
        Self::Local,
        Self::Recovery,
    ];

    /// The wait after the first failure; it doubles with each further one.
    pub const fn first_wait(self) -> Duration {
        Duration::from_millis(match self {
            Self::Transport => 250,
            Self::Unavailable | Self::Local | Self::Recovery => 500,
            Self::RateLimited => 1_000,
            Self::StorageFull => 5_000,
            Self::Refused => 15_000,
        })
    }
}

/// The waits of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    random: u64,
}

impl Backoff {
    /// `seed` should differ between clients: a thousand that lost one server at one moment must not
    /// come back at one moment.
    pub const fn new(seed: u64) -> Self {
        Self { random: seed }
    }

    /// The wait after `failures` in a row: a random part, at least half, of what they have doubled
    /// to. What the server asks for is kept to, up to [`WAIT_MAX`].
    pub fn wait(&mut self, class: RetryClass, failures: u32, asked: Option<Duration>) -> Duration {
        let doubled = class.first_wait() * (1 << failures.saturating_sub(1).min(8));
        let wait = self.jitter(doubled.min(WAIT_MAX));
        wait.max(asked.unwrap_or_default()).min(WAIT_MAX)
    }

    /// A random time from half of `most` to `most`.
    pub fn jitter(&mut self, most: Duration) -> Duration {
        let half = most / 2;
        let parts = u32::try_from(self.next_random() >> 33).unwrap_or(u32::MAX);
        half + half.mul_f64(f64::from(parts) / f64::from(1_u32 << 31))
    }

    /// SplitMix64: the same numbers from the same seed on every machine and in every version.
    const fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
