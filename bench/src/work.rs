//! The named workloads.

mod client;
mod command;
mod compaction;
mod daemon;
mod hook;
mod idle;
mod lists;
mod live;
mod pull;
mod push;
mod search;
mod sessions;
mod shapes;

use std::path::PathBuf;

use crate::measure::Row;

/// How large and how often.
#[derive(Debug)]
pub(crate) struct Bench {
    pub size: f64,
    pub runs: usize,
    /// The program that measures the list crates of others; none: they are left out.
    pub peers: Option<PathBuf>,
}

impl Bench {
    /// `full`, scaled, and at least `least`.
    pub(crate) fn scaled(&self, full: u64, least: u64) -> u64 {
        ((full as f64 * self.size) as u64).max(least)
    }
}

type Workload = fn(&Bench) -> anyhow::Result<Vec<Row>>;

/// Every workload, by name.
pub(crate) const ALL: [(&str, Workload); 21] = [
    ("push_opaque", push::opaque),
    ("push_entries", push::entries),
    ("push_100_clients", push::many_clients),
    ("pull_fresh", pull::pages),
    ("bootstrap_file", pull::file),
    ("lists", lists::changes),
    ("compaction", compaction::covered),
    ("long_life", compaction::long_life),
    ("live", live::latency),
    ("idle", idle::server),
    ("thread_push", command::thread_push),
    ("hook_run", hook::run),
    ("import_sessions", sessions::import),
    ("daemon_idle", daemon::idle),
    ("search_messages", search::messages),
    ("shape_sync", shapes::sync),
    ("shape_fan_out", shapes::fan_out),
    ("shape_many", shapes::many),
    ("shape_live", shapes::live),
    ("generate", client::generate),
    ("page", client::page),
];
