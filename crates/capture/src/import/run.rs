//! The run of an import: file after file, batch after batch.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::path::PathBuf;

use syncline_model::PayloadError;
use syncline_replica::{Replica, ReplicaError};
use syncline_store::local::{ImportNotes, ImportedFile, ImportedUnit};

use super::batch::Tally;
use super::jobs::{self, Form, Job, Source};
use super::prepare::ops_of;
use super::{ImportBatch, Problem, whole};
use crate::facts::{Facts, Known, UnitKey, Verdict};
use crate::reader::Reader;
use crate::redact::Redactor;
use crate::tail::{self, LINE_BYTES_MAX, Lines, Mark, Standing, Tail};

/// How many bytes of transcripts go into a batch. Large enough that a commit that waits for the disk
/// is cheap beside it, small enough to be held and folded at once.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
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
}

/// An import under way.
#[derive(Debug)]
pub struct Importer {
    jobs: VecDeque<Job>,
    current: Option<Current>,
    keeping: Keeping,
    redactor: Redactor,
    /// What was noted and is not yet in the replica.
    noted: HashMap<UnitKey, Vec<u8>>,
    unchanged: u64,
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
}

impl Importer {
    /// Looks for what has changed in `sources`.
    pub fn new(
        sources: &[Source],
        keeping: Keeping,
        redactor: Redactor,
        replica: &Replica,
    ) -> Result<Self, ImportError> {
        let mut importer = Self {
            jobs: VecDeque::new(),
            current: None,
            keeping,
            redactor,
            noted: HashMap::new(),
            unchanged: 0,
            problems: Vec::new(),
            done: 0,
            whole: 0,
        };
        for source in sources {
            let marks = replica
                .imported_marks(source.agent.as_str())
                .map_err(ImportError::Replica)?;
            let marks = marks.into_iter().filter_map(|(path, mark)| {
                // A mark of another version is none: the file is read again.
                Some((path, serde_json::from_str::<Mark>(&mark).ok()?))
            });
            let found = jobs::find(
                source,
                &marks.collect(),
                &mut importer.unchanged,
                &mut importer.problems,
            );
            importer.jobs.extend(found);
        }
        importer.whole = importer.jobs.iter().map(|job| job.length).sum();
        Ok(importer)
    }

    /// How many files had not changed.
    pub fn unchanged(&self) -> u64 {
        self.unchanged
    }

    /// The next batch; none at the end. What the one before holds must be in the replica by now,
    /// unless batches are discarded.
    pub fn next_batch(&mut self, replica: &Replica) -> Result<Option<ImportBatch>, ImportError> {
        if self.keeping == Keeping::Written {
            self.noted.clear();
        }
        let mut batch = ImportBatch {
            problems: std::mem::take(&mut self.problems),
            ..ImportBatch::default()
        };
        let mut facts = Facts::default();
        let mut desk = Desk {
            replica,
            noted: &mut self.noted,
            units: Vec::new(),
            failed: None,
        };
        let limit = self.done + BATCH_BYTES;
        while self.done < limit && batch.counts.files < BATCH_FILES {
            if let Some(current) = &mut self.current {
                let before = current.lines.offset();
                let ended = current.read(&mut batch, &mut desk, &mut facts, limit - self.done);
                self.done += current.lines.offset().saturating_sub(before);
                current.reader.redact(&self.redactor);
                let mark = match ended {
                    true => current.tail.mark_at_end(&current.lines),
                    false => current.tail.mark_midway(&current.lines),
                };
                let note = current.note(mark, &mut batch);
                batch.notes.files.extend(note);
                if ended {
                    self.current = None;
                }
            } else if let Some(job) = self.jobs.pop_front() {
                batch.counts.files += 1;
                self.done += 1;
                let length = job.length;
                match open(job, replica, &mut batch)? {
                    Some(current) if current.job.form == Form::Lines => {
                        self.done += current.began;
                        self.current = Some(current);
                    }
                    Some(current) => {
                        whole::read(
                            &current.job,
                            &current.tail,
                            &mut batch,
                            &mut desk,
                            &mut facts,
                        );
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
        let idle = self.current.is_none() && self.jobs.is_empty();
        batch.notes.units = desk.units;
        batch.done = self.done;
        batch.whole = self.whole.max(self.done);
        let empty = batch.notes == ImportNotes::default() && batch.problems.is_empty();
        if idle && empty && batch.counts.files == 0 {
            return Ok(None);
        }
        batch.ops = ops_of(facts, &self.redactor, &mut batch.counts.redacted)
            .map_err(ImportError::Payload)?;
        Ok(Some(batch))
    }
}

/// Opens the file of a job where its last reading ended; none: there is nothing to read.
fn open(
    job: Job,
    replica: &Replica,
    batch: &mut ImportBatch,
) -> Result<Option<Current>, ImportError> {
    let path = job.path.to_string_lossy().into_owned();
    let before = replica
        .imported_file(&path)
        .map_err(ImportError::Replica)?
        .filter(|file| file.agent == job.agent.as_str());
    let mark = before
        .as_ref()
        .and_then(|file| serde_json::from_str::<Mark>(&file.mark).ok());
    let mut fail = |path: PathBuf, cause: String| {
        batch.problems.push(Problem {
            path,
            line: None,
            cause,
        });
    };
    let tail = match tail::open(&job.path, mark.as_ref()) {
        Ok(Standing::Changed(tail)) => tail,
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
    /// Reads lines until `bytes` of them are read; whether the file has no more.
    fn read(
        &mut self,
        batch: &mut ImportBatch,
        desk: &mut Desk<'_>,
        facts: &mut Facts,
        bytes: u64,
    ) -> bool {
        let mut tally = Tally {
            path: &self.job.path,
            counts: &mut batch.counts,
            problems: &mut batch.problems,
        };
        let end = self.lines.offset().saturating_add(bytes);
        while self.lines.offset() < end && desk.failed.is_none() {
            match self.lines.next_line() {
                Ok(None) => return true,
                Ok(Some(Ok(line))) => {
                    let number = Some(line.number);
                    if line.mended {
                        let cause = "it has bytes that are no text; they are left out";
                        tally.problem(number, cause.to_owned());
                    }
                    tally.count(self.reader.line(line.text, desk, facts), number);
                }
                Ok(Some(Err(fault))) => {
                    let cause = format!("it has more than {LINE_BYTES_MAX} bytes");
                    tally.count(Verdict::Damaged(cause), Some(fault.number));
                }
                Err(error) => {
                    tally.problem(None, error.to_string());
                    return true;
                }
            }
        }
        false
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

/// What readers ask about units, answered by the replica and by what this batch has noted.
pub(super) struct Desk<'r> {
    replica: &'r Replica,
    noted: &'r mut HashMap<UnitKey, Vec<u8>>,
    units: Vec<ImportedUnit>,
    failed: Option<ReplicaError>,
}

impl Known for Desk<'_> {
    fn noted(&mut self, key: UnitKey) -> Option<Vec<u8>> {
        if let Some(note) = self.noted.get(&key) {
            return Some(note.clone());
        }
        match self.replica.imported_unit(&key.0) {
            Ok(note) => note,
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }

    fn note(&mut self, key: UnitKey, note: &[u8]) {
        self.noted.insert(key, note.to_owned());
        self.units.push(ImportedUnit {
            key: key.0,
            note: note.to_owned(),
        });
    }
}
