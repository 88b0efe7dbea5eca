//! The run of an import: file after file, batch after batch.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;

use syncline_model::PayloadError;
use syncline_model::session::SessionId;
use syncline_replica::{Replica, ReplicaError};
use syncline_store::local::{ImportNotes, WriteError};

use super::batch::Tally;
use super::desk::{Desk, Remembered, Since};
use super::jobs::{self, Form, Job, Source};
use super::lined::Lined;
use super::prepare::ops_of;
use super::stored::Stored;
use super::withhold::Withheld;
use super::{ImportBatch, Problem, halves, unread, whole};
use crate::facts::{Facts, Reading};
use crate::privacy::Privacy;

/// How many bytes of transcripts go into a batch. Large enough that a commit that waits for the disk
/// is cheap beside it, small enough to be held and folded at once.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
/// The same for who stays, and shall not be left with the memory of large ones.
const SMALL_BATCH_BYTES: u64 = 512 * 1024;
/// How many files are read for a batch at most.
const BATCH_FILES: u64 = 1_000;

/// Whether the batches of a run are written before the next is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    Written,
    /// They are only looked at: what they would have noted is remembered for as long as the run goes.
    Discarded,
}

/// Why an import can't go on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("could not read what was imported before")]
    Replica(#[source] ReplicaError),
    #[error("could not put what was read into an op")]
    Payload(#[source] PayloadError),
    #[error("could not write what was read")]
    Write(#[source] WriteError),
}

/// An import under way.
#[derive(Debug)]
pub struct Importer {
    jobs: VecDeque<Job>,
    current: Option<Current>,
    keeping: Keeping,
    batch_bytes: u64,
    /// Whether an older reader has read any of the files; and the sessions of which was looked at what it
    /// has kept.
    reads_again: bool,
    looked_at: HashSet<SessionId>,
    withheld: Withheld,
    pub(super) remembered: Remembered,
    unchanged: u64,
    excluded: u64,
    problems: Vec<Problem>,
    done: u64,
    whole: u64,
}

/// A file that is being read, in as many batches as it takes.
#[derive(Debug)]
enum Current {
    Lines(Box<Lined>),
    Database(Box<Stored>),
}

/// How far a reading has come.
#[derive(Debug)]
pub(super) struct Progress {
    /// Bytes that were read, or what stands for them.
    pub(super) done: u64,
    /// Whether the file has no more.
    pub(super) ended: bool,
}

/// Where what is read of a file goes.
pub(super) struct Sink<'s, 'r> {
    pub(super) batch: &'s mut ImportBatch,
    pub(super) desk: &'s mut Desk<'r>,
    pub(super) facts: &'s mut Facts,
    pub(super) withheld: &'s mut Withheld,
}

impl Importer {
    /// Looks for what has changed in `sources`. Until its end nobody else may import into the replica:
    /// see [`Replica::try_import_lease`].
    pub fn new(
        sources: &[Source],
        keeping: Keeping,
        privacy: Privacy,
        replica: &mut Replica,
    ) -> Result<Self, ImportError> {
        // What others have brought is known by the view.
        replica.view().map_err(ImportError::Replica)?;
        let mut importer = Self {
            jobs: VecDeque::new(),
            current: None,
            keeping,
            batch_bytes: BATCH_BYTES,
            reads_again: false,
            looked_at: HashSet::new(),
            remembered: Remembered {
                any_known: replica.has_sessions().map_err(ImportError::Replica)?,
                named: privacy.named_directories(),
                ..Remembered::default()
            },
            withheld: Withheld::new(privacy),
            unchanged: 0,
            excluded: 0,
            problems: Vec::new(),
            done: 0,
            whole: 0,
        };
        for source in sources {
            let agent = source.agent.as_str();
            if importer.withheld.privacy.excludes_agent(agent) {
                continue;
            }
            let looked = jobs::look(source, &importer.withheld.privacy, replica);
            let looked = looked.map_err(ImportError::Replica)?;
            importer.unchanged += looked.unchanged;
            importer.excluded += looked.excluded;
            importer.problems.extend(looked.problems);
            importer.jobs.extend(looked.jobs);
        }
        importer.jobs.make_contiguous().sort_by_key(Job::turn);
        let mut jobs = importer.jobs.iter();
        importer.reads_again = jobs.any(|job| job.reading == Reading::Again);
        importer.whole = importer.jobs.iter().map(|job| job.length).sum();
        Ok(importer)
    }

    /// Gives small batches from here on: more commits, less memory.
    pub fn in_small_batches(mut self) -> Self {
        self.batch_bytes = SMALL_BATCH_BYTES;
        self
    }

    /// How many files had not changed.
    pub fn unchanged(&self) -> u64 {
        self.unchanged
    }

    /// How many files are left out by rules of the user.
    pub fn excluded(&self) -> u64 {
        self.excluded
    }

    /// Whether there is nothing left to read.
    pub(super) fn is_idle(&self) -> bool {
        self.current.is_none() && self.jobs.is_empty()
    }

    /// The next batch; none at the end. What the one before holds must be in the replica by now,
    /// unless batches are discarded.
    pub fn next_batch(&mut self, replica: &Replica) -> Result<Option<ImportBatch>, ImportError> {
        if self.keeping == Keeping::Written {
            self.remembered.noted.clear();
        }
        let mut batch = ImportBatch {
            problems: std::mem::take(&mut self.problems),
            ..ImportBatch::default()
        };
        let mut facts = Facts::default();
        let mut desk = Desk {
            replica,
            remembered: &mut self.remembered,
            units: Vec::new(),
            whose: HashMap::new(),
            reading: Reading::On,
            torn: false,
            settles: false,
            since: Since::default(),
            failed: None,
        };
        let mut sink = Sink {
            batch: &mut batch,
            desk: &mut desk,
            facts: &mut facts,
            withheld: &mut self.withheld,
        };
        let limit = self.done + self.batch_bytes;
        while self.done < limit && sink.batch.counts.files < BATCH_FILES {
            if let Some(current) = &mut self.current {
                let progress = current.read_on(&mut sink, limit - self.done);
                self.done += progress.done;
                if progress.ended {
                    self.current = None;
                }
            } else if let Some(job) = self.jobs.pop_front() {
                sink.batch.counts.files += 1;
                self.done += 1;
                let (done, current) = Current::begin(job, replica, &mut sink)?;
                self.done += done;
                self.current = current;
            } else {
                break;
            }
            if let Some(error) = sink.desk.failed.take() {
                return Err(ImportError::Replica(error));
            }
        }
        batch.notes.units = desk.units;
        let idle = self.is_idle();
        if idle {
            batch.unplaced = self.withheld.unplaced();
        }
        batch.done = self.done;
        batch.whole = self.whole.max(self.done);
        let empty = batch.notes == ImportNotes::default() && batch.problems.is_empty();
        if idle && empty && batch.counts.files == 0 {
            return Ok(None);
        }
        if self.reads_again {
            halves::say_again(&mut facts, replica, &mut self.looked_at)?;
            unread::take_back(&mut facts, replica)?;
        }
        let redactor = &self.withheld.privacy.redactor;
        ops_of(facts, redactor, replica, &mut self.remembered, &mut batch)?;
        Ok(Some(batch))
    }
}

impl Current {
    /// Opens the file of a job, and reads one that is read in one go; gives how many bytes are done with.
    fn begin(
        job: Job,
        replica: &Replica,
        sink: &mut Sink<'_, '_>,
    ) -> Result<(u64, Option<Self>), ImportError> {
        Ok(match job.form {
            Form::Lines | Form::Compressed => match Lined::open(job, replica, sink)? {
                Some(lined) => (lined.began(), Some(Self::Lines(Box::new(lined)))),
                None => (0, None),
            },
            Form::Database => {
                let stored = Stored::open(job, sink);
                (0, stored.map(|stored| Self::Database(Box::new(stored))))
            }
            Form::Whole => {
                whole::read(&job, sink);
                (job.length, None)
            }
        })
    }

    /// Reads about so many bytes on, and notes how far that was.
    fn read_on(&mut self, sink: &mut Sink<'_, '_>, bytes: u64) -> Progress {
        match self {
            Self::Lines(lined) => lined.read_on(sink, bytes),
            Self::Database(stored) => stored.read_on(sink, bytes),
        }
    }
}

impl Sink<'_, '_> {
    /// Counts what becomes of the units of a file.
    pub(super) fn tally<'p>(&'p mut self, path: &'p Path) -> Tally<'p> {
        Tally {
            path,
            counts: &mut self.batch.counts,
            problems: &mut self.batch.problems,
        }
    }

    /// Notes of which session `units` are that were counted as new, and have given the facts from `fact`
    /// on; those of several sessions count as new whatever becomes of them.
    pub(super) fn said(&mut self, fact: usize, units: u64) {
        let mut facts = self.facts.0[fact..].iter();
        if let Some(first) = facts.next()
            && facts.all(|other| other.session == first.session)
        {
            for said in [&mut self.batch.said, &mut self.batch.lately.said] {
                *said.entry(first.session).or_default() += units;
            }
        }
    }

    /// Says that something of a file was left out.
    pub(super) fn problem(&mut self, path: &Path, cause: String) {
        self.batch.problems.push(Problem {
            path: path.to_owned(),
            line: None,
            cause,
        });
    }
}

/// An error with its causes, as one text.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
