//! How capture goes, as `capture.status` tells it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use syncline_model::Timestamp;

/// How capture goes.
#[derive(Debug, Default, Serialize)]
pub(super) struct State {
    /// By the names of the agents that are captured.
    pub(super) agents: BTreeMap<String, AgentState>,
    /// When all places were last looked at; none: they have not been yet.
    pub(super) last_sweep_at: Option<Timestamp>,
    /// What can't be gone on with; it is tried again.
    pub(super) error: Option<Trouble>,
    /// The same of events of hooks.
    pub(super) hook_error: Option<Trouble>,
    /// Ops that were written since the daemon began.
    pub(super) ops: u64,
    /// Secrets that were taken out.
    pub(super) redacted: u64,
    /// Places of transcripts that could not be read since the daemon began; the log names them.
    pub(super) problems: u64,
    /// Events of hooks that were taken.
    pub(super) hooks: u64,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct AgentState {
    pub(super) places: Vec<PlaceState>,
    /// How often files of it were read since the daemon began.
    pub(super) reads: u64,
    pub(super) last_read_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct PlaceState {
    pub(super) path: PathBuf,
    pub(super) watched: Watched,
}

/// How changes in a place are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Watched {
    /// It is not there.
    Missing,
    /// The system tells.
    Told,
    /// The system can't tell: everything is looked at now and then.
    Polled,
}

#[derive(Debug, Serialize)]
pub(super) struct Trouble {
    pub(super) message: String,
    pub(super) at: Timestamp,
}
