//! The files under a prefix as they were at one moment.

use std::collections::BTreeMap;
use std::fmt;

use crate::content::Content;
use crate::process::FileId;

/// The files under a prefix as processes saw them, synced or not; it shares their pages until they change.
#[derive(Clone)]
pub struct Snapshot {
    /// By the name behind the prefix.
    pub(crate) files: BTreeMap<String, (FileId, Content)>,
}

impl Snapshot {
    /// The names of the files, without the prefix.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.files.iter();
        let sizes = files.map(|(name, (_, content))| (name, content.len()));
        f.debug_map().entries(sizes).finish()
    }
}
