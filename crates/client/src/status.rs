//! What sync is doing, for those who ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syncline_model::Timestamp;

use crate::traffic::Traffic;
use crate::{Endpoint, SyncEnd, SyncOutcome, SyncSettings, TrafficCount};

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
    /// The server's log is another's than this replica's: nothing is sent or taken.
    Apart,
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
            Self::Apart => "apart",
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// None: since the last failure everything was synced.
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
struct OutboxCounts {
    pending: u64,
    acknowledged: u64,
    quarantined: u64,
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

    pub(crate) fn set_counts(&self, status: &syncline_replica::Status) {
        *lock(&self.counts) = OutboxCounts {
            pending: status.pending(),
            acknowledged: status.acknowledged(),
            quarantined: status.quarantined,
        };
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

    pub(crate) fn set_remote(&self, settings: &SyncSettings) {
        lock(&self.status).endpoint = match settings {
            SyncSettings::Off => None,
            SyncSettings::On(remote) => Some(remote.endpoint.clone()),
        };
    }

    pub(crate) fn set_failure(&self, failure: Option<SyncFailure>) {
        lock(&self.status).failure = failure;
    }
}

/// A panic elsewhere leaves these plain values whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error with its causes, as people read it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // A wrapper often says the same as what it wraps.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
