//! Import: entries of a file become ops, those that are here already left out.
//!
//! The ids of what is imported follow from the file alone, so that the same file imported twice, or
//! on two replicas that know nothing of each other, gives the same threads and entries.
//!
//! An importer gives batch after batch; its caller writes each before it asks for the next one.

mod jsonl;
mod planner;
mod standing;
mod vault;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use syncline_model::Timestamp;
use syncline_model::thread::{ContentError, EntryId, NameError, Status};

pub use jsonl::LINE_BYTES_MAX;
pub use planner::{ImportBatch, Importer};
pub use vault::VaultError;

use crate::StoreError;

/// What kind of file is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// One JSON object a line: `project`, `thread`, `name`, `author`, `timestamp`, `content`.
    Jsonl,
    /// The SQLite database of a vlt client, with the queue of what it has not sent beside it.
    Vault,
}

/// Where in the source something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourcePlace {
    /// A line of the file, from 1.
    Line(u64),
    /// A row of a table of the database.
    Row { table: &'static str, id: String },
    /// An item of the queue of unsent entries, from 1.
    Queued(u64),
}

impl std::fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row { table, id } => write!(f, "{table} {id}"),
            Self::Queued(item) => write!(f, "sync_queue.json, item {item}"),
        }
    }
}

/// Something in the source that was not imported; the rest is.
#[derive(Debug, thiserror::Error)]
#[error("{place} is left out")]
pub struct ImportProblem {
    pub place: SourcePlace,
    #[source]
    pub cause: ProblemCause,
}

/// Why something was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ProblemCause {
    #[error("it is not a JSON object with the fields of an entry")]
    Syntax(#[source] serde_json::Error),
    #[error("it has more than {LINE_BYTES_MAX} bytes")]
    TooLong,
    #[error("it has no time, or one that is not RFC 3339")]
    Time,
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error("entry {number} of thread {thread} is here already, with other content")]
    Differs { thread: String, number: u64 },
    #[error("it names {what} {id}, which is not in the file")]
    Dangling { what: &'static str, id: String },
    #[error("its payload can't be written")]
    Payload(#[source] syncline_model::PayloadError),
}

/// Why an import can't go on. What was written before stays; the same import again goes on there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("could not open {}", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("could not read the file")]
    Read(#[source] std::io::Error),
    #[error("could not read the vault {}", path.display())]
    Vault {
        path: PathBuf,
        #[source]
        source: VaultError,
    },
    #[error("could not read the threads that are here")]
    Store(#[from] StoreError),
}

/// Says which kind of file this is, by its first bytes.
pub fn kind_of(path: &Path) -> Result<FileKind, ImportError> {
    const SQLITE: &[u8] = b"SQLite format 3\0";
    let mut first = Vec::new();
    let open = |source| ImportError::Open {
        path: path.to_owned(),
        source,
    };
    File::open(path)
        .map_err(open)?
        .take(SQLITE.len() as u64)
        .read_to_end(&mut first)
        .map_err(ImportError::Read)?;
    Ok(if first == SQLITE {
        FileKind::Vault
    } else {
        FileKind::Jsonl
    })
}

/// One thing that a source holds.
#[derive(Debug)]
enum Item {
    Thread(ThreadItem),
    Entry(EntryItem),
    Tag(TagItem),
    Link(LinkItem),
    Problem(ImportProblem),
}

/// What a source calls a thread.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ThreadName {
    project: String,
    key: String,
}

#[derive(Debug)]
struct ThreadItem {
    thread: ThreadName,
    status: Status,
    at: Timestamp,
    source: SourcePlace,
}

#[derive(Debug)]
struct EntryItem {
    thread: ThreadName,
    /// The thread's name at the time.
    name: Option<String>,
    identity: EntryIdentity,
    author: String,
    content: String,
    at: Timestamp,
    source: SourcePlace,
}

/// What an entry's id follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryIdentity {
    /// Its place among its thread's entries in the file.
    Place,
    /// The source's own id.
    Told(EntryId),
}

#[derive(Debug)]
struct TagItem {
    thread: ThreadName,
    entry_id: EntryId,
    tag: String,
    source: SourcePlace,
}

#[derive(Debug)]
struct LinkItem {
    thread: ThreadName,
    entry_id: EntryId,
    target: ThreadName,
    note: Option<String>,
    source: SourcePlace,
}

/// Where items come from.
trait Source: std::fmt::Debug {
    /// The next item; none at the end.
    fn next_item(&mut self) -> Result<Option<Item>, ImportError>;

    /// How much of it was read.
    fn progress(&self) -> Progress;
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes or rows that were read.
    pub done: u64,
    /// Bytes or rows that there are, if known.
    pub whole: Option<u64>,
}
