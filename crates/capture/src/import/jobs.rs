//! Which files are to be read.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::time::SystemTime;

use syncline_model::Timestamp;
use syncline_replica::{Replica, ReplicaError};
use syncline_store::local::ImportedMarks;

use crate::agent::Agent;
use crate::facts::Reading;
use crate::opencode;
use crate::places::HISTORY;
use crate::privacy::Privacy;
use crate::reader::version;
use crate::tail::{Beside, Mark};
use crate::walk::{Found, walk};

use super::Problem;
use super::lined::standing_mark;
use super::rest::has_rested;

/// A place to look in: a directory, or a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub agent: Agent,
    pub root: PathBuf,
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Line by line, on from where its last reading ended.
    Lines,
    /// As one value.
    Whole,
    /// As a database of SQLite's.
    Database,
    /// Line by line, each time from its start: its agent has compressed it.
    Compressed,
}

/// A file to be read.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) agent: Agent,
    pub(super) path: PathBuf,
    /// The path without links, by which it is noted how far it was read: however it is reached, it is
    /// read once.
    pub(super) key: PathBuf,
    pub(super) form: Form,
    pub(super) length: u64,
    /// When it was last written, as far as its file system tells.
    modified: Option<SystemTime>,
    pub(super) reading: Reading,
}

impl Job {
    /// Whether nobody has written to it for a while.
    pub(super) fn rests(&self, now: Timestamp) -> bool {
        let log = match self.form {
            Form::Database => std::fs::metadata(log_of(&self.path)).ok(),
            Form::Lines | Form::Whole | Form::Compressed => None,
        };
        let log = log.and_then(|log| log.modified().ok());
        has_rested(self.modified.max(log), now)
    }

    /// When it is read, by its path: a session before the subagents that it has called, as it may say
    /// that neither is to be recorded, and what holds all of a conversation before what holds some of it. Of
    /// sessions that begin alike, and name no origin, the one that was left first is taken for the origin.
    pub(super) fn turn(&self) -> (Turn, Option<SystemTime>) {
        let left = match self.agent {
            Agent::ClaudeCode => self.modified,
            // Forks say what they are of, and come later by their names.
            _ => None,
        };
        (self.kind_of_turn(), left)
    }

    fn kind_of_turn(&self) -> Turn {
        let directory = || name_of(self.path.parent()?);
        let is_of_subagent = match self.agent {
            Agent::ClaudeCode => name_of(&self.path).is_some_and(|name| name.starts_with("agent-")),
            Agent::Gemini => directory().as_deref() != Some("chats"),
            Agent::Cursor => directory().as_deref() == Some("subagents"),
            // Theirs come later by their names, or are in one database with their session.
            Agent::Codex | Agent::OpenCode | Agent::Aider | Agent::Clankers => false,
        };
        match (self.agent, self.form) {
            _ if is_of_subagent => Turn::Subagents,
            (Agent::Cursor, Form::Lines) => Turn::Excerpts,
            _ => Turn::Sessions,
        }
    }
}

/// The last part of a path; what is no text in it is replaced, as agents' own names are.
fn name_of(path: &Path) -> Option<Cow<'_, str>> {
    path.file_name().map(OsStr::to_string_lossy)
}

/// In which order files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    Sessions,
    /// What of conversations may be in a database in full.
    Excerpts,
    Subagents,
}

/// What a look at a source has found.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// The files that have changed since their marks, in the order of their paths.
    pub(super) jobs: Vec<Job>,
    pub(super) unchanged: u64,
    /// Files that are left out by rules of the user.
    pub(super) excluded: u64,
    pub(super) problems: Vec<Problem>,
}

/// Looks which files of a source have changed. Marks are as they were written down: most files have not
/// changed, and are told without reading what else a mark says. They are read beside the list of files,
/// which is in their order.
pub(super) fn look(
    source: &Source,
    privacy: &Privacy,
    replica: &Replica,
) -> Result<Looked, ReplicaError> {
    let found = walk(&source.root, |path| form_of(source.agent, path).is_some());
    let root = without_links(&source.root);
    let name = root.to_string_lossy();
    let below = match name.strip_suffix(MAIN_SEPARATOR) {
        Some(name) => name,
        None => &name,
    };
    // The root may be a file itself.
    let range = [&*name, &format!("{below}{}", behind(MAIN_SEPARATOR))];
    replica.compare_imported(source.agent.as_str(), range, |marks| {
        let mut known = Marks {
            source,
            root: &root,
            privacy,
            replica,
            marks,
        };
        known.look(found)
    })?
}

/// The character after this one.
fn behind(sign: char) -> char {
    char::from_u32(u32::from(sign) + 1).unwrap_or(char::MAX)
}

/// How a file is reached from the root of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    Directly,
    /// By a link below the root.
    ByLink,
}

/// How a file stands against the mark of its last reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unchanged,
    Changed,
    /// A reader of another version has read it, whether it has changed or not.
    OfOtherReader,
}

/// What is known of the files of a source.
struct Marks<'a, 'm> {
    source: &'a Source,
    /// The root of the source without links.
    root: &'a Path,
    privacy: &'a Privacy,
    replica: &'a Replica,
    /// The marks of what is below the root.
    marks: &'a mut ImportedMarks<'m>,
}

impl Marks<'_, '_> {
    fn look(&mut self, found: Found) -> Result<Looked, ReplicaError> {
        let mut looked = Looked::default();
        for (path, error) in found.unreadable {
            looked.problems.push(Problem {
                path,
                line: None,
                cause: error.to_string(),
            });
        }
        let mut seen = HashSet::new();
        for path in found.files {
            let (reached, key) = match found.linked.contains(&path) {
                true => (Reached::ByLink, Cow::Owned(without_links(&path))),
                false => (Reached::Directly, key_of(&path, self.source, self.root)),
            };
            if self.is_left_out(&path)
                || (key.as_os_str() != path.as_os_str() && self.is_left_out(&key))
            {
                looked.excluded += 1;
                continue;
            }
            let form = form_of_named(self.source.agent, &path);
            if form == Form::Compressed && path.with_extension("").exists() {
                // What it was made of, or what was unpacked from it, is read in its place.
                continue;
            }
            if !found.linked.is_empty() && !seen.insert(key.to_path_buf()) {
                continue;
            }
            let reading = match self.standing(&path, &key, form, reached)? {
                Standing::Unchanged => {
                    looked.unchanged += 1;
                    continue;
                }
                Standing::Changed => Reading::On,
                Standing::OfOtherReader => Reading::Again,
            };
            let metadata = std::fs::metadata(&path).ok();
            looked.jobs.push(Job {
                agent: self.source.agent,
                form,
                length: metadata.as_ref().map_or(0, std::fs::Metadata::len),
                modified: metadata.and_then(|metadata| metadata.modified().ok()),
                reading,
                key: key.into_owned(),
                path,
            });
        }
        Ok(looked)
    }

    fn is_left_out(&self, path: &Path) -> bool {
        self.privacy.excludes_path(&path.to_string_lossy())
    }

    /// How a file stands, with what belongs to it, against its mark.
    fn standing(
        &mut self,
        path: &Path,
        key: &Path,
        form: Form,
        reached: Reached,
    ) -> Result<Standing, ReplicaError> {
        let Some(name) = key.to_str() else {
            return Ok(Standing::Changed);
        };
        let agent = self.source.agent;
        let stands = |mark: &str| {
            Mark::says_unchanged(mark, key)
                && (!Mark::says_left_out(mark) || standing_mark(mark, self.privacy).is_some())
        };
        let beside = || beside(agent, form, path);
        let says_beside =
            |mark: &str| beside().is_none_or(|beside| Mark::says_beside(mark, &beside));
        let standing = |mark: &str| match (stands(mark), Mark::says_reader(mark, version(agent))) {
            (_, false) => Standing::OfOtherReader,
            (true, true) if says_beside(mark) => Standing::Unchanged,
            (_, true) => Standing::Changed,
        };
        let standing = match reached {
            // It lies elsewhere, and out of order.
            Reached::ByLink => self.noted(name)?.map(|mark| standing(&mark)),
            Reached::Directly => {
                let mark = self.marks.of(name).map_err(ReplicaError::Local)?;
                mark.map(standing)
            }
        };
        let standing = standing.unwrap_or(Standing::Changed);
        if standing != Standing::Unchanged || form != Form::Database {
            return Ok(standing);
        }
        let log = log_of(key);
        if std::fs::metadata(&log).map_or(0, |log| log.len()) == 0 {
            return Ok(Standing::Unchanged);
        }
        let mark = self.noted(&log.to_string_lossy())?;
        let is_unchanged = mark.is_some_and(|mark| Mark::says_unchanged(&mark, &log));
        Ok(match is_unchanged {
            true => Standing::Unchanged,
            false => Standing::Changed,
        })
    }

    fn noted(&self, path: &str) -> Result<Option<String>, ReplicaError> {
        let file = self.replica.imported_file(path)?;
        let file = file.filter(|file| file.agent == self.source.agent.as_str());
        Ok(file.map(|file| file.mark))
    }
}

/// The path without links of a file that no link below the root of its source leads to; `root` is that
/// root without links. To ask for each file would cost more than all else.
fn key_of<'p>(path: &'p Path, source: &Source, root: &Path) -> Cow<'p, Path> {
    if root.as_os_str() == source.root.as_os_str() {
        return Cow::Borrowed(path);
    }
    Cow::Owned(match path.strip_prefix(&source.root) {
        Ok(below) if !below.as_os_str().is_empty() => root.join(below),
        Ok(_) => root.to_owned(),
        Err(_) => without_links(path),
    })
}

/// A path as the system itself knows it; as it is, where there is nothing.
fn without_links(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// How a file of an agent is read; none: it is no transcript.
fn form_of(agent: Agent, path: &Path) -> Option<Form> {
    let name = name_of(path)?;
    let ends = |ending: &str| name.ends_with(ending);
    let below = |directory: &str| {
        let mut names = path.components().map(|part| part.as_os_str());
        names.any(|name| name == directory)
    };
    match agent {
        Agent::ClaudeCode => ends(".jsonl").then_some(Form::Lines),
        Agent::Codex if !name.starts_with("rollout-") => None,
        Agent::Codex if ends(".jsonl.zst") => Some(Form::Compressed),
        Agent::Codex => ends(".jsonl").then_some(Form::Lines),
        Agent::OpenCode if name.starts_with("opencode") && ends(".db") => Some(Form::Database),
        Agent::OpenCode => {
            // `storage/session/<project>/<session>.json`
            let session = path.ancestors().nth(2).and_then(Path::file_name);
            (ends(".json") && session.is_some_and(|name| name == "session")).then_some(Form::Whole)
        }
        Agent::Cursor if name == "state.vscdb" => Some(Form::Database),
        Agent::Cursor => (ends(".jsonl") && below("agent-transcripts")).then_some(Form::Lines),
        Agent::Gemini if !below("chats") => None,
        Agent::Gemini if ends(".jsonl") => Some(Form::Lines),
        Agent::Gemini => ends(".json").then_some(Form::Whole),
        Agent::Aider => (name == HISTORY).then_some(Form::Whole),
        Agent::Clankers => (name == "clankers.db").then_some(Form::Database),
    }
}

/// Whether a file is one that its agent would leave there, by its path.
pub(crate) fn is_transcript(agent: Agent, path: &Path) -> bool {
    let of_cursor = || form_of(Agent::Cursor, path).is_some();
    form_of(agent, path).is_some() && (agent == Agent::Cursor || !of_cursor())
}

/// The transcript that a change of the file at `path` changes: itself, the database whose last writes it
/// holds, or the session that it is a part of. None: it is no transcript of the agent's.
pub fn transcript_of(agent: Agent, path: &Path) -> Option<PathBuf> {
    if agent == Agent::OpenCode
        && let Some(session) = opencode::session_of(path)
    {
        return Some(session);
    }
    let database = path.to_str().and_then(|path| path.strip_suffix("-wal"));
    let transcript = database.map_or(path, Path::new);
    is_transcript(agent, transcript).then(|| transcript.to_owned())
}

/// How a file that was named is read, whatever it is called.
fn form_of_named(agent: Agent, path: &Path) -> Form {
    let ends = |ending: &str| path.extension().is_some_and(|end| end == ending);
    match (form_of(agent, path), agent) {
        (Some(form), _) => form,
        (None, Agent::Aider) => Form::Whole,
        (None, Agent::Clankers) => Form::Database,
        (None, _) if ends("db") || ends("vscdb") => Form::Database,
        (None, _) if ends("json") => Form::Whole,
        (None, _) => Form::Lines,
    }
}

/// The file in which SQLite keeps what was written last, beside a database.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// What is known of the files that are read with the one at `path`; none: it is read alone.
pub(super) fn beside(agent: Agent, form: Form, path: &Path) -> Option<Beside> {
    match (agent, form) {
        (Agent::OpenCode, Form::Whole) => opencode::beside(path),
        _ => None,
    }
}
