//! The fold of sessions over rows in memory.

mod sessions {
    pub(crate) mod payloads;
}
