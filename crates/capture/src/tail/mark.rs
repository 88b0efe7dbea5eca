//! A place in a file, and whether the file is still the one that it was taken in.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Lines;
use super::packed::{Contents, Packed};

/// How much of what was read is compared: this many bytes at the file's start, and as many before the
/// mark. Enough to hold the ids and times of a line or two, and a page for the disk.
const COMPARED_BYTES: u64 = 4096;

/// What stands before what the system said, in a mark that is written down.
const LOOK: &str = "\"look\":";
/// What stands before what is known of the files beside it.
const BESIDE: &str = "\"beside\":";
/// What stands before the version of the reader, where that is not the first.
const READER: &str = "\"reader\":";
/// What a mark holds where something of its file was left out.
const LEFT_OUT: &str = "\"left_out\":";

/// How far a file has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The first byte that has not been read.
    pub offset: u64,
    /// How many lines end before it.
    pub lines: u64,
    /// The place in the order of the file that its lines have come up to.
    #[serde(default, skip_serializing_if = "is_start")]
    pub up_to: i64,
    /// Why something of the file was left out; none: nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<Box<str>>,
    /// The version of the reader that has read it.
    #[serde(default, skip_serializing_if = "is_first")]
    pub reader: u32,
    /// Whether what was read was read before by an older reader, and so may be what follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Whether nothing up to it has told where the file's session takes place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untold: bool,
    /// What is known of the files that are read with it; none: there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
    /// What the system said of the file when it was last looked at.
    look: Look,
    /// The digest of what stands at the file's start and before the mark.
    digest: String,
}

/// What tells, without opening them, that the files that belong to another have not changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    files: u64,
    bytes: u64,
    newest_ns: i128,
}

impl Beside {
    /// Takes a file into account; one that has gone is none.
    pub(crate) fn see(&mut self, path: &Path) {
        let Ok(metadata) = std::fs::metadata(path) else {
            return;
        };
        let look = Look::of(&metadata);
        self.files += 1;
        self.bytes += look.length;
        self.newest_ns = self.newest_ns.max(look.modified_ns);
    }
}

/// What tells, without opening it, that a file has not changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Look {
    device: u64,
    inode: u64,
    length: u64,
    modified_ns: i128,
}

/// Whether a reader is of the first version, which no mark names.
fn is_first(version: &u32) -> bool {
    *version == 0
}

fn is_start(place: &i64) -> bool {
    *place == 0
}

/// A file, seen against the mark of its last reading.
#[derive(Debug)]
pub enum Standing {
    /// Not a byte has changed, as far as the system tells.
    Unchanged,
    /// It holds something that has not been read.
    Changed(Box<Tail>),
}

/// A file that is open at the place where reading goes on.
#[derive(Debug)]
pub struct Tail {
    /// Whether what the mark told has gone: the file is read from its start again.
    pub restarted: bool,
    /// The bytes of the file when it was opened.
    pub length: u64,
    file: File,
    path: PathBuf,
    look: Look,
    mark: Mark,
}

/// Why a file can't be read.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// It was there when its directory was listed.
    #[error("{} has gone", path.display())]
    Gone { path: PathBuf },
    #[error("could not read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl TailError {
    pub(crate) fn of(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Gone { path },
            _ => Self::Read { path, source },
        }
    }
}

impl Mark {
    /// Whether the file is as it was when it was last read to its end, as far as one `stat` tells; of a
    /// mark as it was written down. Another version's way of writing marks reads as a change.
    pub(crate) fn says_unchanged(written: &str, path: &Path) -> bool {
        let Ok(metadata) = std::fs::metadata(path) else {
            return false;
        };
        let look = serde_json::to_string(&Look::of(&metadata));
        let told = written.split_once(LOOK).map(|(_, told)| told);
        look.is_ok_and(|look| told.is_some_and(|told| told.starts_with(&look)))
    }

    /// Whether the files beside it are as they were when they were read with it; of a mark as it was
    /// written down.
    pub(crate) fn says_beside(written: &str, beside: &Beside) -> bool {
        let beside = serde_json::to_string(beside);
        beside.is_ok_and(|beside| written.contains(&format!("{BESIDE}{beside}")))
    }

    /// Whether the reader of this version has read the file; of a mark as it was written down.
    pub(crate) fn says_reader(written: &str, version: u32) -> bool {
        match is_first(&version) {
            true => !written.contains(READER),
            false => written.contains(&format!("{READER}{version},")),
        }
    }

    /// Whether the mark of a file of which something was left out; of a mark as it was written down.
    pub(crate) fn says_left_out(written: &str) -> bool {
        written.contains(LEFT_OUT)
    }
}

/// Looks at the file, and opens it where it is not as `mark` left it.
///
/// Costs one `stat` for a file that has not changed.
pub fn open(path: &Path, mark: Option<&Mark>) -> Result<Standing, TailError> {
    let failed = |error| TailError::of(path, error);
    let seen = Look::of(&std::fs::metadata(path).map_err(failed)?);
    if mark.is_some_and(|mark| mark.look == seen) {
        return Ok(Standing::Unchanged);
    }
    let mut file = File::open(path).map_err(failed)?;
    // Of the open file: the name may have come to mean another one since.
    let look = Look::of(&file.metadata().map_err(failed)?);
    let kept = match mark {
        Some(mark) if mark.offset <= look.length => {
            let found = digest(&mut file, mark.offset).map_err(failed)?;
            (found == mark.digest).then(|| mark.clone())
        }
        Some(_) | None => None,
    };
    let restarted = mark.is_some() && kept.is_none();
    let mark = kept.unwrap_or_default();
    file.seek(SeekFrom::Start(mark.offset)).map_err(failed)?;
    Ok(Standing::Changed(Box::new(Tail {
        restarted,
        length: look.length,
        path: path.to_owned(),
        file,
        look,
        mark,
    })))
}

impl Tail {
    /// The lines from here on.
    pub fn lines(&self) -> io::Result<Lines<Contents>> {
        let file = self.file.try_clone()?;
        Ok(Lines::new(Contents::Plain(file), &self.mark))
    }

    /// All lines of a file that is compressed.
    pub fn packed_lines(&self) -> io::Result<Lines<Contents>> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        let contents = Contents::Packed(Box::new(Packed::new(file)?));
        Ok(Lines::new(contents, &Mark::default()))
    }

    /// The whole of a file that is one value and not lines, up to `max` bytes; none: it is larger.
    pub fn whole(&self, max: u64) -> Result<Option<Vec<u8>>, TailError> {
        if self.length > max {
            return Ok(None);
        }
        let read = || -> io::Result<Vec<u8>> {
            let mut file = self.file.try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            let mut bytes = Vec::new();
            file.take(max).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read()
            .map(Some)
            .map_err(|error| TailError::of(&self.path, error))
    }

    /// The mark of a reading that stops at `lines`, with more to come.
    pub fn mark_midway(&self, lines: &Lines<Contents>) -> Result<Mark, TailError> {
        let mut mark = lines.position();
        mark.look = Look::default();
        // Of the open file, as the name may have come to mean another one; reading goes on behind it.
        let seal = || -> io::Result<String> {
            let mut file = self.file.try_clone()?;
            let at = file.stream_position()?;
            let digest = digest(&mut file, mark.offset);
            file.seek(SeekFrom::Start(at))?;
            digest
        };
        mark.digest = seal().map_err(|error| TailError::of(&self.path, error))?;
        Ok(mark)
    }

    /// The mark of a reading in which `lines` had no more to give. What was written since the file was
    /// opened is seen at the next look.
    pub fn mark_at_end(&self, lines: &Lines<Contents>) -> Result<Mark, TailError> {
        let mut mark = self.mark_midway(lines)?;
        mark.look = self.look.clone();
        Ok(mark)
    }

    /// The mark of a file that was read whole.
    pub fn mark_of_whole(&self) -> Mark {
        Mark {
            look: self.look.clone(),
            ..Mark::default()
        }
    }
}

/// The digest of what stands at the start of the file and before `offset`.
fn digest(file: &mut File, offset: u64) -> io::Result<String> {
    let mut hasher = Sha256::new();
    hasher.update(offset.to_le_bytes());
    let ahead = offset.saturating_sub(COMPARED_BYTES);
    for start in [0, ahead] {
        file.seek(SeekFrom::Start(start))?;
        let mut part = file.by_ref().take(COMPARED_BYTES.min(offset));
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes)?;
        hasher.update(&bytes);
    }
    let digest = hasher.finalize();
    Ok(digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

impl Look {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified_ns: i128::from(metadata.mtime()) * 1_000_000_000
                + i128::from(metadata.mtime_nsec()),
        }
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        let since = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        Self {
            device: 0,
            inode: 0,
            length: metadata.len(),
            modified_ns: since.map_or(0, |since| since.as_nanos() as i128),
        }
    }
}
