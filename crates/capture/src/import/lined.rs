//! Transcripts that are read line by line, on from where their last reading ended.

use std::borrow::Cow;

use syncline_replica::Replica;
use syncline_store::local::ImportedFile;

use super::batch::{MENDED, Tally};
use super::desk::{Desk, Since};
use super::jobs::{Form, Job};
use super::run::{Progress, Sink, with_causes};
use super::whole::Before;
use super::withhold::{is_anything_said, is_recorded};
use super::{ImportBatch, ImportError, Problem, outputs};
use crate::agent::Agent;
use crate::facts::{Fact, Reading, Verdict};
use crate::privacy::{Cause, Privacy};
use crate::reader::{Reader, version};
use crate::tail::{self, Contents, Lines, Mark, Standing, Tail};

const MEGABYTE: u64 = 1_000_000;
/// How much is read at most in one go of a file that has not told where its session takes place, or in which nobody
/// has spoken: what comes behind that is not waited for in a batch, and the file is held until it rests.
const UNTOLD_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// A file that is being read by lines.
#[derive(Debug)]
pub(super) struct Lined {
    job: Job,
    tail: Tail,
    lines: Lines<Contents>,
    reader: Reader,
    reading: Reading,
    /// The place in the order of the file up to which it was read. One that is read again, or was written
    /// anew, begins where it had come up to before.
    up_to: i64,
    /// Why something of it was left out.
    left_out: Option<Box<str>>,
    /// Whether nothing that was read of it has told where its session takes place. What is not known to be
    /// outside of rules and marks is not kept: it is read again from here.
    untold: bool,
    /// Whether nobody has spoken in what was read of it, and nothing is recorded of that.
    mute: bool,
}

/// What became of what was just read.
#[derive(Debug, Clone, Copy)]
enum Taken {
    Here,
    /// It is left out by a rule of the user or by a mark.
    Excluded,
}

/// The mark of a file; none: the file is to be read from its start, as the mark is of another version,
/// or something was left out for a cause that has gone.
pub(super) fn standing_mark(mark: &str, privacy: &Privacy) -> Option<Mark> {
    let mark: Mark = serde_json::from_str(mark).ok()?;
    let cause = mark.left_out.as_deref().map(str::to_owned).map(Cause);
    cause
        .is_none_or(|cause| privacy.stands(&cause))
        .then_some(mark)
}

impl Lined {
    /// Opens the file of a job where its last reading ended; none: there is nothing to read.
    pub(super) fn open(
        job: Job,
        replica: &Replica,
        sink: &mut Sink<'_, '_>,
    ) -> Result<Option<Self>, ImportError> {
        // Of a name that is no text it can't be noted how far it was read: each import reads it again.
        let before = job.key.to_str().map(|path| replica.imported_file(path));
        let before = before.transpose().map_err(ImportError::Replica)?.flatten();
        let is_own = |file: &ImportedFile| file.agent == job.agent.as_str();
        let before = before.filter(is_own);
        let up_to = before.as_ref().map_or(0, |file| {
            let mark: Option<Mark> = serde_json::from_str(&file.mark).ok();
            // An earlier build told no place; that many lines came up to this one, or further.
            mark.map_or(0, |mark| mark.up_to.max(mark.lines as i64))
        });
        let before = before.filter(|_| job.reading == Reading::On);
        let mark = before
            .as_ref()
            .and_then(|file| standing_mark(&file.mark, &sink.withheld.privacy));
        let tail = match tail::open(&job.path, mark.as_ref()) {
            Ok(Standing::Changed(tail)) => *tail,
            Ok(Standing::Unchanged) => return Ok(None),
            // It was there a moment ago, and its agent has removed it since.
            Err(tail::TailError::Gone { .. }) => return Ok(None),
            Err(error) => {
                sink.problem(&job.path, with_causes(&error));
                return Ok(None);
            }
        };
        let reading = match mark.as_ref().is_some_and(|mark| mark.again) {
            true => Reading::Again,
            false => job.reading,
        };
        // Of a file that nothing was read of there is no memory, and what its place tells now may be more.
        let goes_on = mark.as_ref().is_some_and(|mark| mark.offset > 0) && !tail.restarted;
        let memory = before
            .filter(|_| goes_on)
            .and_then(|file| serde_json::from_str(&file.memory).ok());
        let reader = memory.unwrap_or_else(|| Reader::of(job.agent, &job.path));
        let lines = match job.form {
            Form::Compressed => tail.packed_lines(),
            Form::Lines | Form::Whole | Form::Database => tail.lines(),
        };
        match lines {
            Ok(lines) => Ok(Some(Self {
                left_out: lines.position().left_out,
                untold: lines.offset() == 0 || lines.position().untold,
                mute: true,
                job,
                tail,
                lines,
                reader,
                reading,
                up_to,
            })),
            Err(error) => {
                sink.problem(&job.path, with_causes(&error));
                Ok(None)
            }
        }
    }

    /// Up to where it was read before, in bytes.
    pub(super) fn began(&self) -> u64 {
        self.lines.offset()
    }

    /// Reads about so many bytes on, and notes how far that was.
    pub(super) fn read_on(&mut self, sink: &mut Sink<'_, '_>, bytes: u64) -> Progress {
        sink.desk.reading = self.reading;
        let before = self.lines.offset();
        let end = before.saturating_add(bytes);
        let begun = Before::of(sink);
        let (ended, fault) = match self.read(sink, end) {
            Ok(ended) => (ended, None),
            Err(fault) => (true, Some(fault)),
        };
        let since = Since::of(sink);
        match ended {
            true => self.reader.end(sink.facts),
            false => self.reader.pause(sink.facts),
        }
        self.settle(since, sink);
        let is_untold = self.untold && begun.waits(sink);
        let rests = self.job.rests(sink.desk.replica.now());
        // Asked last: it looks at all of the batch.
        if !rests && (is_untold || ((ended || self.mute) && begun.is_mute(sink))) {
            begun.hold(sink);
            self.tell_fault(fault, sink);
            return Progress {
                done: self.lines.offset().saturating_sub(before),
                ended: true,
            };
        }
        self.tell_fault(fault, sink);
        if is_untold {
            self.untold = ended;
        }
        self.reader.redact(&sink.withheld.privacy.redactor);
        let mark = match (self.job.form, ended) {
            // There is no place in it to go on from: until it is read to its end, it was never read.
            (Form::Compressed, false) => None,
            (Form::Compressed, true) => Some(Ok(self.tail.mark_of_whole())),
            (_, true) => Some(self.tail.mark_at_end(&self.lines)),
            (_, false) => Some(self.tail.mark_midway(&self.lines)),
        };
        if let Some(mut mark) = mark {
            if let Ok(mark) = &mut mark {
                mark.left_out.clone_from(&self.left_out);
                mark.up_to = self.up_to;
                mark.untold = self.untold;
                mark.reader = version(self.job.agent);
                mark.again = self.reading == Reading::Again && !ended;
            }
            let note = self.note(mark, sink.batch);
            sink.batch.notes.files.extend(note);
        }
        Progress {
            done: self.lines.offset().saturating_sub(before),
            ended,
        }
    }

    /// Reads lines up to the byte `end`, and on until it is told where they take place and somebody has spoken; whether
    /// the file has no more, or why no more can be read.
    fn read(&mut self, sink: &mut Sink<'_, '_>, end: u64) -> Result<bool, String> {
        let until_told = end.max(self.lines.offset().saturating_add(UNTOLD_BYTES_MAX));
        while sink.desk.failed.is_none() {
            let waits = self.untold || self.mute;
            let end = if waits { until_told } else { end };
            if self.lines.offset() >= end {
                break;
            }
            let (text, number, fault) = match self.lines.next_line() {
                Ok(None) => return Ok(true),
                Ok(Some(Ok(line))) => {
                    let fault = line.mended.then(|| MENDED.to_owned());
                    (Cow::Borrowed(line.text), line.number, fault)
                }
                Ok(Some(Err(long))) => {
                    let size = long.bytes.div_ceil(MEGABYTE);
                    let kept = match long.is_shortened {
                        true => "its long texts are cut short",
                        false => "no more is kept of it than its ids",
                    };
                    let fault = format!("it has {size} MB: {kept}");
                    (Cow::Owned(long.stub), long.number, Some(fault))
                }
                Err(error) => return Err(error.to_string()),
            };
            let since = Since::of(sink);
            let verdict = self.reader.line(number, &text, sink.desk, sink.facts);
            self.come_on();
            let verdict = match self.settle(since, sink) {
                Taken::Excluded => Verdict::Excluded,
                Taken::Here => verdict,
            };
            if matches!(verdict, Verdict::New) {
                sink.said(since.fact, 1);
            }
            tell(verdict, number, fault, &mut sink.tally(&self.job.path));
        }
        Ok(false)
    }

    /// Says why no more of the file can be read, also where what was read is held.
    fn tell_fault(&self, fault: Option<String>, sink: &mut Sink<'_, '_>) {
        if let Some(fault) = fault {
            sink.problem(&self.job.path, fault);
        }
    }

    /// Takes what was just found for this file, unless it is to be left out.
    fn settle(&mut self, since: Since, sink: &mut Sink<'_, '_>) -> Taken {
        let fact = since.fact;
        sink.facts.come_up_to(fact, Some(self.up_to));
        if self.job.agent == Agent::ClaudeCode {
            outputs::put_whole(&mut sink.facts.0[fact..], &self.job.path);
        }
        let left_out = sink.withheld.sift(sink.facts, since, sink.desk);
        let said = sink.facts.0.get(fact..).unwrap_or_default();
        if self.untold && !said.is_empty() {
            self.untold = sink.withheld.waits(said);
        }
        self.mute = self.mute && is_mute(said, sink.desk);
        let Some(cause) = sink.batch.left_out(left_out) else {
            return Taken::Here;
        };
        self.left_out = Some(cause.into());
        Taken::Excluded
    }

    /// Notes that a line was read: what has no time of its own is later than the line before.
    fn come_on(&mut self) {
        let next = match self.reading {
            Reading::On => self.up_to.saturating_add(1),
            Reading::Again => self.up_to,
        };
        self.up_to = next.max(self.reader.order().unwrap_or_default());
    }

    /// How far it has been read, to be written with the batch.
    fn note(
        &self,
        mark: Result<Mark, tail::TailError>,
        batch: &mut ImportBatch,
    ) -> Option<ImportedFile> {
        match mark {
            Ok(mark) => Some(ImportedFile {
                path: self.job.key.to_str()?.to_owned(),
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

/// Whether nobody speaks in these facts, and none is of a session that is recorded.
fn is_mute(facts: &[Fact], desk: &mut Desk<'_>) -> bool {
    let mut own = facts.iter().filter(|fact| fact.apart.is_none());
    !is_anything_said(facts) && !own.any(|fact| is_recorded(fact.session, desk))
}

/// Counts a line, and says once what is wrong with it; what is known was said before.
fn tell(verdict: Verdict, number: u64, fault: Option<String>, tally: &mut Tally<'_>) {
    let number = Some(number);
    match (verdict, fault) {
        (Verdict::Damaged(cause), Some(fault)) => {
            tally.count(Verdict::Damaged(format!("{fault}; {cause}")), number);
        }
        (verdict @ (Verdict::New | Verdict::Idle | Verdict::NotUnderstood), Some(fault)) => {
            tally.count(verdict, number);
            tally.problem(number, fault);
        }
        (verdict, _) => tally.count(verdict, number),
    }
}
