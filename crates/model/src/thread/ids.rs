//! The ids of threads and entries.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ResourceId;

/// The namespace under which thread and imported entry ids are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x7d1c_51a6_5d0b_5c8e_9c3f_2a64_1be0_7f15);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Uuid);

        impl $type {
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $type {
            type Err = uuid::Error;
            /// Reads a UUID in any spelling; it is written in one.
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl From<Uuid> for $type {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

uuid_id!(
    /// A thread: the resource that its ops name.
    ThreadId
);
uuid_id!(
    /// An entry, unique within its thread.
    EntryId
);

/// The resource of a thread's ops.
impl From<ThreadId> for ResourceId {
    fn from(id: ThreadId) -> Self {
        Self::new(id.to_string()).expect("a UUID's text is short and printable")
    }
}

impl ThreadId {
    /// Reads the id of a resource, which is a thread only under its id's one spelling: another
    /// would be a second resource for the same thread.
    pub fn of_resource(resource: &ResourceId) -> Option<Self> {
        let text = resource.as_str();
        let id = Uuid::try_parse(text).ok()?;
        let mut buffer = Uuid::encode_buffer();
        (*id.hyphenated().encode_lower(&mut buffer) == *text).then_some(Self(id))
    }
}

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
