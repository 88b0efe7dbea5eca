//! The run of an import: file after file, batch after batch.

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;

use syncline_model::PayloadError;
use syncline_replica::{Replica, ReplicaError};
use syncline_store::local::{ImportNotes, ImportedFile, WriteError};

use super::batch::Tally;
use super::desk::{Desk, Remembered};
use super::jobs::{self, Form, Job, Source};
use super::prepare::ops_of;
use super::withhold::Withheld;
use super::{ImportBatch, Problem, whole};
use crate::facts::{Facts, Verdict};
use crate::privacy::{Cause, Privacy};
use crate::reader::Reader;
use crate::tail::{self, LINE_BYTES_MAX, Lines, Mark, Standing, Tail};

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
    withheld: Withheld,
    pub(super) remembered: Remembered,
    unchanged: u64,
    excluded: u64,
    problems: Vec<Problem>,
    done: u64,
    whole: u64,
}

/// A file that is being read by lines.
#[derive(Debug)]
struct Current {
    job: Job,
    tail: Tail,
    lines: Lines<File>,
    reader: Reader,
    /// Of the file, when the reading began.
    began: u64,
    /// Why something of it was left out.
    left_out: Option<Box<str>>,
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
            withheld: Withheld::new(privacy),
            remembered: Remembered {
                any_known: replica.has_sessions().map_err(ImportError::Replica)?,
                ..Remembered::default()
            },
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
            let marks = jobs::marks_in(source, replica).map_err(ImportError::Replica)?;
            let privacy = &importer.withheld.privacy;
            let stands = |mark: &String| {
                !Mark::says_left_out(mark) || standing_mark(mark, privacy).is_some()
            };
            let marks = marks.into_iter().filter(|(_, mark)| stands(mark)).collect();
            let found = jobs::find(
                source,
                &importer.withheld.privacy,
                &marks,
                &mut importer.unchanged,
                &mut importer.excluded,
                &mut importer.problems,
            );
            importer.jobs.extend(found);
        }
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
            failed: None,
        };
        let limit = self.done + self.batch_bytes;
        while self.done < limit && batch.counts.files < BATCH_FILES {
            if let Some(current) = &mut self.current {
                let before = current.lines.offset();
                let mut sink = Sink {
                    batch: &mut batch,
                    desk: &mut desk,
                    facts: &mut facts,
                    withheld: &mut self.withheld,
                };
                let ended = current.read_on(&mut sink, limit - self.done);
                self.done += current.lines.offset().saturating_sub(before);
                if ended {
                    self.current = None;
                }
            } else if let Some(job) = self.jobs.pop_front() {
                batch.counts.files += 1;
                self.done += 1;
                let length = job.length;
                match open(job, replica, &self.withheld.privacy, &mut batch)? {
                    Some(current) if current.job.form == Form::Lines => {
                        self.done += current.began;
                        self.current = Some(current);
                    }
                    Some(current) => {
                        let mut sink = Sink {
                            batch: &mut batch,
                            desk: &mut desk,
                            facts: &mut facts,
                            withheld: &mut self.withheld,
                        };
                        whole::read(&current.job, &current.tail, &mut sink);
                        self.done += length;
                    }
                    None => {}
                }
            } else {
                break;
            }
            if let Some(error) = desk.failed.take() {
                return Err(ImportError::Replica(error));
            }
        }
        batch.notes.units = desk.units;
        let idle = self.is_idle();
        batch.done = self.done;
        batch.whole = self.whole.max(self.done);
        let empty = batch.notes == ImportNotes::default() && batch.problems.is_empty();
        if idle && empty && batch.counts.files == 0 {
            return Ok(None);
        }
        let redactor = &self.withheld.privacy.redactor;
        ops_of(facts, redactor, replica, &mut self.remembered, &mut batch)?;
        Ok(Some(batch))
    }
}

/// The mark of a file; none: the file is to be read from its start, as the mark is of another version,
/// or something was left out for a cause that has gone.
fn standing_mark(mark: &str, privacy: &Privacy) -> Option<Mark> {
    let mark: Mark = serde_json::from_str(mark).ok()?;
    let cause = mark.left_out.as_deref().map(str::to_owned).map(Cause);
    cause
        .is_none_or(|cause| privacy.stands(&cause))
        .then_some(mark)
}

/// Opens the file of a job where its last reading ended; none: there is nothing to read.
fn open(
    job: Job,
    replica: &Replica,
    privacy: &Privacy,
    batch: &mut ImportBatch,
) -> Result<Option<Current>, ImportError> {
    let path = job.path.to_string_lossy().into_owned();
    let before = replica
        .imported_file(&path)
        .map_err(ImportError::Replica)?
        .filter(|file| file.agent == job.agent.as_str());
    let mark = before
        .as_ref()
        .and_then(|file| standing_mark(&file.mark, privacy));
    let mut fail = |path: PathBuf, cause: String| {
        batch.problems.push(Problem {
            path,
            line: None,
            cause,
        });
    };
    let tail = match tail::open(&job.path, mark.as_ref()) {
        Ok(Standing::Changed(tail)) => *tail,
        Ok(Standing::Unchanged) => return Ok(None),
        // It was there a moment ago, and its agent has removed it since.
        Err(tail::TailError::Gone { .. }) => return Ok(None),
        Err(error) => {
            fail(job.path, with_causes(&error));
            return Ok(None);
        }
    };
    let memory = before
        .filter(|_| mark.is_some() && !tail.restarted)
        .and_then(|file| serde_json::from_str(&file.memory).ok());
    let reader = memory.unwrap_or_else(|| Reader::of(job.agent, &job.path));
    match tail.lines() {
        Ok(lines) => Ok(Some(Current {
            began: lines.offset(),
            left_out: lines.position().left_out,
            job,
            tail,
            lines,
            reader,
        })),
        Err(error) => {
            fail(job.path, error.to_string());
            Ok(None)
        }
    }
}

impl Current {
    /// Reads about so many bytes, and notes how far that was; whether the file has no more.
    fn read_on(&mut self, sink: &mut Sink<'_, '_>, bytes: u64) -> bool {
        let end = self.lines.offset().saturating_add(bytes);
        let ended = self.read(sink, end);
        self.reader.redact(&sink.withheld.privacy.redactor);
        let mut mark = match ended {
            true => self.tail.mark_at_end(&self.lines),
            false => self.tail.mark_midway(&self.lines),
        };
        if let Ok(mark) = &mut mark {
            mark.left_out.clone_from(&self.left_out);
        }
        let note = self.note(mark, sink.batch);
        sink.batch.notes.files.extend(note);
        ended
    }

    /// Reads lines up to the byte `end`; whether the file has no more.
    fn read(&mut self, sink: &mut Sink<'_, '_>, end: u64) -> bool {
        let mut ended = false;
        while !ended && self.lines.offset() < end && sink.desk.failed.is_none() {
            let mut tally = Tally {
                path: &self.job.path,
                counts: &mut sink.batch.counts,
                problems: &mut sink.batch.problems,
            };
            match self.lines.next_line() {
                Ok(None) => ended = true,
                Ok(Some(Ok(line))) => {
                    let number = Some(line.number);
                    if line.mended {
                        let cause = "it has bytes that are no text; they are left out";
                        tally.problem(number, cause.to_owned());
                    }
                    let (fact, unit) = (sink.facts.0.len(), sink.desk.units.len());
                    let verdict = self.reader.line(line.text, sink.desk, sink.facts);
                    let left_out = sink.withheld.sift(sink.facts, fact, sink.desk, unit);
                    let verdict = match left_out.cause {
                        Some(cause) => {
                            self.left_out = Some(cause.into());
                            Verdict::Excluded
                        }
                        None => verdict,
                    };
                    sink.batch.marked_late.extend(left_out.too_late);
                    tally.count(verdict, number);
                }
                Ok(Some(Err(fault))) => {
                    let cause = format!("it has more than {LINE_BYTES_MAX} bytes");
                    tally.count(Verdict::Damaged(cause), Some(fault.number));
                }
                Err(error) => {
                    tally.problem(None, error.to_string());
                    ended = true;
                }
            }
        }
        ended
    }

    /// How far it has been read, to be written with the batch.
    fn note(
        &self,
        mark: Result<Mark, tail::TailError>,
        batch: &mut ImportBatch,
    ) -> Option<ImportedFile> {
        match mark {
            Ok(mark) => Some(ImportedFile {
                path: self.job.path.to_str()?.to_owned(),
                agent: self.job.agent.as_str().to_owned(),
                mark: serde_json::to_string(&mark).expect("a mark is written as JSON"),
                memory: serde_json::to_string(&self.reader).expect("a memory is written as JSON"),
            }),
            // It has vanished behind us: what was read of it is taken all the same.
            Err(tail::TailError::Gone { .. }) => None,
            Err(error) => {
                batch.problems.push(Problem {
                    path: self.job.path.clone(),
                    line: None,
                    cause: with_causes(&error),
                });
                None
            }
        }
    }
}

/// An error with its causes, as one text.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
