//! What a check found, and what would put it right.

use std::path::PathBuf;

use serde::Serialize;
use syncline_replica::set_aside_if_damaged;

use crate::atomic_file;
use crate::failure::Failure;

/// How it stands with what was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Ok,
    /// Works, but is not as it should be.
    Warning,
    /// Does not work.
    Failed,
    /// Could not be looked at, or has no meaning here.
    Skipped,
}

/// What a check found.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) state: State,
    pub(crate) message: String,
    /// What to type or do.
    pub(crate) fix: Option<String>,
    pub(crate) repaired: bool,
    repair: Option<Repair>,
}

/// A change that loses nothing and decides nothing.
#[derive(Debug)]
pub(crate) enum Repair {
    /// Takes the rights of other users off a file or directory.
    MakePrivate(PathBuf),
    /// Sets the damaged log of the replica in this directory aside; it is fetched again.
    SetLogAside(PathBuf),
}

impl Repair {
    pub(crate) fn make(&self) -> Result<(), Failure> {
        match self {
            Self::MakePrivate(path) => atomic_file::make_private(path).map_err(|error| {
                Failure::new("data_unusable", "could not keep other users out").because(error)
            }),
            Self::SetLogAside(dir) => Ok(set_aside_if_damaged(dir)?),
        }
    }
}

impl Finding {
    pub(crate) fn ok(message: impl Into<String>) -> Self {
        Self::new(State::Ok, message)
    }

    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Self::new(State::Warning, message)
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(State::Failed, message)
    }

    pub(crate) fn skipped(message: impl Into<String>) -> Self {
        Self::new(State::Skipped, message)
    }

    fn new(state: State, message: impl Into<String>) -> Self {
        Self {
            state,
            message: message.into(),
            fix: None,
            repaired: false,
            repair: None,
        }
    }

    #[must_use]
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    #[must_use]
    pub(crate) fn repair_by(mut self, repair: Repair) -> Self {
        self.repair = Some(repair);
        self.fix("syncline doctor --fix")
    }

    pub(crate) fn repair(&self) -> Option<&Repair> {
        self.repair.as_ref()
    }

    /// This is what was found after the repair of `before`.
    pub(super) fn repaired(mut self, before: &Self) -> Self {
        self.repaired = self.state == State::Ok;
        if self.repaired {
            self.message = format!("repaired: {}", before.message);
        }
        self
    }

    /// The repair failed.
    pub(super) fn not_repaired(mut self, failure: Failure) -> Self {
        let cause = Self::from(failure).message;
        self.message = format!("{}; the repair failed: {cause}", self.message);
        self
    }
}

/// A command that would fail for the same reason.
impl From<Failure> for Finding {
    fn from(failure: Failure) -> Self {
        let Some(report) = failure.report() else {
            return Self::failed("could not be looked at");
        };
        let mut message = report.message.to_owned();
        for cause in &report.causes {
            message.push_str(": ");
            message.push_str(cause);
        }
        let mut finding = Self::failed(message);
        finding.fix = report.fix.first().cloned();
        finding
    }
}
