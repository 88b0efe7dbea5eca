//! A writer that begins a new file each day and removes the old ones.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::DAYS_KEPT;
use crate::atomic_file::create_private_dir;

const PREFIX: &str = "syncline-";
const SUFFIX: &str = ".jsonl";

/// The day files of one directory; days begin at midnight UTC, as the lines' times do.
#[derive(Debug)]
pub(crate) struct DayFiles {
    dir: PathBuf,
    open: Mutex<Option<(Date, File)>>,
}

impl DayFiles {
    pub(crate) fn new(dir: PathBuf) -> Self {
        let open = Mutex::new(None);
        Self { dir, open }
    }

    /// Appends one line to the file of `day`. A file is appended to by whole lines, so that several
    /// processes may share it.
    fn append(&self, day: Date, line: &[u8]) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &mut *open {
            Some((opened, file)) if *opened == day => file,
            stale => {
                let file = begin(&self.dir, day)?;
                &mut stale.insert((day, file)).1
            }
        };
        file.write_all(line)
    }
}

impl Write for &DayFiles {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        self.append(today, line).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for DayFiles {
    type Writer = &'a Self;
    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

/// Opens the file of `day`, and removes those of days that are no longer kept.
fn begin(dir: &Path, day: Date) -> io::Result<File> {
    create_private_dir(dir)?;
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(dir.join(format!("{PREFIX}{day}{SUFFIX}")))?;
    let first_kept = day.saturating_sub((DAYS_KEPT - 1).days());
    for (old, path) in super::files(dir)? {
        if old < first_kept {
            // Another process may have removed it already.
            let _ = std::fs::remove_file(path);
        }
    }
    Ok(file)
}

/// The day whose log the file `name` holds.
pub(super) fn day_of(name: &str) -> Option<Date> {
    let day = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    day.parse().ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_new_day_gets_a_file_and_the_thirty_first_goes() {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("logs");
        let files = DayFiles::new(logs.clone());
        let first = date(2026, 1, 1);
        for day in 0..=DAYS_KEPT {
            let day = first.checked_add(day.days()).unwrap();
            files.append(day, b"one\n").unwrap();
            files.append(day, b"two\n").unwrap();
        }
        std::fs::write(logs.join("syncline-notes.jsonl"), "").unwrap();
        let kept = super::super::files(&logs).unwrap();
        assert_eq!(kept.len(), 30);
        assert_eq!(kept[0].0, date(2026, 1, 2));
        assert_eq!(std::fs::read(&kept[29].1).unwrap(), b"one\ntwo\n");
        assert!(logs.join("syncline-notes.jsonl").exists());
    }
}
