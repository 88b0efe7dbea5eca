//! Files that are read as one value.

use std::collections::HashSet;
use std::path::Path;

use syncline_store::local::ImportedFile;

use super::batch::{Lately, Tally};
use super::desk::Since;
use super::jobs::{Job, beside};
use super::run::{Sink, with_causes};
use super::withhold::{is_anything_said, is_recorded};
use crate::facts::Fact;
use crate::reader::{Reader, version};
use crate::tail::{self, BYTE_ORDER_MARK, Mark, Standing, Tail, TailError};

/// The largest file that is read as one value: a session of months.
const WHOLE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads the file of a job, and notes it as read, unless it could not be.
pub(super) fn read(job: &Job, sink: &mut Sink<'_, '_>) {
    let Some(tail) = open(job, sink) else {
        return;
    };
    // Looked at before it is read: what is written meanwhile is seen the next time.
    let beside = beside(job.agent, job.form, &job.path);
    let bytes = match tail.whole(WHOLE_BYTES_MAX) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let cause = format!("it has more than {} MB", WHOLE_BYTES_MAX / 1_000_000);
            return sink.problem(&job.path, cause);
        }
        Err(error) => return sink.problem(&job.path, with_causes(&error)),
    };
    sink.desk.reading = job.reading;
    sink.desk.torn = false;
    sink.desk.settles = false;
    let mut reader = Reader::of(job.agent, &job.path);
    let before = Before::of(sink);
    let mut tally = Tally {
        path: &job.path,
        counts: &mut sink.batch.counts,
        problems: &mut sink.batch.problems,
    };
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    let from = sink.facts.0.len();
    reader.whole(&job.path, text, sink.desk, sink.facts, &mut tally);
    sink.facts.come_up_to(from, reader.order());
    let left_out = before.sift(sink);
    if holds(job, &before, sink) {
        return before.hold(sink);
    }
    if sink.desk.settles {
        // It is read again, until what settles is whole or has rested.
        sink.batch.waiting += 1;
        return;
    }
    let mut mark = tail.mark_of_whole();
    mark.beside = beside;
    mark.left_out = left_out.map(Into::into);
    note(job, &job.key, mark, &reader, sink);
}

/// Whether what was read of a file is not kept yet.
fn holds(job: &Job, before: &Before, sink: &mut Sink<'_, '_>) -> bool {
    let is_torn = sink.desk.torn && !before.said(sink).is_empty();
    let is_untold = before.waits(sink);
    // It may tell a place where nobody can read it: as long as rules might hold for that, nothing is kept.
    let may_be_closed = is_torn && is_untold && sink.withheld.privacy.has_rules_of_place();
    may_be_closed
        || (!job.rests(sink.desk.replica.now()) && (is_torn || is_untold || before.is_mute(sink)))
}

/// Opens the file of a job that is read whole each time; none: it has gone, or can't be read.
pub(super) fn open(job: &Job, sink: &mut Sink<'_, '_>) -> Option<Tail> {
    match tail::open(&job.path, None) {
        Ok(Standing::Changed(tail)) => Some(*tail),
        // It was there a moment ago, and its agent has removed it since.
        Ok(Standing::Unchanged) | Err(TailError::Gone { .. }) => None,
        Err(error) => {
            sink.problem(&job.path, with_causes(&error));
            None
        }
    }
}

/// Notes a file of a job as read.
pub(super) fn note(
    job: &Job,
    path: &Path,
    mut mark: Mark,
    reader: &Reader,
    sink: &mut Sink<'_, '_>,
) {
    let Some(path) = path.to_str() else { return };
    mark.reader = version(job.agent);
    sink.batch.notes.files.push(ImportedFile {
        path: path.to_owned(),
        agent: job.agent.as_str().to_owned(),
        mark: serde_json::to_string(&mark).expect("a mark is written as JSON"),
        memory: serde_json::to_string(reader).expect("a memory is written as JSON"),
    });
}

/// How far a batch had come before something was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    problems: usize,
    counts: super::Counts,
}

impl Before {
    pub(super) fn of(sink: &mut Sink<'_, '_>) -> Self {
        sink.batch.lately = Lately::default();
        sink.desk.since = Since::of(sink);
        Self {
            problems: sink.batch.problems.len(),
            counts: sink.batch.counts,
        }
    }

    /// Takes back what was read since.
    pub(super) fn take_back(&self, sink: &mut Sink<'_, '_>) {
        sink.facts.0.truncate(sink.desk.since.fact);
        sink.desk.forget_since(sink.desk.since.unit);
        sink.batch.problems.truncate(self.problems);
        sink.batch.counts = self.counts;
    }

    /// Whether what was read since waits until something tells where it takes place.
    pub(super) fn waits(&self, sink: &Sink<'_, '_>) -> bool {
        let facts = self.said(sink);
        !facts.is_empty() && sink.withheld.waits(facts)
    }

    /// Whether nobody has spoken yet in the sessions of which something was read since: what is said first may be marked.
    /// Where somebody has in one of them, those that are only named beside it keep it from nobody.
    pub(super) fn is_mute(&self, sink: &mut Sink<'_, '_>) -> bool {
        // What is told of a session that is elsewhere says nothing of this one.
        let own = self.said(sink).iter().filter(|fact| fact.apart.is_none());
        let sessions: HashSet<_> = own.map(|fact| fact.session).collect();
        let is_any = !sessions.is_empty();
        is_any
            && sessions.into_iter().all(|session| {
                let is_said = |facts: &[Fact]| {
                    is_anything_said(facts.iter().filter(|fact| fact.session == session))
                };
                // Those of the whole batch are many.
                !is_said(self.said(sink))
                    && !is_said(&sink.facts.0)
                    && !is_recorded(session, sink.desk)
            })
    }

    /// What was read since.
    pub(super) fn said<'s>(&self, sink: &'s Sink<'_, '_>) -> &'s [Fact] {
        &sink.facts.0[sink.desk.since.fact..]
    }

    /// Takes back what was read since, and what was noted of it: its file is read again from there.
    pub(super) fn hold(&self, sink: &mut Sink<'_, '_>) {
        for fact in &sink.facts.0[sink.desk.since.fact..] {
            sink.withheld.forget_unplaced(fact.session);
        }
        self.take_back(sink);
        sink.batch.hold();
    }

    /// How many bytes of text were read since, and what little more goes with them.
    pub(super) fn weight(&self, sink: &Sink<'_, '_>) -> u64 {
        sink.facts.weight_since(sink.desk.since.fact)
    }

    /// Takes out what is to be left out of what was read since; why, if anything is.
    pub(super) fn sift(&self, sink: &mut Sink<'_, '_>) -> Option<String> {
        let since = sink.desk.since;
        let left_out = sink.withheld.sift(sink.facts, since, sink.desk);
        if left_out.cause.is_some() && self.said(sink).is_empty() {
            // All of it was: what was counted as new is not.
            let counts = &mut sink.batch.counts;
            counts.excluded += counts.new - self.counts.new;
            counts.new = self.counts.new;
        } else if left_out.cause.is_none() {
            sink.said(since.fact, sink.batch.counts.new - self.counts.new);
        }
        sink.batch.left_out(left_out)
    }
}
