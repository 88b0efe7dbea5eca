//! The fold of sessions over rows in memory.

mod sessions {
    pub(crate) mod chance;
    pub(crate) mod deletes;
    pub(crate) mod faults;
    pub(crate) mod fuzz;
    pub(crate) mod memory;
    pub(crate) mod news;
    pub(crate) mod oracle;
    pub(crate) mod payloads;
    pub(crate) mod repeated;
    pub(crate) mod tables;
}
