//! Decide, the folds and the sight of records over rows in memory.

mod records {
    pub(crate) mod access;
    pub(crate) mod conflicts;
    pub(crate) mod deciding;
    pub(crate) mod laws;
    pub(crate) mod memory;
    pub(crate) mod schemas;
}
