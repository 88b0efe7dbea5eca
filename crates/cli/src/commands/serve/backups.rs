use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use syncline_server::BackupPlan;

use crate::span::Span;

/// Backups that the server makes while it runs.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Back up to a new directory in DIR, again and again, each verified
    #[arg(long = "backup-to", value_name = "DIR")]
    to: Option<PathBuf>,
    /// How long after one backup the next is made: 24h, 30m, 7d
    #[arg(
        long = "backup-every",
        value_name = "TIME",
        default_value = "24h",
        requires = "to"
    )]
    every: Span,
    /// How many backups are kept; the oldest goes once there is another
    #[arg(
        long = "backup-keep",
        value_name = "COUNT",
        default_value = "7",
        requires = "to"
    )]
    keep: NonZeroUsize,
}

impl BackupArgs {
    pub(super) fn plan(&self) -> Option<BackupPlan> {
        self.to.as_ref().map(|directory| BackupPlan {
            directory: directory.clone(),
            every: self.every.duration(),
            keep: self.keep,
        })
    }
}
