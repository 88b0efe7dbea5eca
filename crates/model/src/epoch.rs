//! Epochs: the histories that a log has had.

use serde::{Deserialize, Serialize};

use crate::{Cursor, Epoch};

/// What replicas do when a log begins a new epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EpochMode {
    /// They offer again what they hold above the common place.
    Heal,
    /// They let go of it.
    Follow,
}

/// The place of an older epoch at which a newer one begins: what stands at or below it is the same
/// in both. A reset begins at place 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    pub epoch: Epoch,
    pub cursor: Cursor,
    pub mode: EpochMode,
}

/// An epoch of a log; none but the first is without a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lineage {
    pub epoch: Epoch,
    pub parent: Option<Parent>,
}
