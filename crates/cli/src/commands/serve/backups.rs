use std::fs::{self, DirBuilder};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use syncline_server::BackupPlan;
use syncline_store::backup::check_place;

use crate::context::Context;
use crate::environment::variable;
use crate::failure::Failure;
use crate::span::{Span, SpanError};

/// The server looks once a minute whether a backup is due: it makes none more often.
const EVERY_MIN: Duration = Duration::from_secs(60);
const EVERY_USUAL: Duration = Duration::from_secs(24 * 60 * 60);
const KEEP_USUAL: NonZeroUsize = NonZeroUsize::new(7).expect("it is not zero");

/// Backups that the server makes while it runs.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Back up to a new directory in DIR, again and again, each verified
    /// [default: $SYNCLINE_BACKUP_TO, else none]
    #[arg(long = "backup-to", value_name = "DIR")]
    to: Option<PathBuf>,
    /// How long after one backup the next is made: 30m, 7d; 1m at least [default: 24h]
    #[arg(long = "backup-every", value_name = "TIME", value_parser = every)]
    every: Option<Span>,
    /// How many backups are kept; the oldest goes once there is another [default: 7]
    #[arg(long = "backup-keep", value_name = "COUNT")]
    keep: Option<NonZeroUsize>,
}

fn every(text: &str) -> Result<Span, String> {
    let every: Span = text.parse().map_err(|error: SpanError| error.to_string())?;
    if every.duration() < EVERY_MIN {
        return Err("backups are made once a minute at most: say 1m or more".to_owned());
    }
    Ok(every)
}

impl BackupArgs {
    /// What the flags and the variable say of backups of `data`; none: none are made.
    pub(super) fn plan(
        &self,
        data: &Path,
        context: &Context,
    ) -> Result<Option<BackupPlan>, Failure> {
        let directory = match &self.to {
            Some(directory) => Some(directory.clone()),
            None => context.path(None, variable::BACKUP_TO)?,
        };
        let Some(directory) = directory else {
            if self.every.is_some() || self.keep.is_some() {
                let message = "--backup-every and --backup-keep need to know where backups go";
                return Err(Failure::usage("usage", message)
                    .state("the server was not started")
                    .fix("add --backup-to DIR"));
            }
            return Ok(None);
        };
        check_place(&directory, data)?;
        make_writable(&directory)?;
        Ok(Some(BackupPlan {
            directory,
            every: self.every.map_or(EVERY_USUAL, Span::duration),
            keep: self.keep.unwrap_or(KEEP_USUAL),
        }))
    }
}

/// Makes the directory, closed to other users, if it is not there, and sees that it can be written to: else that
/// would be known from the first backup that is missed.
fn make_writable(directory: &Path) -> Result<(), Failure> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let probe = directory.join(format!(".writable-{}", std::process::id()));
    let made: io::Result<()> = builder
        .create(directory)
        .and_then(|()| fs::write(&probe, []))
        .and_then(|()| fs::remove_file(&probe));
    made.map_err(|error| {
        let message = format!("backups can't be made in {}", directory.display());
        Failure::new("backup_failed", message)
            .because(error)
            .state("the server was not started")
            .fix("name a directory that can be written to with --backup-to DIR")
    })
}
