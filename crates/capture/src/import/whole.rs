//! Files that are read in one go: values, and databases.

use std::path::Path;

use syncline_store::foreign::ForeignDatabase;
use syncline_store::local::ImportedFile;

use super::batch::Tally;
use super::desk::Desk;
use super::jobs::{Form, Job, log_of};
use super::run::{Sink, with_causes};
use crate::facts::Facts;
use crate::reader::Reader;
use crate::tail::{self, Standing, Tail};

/// The largest file that is read as one value: a session of months.
const WHOLE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads the file of a job, and notes it as read.
pub(super) fn read(job: &Job, tail: &Tail, sink: &mut Sink<'_, '_>) {
    let mut reader = Reader::of(job.agent, &job.path);
    // Looked at before it is read: what is written meanwhile is seen the next time.
    let log = match tail::open(&log_of(&job.path), None) {
        Ok(Standing::Changed(log)) if job.form == Form::Database => Some(*log),
        Ok(_) | Err(_) => None,
    };
    let before = sink.batch.counts.new;
    let (fact, unit) = (sink.facts.0.len(), sink.desk.units.len());
    let mut tally = Tally {
        path: &job.path,
        counts: &mut sink.batch.counts,
        problems: &mut sink.batch.problems,
    };
    let read = match job.form {
        Form::Database => database(&mut reader, &job.path, sink.desk, sink.facts, &mut tally),
        Form::Lines | Form::Whole | Form::Compressed => {
            value(&mut reader, job, tail, sink.desk, sink.facts, &mut tally)
        }
    };
    if let Err(cause) = read {
        tally.problem(None, cause);
    }
    let left_out = sink.withheld.sift(sink.facts, fact, sink.desk, unit);
    sink.batch.marked_late.extend(left_out.too_late);
    if left_out.cause.is_some() && sink.facts.0.len() <= fact {
        // All of it was: what was counted as new is not.
        let counts = &mut sink.batch.counts;
        counts.excluded += counts.new - before;
        counts.new = before;
    }
    let logs = log.as_ref().map(|log| (log_of(&job.path), log));
    for (path, tail) in [(job.path.clone(), tail)].into_iter().chain(logs) {
        let Some(path) = path.to_str() else { continue };
        let mut mark = tail.mark_of_whole();
        mark.left_out = left_out.cause.as_deref().map(Into::into);
        let mark = serde_json::to_string(&mark);
        sink.batch.notes.files.push(ImportedFile {
            path: path.to_owned(),
            agent: job.agent.as_str().to_owned(),
            mark: mark.expect("a mark is written as JSON"),
            memory: serde_json::to_string(&reader).expect("a memory is written as JSON"),
        });
    }
}

fn database(
    reader: &mut Reader,
    path: &Path,
    desk: &mut Desk<'_>,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) -> Result<(), String> {
    let database = ForeignDatabase::open(path).map_err(|error| with_causes(&error))?;
    let read = reader.database(&database, desk, facts, tally);
    read.map_err(|error| with_causes(&error))
}

fn value(
    reader: &mut Reader,
    job: &Job,
    tail: &Tail,
    desk: &mut Desk<'_>,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) -> Result<(), String> {
    let bytes = tail
        .whole(WHOLE_BYTES_MAX)
        .map_err(|error| with_causes(&error))?
        .ok_or_else(|| format!("it has more than {WHOLE_BYTES_MAX} bytes"))?;
    reader.whole(&job.path, &bytes, desk, facts, tally);
    Ok(())
}
