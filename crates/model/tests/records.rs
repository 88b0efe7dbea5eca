//! Decide, the folds and the sight of records over rows in memory.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets an error ends there, and shows it"
)]

mod records {
    pub(crate) mod access;
    pub(crate) mod changes;
    pub(crate) mod conflicts;
    pub(crate) mod deciding;
    pub(crate) mod dropped;
    pub(crate) mod laws;
    pub(crate) mod memory;
    pub(crate) mod nested;
    pub(crate) mod schemas;
}
