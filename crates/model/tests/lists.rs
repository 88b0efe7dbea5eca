//! The folds of lists and their registry over rows in memory.

mod lists {
    pub(crate) mod chance;
    pub(crate) mod commands;
    pub(crate) mod compacting;
    pub(crate) mod deeds;
    pub(crate) mod faults;
    pub(crate) mod files;
    pub(crate) mod fuzz;
    pub(crate) mod memory;
    pub(crate) mod oracle;
    pub(crate) mod orders;
    pub(crate) mod payloads;
    pub(crate) mod positions;
    pub(crate) mod restores;
    pub(crate) mod rooms;
    pub(crate) mod world;
    pub(crate) mod worlds;
}
