//! Where events wait that no daemon has taken: a file each, in a directory beside the replica.
//!
//! A file is whole or not there, by a rename. It is not forced to the disk: a hook must not wait for
//! one, and what a crash takes is in the transcript all the same. What can't be read is set aside,
//! never removed. Nothing of what was said is ever there: of a call that could not be understood it is kept
//! which it was, and why.
//!
//! There is room for so many. What comes when it is full is left out: an event only hastens the reading of
//! a transcript, which says all that it does. That something was left out is noted, so that whoever takes
//! the events next looks at all transcripts, not at those alone that events name.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use super::{BodyError, EventName, HookEvent};
use crate::agent::Agent;

const DIRECTORY: &str = "spool";
/// Where what can't be read is set aside.
const ASIDE: &str = "broken";
const ENDING: &str = "json";
/// The ending of a file that is still being written.
const UNDER_WAY: &str = "part";
/// Longer than any event that is kept can be.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// The most events that wait: some weeks of hooks with nobody to take them. All are read at once.
pub const WAITING_MAX: usize = 10_000;
/// The most of what could not be read that is kept to be looked at.
pub const ASIDE_MAX: usize = 1_000;
/// Where it is noted that there was no room.
const LEFT_OUT: &str = "left-out";
/// After which time a file that is still being written belongs to nobody.
const STALE: Duration = Duration::from_secs(3600);

/// The events that wait beside one replica.
#[derive(Debug, Clone)]
pub struct Spool {
    directory: PathBuf,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Waiting,
    /// There was no room, for the first time since the events were last taken.
    NoRoom,
    /// There still was none.
    StillNoRoom,
}

/// What waits there.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order in which they came.
    pub events: Vec<Spooled>,
    /// How many files could not be read, and were set aside now.
    pub set_aside: u64,
    /// Whether events were left out: more than these name may have changed.
    pub left_out: bool,
}

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooled {
    pub event: HookEvent,
    path: PathBuf,
}

/// Why an event could not be put there, or be taken.
#[derive(Debug, thiserror::Error)]
#[error("could not {verb} {}", path.display())]
pub struct SpoolError {
    verb: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Spool {
    /// The one beside the replica in this directory; it need not be there yet.
    pub fn beside(replica: &Path) -> Self {
        Self {
            directory: replica.join(DIRECTORY),
        }
    }

    /// Puts an event there, if there is room.
    pub fn put(&self, event: &HookEvent) -> Result<Kept, SpoolError> {
        if holds(&self.directory, WAITING_MAX) {
            return self.note_left_out(event);
        }
        let text = serde_json::to_vec(event).expect("an event is written as JSON");
        let name = Uuid::now_v7().to_string();
        place(&self.directory, &name, ENDING, &text).map(|()| Kept::Waiting)
    }

    /// Notes that an event is left out, and since when some are.
    fn note_left_out(&self, event: &HookEvent) -> Result<Kept, SpoolError> {
        let path = self.directory.join(LEFT_OUT);
        match write(&path, event.at.to_string().as_bytes()) {
            Ok(()) => Ok(Kept::NoRoom),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Kept::StillNoRoom),
            Err(error) => Err(fail("write", &path)(error)),
        }
    }

    /// Since when events are left out; none: none was since they were last taken.
    pub fn left_out_since(&self) -> Option<String> {
        fs::read_to_string(self.directory.join(LEFT_OUT)).ok()
    }

    /// Forgets that events were left out: all that they could have named is looked at.
    pub fn forget_left_out(&self) -> Result<(), SpoolError> {
        remove(&self.directory.join(LEFT_OUT))
    }

    /// Notes that a hook was given what could not be read, if there is room. Not a byte of it is kept:
    /// it may hold what nobody has taken the secrets out of.
    pub fn note_unread(
        &self,
        agent: Agent,
        event: &EventName,
        error: &BodyError,
    ) -> Result<(), SpoolError> {
        let aside = self.directory.join(ASIDE);
        if holds(&aside, ASIDE_MAX) {
            return Ok(());
        }
        let name = format!("{}-{agent}", Uuid::now_v7());
        let note = format!("{agent} {event}: {error}\n");
        place(&aside, &name, "txt", note.as_bytes())
    }

    /// Reads what waits, the oldest first, and sets aside what can't be read.
    pub fn read(&self) -> Result<Found, SpoolError> {
        let mut found = Found {
            left_out: self.left_out_since().is_some(),
            ..Found::default()
        };
        for path in self.files()? {
            match read(&path) {
                Ok(Some(event)) => found.events.push(Spooled { event, path }),
                Ok(None) => {
                    self.move_aside(&path)?;
                    found.set_aside += 1;
                }
                Err(error) if will_not_be_read(&error) => {
                    self.move_aside(&path)?;
                    found.set_aside += 1;
                }
                // Another process has taken it, or it is tried the next time: no file keeps the others
                // waiting.
                Err(_) => {}
            }
        }
        Ok(found)
    }

    fn move_aside(&self, path: &Path) -> Result<(), SpoolError> {
        let aside = self.directory.join(ASIDE);
        make(&aside).map_err(fail("make", &aside))?;
        let name = path.file_name().unwrap_or_default();
        match fs::rename(path, aside.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(fail("set aside", path)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// How many events wait.
    pub fn count(&self) -> u64 {
        self.files().map_or(0, |files| files.len() as u64)
    }

    /// How many files wait that could not be read.
    pub fn count_aside(&self) -> u64 {
        let aside = fs::read_dir(self.directory.join(ASIDE));
        aside.map_or(0, |entries| entries.flatten().count() as u64)
    }

    /// Removes events that were taken.
    pub fn remove(&self, taken: &[Spooled]) -> Result<(), SpoolError> {
        taken.iter().try_for_each(|taken| remove(&taken.path))
    }

    /// The files that are whole, in the order of their names: that of their times. And those that
    /// nobody will finish.
    fn files(&self) -> Result<Vec<PathBuf>, SpoolError> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fail("read", &self.directory)(error)),
        };
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in entries {
            let path = entry.map_err(fail("read", &self.directory))?.path();
            let ends = |ending| path.extension().is_some_and(|end| end == ending);
            if ends(ENDING) || (ends(UNDER_WAY) && is_stale(&path)) {
                files.push(path);
            }
        }
        files.sort();
        files.truncate(WAITING_MAX);
        Ok(files)
    }
}

/// Whether a directory holds so many files or more; one that is not there, or can't be read, holds none.
fn holds(directory: &Path, count: usize) -> bool {
    fs::read_dir(directory).is_ok_and(|entries| entries.take(count).count() == count)
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<(), SpoolError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fail("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a file for this user alone, whole or not at all.
fn place(directory: &Path, name: &str, ending: &str, text: &[u8]) -> Result<(), SpoolError> {
    make(directory).map_err(fail("make", directory))?;
    let under_way = directory.join(format!("{name}.{UNDER_WAY}"));
    let path = directory.join(format!("{name}.{ending}"));
    let written = write(&under_way, text).and_then(|()| fs::rename(&under_way, &path));
    written.map_err(|error| {
        // What is there of it is of no use.
        let _ = fs::remove_file(&under_way);
        fail("write", &path)(error)
    })
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text)
}

fn make(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Reads an event; none: what stands there is none.
fn read(path: &Path) -> io::Result<Option<HookEvent>> {
    let mut text = Vec::new();
    File::open(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut text)?;
    let is_short = text.len() as u64 <= FILE_BYTES_MAX;
    Ok(is_short
        .then(|| serde_json::from_slice(&text).ok())
        .flatten())
}

/// Whether who tries again will find the same.
fn will_not_be_read(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, IsADirectory, PermissionDenied};
    matches!(error.kind(), PermissionDenied | IsADirectory | InvalidInput)
}

fn is_stale(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|modified| modified.elapsed().ok());
    age.is_some_and(|age| age > STALE)
}

fn fail(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SpoolError {
    let path = path.to_owned();
    move |source| SpoolError { verb, path, source }
}

#[cfg(test)]
mod tests {
    use super::super::Fields;
    use super::*;

    fn event(session: &str) -> HookEvent {
        let text = format!(
            r#"{{"agent":"codex","event":"agent-turn-complete","at":"2026-03-01T10:00:00Z","payload":{{"thread-id":"{session}"}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn note_unread(spool: &Spool, body: &[u8]) {
        let error = Fields::read(body).unwrap_err();
        let event = "Stop".parse().unwrap();
        spool.note_unread(Agent::Codex, &event, &error).unwrap();
    }

    fn sessions(found: &Found) -> Vec<&str> {
        let events = found.events.iter();
        events
            .filter_map(|spooled| spooled.event.session())
            .collect()
    }

    #[test]
    fn events_wait_in_order_until_they_are_removed() {
        let replica = tempfile::tempdir().unwrap();
        let spool = Spool::beside(replica.path());
        assert!(spool.read().unwrap().events.is_empty());
        for session in ["a", "b", "c"] {
            spool.put(&event(session)).unwrap();
        }
        let found = spool.read().unwrap();
        assert_eq!(sessions(&found), ["a", "b", "c"]);
        spool.remove(&found.events[..2]).unwrap();
        spool.remove(&found.events[..2]).unwrap();
        assert_eq!(sessions(&spool.read().unwrap()), ["c"]);
    }

    #[test]
    fn what_cannot_be_read_is_set_aside_and_counted() {
        let replica = tempfile::tempdir().unwrap();
        let spool = Spool::beside(replica.path());
        spool.put(&event("a")).unwrap();
        let directory = replica.path().join(DIRECTORY);
        fs::write(directory.join("0.json"), "").unwrap();
        fs::write(directory.join("1.json"), "{\"agent\":").unwrap();
        fs::write(
            directory.join("2.json"),
            vec![b' '; FILE_BYTES_MAX as usize + 1],
        )
        .unwrap();
        fs::write(directory.join("3.part"), "under way").unwrap();
        // No file can be read there, whoever asks.
        fs::create_dir(directory.join("4.json")).unwrap();
        note_unread(&spool, b"\xff{");
        let found = spool.read().unwrap();
        assert_eq!((sessions(&found), found.set_aside), (vec!["a"], 4));
        assert_eq!(spool.read().unwrap().set_aside, 0);
        assert_eq!(spool.count_aside(), 5);
        assert_eq!(
            fs::read(directory.join("broken/1.json")).unwrap(),
            b"{\"agent\":"
        );
        assert!(directory.join("3.part").exists());
    }

    #[test]
    fn when_there_is_no_room_it_is_noted_once_and_what_waits_stays() {
        let replica = tempfile::tempdir().unwrap();
        let spool = Spool::beside(replica.path());
        spool.put(&event("first")).unwrap();
        let directory = replica.path().join(DIRECTORY);
        for place in 1..WAITING_MAX {
            fs::write(directory.join(format!("{place}.json")), "{}").unwrap();
        }
        assert_eq!(spool.left_out_since(), None);
        assert_eq!(spool.put(&event("a")).unwrap(), Kept::NoRoom);
        assert_eq!(spool.put(&event("b")).unwrap(), Kept::StillNoRoom);
        assert_eq!(spool.left_out_since().unwrap(), "2026-03-01T10:00:00.000Z");
        let found = spool.read().unwrap();
        assert_eq!((sessions(&found), found.left_out), (vec!["first"], true));
        // What could not be read makes room where it was, and takes no more of it aside than there is.
        assert_eq!(spool.put(&event("c")).unwrap(), Kept::Waiting);
        note_unread(&spool, b"{");
        assert_eq!(spool.count_aside(), WAITING_MAX as u64 - 1);
        spool.forget_left_out().unwrap();
        assert!(!spool.read().unwrap().left_out);
    }

    #[test]
    fn a_file_that_nobody_will_finish_is_set_aside() {
        let replica = tempfile::tempdir().unwrap();
        let spool = Spool::beside(replica.path());
        spool.put(&event("a")).unwrap();
        let path = replica.path().join(DIRECTORY).join("0.part");
        let file = File::create(&path).unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        file.set_modified(long_ago).unwrap();
        assert_eq!(spool.read().unwrap().set_aside, 1);
    }

    #[test]
    #[cfg(unix)]
    fn files_are_for_their_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let replica = tempfile::tempdir().unwrap();
        let spool = Spool::beside(replica.path());
        spool.put(&event("a")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let found = spool.read().unwrap();
        assert_eq!(mode(&found.events[0].path), 0o600);
        assert_eq!(mode(&spool.directory), 0o700);
    }
}
