//! A change of an agent's settings, worked out before it is made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::agents::{HookAgent, Program};
use super::codex::{self, CodexError};
use super::edit::{self, Edit};
use super::listed::{self, ListedError};
use super::opencode::{self, OpenCodeError};
use super::receipt::{Receipt, Receipts};
use crate::atomic_file::{self, Readers};

/// The largest settings that are read, in bytes: those of agents have some thousands.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// How our hooks stand in an agent's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Absent,
    /// All are there, and call this program.
    Installed,
    /// Some are there, or they call another program or version.
    Outdated,
}

/// What is to be done to settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Install,
    Uninstall,
}

/// Why settings can't be changed. They are as they were.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("could not read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("could not write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} may not be written", path.display())]
    ReadOnly { path: PathBuf },
    #[error("{} was changed meanwhile", path.display())]
    Changed { path: PathBuf },
    #[error("{program} is not called syncline, and by that name alone our hooks are known there")]
    Name { program: String },
    #[error("could not understand {}", path.display())]
    Content {
        path: PathBuf,
        #[source]
        source: ContentError,
    },
}

/// Why the text of settings can't be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    #[error(transparent)]
    Listed(#[from] ListedError),
    #[error(transparent)]
    Codex(#[from] CodexError),
    #[error(transparent)]
    OpenCode(#[from] OpenCodeError),
    #[error("the hooks would not be in it as they must")]
    Unsure,
}

/// Whose settings, and what they are to call.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) agent: HookAgent,
    pub(crate) file: PathBuf,
    pub(crate) program: Program,
    /// Where receipts are kept.
    pub(crate) data_dir: PathBuf,
}

/// A change that was worked out.
#[derive(Debug)]
pub(crate) struct Plan {
    settings: Settings,
    /// The text of the file; none: there is no file.
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    /// What is to be noted; none: nothing of ours is left.
    receipt: Option<Receipt>,
}

impl Settings {
    /// How our hooks stand there.
    pub(crate) fn state(&self) -> Result<State, PlanError> {
        let text = read(&self.file)?;
        self.state_of(text.as_deref()).map_err(self.content())
    }

    /// The settings, of the user's or of who manages the machine, that keep the agent from calling ours.
    pub(crate) fn disabled_by(&self) -> Option<PathBuf> {
        let managed = self.agent.managed_file().into_iter();
        let mut files = managed.chain([self.file.clone()]);
        files.find(|path| {
            let text = read(path).ok().flatten();
            text.is_some_and(|text| listed::is_disabled(&text, self.agent))
        })
    }

    /// Works out what is to be changed.
    pub(crate) fn plan(self, verb: Verb) -> Result<Plan, PlanError> {
        if verb == Verb::Install && !self.program.is_known(self.agent) {
            let program = self.program.words[0].clone();
            return Err(PlanError::Name { program });
        }
        let before = read(&self.file)?;
        let receipt = self.receipts().get(self.agent, &self.file);
        let (after, receipt) = match verb {
            Verb::Install => self.installed(before.as_deref(), receipt),
            Verb::Uninstall => self
                .uninstalled(before.as_deref(), receipt.as_ref())
                .map(|after| (after, None)),
        }
        .map_err(self.content())?;
        Ok(Plan {
            settings: self,
            before,
            after,
            receipt,
        })
    }

    /// The text with our hooks, and the receipt for them.
    pub(super) fn installed(
        &self,
        before: Option<&str>,
        receipt: Option<Receipt>,
    ) -> Result<(Option<String>, Option<Receipt>), ContentError> {
        let state = self.state_of(before)?;
        if state == State::Installed {
            return Ok((before.map(str::to_owned), receipt));
        }
        // What an earlier receipt says of the file holds for as long as hooks of ours are in it.
        let earlier = receipt.filter(|_| state == State::Outdated);
        let clean = self.uninstalled(before, earlier.as_ref())?;
        let text = clean.as_deref().unwrap_or_default();
        let (after, edits) = self.with(text)?;
        if self.state_of(Some(&after))? != State::Installed {
            return Err(ContentError::Unsure);
        }
        let is_sure = edit::undo(&after, &edits).as_deref() == Some(text);
        let receipt = Receipt {
            file: self.file.clone(),
            existed: clean.is_some(),
            made: earlier.map(|earlier| earlier.made).unwrap_or_default(),
            edits: if is_sure { edits } else { Vec::new() },
        };
        Ok((Some(after), Some(receipt)))
    }

    /// The text without our hooks: to the byte as it was by the receipt, else without ours.
    pub(super) fn uninstalled(
        &self,
        before: Option<&str>,
        receipt: Option<&Receipt>,
    ) -> Result<Option<String>, ContentError> {
        let Some(text) = before else {
            return Ok(None);
        };
        if self.state_of(before)? == State::Absent {
            return Ok(Some(text.to_owned()));
        }
        let undone = receipt.and_then(|receipt| edit::undo(text, &receipt.edits));
        let is_clean = |text: &String| matches!(self.state_of(Some(text)), Ok(State::Absent));
        let after = match undone.filter(is_clean) {
            Some(undone) => undone,
            None => self.without(text)?,
        };
        let existed = match receipt {
            Some(receipt) => receipt.existed,
            None => self.agent != HookAgent::OpenCode,
        };
        Ok(Some(after).filter(|after| existed || !self.is_bare(after)))
    }

    fn state_of(&self, text: Option<&str>) -> Result<State, ContentError> {
        let text = text.unwrap_or_default();
        Ok(match self.agent {
            HookAgent::ClaudeCode | HookAgent::Cursor => {
                listed::state(text, self.agent, &self.program)?
            }
            HookAgent::Codex => codex::state(text, &self.program)?,
            HookAgent::OpenCode => opencode::state(text, &self.program),
        })
    }

    fn with(&self, text: &str) -> Result<(String, Vec<Edit>), ContentError> {
        Ok(match self.agent {
            HookAgent::ClaudeCode | HookAgent::Cursor => {
                listed::with(text, self.agent, &self.program)?
            }
            HookAgent::Codex => codex::with(text, &self.program)?,
            HookAgent::OpenCode => opencode::with(text, &self.program)?,
        })
    }

    fn without(&self, text: &str) -> Result<String, ContentError> {
        Ok(match self.agent {
            HookAgent::ClaudeCode | HookAgent::Cursor => listed::without(text, self.agent)?,
            HookAgent::Codex => codex::without(text)?,
            HookAgent::OpenCode => opencode::without(text)?,
        })
    }

    fn is_bare(&self, text: &str) -> bool {
        match self.agent {
            HookAgent::ClaudeCode | HookAgent::Cursor => listed::is_bare(text, self.agent),
            HookAgent::Codex | HookAgent::OpenCode => text.trim().is_empty(),
        }
    }

    fn receipts(&self) -> Receipts {
        Receipts::below(&self.data_dir)
    }

    fn content(&self) -> impl Fn(ContentError) -> PlanError + use<> {
        let path = self.file.clone();
        move |source| PlanError::Content {
            path: path.clone(),
            source,
        }
    }
}

impl Plan {
    pub(crate) fn changes(&self) -> bool {
        self.before != self.after
    }

    pub(crate) fn diff(&self) -> String {
        let name = self.settings.file.display().to_string();
        super::diff(&name, self.before.as_deref(), self.after.as_deref())
    }

    /// Makes the change, if the settings are still as they were when it was worked out.
    pub(crate) fn carry_out(self) -> Result<(), PlanError> {
        let path = &self.settings.file;
        let write = |source| PlanError::Write {
            path: path.clone(),
            source,
        };
        if read(path)? != self.before {
            return Err(PlanError::Changed { path: path.clone() });
        }
        if self.changes() && is_read_only(path) {
            return Err(PlanError::ReadOnly { path: path.clone() });
        }
        let receipts = self.settings.receipts();
        let agent = self.settings.agent;
        let earlier = receipts.get(agent, path);
        if let Some(receipt) = &self.receipt {
            let mut receipt = receipt.clone();
            receipt.made.extend(missing_above(path));
            receipts.put(agent, &receipt).map_err(write)?;
        }
        match (&self.after, self.before == self.after) {
            (_, true) => {}
            (Some(after), false) => {
                atomic_file::replace(path, after.as_bytes(), Readers::Unchanged).map_err(write)?;
            }
            (None, false) => {
                fs::remove_file(path).map_err(write)?;
                let made = earlier.into_iter().flat_map(|receipt| receipt.made);
                // One in which something is by now stays.
                made.rev().for_each(|made| drop(fs::remove_dir(made)));
            }
        }
        match self.receipt {
            Some(_) => Ok(()),
            None => receipts.remove(agent).map_err(write),
        }
    }
}

/// Reads settings; none: there is no such file.
fn read(path: &Path) -> Result<Option<String>, PlanError> {
    let fail = |source| PlanError::Read {
        path: path.to_owned(),
        source,
    };
    let length = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    if length > FILE_BYTES_MAX {
        let text = format!("it has more than {FILE_BYTES_MAX} bytes");
        return Err(fail(io::Error::other(text)));
    }
    fs::read_to_string(path).map(Some).map_err(fail)
}

fn is_read_only(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().readonly())
}

/// The directories above a path that are not there, the outermost first.
fn missing_above(path: &Path) -> Vec<PathBuf> {
    let above = path.ancestors().skip(1);
    let missing = above.take_while(|directory| !directory.exists());
    let mut missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
    missing.reverse();
    missing
}
