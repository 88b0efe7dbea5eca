//! The one place where the environment is read.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::str::FromStr;

use crate::failure::Failure;

/// The variables that Syncline knows.
pub(crate) mod variable {
    pub(crate) const ENDPOINT: &str = "SYNCLINE_ENDPOINT";
    pub(crate) const TOKEN: &str = "SYNCLINE_TOKEN";
    pub(crate) const PROFILE: &str = "SYNCLINE_PROFILE";
    pub(crate) const DATA_DIR: &str = "SYNCLINE_DATA_DIR";
    pub(crate) const CONFIG: &str = "SYNCLINE_CONFIG";
    pub(crate) const SYNC_ENABLED: &str = "SYNCLINE_SYNC_ENABLED";
    pub(crate) const SYNC_INTERVAL: &str = "SYNCLINE_SYNC_INTERVAL";
    pub(crate) const AUTHOR: &str = "SYNCLINE_AUTHOR";
    pub(crate) const LOG_LEVEL: &str = "SYNCLINE_LOG_LEVEL";
    pub(crate) const LISTEN: &str = "SYNCLINE_LISTEN";
    pub(crate) const SERVER_DATA: &str = "SYNCLINE_SERVER_DATA";
    pub(crate) const SCHEMA: &str = "SYNCLINE_SCHEMA";
    pub(crate) const AUTH: &str = "SYNCLINE_AUTH";
    pub(crate) const HOSTS: &str = "SYNCLINE_HOSTS";
    pub(crate) const CONNECTIONS_MAX: &str = "SYNCLINE_CONNECTIONS_MAX";
    pub(crate) const METRICS_TOKEN_FILE: &str = "SYNCLINE_METRICS_TOKEN_FILE";
    pub(crate) const BACKUP_TO: &str = "SYNCLINE_BACKUP_TO";
    pub(crate) const COMPACT_EVERY: &str = "SYNCLINE_COMPACT_EVERY";
    pub(crate) const RETENTION: &str = "SYNCLINE_RETENTION";
    pub(crate) const EXPIRE_AFTER: &str = "SYNCLINE_EXPIRE_AFTER";
    pub(crate) const SHAPE_CHUNK_BYTES: &str = "SYNCLINE_SHAPE_CHUNK_BYTES";
    pub(crate) const SHAPE_LONG_POLL: &str = "SYNCLINE_SHAPE_LONG_POLL";
    pub(crate) const SHAPE_STREAM: &str = "SYNCLINE_SHAPE_STREAM";
    pub(crate) const SHAPE_MAX_AGE: &str = "SYNCLINE_SHAPE_MAX_AGE";
    pub(crate) const SHAPE_STALE_AGE: &str = "SYNCLINE_SHAPE_STALE_AGE";
    pub(crate) const SHAPE_DELETES: &str = "SYNCLINE_SHAPE_DELETES";

    pub(crate) const ALL: [&str; 26] = [
        ENDPOINT,
        TOKEN,
        PROFILE,
        DATA_DIR,
        CONFIG,
        SYNC_ENABLED,
        SYNC_INTERVAL,
        AUTHOR,
        LOG_LEVEL,
        LISTEN,
        SERVER_DATA,
        SCHEMA,
        AUTH,
        HOSTS,
        CONNECTIONS_MAX,
        METRICS_TOKEN_FILE,
        BACKUP_TO,
        COMPACT_EVERY,
        RETENTION,
        EXPIRE_AFTER,
        SHAPE_CHUNK_BYTES,
        SHAPE_LONG_POLL,
        SHAPE_STREAM,
        SHAPE_MAX_AGE,
        SHAPE_STALE_AGE,
        SHAPE_DELETES,
    ];
}

/// What the process was started with, read once.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    variables: BTreeMap<OsString, OsString>,
    pub(crate) home: Option<PathBuf>,
    pub(crate) current_dir: Option<PathBuf>,
    pub(crate) terminals: Terminals,
}

/// Which of the standard streams a person is at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminals {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
    /// How many cells a line of the terminal at standard output has, where it is one and says so.
    pub(crate) stdout_cells: Option<usize>,
}

impl Environment {
    /// Reads the environment of this process.
    pub(crate) fn read() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
            home: std::env::home_dir(),
            current_dir: std::env::current_dir().ok(),
            terminals: Terminals {
                stdin: std::io::stdin().is_terminal(),
                stdout: std::io::stdout().is_terminal(),
                stderr: std::io::stderr().is_terminal(),
                stdout_cells: terminal_size::terminal_size_of(std::io::stdout())
                    .map(|(terminal_size::Width(cells), _)| cells.into()),
            },
        }
    }

    /// The value of `name`; one that is empty counts as not set.
    pub(crate) fn raw(&self, name: &str) -> Option<&OsString> {
        let value = self.variables.get(OsStr::new(name));
        value.filter(|value| !value.is_empty())
    }

    /// The names, sorted, of the variables that are set and begin with `prefix`.
    pub(crate) fn names_with(&self, prefix: &str) -> Vec<String> {
        let names = self.variables.keys().map(|name| name.to_string_lossy());
        let chosen = names.filter(|name| name.starts_with(prefix));
        chosen.map(std::borrow::Cow::into_owned).collect()
    }

    /// The value of `name`, read as what it must be.
    pub(crate) fn parsed<T>(&self, name: &'static str) -> Result<Option<T>, Failure>
    where
        T: FromStr<Err: Error + Send + Sync + 'static>,
    {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        text.trim().parse().map(Some).map_err(|error: T::Err| {
            Failure::usage("environment_invalid", format!("{name} has no valid value"))
                .because(error)
                .fix(format!("unset {name}, or set it to a valid value"))
        })
    }

    /// The value of `name` as text.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<&str>, Failure> {
        let Some(value) = self.raw(name) else {
            return Ok(None);
        };
        value.to_str().map(Some).ok_or_else(|| {
            Failure::usage("environment_invalid", format!("{name} is not UTF-8 text"))
                .fix(format!("unset {name}, or set it to readable text"))
        })
    }
}
