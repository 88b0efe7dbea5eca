//! Statements on a thread of their own, so that one that SQLite can't stop is left behind.
//!
//! Between the steps of a statement SQLite asks whether its time is up. Within one, such as a search for
//! a long text in a longer one, it does not; then the command ends, and the thread with it.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use syncline_store::sql::{SqlEnd, SqlError, SqlReader, SqlRows, SqlValue};

use super::RowFormat;
use super::format::Rows;
use super::table::{Shown, Width};
use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// How long after its time a statement may take to notice.
const GRACE: Duration = Duration::from_millis(500);
/// How often one that waits for whoever reads its rows is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A statement, and how to run and print it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) sql: String,
    pub(super) format: RowFormat,
    pub(super) width: Width,
    pub(super) rows_max: Option<u64>,
    pub(super) time: Duration,
    pub(super) interrupted: Arc<AtomicBool>,
}

/// What became of a statement.
pub(super) enum Done {
    /// Its reader takes the next one.
    Ended(Box<SqlReader>, Ran),
    /// It runs on, and nobody can stop it but the end of the process.
    Stuck,
}

/// How the statement ended, and whether all that it gave was printed.
pub(super) struct Ran {
    pub(super) end: Result<SqlEnd, SqlError<io::Error>>,
    pub(super) printed: Outcome,
    pub(super) shown: Shown,
}

/// What the thread does just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Doing {
    Reading = 0,
    /// It waits for whoever takes its output, and may do so for as long as that takes.
    Printing = 1,
}

/// Tells the thread that waits what the other does.
#[derive(Debug, Clone, Default)]
pub(super) struct Sign(Arc<AtomicU8>);

impl Sign {
    fn set(&self, doing: Doing) {
        self.0.store(doing as u8, Ordering::Relaxed);
    }

    fn is_reading(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Doing::Reading as u8
    }
}

/// Runs a statement, and prints what it gives.
pub(super) fn run(mut reader: Box<SqlReader>, job: Job, output: Output) -> Result<Done, Failure> {
    let sign = Sign::default();
    let (time, told) = (job.time, sign.clone());
    let work = move || {
        let (mut end, mut shown) = (None, Shown::Whole);
        let printed = output.write(|out| {
            let (ended, printed) = read(&mut reader, &job, &told, out);
            end = Some(ended);
            told.set(Doing::Printing);
            shown = printed?;
            Ok(())
        });
        let end = end.expect("a query that was printed has ended");
        let ran = Ran {
            end,
            printed,
            shown,
        };
        Done::Ended(reader, ran)
    };
    Ok(within(time, &sign, work)?.unwrap_or(Done::Stuck))
}

/// Does `work`, which notices by itself when its time is up; none: it did not, and is left behind.
pub(super) fn within<T: Send + 'static>(
    time: Duration,
    sign: &Sign,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>, Failure> {
    let (done, waiting) = channel();
    let deadline = Instant::now() + time + GRACE;
    let work = move || {
        // Whoever waited may have given up.
        let _ = done.send(work());
    };
    let spawned = thread::Builder::new().name("query".to_owned()).spawn(work);
    spawned.map_err(|error| {
        Failure::new("query_failed", "could not start a thread for the query").because(error)
    })?;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match waiting.recv_timeout(left.max(LOOK_EVERY)) {
            Ok(done) => return Ok(Some(done)),
            Err(RecvTimeoutError::Timeout) if Instant::now() < deadline || !sign.is_reading() => {}
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::new("query_failed", "the query has crashed"));
            }
        }
    }
}

/// What became of the query, and of printing it.
fn read(
    reader: &mut SqlReader,
    job: &Job,
    sign: &Sign,
    out: &mut dyn Write,
) -> (Result<SqlEnd, SqlError<io::Error>>, io::Result<Shown>) {
    let (begin, time) = (Instant::now(), job.time);
    let interrupted = Arc::clone(&job.interrupted);
    let is_up = move || begin.elapsed() >= time || interrupted.load(Ordering::Relaxed);
    let mut rows = Signed {
        rows: Rows::new(job.format, job.width, out),
        sign,
    };
    match reader.run(&job.sql, job.rows_max, is_up, &mut rows) {
        Err(SqlError::Rows(error)) => (Ok(SqlEnd::Stopped), Err(error)),
        Ok(end) => {
            sign.set(Doing::Printing);
            let finished = rows.rows.finish();
            (Ok(end), finished)
        }
        Err(error) => {
            sign.set(Doing::Printing);
            let ended = rows.rows.break_off();
            (Err(error), ended.map(|()| Shown::Whole))
        }
    }
}

/// Rows that tell when they are printed.
struct Signed<'a> {
    rows: Rows<'a>,
    sign: &'a Sign,
}

impl SqlRows for Signed<'_> {
    type Error = io::Error;

    fn columns(&mut self, names: &[&str]) -> io::Result<()> {
        self.rows.columns(names)
    }

    fn row(&mut self, values: &[SqlValue<'_>]) -> io::Result<ControlFlow<()>> {
        self.sign.set(Doing::Printing);
        let flow = self.rows.row(values);
        self.sign.set(Doing::Reading);
        flow
    }
}
