//! Checks of the machine: directories, disk, clock, logs.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use super::finding::{Finding, Repair};
use super::settings::tried;
use crate::atomic_file;
use crate::context::Context;
use crate::failure::Failure;
use crate::logging;
use crate::wording::counted;

/// A clock before this moment was never set: 2026-01-01.
const CLOCK_MILLIS_MIN: i64 = 1_767_225_600_000;

pub(super) fn data_dir(context: &Context) -> Finding {
    let dir = tried!(context.paths()).data_dir;
    if dir.is_dir() {
        Finding::ok(dir.display().to_string())
    } else if dir.exists() {
        Finding::failed(format!("{} is not a directory", dir.display()))
            .fix("move it away, or name another with --data-dir DIR")
    } else {
        Finding::ok(format!("{} is made by the first write", dir.display()))
    }
}

pub(super) fn data_dir_private(context: &Context) -> Finding {
    let dir = tried!(context.paths()).data_dir;
    if !dir.is_dir() {
        return Finding::skipped("no data directory yet");
    }
    match atomic_file::is_exposed(&dir) {
        Ok(false) => Finding::ok("the data directory is yours alone"),
        Ok(true) => Finding::warning(format!("other users may look into {}", dir.display()))
            .repair_by(Repair::MakePrivate(dir)),
        Err(error) => Finding::failed(format!("could not look at {}: {error}", dir.display())),
    }
}

/// Writes, syncs and removes a small file: what a write to a replica asks of the disk.
pub(super) fn disk(context: &Context) -> Finding {
    let dir = tried!(context.paths()).data_dir;
    if !dir.is_dir() {
        return Finding::skipped("no data directory yet");
    }
    match write_and_sync(&dir) {
        Ok(()) => Finding::ok("takes and syncs a file"),
        Err(error) => Finding::failed(format!("could not write in {}: {error}", dir.display()))
            .fix("make room on the disk, or see to the directory's owner and mode"),
    }
}

fn write_and_sync(dir: &Path) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(&[0; 4096])?;
    file.as_file().sync_all()?;
    file.close()
}

pub(super) fn logs(context: &Context) -> Finding {
    let dir = tried!(context.paths()).log_dir;
    if !dir.is_dir() {
        return Finding::ok("nothing is logged yet");
    }
    match atomic_file::is_exposed(&dir) {
        Ok(false) => Finding::ok(dir.display().to_string()),
        Ok(true) => Finding::warning(format!("other users may look into {}", dir.display()))
            .repair_by(Repair::MakePrivate(dir)),
        Err(error) => Finding::failed(format!("could not look at {}: {error}", dir.display())),
    }
}

pub(super) fn log_errors(context: &Context) -> Finding {
    let dir = tried!(context.paths()).log_dir;
    let found = logging::files(&dir).and_then(|files| match files.last() {
        Some((day, path)) => Ok(Some((*day, count_errors(path)?))),
        None => Ok(None),
    });
    match found {
        Ok(None) => Finding::skipped("nothing is logged yet"),
        Ok(Some((day, 0))) => Finding::ok(format!("no error was logged on {day}")),
        Ok(Some((day, errors))) => {
            let errors = counted(errors as u64, "error");
            Finding::warning(format!("{errors} logged on {day}")).fix("syncline logs")
        }
        Err(error) => Finding::failed(format!("could not read the logs: {error}")),
    }
}

fn count_errors(path: &Path) -> std::io::Result<usize> {
    let mut errors = 0;
    for line in BufReader::new(File::open(path)?).lines() {
        errors += usize::from(line?.contains("\"level\":\"ERROR\""));
    }
    Ok(errors)
}

pub(super) fn clock(context: &Context) -> Finding {
    let now = context.now();
    if now.as_millis() < CLOCK_MILLIS_MIN {
        return Finding::warning(format!("the clock says {now}"))
            .fix("set the clock: entries carry its time");
    }
    Finding::ok(now.to_string())
}

pub(super) fn sqlite(_: &Context) -> Finding {
    Finding::ok(format!("SQLite {}", syncline_store::sqlite_version()))
}
