mod question;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use syncline_model::{Epoch, EpochMode, ServerSeq};
use syncline_replica::RestoreError;
use syncline_store::backup::{
    BackupError, BackupKind, Manifest, OtherLog, Reached, RestoreChoice, Restored, restore_server,
    verify,
};
use syncline_store::control::{CONTROL_FILE_NAME, DataDirectory};

use crate::atomic_file::create_private_dir;
use crate::confirm::{Answer, confirm};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::owner::give_to_owner_of;
use crate::progress::Progress;
use crate::replica_access;
use crate::wording::{counted, quoted};

/// Put a backup back, after verifying it
///
/// A server must be stopped. Its logs begin a new epoch: replicas offer again what they hold above the
/// backup, and all become equal again, unless --discard-later tells them to let go of it. Tokens are not
/// put back: those that were revoked stay revoked. What is replaced is moved aside, and named.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup, as `syncline backup` printed it
    #[arg(value_name = "BACKUP")]
    from: PathBuf,
    /// Put it back into the server's data directory DIR, instead of this profile's replica
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Let replicas go back to the backup as well: what was written since is discarded
    #[arg(long, requires = "data")]
    discard_later: bool,
    /// Replace also a log that has nothing in common with the backup, as one that others have begun where the
    /// server was lost: what it holds comes behind what the backup holds
    #[arg(long, requires = "data", conflicts_with = "discard_later")]
    join: bool,
    /// Replace what is there, without asking
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
struct Done {
    kind: BackupKind,
    made_at: syncline_model::Timestamp,
    /// What replicas do about what is later; null for a replica.
    mode: Option<EpochMode>,
    logs: Vec<DoneLog>,
    /// Logs that were to become empty and can't be read.
    left: Vec<String>,
    /// Logs that the backup lacks, as they could not be copied when it was made.
    left_out: Vec<String>,
    /// Where what was replaced is now.
    aside: Option<PathBuf>,
    /// How many ops a replica that was replaced had not sent; they are in what was moved aside. Null where that can't be
    /// read.
    unsent: Option<u64>,
}

#[derive(Serialize)]
struct DoneLog {
    file: String,
    epoch: Epoch,
    server_seq: ServerSeq,
    /// How many ops it has of another log that was there.
    joined: u64,
    /// How many ops of that log it could not take.
    left: u64,
}

pub(crate) fn run(args: &RestoreArgs, context: &Context) -> Outcome {
    let manifest = Manifest::read(&args.from)?;
    let (mode, restored) = match &args.data {
        Some(data) => {
            let mode = if args.discard_later {
                EpochMode::Follow
            } else {
                EpochMode::Heal
            };
            (
                Some(mode),
                into_server(args, data, mode, &manifest, context)?,
            )
        }
        None if manifest.kind == BackupKind::Replica => {
            (None, into_replica(args, &manifest, context)?)
        }
        None => {
            let message = format!("this is a backup of a {}", manifest.kind);
            let from = quoted(&args.from.display().to_string());
            let fix = format!("syncline restore {from} --data DIR");
            return Err(Failure::usage("backup_other_kind", message)
                .state("nothing was changed")
                .fix(fix));
        }
    };
    let done = Done {
        kind: manifest.kind,
        made_at: manifest.made_at,
        mode,
        logs: restored
            .tenants
            .into_iter()
            .map(|tenant| DoneLog {
                file: tenant.file,
                epoch: tenant.epoch,
                server_seq: tenant.cursor.server_seq,
                joined: tenant.joined.ops,
                left: tenant.joined.left,
            })
            .collect(),
        left: restored.unreadable,
        left_out: manifest
            .left_out
            .into_iter()
            .map(|left| left.name)
            .collect(),
        aside: restored.aside,
        unsent: restored.unsent,
    };
    context.output.data(&done, |_| Ok(()))?;
    tell(&done, context);
    whole(&done.left_out)
}

/// Fails where the backup lacks a log; the others are put back all the same.
fn whole(left_out: &[String]) -> Outcome {
    if left_out.is_empty() {
        return Ok(());
    }
    let message = format!("the backup lacks {}", question::listed(left_out));
    Err(Failure::new("backup_incomplete", message)
        .state("all others were put back, and what there is of it stays as it was")
        .fix("put that log back from an older backup"))
}

fn tell(done: &Done, context: &Context) {
    let what = match done.mode {
        Some(EpochMode::Heal) => "; replicas offer again what they hold above it",
        Some(EpochMode::Follow) => "; replicas let go of what is later",
        None => "; it syncs as another replica from now on",
    };
    context.output.note(format_args!(
        "put back: the {} as of {}{what}",
        done.kind, done.made_at
    ));
    if !done.left.is_empty() {
        context.output.note(format_args!(
            "can't be read, and stays as it was instead of becoming empty: {}",
            done.left.join(", ")
        ));
    }
    for log in done.logs.iter().filter(|log| log.joined + log.left > 0) {
        let joined = counted(log.joined, "op");
        let left = match log.left {
            0 => String::new(),
            left => format!("; {left} could not be, and stay where it is now"),
        };
        context.output.note(format_args!(
            "of the other log that was there, behind it in {}: {joined}{left}",
            log.file
        ));
    }
    if let Some(aside) = &done.aside {
        context.output.note(format_args!(
            "what it replaces is in {}: remove that when nothing of it is missed",
            aside.display()
        ));
    }
}

fn into_server(
    args: &RestoreArgs,
    data: &Path,
    mode: EpochMode,
    manifest: &Manifest,
    context: &Context,
) -> Result<Restored, Failure> {
    if manifest.kind == BackupKind::Replica {
        return Err(Failure::from(BackupError::OtherKind {
            found: manifest.kind,
            expected: BackupKind::Server,
        }));
    }
    check_directory(data)?;
    if !data.exists() {
        // What is no good makes no directory.
        verify(&args.from, |_| ())?;
    }
    let directory = DataDirectory::open(data)?;
    let lock = directory.lock()?;
    if let Some(question) = question::of(&directory, mode, manifest)? {
        ask(args, &question, context)?;
    }
    let mut progress = Progress::new(context, Instant::now());
    let choice = RestoreChoice {
        mode,
        other: if args.join {
            OtherLog::Joins
        } else {
            OtherLog::Stays
        },
        now: context.now(),
    };
    let reached = |at: Reached| progress.show(at.done, Some(at.whole));
    let mut random = StdRng::try_from_os_rng().map_err(|error| {
        Failure::new("no_randomness", "the system gives no random bytes").because(error)
    })?;
    let fresh = || random.random();
    let restored = restore_server(&args.from, &directory, &lock, choice, fresh, reached);
    let restored = restored.map_err(|error| match error {
        BackupError::OtherLog { .. } => other_log(args, error),
        error => error.into(),
    })?;
    give_to_owner_of(data).map_err(|error| {
        let data = quoted(&data.display().to_string());
        Failure::new(
            "data_unusable",
            "could not give what was put back to its owner",
        )
        .because(error)
        .state("the backup was put back")
        .fix(format!("sudo chown -R --reference={data} {data}/"))
    })?;
    Ok(restored)
}

/// Where the right backup is refused, others have begun the log anew since the server was lost.
fn other_log(args: &RestoreArgs, error: BackupError) -> Failure {
    let from = quoted(&args.from.display().to_string());
    let failure = Failure::new("backup_other_log", "could not work with the backup")
        .because(error)
        .state("nothing was changed");
    // What is joined can't be discarded.
    let failure = match args.discard_later {
        true => failure,
        false => failure.fix(format!(
            "{} --join, to put what both hold into one log",
            command(args)
        )),
    };
    failure.fix(format!(
        "syncline restore {from} --data NEW, to put it beside"
    ))
}

/// Refuses a directory that holds something else.
fn check_directory(data: &Path) -> Outcome {
    let Ok(entries) = std::fs::read_dir(data) else {
        return Ok(());
    };
    let ours = data.join(CONTROL_FILE_NAME).exists() || data.join("tenants").is_dir();
    if ours || entries.count() == 0 {
        return Ok(());
    }
    let message = format!(
        "{} holds something else than a server's data",
        data.display()
    );
    Err(Failure::new("data_foreign", message)
        .state("nothing was changed")
        .fix("name an empty directory, or one that `syncline serve` was given"))
}

fn into_replica(
    args: &RestoreArgs,
    manifest: &Manifest,
    context: &Context,
) -> Result<Restored, Failure> {
    let directory = context.replica_dir()?;
    create_private_dir(&directory).map_err(|error| {
        Failure::new(
            "data_unusable",
            format!("could not make {}", directory.display()),
        )
        .because(error)
        .state("nothing was changed")
        .fix("name another directory with --data-dir DIR")
    })?;
    if directory.join(syncline_replica::LOCAL_FILE_NAME).exists() {
        let waiting = replica_access::open(context)?.status()?.pending();
        let fate = match waiting {
            0 => String::new(),
            1 => " 1 op has not been sent yet, and would only be kept aside.".to_owned(),
            waiting => {
                format!(" {waiting} ops have not been sent yet, and would only be kept aside.")
            }
        };
        let question = format!(
            "Replace the replica in {} by the backup of {}?{fate}",
            directory.display(),
            manifest.made_at
        );
        ask(args, &question, context)?;
    }
    let mut progress = Progress::new(context, Instant::now());
    let reached = |at: Reached| progress.show(at.done, Some(at.whole));
    let restored = syncline_replica::restore(&directory, &args.from, reached);
    let restored = restored.map_err(|error| match error {
        RestoreError::DaemonRuns { process } => {
            Failure::new("daemon_running", "a daemon has this replica open")
                .state("nothing was changed")
                .fix(stop_daemon(process))
        }
        RestoreError::InUse => {
            let message = "another process syncs this replica, or imports into it";
            Failure::new("replica_in_use", message)
                .state("nothing was changed")
                .fix("try again when that process has ended")
        }
        RestoreError::Replica(error) => Failure::from(error),
        RestoreError::Backup(error) => error.into(),
    })?;
    drop(progress);
    if let Some(aside) = &restored.aside {
        tell_unsent(restored.unsent, aside, context)?;
    }
    Ok(restored)
}

/// Others may have written since somebody was asked.
fn tell_unsent(unsent: Option<u64>, aside: &Path, context: &Context) -> Outcome {
    let unsent = match unsent {
        Some(0) => return Ok(()),
        Some(1) => "1 op has not been sent".to_owned(),
        Some(unsent) => format!("{unsent} ops have not been sent"),
        None => {
            context.output.note(format_args!(
                "what it replaces can't be read, and may hold what has not been sent"
            ));
            return Ok(());
        }
    };
    context
        .output
        .note(format_args!("{unsent}: kept in what is moved aside"));
    context.output.note(format_args!(
        "to send them all the same: {}",
        replica_access::to_send_replaced(aside, context)?
    ));
    Ok(())
}

/// What ends the daemon that has the replica open.
fn stop_daemon(process: Option<u32>) -> String {
    match process {
        Some(process) if cfg!(windows) => format!("taskkill /PID {process}"),
        Some(process) => format!(
            "kill {process} (where systemd has started it: systemctl --user stop syncline-daemon)"
        ),
        None => "end `syncline daemon` where it was started".to_owned(),
    }
}

fn ask(args: &RestoreArgs, question: &str, context: &Context) -> Outcome {
    if args.yes {
        return Ok(());
    }
    match confirm(context, question)? {
        Answer::Yes => Ok(()),
        Answer::No => Err(Failure::new("not_confirmed", "nothing was changed")),
        Answer::NobodyAsked => {
            let message = format!("nobody is there to be asked: {question}");
            Err(Failure::usage("not_confirmed", message)
                .state("nothing was changed")
                .fix(format!("{} --yes", command(args))))
        }
    }
}

/// The command as it was given.
fn command(args: &RestoreArgs) -> String {
    let word = |path: &Path| quoted(&path.display().to_string());
    let mut command = format!("syncline restore {}", word(&args.from));
    if let Some(data) = &args.data {
        command.push_str(&format!(" --data {}", word(data)));
    }
    for (is_given, flag) in [
        (args.discard_later, " --discard-later"),
        (args.join, " --join"),
    ] {
        command.push_str(if is_given { flag } else { "" });
    }
    command
}
