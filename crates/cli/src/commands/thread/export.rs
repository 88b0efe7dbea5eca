use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use syncline_store::TenantFile;
use syncline_store::threads::{ExportError, ExportScope, Exported, export};

use super::reference::{ProjectFlag, find_in};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::replica_access;
use crate::wording::counted;

/// Write entries as JSON lines, in the shape that `thread import` reads
///
/// Fields: project, thread (the key), name, author, timestamp, content.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// These threads alone
    #[arg(value_name = "THREAD")]
    threads: Vec<String>,
    #[command(flatten)]
    project: ProjectFlag,
    /// Of all projects, wherever this is run
    #[arg(long, conflicts_with_all = ["project", "threads"])]
    all_projects: bool,
    /// Into FILE, which is replaced once all is written [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &ExportArgs, context: &Context) -> Outcome {
    let chosen = args.project.chosen(context)?;
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let mut scopes = Vec::new();
    for text in &args.threads {
        let thread = find_in(view, text, chosen.as_deref())?;
        scopes.push(ExportScope::Thread(thread.thread_id));
    }
    if args.threads.is_empty() {
        scopes.push(match &chosen {
            Some(project) if !args.all_projects => ExportScope::Project(project),
            Some(_) | None => ExportScope::All,
        });
    }
    let exported = match &args.output {
        Some(path) => to_file(view, &scopes, path)?,
        None => to_stdout(context, view, &scopes)?,
    };
    context.output.note(format_args!(
        "exported {} of {}",
        counted(exported.entries, "entry"),
        counted(exported.threads, "thread")
    ));
    if exported.threads_empty > 0 {
        context.output.warn(format_args!(
            "{} without an entry, and so without a line",
            counted(exported.threads_empty, "thread")
        ));
    }
    Ok(())
}

fn write_all(
    view: &TenantFile,
    scopes: &[ExportScope<'_>],
    mut out: &mut dyn Write,
) -> Result<Exported, ExportError> {
    let mut sum = Exported::default();
    for scope in scopes {
        let exported = export(view.connection(), *scope, &mut out)?;
        sum.threads += exported.threads;
        sum.entries += exported.entries;
        sum.threads_empty += exported.threads_empty;
    }
    Ok(sum)
}

fn to_stdout(
    context: &Context,
    view: &TenantFile,
    scopes: &[ExportScope<'_>],
) -> Result<Exported, Failure> {
    let mut exported = Ok(Exported::default());
    context
        .output
        .write(|out| match write_all(view, scopes, out) {
            Err(ExportError::Write(error)) => Err(error),
            other => {
                exported = other;
                Ok(())
            }
        })?;
    exported.map_err(|error| match error {
        ExportError::Store(error) => error.into(),
        ExportError::Write(error) => Failure::output(error),
    })
}

fn to_file(
    view: &TenantFile,
    scopes: &[ExportScope<'_>],
    path: &Path,
) -> Result<Exported, Failure> {
    let unwritable = |error: std::io::Error| {
        Failure::new(
            "export_failed",
            format!("could not write {}", path.display()),
        )
        .because(error)
        .state("the file is as it was")
    };
    let absolute = std::path::absolute(path).map_err(unwritable)?;
    let dir = absolute.parent().unwrap_or(&absolute);
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(unwritable)?;
    let mut out = BufWriter::new(file.as_file_mut());
    let exported = write_all(view, scopes, &mut out).map_err(|error| match error {
        ExportError::Store(error) => error.into(),
        ExportError::Write(error) => unwritable(error),
    })?;
    out.flush().map_err(unwritable)?;
    drop(out);
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(&absolute)
        .map_err(|error| unwritable(error.error))?;
    Ok(exported)
}
