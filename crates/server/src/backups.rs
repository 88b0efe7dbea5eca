//! Backups that the server makes by itself: regularly, and before a log is reset.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use syncline_model::{Epoch, TenantId, Timestamp};
use syncline_store::backup::{
    BackupError, Manifest, back_up_server, back_up_tenant, backup_name, backups_in, drop_oldest,
    newest_of, remove_backup, sweep_own,
};
use syncline_store::control::{ControlFile, DataDirectory};
use tokio::sync::oneshot;

use crate::config::BackupPlan;
use crate::server::{Server, now};

/// How often it is looked whether a backup is due; one that failed is tried again after this.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Where logs are kept that were reset, in the data directory.
const RESETS: &str = "resets";
/// How long a log that was reset can be put back.
const RESET_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The code of a failure that no other code tells more of.
const FAILED: &str = "backup_failed";

/// A regular backup that could not be made, as everybody may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FailedBackup {
    pub(crate) at: Timestamp,
    /// `disk_full`, or `backup_failed`: the log says why.
    pub(crate) code: &'static str,
}

impl Server {
    /// Makes backups as they fall due, until dropped.
    pub(crate) async fn keep_backups(self: Arc<Self>) {
        loop {
            if let Some(plan) = self.look_after_backups().await {
                let code = back_up(&self.data, &plan).await.err();
                self.note_backup(code.map(|code| FailedBackup { at: now(), code }));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Drops old logs, and gives the plan by which a backup is due now; none: none is. The disks of both
    /// may be slow.
    async fn look_after_backups(&self) -> Option<BackupPlan> {
        let (data, plan) = (self.data.clone(), self.config.backups.clone());
        let looked = tokio::task::spawn_blocking(move || {
            drop_old_resets(&data, now());
            plan.filter(|plan| is_due(&data, plan, now()))
        });
        looked.await.unwrap_or_else(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "could not look after the backups"
            );
            None
        })
    }
}

/// Whether the last backup of this server's that lies in the plan's directory is old enough. One made
/// elsewhere by hand doesn't count, nor do those of another server.
fn is_due(data: &DataDirectory, plan: &BackupPlan, now: Timestamp) -> bool {
    let newest = name_of(data).and_then(|name| newest_of(&plan.directory, name.as_deref(), now));
    match newest {
        Ok(Some(last)) => {
            let age = now.as_millis() - last.made_at.as_millis();
            // A clock that was set back since the only ones makes a backup rather than none for long.
            !(0..plan.every.as_millis() as i64).contains(&age)
        }
        Ok(None) => true,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "could not read when the last backup was made; one is made"
            );
            true
        }
    }
}

/// The name by which this server's backups are told from others'.
fn name_of(data: &DataDirectory) -> Result<Option<String>, BackupError> {
    let server = ControlFile::open(data)?.server()?;
    Ok(server.map(|server| server.name))
}

/// Makes one backup in a thread of its own, which a server that stops doesn't wait for. A failure is the
/// code that everybody may know; the rest is in the log.
async fn back_up(data: &DataDirectory, plan: &BackupPlan) -> Result<(), &'static str> {
    let (data, plan) = (data.clone(), plan.clone());
    let (done, made) = oneshot::channel();
    let work = move || {
        // Who asked may have stopped.
        let _ = done.send(make(&data, &plan));
    };
    let spawned = std::thread::Builder::new()
        .name("backup".to_owned())
        .spawn(work);
    if let Err(error) = spawned {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "could not make a backup"
        );
        return Err(FAILED);
    }
    match made.await {
        Ok(Ok((path, manifest))) => {
            tracing::info!(
                backup.path = %path.display(), backup.bytes = manifest.bytes(), "backup made and verified"
            );
            Ok(())
        }
        Ok(Err(error)) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "could not make a backup; it is tried again"
            );
            Err(match error.is_disk_full() {
                true => "disk_full",
                false => FAILED,
            })
        }
        Err(_) => {
            tracing::error!("the backup panicked; it is tried again");
            Err(FAILED)
        }
    }
}

fn make(data: &DataDirectory, plan: &BackupPlan) -> Result<(PathBuf, Manifest), BackupError> {
    let at = now();
    let to = plan.directory.join(backup_name(at));
    let manifest = back_up_server(data, &to, at, |_| ())?;
    for left in &manifest.left_out {
        tracing::error!(
            file.name = left.name,
            error.causes = left.causes.join(": "),
            "a log could not be backed up; the backups that have it are kept until it can"
        );
    }
    // Only now that there is another.
    if let Err(error) = drop_old(data, plan, at) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "could not look for old backups to drop"
        );
    }
    Ok((to, manifest))
}

fn drop_old(data: &DataDirectory, plan: &BackupPlan, now: Timestamp) -> Result<(), BackupError> {
    let server = name_of(data)?;
    for dropped in drop_oldest(&plan.directory, server.as_deref(), plan.keep, now)? {
        tracing::info!(backup.path = %dropped.display(), "old backup dropped");
    }
    Ok(())
}

/// Keeps the log of `tenant` before it is reset, and says where.
pub(crate) fn keep_before_reset(
    data: &DataDirectory,
    tenant: &TenantId,
    epoch: Epoch,
    now: Timestamp,
) -> Result<PathBuf, BackupError> {
    let to = data
        .path()
        .join(RESETS)
        .join(format!("{}-{epoch}", backup_name(now)));
    back_up_tenant(data, tenant, &to, now)?;
    Ok(to)
}

/// Drops logs that were reset long ago, and what a reset or a drop has left that was killed.
fn drop_old_resets(data: &DataDirectory, now: Timestamp) {
    let directory = data.path().join(RESETS);
    match sweep_own(&directory, now).and_then(|()| backups_in(&directory)) {
        Ok(kept) => kept.iter().for_each(|path| drop_if_old(path, now)),
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "could not look for old logs that were reset"
        ),
    }
}

fn drop_if_old(path: &Path, now: Timestamp) {
    let Ok(manifest) = Manifest::read(path) else {
        // What is not ours is left alone.
        return;
    };
    let age = now.as_millis() - manifest.made_at.as_millis();
    if age < RESET_KEPT.as_millis() as i64 {
        return;
    }
    match remove_backup(path, None) {
        Ok(()) => tracing::info!(backup.path = %path.display(), "dropped a log reset long ago"),
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error, backup.path = %path.display(),
            "could not drop a log reset long ago"
        ),
    }
}

#[cfg(test)]
mod tests;
