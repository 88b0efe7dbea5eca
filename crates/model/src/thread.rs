//! Threads: append-only entries, with a name, project, status, tags and links on the side.
//!
//! Entries keep log order; every other field belongs to its last writer by `(clock, actor)`. A
//! thread's id follows from its project, key and generation, so that one key made on two replicas is
//! one thread; a delete is a tombstone that erases, and the key made again is the next generation.

mod coverage;
mod fold;
mod ids;
mod names;
mod ops;
mod tables;

pub use coverage::coverage;
pub(crate) use coverage::coverage_of_absent;
pub use fold::{DELETED, fold, is_delete, is_erased};
pub use ids::{EntryId, ThreadId, foreign_entry_id, import_entry_id, thread_id};
pub use names::{ContentError, NameError, NameKind, check_content, key_from_name};
pub use ops::{Create, Delete, Entry, Link, Status, StatusError, Tag, ThreadOp, Update};
pub use tables::{ENTRIES, LINKS, TABLES, TAGS, THREADS};
