//! What was put into an agent's settings, kept so that it can be taken out again to the byte.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::agents::HookAgent;
use super::edit::Edit;
use crate::atomic_file::{self, Readers};

/// What was put into one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Receipt {
    pub(super) file: PathBuf,
    /// Whether the file was there before.
    pub(super) existed: bool,
    /// The directories that were made for it, the outermost first.
    #[serde(default)]
    pub(super) made: Vec<PathBuf>,
    pub(super) edits: Vec<Edit>,
}

/// Where receipts are kept.
#[derive(Debug, Clone)]
pub(super) struct Receipts {
    directory: PathBuf,
}

impl Receipts {
    pub(super) fn below(data_dir: &Path) -> Self {
        Self {
            directory: data_dir.join("hooks"),
        }
    }

    /// The receipt for a file; none: nothing is known to have been put into it. One that can't be read
    /// counts as none: what is ours is known by itself.
    pub(super) fn get(&self, agent: HookAgent, file: &Path) -> Option<Receipt> {
        let text = fs::read(self.path(agent)).ok()?;
        let receipt: Receipt = serde_json::from_slice(&text).ok()?;
        (receipt.file == file).then_some(receipt)
    }

    pub(super) fn put(&self, agent: HookAgent, receipt: &Receipt) -> io::Result<()> {
        let text = serde_json::to_vec(receipt)?;
        atomic_file::replace(&self.path(agent), &text, Readers::Owner)
    }

    pub(super) fn remove(&self, agent: HookAgent) -> io::Result<()> {
        match fs::remove_file(self.path(agent)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn path(&self, agent: HookAgent) -> PathBuf {
        self.directory.join(format!("{}.json", agent.agent()))
    }
}
