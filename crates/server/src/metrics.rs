//! Counts and durations, and their Prometheus text. No metric carries a tenant's or user's name.

mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use syncline_protocol::{ErrorCode, Verdict};
use syncline_store::is_failed_write;

pub(crate) use text::Exposition;

use crate::tenant::Refused;

/// Upper bounds of the duration buckets, in seconds: from a cached page to a slow disk.
const SECONDS: [f64; 11] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];
/// Upper bounds of the buckets that count ops.
const OPS: [f64; 9] = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0];

/// A number that only rises.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How many of something there are now.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicI64);

impl Gauge {
    pub(crate) fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }

    pub(crate) fn set(&self, now: usize) {
        self.0.store(now as i64, Relaxed);
    }
}

/// One of what a gauge counts, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    metrics: Arc<Metrics>,
    gauge: fn(&Metrics) -> &Gauge,
}

impl Held {
    pub(crate) fn new(metrics: &Arc<Metrics>, gauge: fn(&Metrics) -> &Gauge) -> Self {
        gauge(metrics).0.fetch_add(1, Relaxed);
        Self {
            metrics: Arc::clone(metrics),
            gauge,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        (self.gauge)(&self.metrics).0.fetch_sub(1, Relaxed);
    }
}

/// How often values fell under each bound.
#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: &'static [f64],
    counts: Vec<AtomicU64>,
    sum_millionths: AtomicU64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum_millionths: AtomicU64::new(0),
        }
    }

    pub(crate) fn seconds() -> Self {
        Self::new(&SECONDS)
    }

    pub(crate) fn ops() -> Self {
        Self::new(&OPS)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| count.load(Relaxed) == 0)
    }

    pub(crate) fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    pub(crate) fn observe(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.sum_millionths.fetch_add((value * 1e6) as u64, Relaxed);
    }
}

/// What the server counts of its logs.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) ops_accepted: Counter,
    pub(crate) ops_duplicate: Counter,
    pub(crate) ops_rejected: Counter,
    pub(crate) fold_panics: Counter,
    pub(crate) commit_failures: Counter,
    pub(crate) commits: Histogram,
    pub(crate) group_ops: Histogram,
    pub(crate) pages_encoded: Counter,
    pub(crate) pages_shared: Counter,
    pub(crate) auth_denied: Counter,
    pub(crate) rate_limited: Counter,
    pub(crate) streams: Gauge,
    pub(crate) connections: Gauge,
    pub(crate) tenants_open: Gauge,
    /// 1 since a write found no room on the disk, until one finds some.
    pub(crate) storage_full: Gauge,
    /// 1 since a write failed on the disk for another cause, until one is done, or could be.
    pub(crate) storage_failing: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            ops_accepted: Counter::default(),
            ops_duplicate: Counter::default(),
            ops_rejected: Counter::default(),
            fold_panics: Counter::default(),
            commit_failures: Counter::default(),
            commits: Histogram::seconds(),
            group_ops: Histogram::ops(),
            pages_encoded: Counter::default(),
            pages_shared: Counter::default(),
            auth_denied: Counter::default(),
            rate_limited: Counter::default(),
            streams: Gauge::default(),
            connections: Gauge::default(),
            tenants_open: Gauge::default(),
            storage_full: Gauge::default(),
            storage_failing: Gauge::default(),
        }
    }

    /// The disk's state, as everybody may know it.
    pub(crate) fn storage(&self) -> &'static str {
        match (self.storage_full.get(), self.storage_failing.get()) {
            (0, 0) => "ok",
            (0, _) => "failing",
            (_, _) => "full",
        }
    }

    /// Notes what a log that could not be opened or written says of the disk.
    pub(crate) fn note_refused(&self, refused: &Refused) {
        if refused.code() == ErrorCode::StorageFull {
            self.storage_full.set(1);
        } else if is_failed_write(refused) {
            self.storage_failing.set(1);
        }
    }

    /// Notes that the disk has taken a write of some size.
    pub(crate) fn note_written(&self) {
        self.storage_full.set(0);
    }

    /// Notes that the disk takes writes, however small.
    pub(crate) fn note_taken(&self) {
        self.storage_failing.set(0);
    }

    pub(crate) fn count_verdicts(&self, verdicts: &[Verdict]) {
        let (mut accepted, mut duplicate, mut rejected) = (0, 0, 0);
        for verdict in verdicts {
            match verdict {
                Verdict::Accepted(_) => accepted += 1,
                Verdict::Duplicate(_) => duplicate += 1,
                Verdict::Rejected(_) => rejected += 1,
            }
        }
        self.ops_accepted.add(accepted);
        self.ops_duplicate.add(duplicate);
        self.ops_rejected.add(rejected);
    }

    /// Writes all but the requests, which their routes count.
    pub(crate) fn expose(&self, out: &mut Exposition) {
        const OPS_NAME: &str = "syncline_ops_total";
        out.header(OPS_NAME, "counter", "Ops pushed, by verdict.");
        for (verdict, counter) in [
            ("accepted", &self.ops_accepted),
            ("duplicate", &self.ops_duplicate),
            ("rejected", &self.ops_rejected),
        ] {
            out.sample(OPS_NAME, &[("verdict", verdict)], counter.get() as f64);
        }
        for (name, help, counter) in [
            (
                "syncline_fold_panics_total",
                "Ops refused because their fold panicked.",
                &self.fold_panics,
            ),
            (
                "syncline_commit_failures_total",
                "Group commits that failed.",
                &self.commit_failures,
            ),
            (
                "syncline_pages_encoded_total",
                "Pages of the log read and encoded.",
                &self.pages_encoded,
            ),
            (
                "syncline_pages_shared_total",
                "Pages answered from memory.",
                &self.pages_shared,
            ),
            (
                "syncline_auth_denied_total",
                "Requests without a good credential.",
                &self.auth_denied,
            ),
            (
                "syncline_rate_limited_total",
                "Requests refused by a rate limit.",
                &self.rate_limited,
            ),
        ] {
            out.header(name, "counter", help);
            out.sample(name, &[], counter.get() as f64);
        }
        self.expose_gauges(out);
        let name = "syncline_commit_duration_seconds";
        out.header(name, "histogram", "Time from begin to durable, per group.");
        out.histogram(name, &[], &self.commits);
        let name = "syncline_group_ops";
        out.header(name, "histogram", "Ops that committed together.");
        out.histogram(name, &[], &self.group_ops);
    }

    fn expose_gauges(&self, out: &mut Exposition) {
        for (name, help, gauge) in [
            ("syncline_streams", "Open streams.", &self.streams),
            (
                "syncline_connections",
                "Open connections.",
                &self.connections,
            ),
            (
                "syncline_tenants_open",
                "Tenants whose files are open.",
                &self.tenants_open,
            ),
            (
                "syncline_storage_full",
                "1 while writes are refused for want of room on the disk.",
                &self.storage_full,
            ),
            (
                "syncline_storage_failing",
                "1 while writes fail on the disk for another cause than want of room.",
                &self.storage_failing,
            ),
        ] {
            out.header(name, "gauge", help);
            out.sample(name, &[], gauge.get() as f64);
        }
    }
}
