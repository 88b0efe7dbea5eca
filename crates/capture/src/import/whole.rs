//! Files that are read in one go: values, and databases.

use std::path::Path;

use syncline_store::foreign::ForeignDatabase;
use syncline_store::local::ImportedFile;

use super::ImportBatch;
use super::batch::Tally;
use super::jobs::{Form, Job, log_of};
use super::run::{Desk, with_causes};
use crate::facts::Facts;
use crate::reader::Reader;
use crate::tail::{self, Standing, Tail};

/// The largest file that is read as one value: a session of months.
const WHOLE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads the file of a job, and notes it as read.
pub(super) fn read(
    job: &Job,
    tail: &Tail,
    batch: &mut ImportBatch,
    desk: &mut Desk<'_>,
    facts: &mut Facts,
) {
    let mut reader = Reader::of(job.agent, &job.path);
    // Looked at before it is read: what is written meanwhile is seen the next time.
    let log = match tail::open(&log_of(&job.path), None) {
        Ok(Standing::Changed(log)) if job.form == Form::Database => Some(log),
        Ok(_) | Err(_) => None,
    };
    let mut tally = Tally {
        path: &job.path,
        counts: &mut batch.counts,
        problems: &mut batch.problems,
    };
    let read = match job.form {
        Form::Database => database(&mut reader, &job.path, desk, facts, &mut tally),
        Form::Lines | Form::Whole => value(&mut reader, job, tail, desk, facts, &mut tally),
    };
    if let Err(cause) = read {
        tally.problem(None, cause);
    }
    let logs = log.as_ref().map(|log| (log_of(&job.path), log));
    for (path, tail) in [(job.path.clone(), tail)].into_iter().chain(logs) {
        let Some(path) = path.to_str() else { continue };
        let mark = serde_json::to_string(&tail.mark_of_whole());
        batch.notes.files.push(ImportedFile {
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
