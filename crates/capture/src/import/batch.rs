//! What an import gives to be written, and what it says of itself.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use syncline_model::session::SessionId;
use syncline_replica::NewOp;
use syncline_store::local::ImportNotes;

use super::withhold::LeftOut;
use crate::facts::Verdict;

/// What is told of a line, or of another unit, with bytes that are no text.
pub(super) const MENDED: &str = "it has bytes that are no text; they are left out";

/// Ops to be written, with the notes of what was read to make them.
#[derive(Debug, Default)]
pub struct ImportBatch {
    pub ops: Vec<NewOp>,
    pub notes: ImportNotes,
    pub counts: Counts,
    /// What was left out.
    pub problems: Vec<Problem>,
    /// Which rules found secrets, and how many: all that is kept of a secret, with its marker.
    pub findings: BTreeMap<String, u64>,
    /// Sessions that are not to be recorded, as was found when some of them was.
    pub marked_late: Vec<SessionId>,
    /// Sessions that no rule by path or project can be held to: nothing tells where they took place. Told
    /// at the end, if there are such rules.
    pub unplaced: Vec<SessionId>,
    /// How many files, or sessions of databases, are not kept yet, as nothing tells where they take place, as nobody has
    /// spoken in them, or as they are damaged and may be whole later.
    pub waiting: u64,
    /// Sessions of which something was left out, by rules of the user and by marks.
    pub excluded: BTreeSet<SessionId>,
    /// Of the units that are counted as new, how many are of which session.
    pub(super) said: HashMap<SessionId, u64>,
    /// What of this was added for the file, or the unit of a database, that is being read: it may be held.
    pub(super) lately: Lately,
    /// How many bytes of all that is to be read have been.
    pub done: u64,
    /// How many are to be read.
    pub whole: u64,
}

/// What is to be taken back with what was just read.
#[derive(Debug, Default)]
pub(super) struct Lately {
    pub(super) said: HashMap<SessionId, u64>,
    marked_late: HashSet<SessionId>,
    excluded: HashSet<SessionId>,
}

/// What became of lines, or of other units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Files that were read, or read on.
    pub files: u64,
    /// Units that said something new.
    pub new: u64,
    /// Units that were taken before, from here or from a copy.
    pub known: u64,
    /// Units of no use to a reader.
    pub idle: u64,
    /// Units of a kind that this version does not know; they are kept as they are.
    pub not_understood: u64,
    /// Units that can't be read; they are kept as they are where it is known whose they are.
    pub damaged: u64,
    /// Units that are left out by rules of the user and by marks.
    pub excluded: u64,
    /// Secrets that were taken out of texts.
    pub redacted: u64,
}

impl Counts {
    /// Adds another count.
    pub fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.new += other.new;
        self.known += other.known;
        self.idle += other.idle;
        self.not_understood += other.not_understood;
        self.damaged += other.damaged;
        self.excluded += other.excluded;
        self.redacted += other.redacted;
    }
}

impl ImportBatch {
    /// Counts anew the units of a session that looked new to who read them: the replica holds all that
    /// they say, or shall not hold it.
    pub(super) fn nothing_new(&mut self, session: SessionId, standing: Standing) {
        let units = self.said.remove(&session).unwrap_or(0);
        self.lately.said.remove(&session);
        self.counts.new -= units;
        match standing {
            Standing::Known => self.counts.known += units,
            Standing::LeftOut => {
                self.counts.excluded += units;
                self.exclude(session);
            }
        }
    }

    fn exclude(&mut self, session: SessionId) {
        if self.excluded.insert(session) {
            self.lately.excluded.insert(session);
        }
    }

    /// Notes what was left out of what was just read, and gives the cause. What was taken of sessions that
    /// are left out after all is counted anew.
    pub(super) fn left_out(&mut self, left_out: LeftOut) -> Option<String> {
        for session in left_out.found {
            self.nothing_new(session, Standing::LeftOut);
            // It was for what this batch held of it.
            self.marked_late.retain(|late| *late != session);
        }
        for session in left_out.sessions {
            self.exclude(session);
        }
        for session in left_out.too_late {
            if !self.marked_late.contains(&session) {
                self.marked_late.push(session);
                self.lately.marked_late.insert(session);
            }
        }
        left_out.cause
    }

    /// Takes back what was noted of sessions for what was just read, and is held.
    pub(super) fn hold(&mut self) {
        let lately = std::mem::take(&mut self.lately);
        for (session, units) in lately.said {
            // Other files of this batch may have said something of it.
            if let Some(said) = self.said.get_mut(&session) {
                *said -= units;
            }
        }
        self.marked_late
            .retain(|session| !lately.marked_late.contains(session));
        self.excluded
            .retain(|session| !lately.excluded.contains(session));
        self.waiting += 1;
    }

    /// Counts as known also the units that are of several sessions.
    pub(super) fn all_known(&mut self) {
        self.counts.known += std::mem::take(&mut self.counts.new);
    }
}

/// How a session stands of which a batch says nothing new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Known,
    /// A person has deleted it, for good, or it is not to be recorded.
    LeftOut,
}

/// Something that was left out; the rest was not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    pub path: PathBuf,
    /// From 1; none: it is about the whole file.
    pub line: Option<u64>,
    pub cause: String,
}

/// Counts what becomes of the units of one file.
#[derive(Debug)]
pub(crate) struct Tally<'b> {
    pub(crate) path: &'b Path,
    pub(super) counts: &'b mut Counts,
    pub(super) problems: &'b mut Vec<Problem>,
}

impl Tally<'_> {
    /// Counts a unit; `line` is where it stands.
    pub(crate) fn count(&mut self, verdict: Verdict, line: Option<u64>) {
        let count = match &verdict {
            Verdict::New => &mut self.counts.new,
            Verdict::Known | Verdict::Copied => &mut self.counts.known,
            Verdict::Idle => &mut self.counts.idle,
            Verdict::NotUnderstood => &mut self.counts.not_understood,
            Verdict::Excluded => &mut self.counts.excluded,
            Verdict::Damaged(_) => &mut self.counts.damaged,
        };
        *count += 1;
        if let Verdict::Damaged(cause) = verdict {
            self.problem(line, cause);
        }
    }

    /// Says of a unit that is read all the same that something in it is no text; `what` names it in its file.
    pub(crate) fn mended(&mut self, what: &str, line: Option<u64>) {
        let cause = match what {
            "" => MENDED.to_owned(),
            what => format!("{what}: {MENDED}"),
        };
        self.problem(line, cause);
    }

    /// Notes a problem that is no unit's.
    pub(crate) fn problem(&mut self, line: Option<u64>, cause: String) {
        self.problems.push(Problem {
            path: self.path.to_owned(),
            line,
            cause,
        });
    }
}
