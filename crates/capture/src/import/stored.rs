//! Databases of agents, read session by session: in as many batches as it takes, however large they are.

use std::collections::VecDeque;

use syncline_store::StoreError;
use syncline_store::foreign::ForeignDatabase;

use super::batch::Tally;
use super::jobs::{Job, log_of};
use super::rest::tell_rest;
use super::run::{Progress, Sink, with_causes};
use super::whole::{self, Before};
use crate::reader::Reader;
use crate::tail::{self, Standing, Tail};
use crate::unit::Unit;

/// A database that is being read.
#[derive(Debug)]
pub(super) struct Stored {
    job: Job,
    tail: Tail,
    /// The file of what was written last.
    log: Option<Tail>,
    database: ForeignDatabase,
    reader: Reader,
    /// What has yet to be read: sessions, or other units that are read in one go.
    units: VecDeque<String>,
    /// Why something of it was left out.
    left_out: Option<Box<str>>,
    /// Whether all of it could be read, and nothing waits.
    is_whole: bool,
    done: u64,
}

impl Stored {
    /// Opens the database of a job, and finds what is in it; none: it can't be read.
    pub(super) fn open(job: Job, sink: &mut Sink<'_, '_>) -> Option<Self> {
        // Looked at before it is read: what is written meanwhile is seen the next time.
        let tail = whole::open(&job, sink)?;
        let log = match tail::open(&log_of(&job.path), None) {
            Ok(Standing::Changed(log)) => Some(*log),
            Ok(Standing::Unchanged) | Err(_) => None,
        };
        let database = match ForeignDatabase::open(&job.path) {
            Ok(database) => database,
            Err(error) => {
                sink.problem(&job.path, with_causes(&error));
                return None;
            }
        };
        let mut stored = Self {
            reader: Reader::of(job.agent, &job.path),
            job,
            tail,
            log,
            database,
            units: VecDeque::new(),
            left_out: None,
            is_whole: true,
            done: 0,
        };
        match stored.ask(None, sink) {
            Ok(units) => stored.units = units.into(),
            Err(failed) => {
                sink.problem(&stored.job.path, failed.cause);
                return None;
            }
        }
        Some(stored)
    }

    /// Reads on until about so many bytes of text are found.
    pub(super) fn read_on(&mut self, sink: &mut Sink<'_, '_>, bytes: u64) -> Progress {
        sink.desk.reading = self.job.reading;
        let mut done = 0;
        while let Some(unit) = self.units.pop_front() {
            let before = Before::of(sink);
            match self.ask(Some(&unit), sink) {
                Ok(_) => {
                    done += before.weight(sink).max(1);
                    if let Some(cause) = before.sift(sink) {
                        self.left_out = Some(cause.into());
                    }
                    // It is read with all that it says: without rules by place nothing more is waited for.
                    let may_wait = sink.withheld.privacy.has_rules_of_place() && before.waits(sink);
                    if may_wait && !self.rests(&before, sink) {
                        before.hold(sink);
                        self.is_whole = false;
                    }
                }
                Err(failed) => {
                    sink.problem(&self.job.path, failed.cause);
                    self.is_whole = false;
                    if failed.is_for_all {
                        self.units.clear();
                    }
                }
            }
            if (done >= bytes && !self.units.is_empty()) || sink.desk.failed.is_some() {
                self.done += done;
                return Progress { done, ended: false };
            }
        }
        self.note(sink);
        Progress {
            done: done.max(self.job.length.saturating_sub(self.done)),
            ended: true,
        }
    }

    /// Whether nobody has written to the unit that was read since `before` for a while, though others of its database
    /// be in use.
    fn rests(&self, before: &Before, sink: &Sink<'_, '_>) -> bool {
        let now = sink.desk.replica.now();
        tell_rest(before.said(sink), now) || self.job.rests(now)
    }

    /// Reads a unit, or what units there are; nothing is taken of what can't be read.
    fn ask(&mut self, unit: Option<&str>, sink: &mut Sink<'_, '_>) -> Result<Vec<String>, Failed> {
        loop {
            let before = Before::of(sink);
            let mut tally = Tally {
                path: &self.job.path,
                counts: &mut sink.batch.counts,
                problems: &mut sink.batch.problems,
            };
            let database = &self.database;
            let read = match unit {
                None => self.reader.units(database, &mut tally),
                Some(name) => {
                    let unit = Unit {
                        database,
                        name,
                        known: sink.desk,
                        facts: sink.facts,
                        tally: &mut tally,
                    };
                    self.reader.unit(unit).map(|()| Vec::new())
                }
            };
            let was_written_to = self.database.was_written_to();
            if read.is_err() || was_written_to {
                before.take_back(sink);
            }
            if !was_written_to {
                return read.map_err(|error| Failed {
                    is_for_all: matches!(error, StoreError::Busy(_)),
                    cause: with_causes(&error),
                });
            }
            // From here on its writers are kept away while it is read.
            let database = ForeignDatabase::open_locked(&self.job.path);
            self.database = database.map_err(|error| Failed {
                cause: with_causes(&error),
                is_for_all: true,
            })?;
        }
    }

    /// Notes the database as read, unless some of it could not be, or waits.
    fn note(&self, sink: &mut Sink<'_, '_>) {
        if !self.is_whole {
            return;
        }
        let log = self.log.iter().map(|log| (log_of(&self.job.key), log));
        for (path, tail) in [(self.job.key.clone(), &self.tail)].into_iter().chain(log) {
            let mut mark = tail.mark_of_whole();
            mark.left_out.clone_from(&self.left_out);
            whole::note(&self.job, &path, mark, &self.reader, sink);
        }
    }
}

/// Why something of a database could not be read.
struct Failed {
    cause: String,
    /// Whether the same would be so of all else in it.
    is_for_all: bool,
}
