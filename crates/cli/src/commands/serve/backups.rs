use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use syncline_server::BackupPlan;

use crate::context::Context;
use crate::environment::variable;
use crate::failure::Failure;
use crate::span::Span;

/// Backups that the server makes while it runs.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Back up to a new directory in DIR, again and again, each verified
    /// [default: $SYNCLINE_BACKUP_TO, else none]
    #[arg(long = "backup-to", value_name = "DIR")]
    to: Option<PathBuf>,
    /// How long after one backup the next is made: 24h, 30m, 7d
    #[arg(long = "backup-every", value_name = "TIME", default_value = "24h")]
    every: Span,
    /// How many backups are kept; the oldest goes once there is another
    #[arg(long = "backup-keep", value_name = "COUNT", default_value = "7")]
    keep: NonZeroUsize,
}

impl BackupArgs {
    pub(super) fn plan(&self, context: &Context) -> Result<Option<BackupPlan>, Failure> {
        let directory = match &self.to {
            Some(directory) => Some(directory.clone()),
            None => context.path(None, variable::BACKUP_TO)?,
        };
        Ok(directory.map(|directory| BackupPlan {
            directory,
            every: self.every.duration(),
            keep: self.keep,
        }))
    }
}
