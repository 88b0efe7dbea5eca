//! A count of the changes to tokens, which costs one look at a file's length: far less than asking
//! the control file itself.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use super::{DataDirectory, DataDirectoryError};

const NAME: &str = "control.changes";

/// Counts changes to tokens, by whichever process: each lengthens a file by a byte.
///
/// A change is noted after it has committed, and before its maker is told so. A maker that dies
/// between the two leaves a change that is not noted: what is kept in memory must be let go of after
/// a while in any case.
#[derive(Debug, Clone)]
pub struct ControlChanges {
    file: Arc<File>,
}

impl ControlChanges {
    pub(super) fn open(directory: &DataDirectory) -> Result<Self, DataDirectoryError> {
        Ok(Self {
            file: Arc::new(directory.private_log(NAME)?),
        })
    }

    /// The number of changes so far; none where it can't be told, and then nothing that is kept in
    /// memory is to be believed.
    pub fn count(&self) -> Option<u64> {
        self.file.metadata().ok().map(|metadata| metadata.len())
    }

    pub(super) fn note(&self) {
        // Where this fails, who keeps tokens in memory learns of the change a little later.
        let _ = (&*self.file).write_all(b".");
    }
}
