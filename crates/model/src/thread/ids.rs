//! The ids of threads and entries.

use std::fmt;

use uuid::Uuid;

use crate::uuid_id::{uuid_id, uuid_resource};

/// The namespace under which thread and imported entry ids are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x7d1c_51a6_5d0b_5c8e_9c3f_2a64_1be0_7f15);

uuid_id!(
    /// A thread: the resource that its ops name.
    ThreadId
);
uuid_id!(
    /// An entry, unique within its thread.
    EntryId
);

uuid_resource!(ThreadId);

/// The id of generation `generation` of the thread with `key` in `project`.
pub fn thread_id(project: &str, key: &str, generation: u64) -> ThreadId {
    ThreadId(derived("thread", project, key, generation))
}

/// The id of an imported entry: equal on every replica that imports the same file, and different for
/// equal entries at different places.
pub fn import_entry_id(project: &str, key: &str, place: u64) -> EntryId {
    EntryId(derived("entry", project, key, place))
}

/// The id of an entry that another system knows under an id that is no UUID.
pub fn foreign_entry_id(project: &str, key: &str, id: &str) -> EntryId {
    EntryId(derived("foreign", project, key, id))
}

/// Projects and keys hold no control character, so that the separators can't be forged.
fn derived(kind: &str, project: &str, key: &str, last: impl fmt::Display) -> Uuid {
    let name = format!("{kind}\0{project}\0{key}\0{last}");
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}
