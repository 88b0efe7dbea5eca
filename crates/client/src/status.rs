//! What sync is doing, for those who ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syncline_model::Timestamp;

use crate::traffic::Traffic;
use crate::{Endpoint, SyncEnd, SyncOutcome, TrafficCount};

/// What sync is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No endpoint is set, or sync is turned off.
    Off,
    /// Another process syncs this replica; this one waits to take over.
    Elsewhere,
    /// The server is asked whose the token is.
    Introducing,
    /// The token is another tenant's: nothing is sent until that changes.
    OtherTenant,
    /// The token is not accepted, or has too few rights: a new login resumes.
    LoggedOut,
    /// Pushing and pulling.
    Syncing,
    /// In sync; others' writes come at once.
    Live,
    /// In sync as of the last poll.
    Polling,
    /// The last try failed; the next comes by itself.
    BackingOff,
    /// The log is being fetched anew.
    Recovering,
    /// For good.
    Stopped,
}

impl Phase {
    /// The phase's name, for `status` and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Elsewhere => "elsewhere",
            Self::Introducing => "introducing",
            Self::OtherTenant => "other_tenant",
            Self::LoggedOut => "logged_out",
            Self::Syncing => "syncing",
            Self::Live => "live",
            Self::Polling => "polling",
            Self::BackingOff => "backing_off",
            Self::Recovering => "recovering",
            Self::Stopped => "stopped",
        }
    }
}

/// Why sync stands still, or stood still last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncFailure {
    /// Stable.
    pub code: String,
    /// What has happened, with its causes.
    pub message: String,
}

/// How sync stands at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncStatus {
    pub phase: Phase,
    /// When that phase began.
    pub since: Timestamp,
    /// None: sync is off.
    pub endpoint: Option<Endpoint>,
    /// None: the last call succeeded.
    pub failure: Option<SyncFailure>,
    pub traffic: TrafficCount,
}

/// The status, as the sync thread writes and others read it.
#[derive(Debug)]
pub(crate) struct Board {
    status: Mutex<SyncStatus>,
    counts: Mutex<OutboxCounts>,
    traffic: Arc<Traffic>,
}

/// What waits, as last counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OutboxCounts {
    pub(crate) pending: u64,
    pub(crate) acknowledged: u64,
    pub(crate) quarantined: u64,
}

impl Board {
    pub(crate) fn new(now: Timestamp) -> Self {
        let status = SyncStatus {
            phase: Phase::Off,
            since: now,
            endpoint: None,
            failure: None,
            traffic: TrafficCount::default(),
        };
        Self {
            status: Mutex::new(status),
            counts: Mutex::default(),
            traffic: Arc::default(),
        }
    }

    /// The counters that calls add to.
    pub(crate) fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }

    pub(crate) fn read(&self) -> SyncStatus {
        let mut status = lock(&self.status).clone();
        status.traffic = self.traffic.count();
        status
    }

    /// An outcome with the counts as they were last.
    pub(crate) fn outcome(&self, end: SyncEnd) -> SyncOutcome {
        let OutboxCounts {
            pending,
            acknowledged,
            quarantined,
        } = *lock(&self.counts);
        SyncOutcome {
            end,
            pending,
            acknowledged,
            quarantined,
        }
    }

    pub(crate) fn set_counts(&self, counts: OutboxCounts) {
        *lock(&self.counts) = counts;
    }

    /// Enters a phase.
    pub(crate) fn enter(&self, phase: Phase, now: Timestamp) {
        let mut status = lock(&self.status);
        if status.phase != phase {
            tracing::debug!(sync.phase = phase.as_str(), "sync enters a phase");
            status.phase = phase;
            status.since = now;
        }
    }

    pub(crate) fn set_endpoint(&self, endpoint: Option<Endpoint>) {
        lock(&self.status).endpoint = endpoint;
    }

    pub(crate) fn set_failure(&self, failure: Option<SyncFailure>) {
        lock(&self.status).failure = failure;
    }
}

/// A panic elsewhere leaves these plain values whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
