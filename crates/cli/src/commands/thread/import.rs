use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use syncline_replica::Replica;
use syncline_store::threads::import::{
    FileKind, ImportBatch, ImportError, ImportProblem, Importer, kind_of,
};

use super::reference::ProjectFlag;
use crate::context::Context;
use crate::delivery::{Imports, whereabouts};
use crate::failure::{Failure, Outcome};
use crate::progress::Progress;
use crate::replica_access::{self, WriteState};
use crate::wording::counted;
use crate::written::show;

/// How many problems are told one by one.
const PROBLEMS_TOLD_MAX: usize = 20;

/// Import threads from JSON lines, or from the database of a vlt client
///
/// A line has project, thread (the key), name, author, timestamp and content. Importing the same file
/// again, here or on another machine, adds nothing twice. A vault.db is known by its content; the
/// sync_queue.json beside it is read too.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file; `-` reads JSON lines from standard input
    file: PathBuf,
    #[command(flatten)]
    project: ProjectFlag,
}

#[derive(Default, Serialize)]
struct Imported {
    threads_new: u64,
    entries_new: u64,
    entries_known: u64,
    problems: Vec<Problem>,
    state: Option<WriteState>,
}

#[derive(Serialize)]
struct Problem {
    place: String,
    cause: String,
}

impl From<&ImportProblem> for Problem {
    fn from(problem: &ImportProblem) -> Self {
        let mut cause = problem.cause.to_string();
        let mut source = std::error::Error::source(&problem.cause);
        while let Some(error) = source {
            cause = format!("{cause}: {error}");
            source = error.source();
        }
        Self {
            place: problem.place.to_string(),
            cause,
        }
    }
}

pub(crate) fn run(args: &ImportArgs, context: &Context) -> Outcome {
    let project = args.project.target(context)?;
    let mut importer = begin(&args.file, &project)?;
    let mut replica = replica_access::open(context)?;
    let imports = Imports::begin(&mut replica)?;
    let mut imported = Imported::default();
    write_batches(context, &mut importer, &mut replica, &mut imported)?;
    let (state, delivery) = imports.deliver(context, replica)?;
    let state = match imported.entries_new == 0 && imported.threads_new == 0 {
        true => WriteState::Unchanged,
        false => state,
    };
    imported.state = Some(state);
    show(context, &imported, |_| Ok(()))?;
    let rest = whereabouts(state, &delivery);
    context.output.note(format_args!(
        "imported {} and {}; {} here already ({rest})",
        counted(imported.entries_new, "entry"),
        counted(imported.threads_new, "thread"),
        counted(imported.entries_known, "entry")
    ));
    tell_problems(context, &imported.problems)
}

fn begin(file: &Path, project: &str) -> Result<Importer, Failure> {
    if file == Path::new("-") {
        return Ok(Importer::jsonl_from(std::io::stdin(), project));
    }
    Ok(match kind_of(file)? {
        FileKind::Jsonl => Importer::jsonl(file, project)?,
        FileKind::Vault => Importer::vault(file)?,
    })
}

fn write_batches(
    context: &Context,
    importer: &mut Importer,
    replica: &mut Replica,
    imported: &mut Imported,
) -> Outcome {
    let mut progress = Progress::new(context, Instant::now());
    while let Some(batch) = importer.next_batch(replica.view()?.connection())? {
        let ImportBatch {
            ops,
            threads_new,
            entries_new,
            entries_known,
            problems,
            progress: place,
            ..
        } = batch;
        replica_access::write(replica, ops)?;
        imported.threads_new += threads_new;
        imported.entries_new += entries_new;
        imported.entries_known += entries_known;
        imported.problems.extend(problems.iter().map(Problem::from));
        progress.show(place.done, place.whole);
    }
    Ok(())
}

/// A file of which something was left out is not imported, though the rest of it is.
fn tell_problems(context: &Context, problems: &[Problem]) -> Outcome {
    if problems.is_empty() {
        return Ok(());
    }
    for problem in problems.iter().take(PROBLEMS_TOLD_MAX) {
        context.output.warn(format_args!(
            "{} is left out: {}",
            problem.place, problem.cause
        ));
    }
    let left_out = counted(problems.len() as u64, "item");
    Err(
        Failure::new("import_incomplete", format!("{left_out} left out"))
            .state("everything else is imported")
            .fix("mend them in the file and import it again: nothing is added twice"),
    )
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        let code = match &error {
            ImportError::Open { .. } | ImportError::Read(_) => "file_unreadable",
            ImportError::Vault { .. } => "file_invalid",
            ImportError::Store(_) => "replica_failed",
        };
        Self::new(code, "could not import")
            .because(error)
            .state("what was imported before stays; the same import again goes on there")
    }
}
