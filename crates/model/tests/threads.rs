//! The fold of threads over rows in memory.

mod threads {
    pub(crate) mod compaction;
    pub(crate) mod entries;
    pub(crate) mod fields;
    pub(crate) mod memory;
    pub(crate) mod payloads;
}
