//! New lines of the log, as they are written.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::logging;

/// A person does not notice a delay below this.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// A place in the newest file of the log, always after a whole line.
#[derive(Debug)]
pub(super) struct Follower {
    dir: PathBuf,
    file: Option<PathBuf>,
    offset: u64,
}

impl Follower {
    /// The place behind the last line that is written.
    pub(super) fn at_end(dir: &Path) -> io::Result<Self> {
        let mut follower = Self {
            dir: dir.to_owned(),
            file: logging::files(dir)?.pop().map(|(_, path)| path),
            offset: 0,
        };
        if follower.file.is_some() {
            follower.read_lines()?;
        }
        Ok(follower)
    }

    /// What of `file`, which lies at `path`, is before this place.
    pub(super) fn before(&self, path: &Path, file: File) -> Take<File> {
        let newest = self.file.as_deref() == Some(path);
        file.take(if newest { self.offset } else { u64::MAX })
    }

    /// Waits for new lines, and gives them.
    pub(super) fn wait(&mut self) -> io::Result<Vec<String>> {
        loop {
            let mut lines = self.read_lines()?;
            let newest = logging::files(&self.dir)?.pop().map(|(_, path)| path);
            if newest != self.file {
                // The old file gets no more lines; what came since it was read is still in it.
                lines.extend(self.read_lines()?);
                self.file = newest;
                self.offset = 0;
                lines.extend(self.read_lines()?);
            }
            if !lines.is_empty() {
                return Ok(lines);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    fn read_lines(&mut self) -> io::Result<Vec<String>> {
        let Some(path) = &self.file else {
            return Ok(Vec::new());
        };
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut new = Vec::new();
        file.read_to_end(&mut new)?;
        // What follows the last line break is a line that is still being written.
        let whole = new
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        self.offset += whole as u64;
        let text = String::from_utf8_lossy(&new[..whole]);
        Ok(text.lines().map(str::to_owned).collect())
    }
}
