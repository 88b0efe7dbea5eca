use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use syncline_store::OpenError;
use syncline_store::backup::{
    BackupError, BackupKind, Manifest, Reached, back_up_server, backup_name, verify,
};

use crate::context::Context;
use crate::failure::{Failure, Outcome, is_damaged};
use crate::progress::Progress;
use crate::server_data;
use crate::wording::{byte_size, counted, quoted};

/// Copy a server's data or this profile's replica while it is in use, and verify the copy
///
/// The copy is a directory, which appears once it is whole: SQLite's own check has passed, the marks and
/// payload hashes of each log hold, and the disk has it. `syncline restore` puts it back.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The directory to make [default: `syncline-TIME` in the current directory]
    #[arg(value_name = "BACKUP")]
    to: Option<PathBuf>,
    /// Back up the server's data directory DIR, instead of this profile's replica
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Verify the backup that is there, instead of making one
    #[arg(long, requires = "to", conflicts_with = "data")]
    verify: bool,
}

#[derive(Serialize)]
struct Made<'a> {
    path: PathBuf,
    bytes: u64,
    verified: bool,
    #[serde(flatten)]
    manifest: &'a Manifest,
}

pub(crate) fn run(args: &BackupArgs, context: &Context) -> Outcome {
    let mut progress = Progress::new(context, Instant::now());
    let reached = |at: Reached| progress.show(at.done, Some(at.whole));
    let now = context.now();
    let path = args.to.clone().unwrap_or_else(|| backup_name(now).into());
    let manifest = match &args.data {
        _ if args.verify => verify(&path, reached)?,
        Some(data) => back_up_server(&server_data::existing(data)?, &path, now, reached)?,
        None => syncline_replica::back_up(&context.replica_dir()?, &path, now, reached)?,
    };
    drop(progress);
    let made = Made {
        path: path.canonicalize().unwrap_or(path),
        bytes: manifest.bytes(),
        verified: true,
        manifest: &manifest,
    };
    context
        .output
        .data(&made, |out| writeln!(out, "{}", made.path.display()))?;
    let logs = manifest.files.iter().filter_map(|file| file.log);
    let pending = match manifest.pending {
        None | Some(0) => String::new(),
        Some(pending) => format!(", {} to send", counted(pending, "op")),
    };
    context.output.note(format_args!(
        "verified: {} of a {}, {}, {}{pending}",
        byte_size(made.bytes),
        manifest.kind,
        counted(logs.clone().count() as u64, "log"),
        counted(logs.map(|log| log.ops).sum(), "op"),
    ));
    if !args.verify {
        let data = match manifest.kind {
            BackupKind::Server | BackupKind::Tenant => " --data DIR",
            BackupKind::Replica => "",
        };
        context.output.note(format_args!(
            "to put it back: syncline restore {}{data}",
            quoted(&made.path.display().to_string())
        ));
    }
    complete(&manifest)
}

/// Fails where the backup lacks a log; the others are in it all the same.
fn complete(manifest: &Manifest) -> Outcome {
    let Some(left) = manifest.left_out.first() else {
        return Ok(());
    };
    let count = counted(manifest.left_out.len() as u64, "log");
    let message = format!("{count} could not be copied: {}", left.name);
    Err(Failure::new("backup_incomplete", message)
        .because(left.causes.join(": "))
        .state("all others are in the backup")
        .fix(
            "put that log back from an older backup, or use a newer syncline where it asks for one",
        ))
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        if let BackupError::Unfinished { path, .. } = &error {
            let state = "the restore is decided, and goes on by itself; nothing is lost";
            let fix = format!(
                "see to the cause, then use {} as before: a server with `syncline serve --data`, a \
                 replica with any command",
                path.display()
            );
            return Self::new("restore_unfinished", "the backup is not in its place yet")
                .because(error)
                .state(state)
                .fix(fix);
        }
        if let BackupError::Inside { .. } = &error {
            return Self::usage("backup_inside", "a backup can't be made there")
                .because(error)
                .state("nothing was changed")
                .fix("name a directory outside of it");
        }
        let (code, fix) = match error.is_disk_full() {
            true => ("disk_full", "make room, and try again"),
            false => code_and_fix(&error),
        };
        Self::new(code, "could not work with the backup")
            .because(error)
            .state("nothing was changed")
            .fix(fix)
    }
}

/// Where nothing was changed: the code of the error, and what to do.
fn code_and_fix(error: &BackupError) -> (&'static str, &'static str) {
    match error {
        _ if is_damaged(error) => (
            "file_damaged",
            "for a server's log, `syncline restore BACKUP --data DIR` with its newest backup; for a replica, \
             `syncline doctor --fix`",
        ),
        BackupError::Exists { .. } => ("backup_exists", "name a directory that is not there"),
        BackupError::Missing { .. } => (
            "backup_missing",
            "name the directory that `syncline backup` has printed",
        ),
        BackupError::Foreign { .. } => (
            "backup_foreign",
            "name the directory that `syncline backup` has printed",
        ),
        BackupError::NewerFormat { .. } | BackupError::Open(OpenError::NewerFormat { .. }) => {
            ("format_newer", "use a newer syncline")
        }
        BackupError::OtherKind { .. } => (
            "backup_other_kind",
            "a server's is put back with --data DIR, a replica's without",
        ),
        BackupError::OtherLog { .. } => (
            "backup_other_log",
            "`syncline --data-dir NEW restore BACKUP` puts it beside what is there; `syncline --data-dir NEW sync \
             now --join` then gives what it holds to the server",
        ),
        BackupError::Damaged { .. } | BackupError::Log { .. } => {
            ("backup_damaged", "take an older backup")
        }
        BackupError::Nothing { .. } => (
            "backup_nothing",
            "name a server's data directory with --data DIR, or a profile with --profile NAME",
        ),
        BackupError::Restoring { .. } => ("restore_unfinished", "syncline serve --data DIR"),
        BackupError::Apart { .. } => (
            "data_apart",
            "bring that directory to the filesystem of the one that it is in, and restore again; afterwards it \
             can go back",
        ),
        BackupError::Held { .. } => ("replica_in_use", "try again when that process has ended"),
        BackupError::Rebuilding => ("replica_rebuilding", "try again in a moment"),
        BackupError::Io { .. } => ("backup_failed", "name a directory that can be written to"),
        BackupError::Unfinished { .. }
        | BackupError::Inside { .. }
        | BackupError::Copy { .. }
        | BackupError::Open(_)
        | BackupError::Store(_)
        | BackupError::Directory(_)
        | BackupError::Control(_)
        | BackupError::Server(_) => ("backup_failed", "syncline doctor"),
    }
}
