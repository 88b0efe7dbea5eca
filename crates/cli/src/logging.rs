//! The log of this machine's processes: JSON lines, a file per day, kept for [`DAYS_KEPT`] days.
//!
//! Nothing is opened before the first line is written, so that a quick command pays nothing. Log
//! lines never hold tokens or what users wrote. A line that can't be written is dropped: telling of it
//! on a standard error that is gone too would panic in whoever logs, and take an answer or a task along.

mod day_file;
mod json_line;
mod line;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::civil::Date;
use tracing_subscriber::filter::LevelFilter;

use json_line::JsonLine;

pub(crate) use day_file::DayFiles;
pub(crate) use line::LogLine;

/// How many days of logs are kept, today included.
pub(crate) const DAYS_KEPT: i64 = 30;

/// How much is logged; `info` if nothing says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogLevel(LevelFilter);

/// A text that is no log level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log level must be off, error, warn, info, debug or trace")]
pub(crate) struct LogLevelError;

impl LogLevel {
    /// This level, but no more than warnings: for commands that run for a moment.
    pub(crate) fn for_a_moment(self) -> Self {
        Self(self.0.min(LevelFilter::WARN))
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self(LevelFilter::INFO)
    }
}

impl FromStr for LogLevel {
    type Err = LogLevelError;
    fn from_str(text: &str) -> Result<Self, LogLevelError> {
        Ok(Self(match text.trim().to_ascii_lowercase().as_str() {
            "off" => LevelFilter::OFF,
            "error" => LevelFilter::ERROR,
            "warn" => LevelFilter::WARN,
            "info" => LevelFilter::INFO,
            "debug" => LevelFilter::DEBUG,
            "trace" => LevelFilter::TRACE,
            _ => return Err(LogLevelError),
        }))
    }
}

/// Sends what this process logs to the day files in `dir`.
pub(crate) fn to_files(dir: &Path, level: LogLevel) {
    let subscriber = tracing_subscriber::fmt()
        .log_internal_errors(false)
        .event_format(JsonLine)
        .with_max_level(level.0)
        .with_writer(DayFiles::new(dir.to_owned()))
        .finish();
    install(subscriber);
}

/// Sends what this process logs to standard error: as text to a person, else as JSON lines.
pub(crate) fn to_stderr(level: LogLevel, reader: Reader) {
    let builder = tracing_subscriber::fmt()
        .with_max_level(level.0)
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    match reader {
        Reader::Program => install(builder.event_format(JsonLine).finish()),
        Reader::Person(colour) => {
            let ansi = colour == crate::output::Colour::On;
            install(builder.with_ansi(ansi).with_target(false).finish());
        }
    }
}

/// Who reads standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Program,
    Person(crate::output::Colour),
}

fn install(subscriber: impl tracing::Subscriber + Send + Sync) {
    // The first one stays: a command that runs long has chosen where its log goes.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// The files of `dir` that hold logs, oldest day first.
pub(crate) fn files(dir: &Path) -> std::io::Result<Vec<(Date, PathBuf)>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if let Some(day) = path.file_name().and_then(|n| day_file::day_of(n.to_str()?)) {
            files.push((day, path));
        }
    }
    files.sort();
    Ok(files)
}
