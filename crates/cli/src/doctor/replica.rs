//! Checks of the replica, as its files lie there: nothing is opened through it that would write.

use std::error::Error;
use std::path::{Path, PathBuf};

use syncline_replica::LOCAL_FILE_NAME;
use syncline_store::local::LocalFile;
use syncline_store::{FileOptions, OpenError, StoreError, TenantFile, quick_check};

use super::finding::{Finding, Repair};
use super::settings::tried;
use crate::context::Context;
use crate::failure::Failure;
use crate::replica_access::{SEE_TO_OWNER, to_send_replaced};
use crate::sync_state::cure_of;
use crate::wording::{counted, duration};

/// A larger file takes longer to read than a person waits.
const CHECKED_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// What has waited for longer, with sync on, is stuck.
const WAIT_SECONDS_MAX: u64 = 600;

/// The local file, if there is a replica.
fn local(context: &Context) -> Result<Option<(PathBuf, LocalFile)>, Failure> {
    let dir = context.replica_dir()?;
    match LocalFile::open(&dir.join(LOCAL_FILE_NAME), &FileOptions::default()) {
        Ok(file) => Ok(Some((dir, file))),
        Err(OpenError::Missing { .. }) => Ok(None),
        Err(error) => Err(unopened(error)),
    }
}

fn unopened(error: OpenError) -> Failure {
    let fix = match &error {
        OpenError::NewerFormat { .. } => "use a newer syncline",
        _ => SEE_TO_OWNER,
    };
    Failure::new("replica_failed", "could not open a file of the replica")
        .because(error)
        .fix(fix)
}

/// Leaves the check where there is no replica.
macro_rules! replica {
    ($context:expr) => {
        match tried!(local($context)) {
            Some(found) => found,
            None => return Finding::skipped("no replica yet: the first write makes one"),
        }
    };
}

pub(super) fn local_file(context: &Context) -> Finding {
    local_file_up_to(CHECKED_BYTES_MAX, context)
}

pub(super) fn local_file_of_any_size(context: &Context) -> Finding {
    local_file_up_to(u64::MAX, context)
}

fn local_file_up_to(bytes_max: u64, context: &Context) -> Finding {
    let (dir, _) = replica!(context);
    let path = dir.join(LOCAL_FILE_NAME);
    whole(&path, bytes_max).unwrap_or_else(|problem| {
        Finding::failed(format!("{} is damaged: {problem}", path.display()))
            .fix("copy the directory away, and ask for help: what was not synced lies in this file")
    })
}

pub(super) fn tenant_file(context: &Context) -> Finding {
    tenant_file_up_to(CHECKED_BYTES_MAX, context)
}

pub(super) fn tenant_file_of_any_size(context: &Context) -> Finding {
    tenant_file_up_to(u64::MAX, context)
}

fn tenant_file_up_to(bytes_max: u64, context: &Context) -> Finding {
    let (dir, local) = replica!(context);
    let identity = tried!(local.identity());
    let path = dir.join(identity.tenant_file);
    let checked = match TenantFile::open(&path, &FileOptions::default()) {
        Ok(_) => whole(&path, bytes_max),
        Err(error) if error.is_damage() => Err(last_cause(&error)),
        Err(error) => return Finding::from(unopened(error)),
    };
    let problem = match checked {
        Ok(finding) => return finding,
        Err(problem) => problem,
    };
    let damaged = Finding::warning(format!("{} is damaged: {problem}", path.display()));
    let settings = tried!(context.settings());
    if identity.member.is_none() || settings.sync_endpoint().is_some() {
        return damaged.repair_by(Repair::SetLogAside(dir));
    }
    // What can still be read of it is all that is here of what the server has.
    let sync = match settings.endpoint.value {
        Some(_) => "syncline config set sync_enabled true",
        None => "syncline login URL",
    };
    damaged.fix(format!(
        "{sync}, then syncline doctor --fix: the log is fetched again, and nothing that you wrote is lost"
    ))
}

/// What the log holds in a form that this version can't read; a newer one reads it from there.
pub(super) fn unread_ops(context: &Context) -> Finding {
    let (dir, local) = replica!(context);
    let path = dir.join(tried!(local.identity()).tenant_file);
    let bytes = std::fs::metadata(&path).map_or(0, |found| found.len());
    if bytes > CHECKED_BYTES_MAX {
        return Finding::skipped(format!("{bytes} bytes take too long to read"));
    }
    let file = match TenantFile::open(&path, &FileOptions::default()) {
        Ok(file) => file,
        // The check of the file says so.
        Err(error) if error.is_damage() => return Finding::skipped("the log can't be read"),
        Err(error) => return Finding::from(unopened(error)),
    };
    let unread = match file.count_unread() {
        Err(StoreError::Damaged { .. }) => return Finding::skipped("the log can't be read"),
        counted => tried!(counted),
    };
    match unread {
        0 => Finding::ok("every op of the log can be read"),
        unread => Finding::warning(format!(
            "{} of the log can't be read by this version, and are shown nowhere; they are kept, and synced",
            counted(unread, "op")
        ))
        .fix("use a newer syncline, which reads the log anew; where there is none, what wrote them wrote them wrong"),
    }
}

/// What the check of a whole file finds; else what is wrong with its content.
fn whole(path: &Path, bytes_max: u64) -> Result<Finding, String> {
    let bytes = std::fs::metadata(path).map_or(0, |found| found.len());
    if bytes > bytes_max {
        let skipped = Finding::skipped(format!("{bytes} bytes take too long to read"));
        return Ok(skipped.fix("syncline doctor --fix, where a read has failed: it reads them all"));
    }
    match quick_check(path) {
        Ok(problems) => match problems.into_iter().next() {
            None => Ok(Finding::ok(path.display().to_string())),
            Some(problem) => Err(problem),
        },
        Err(error) if error.is_damage() => Err(last_cause(&error)),
        Err(error) => Ok(Finding::from(unopened(error))),
    }
}

/// What is below all that says which file it is, and that it is damaged.
fn last_cause(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => last_cause(cause),
        None => error.to_string(),
    }
}

pub(super) fn outbox(context: &Context) -> Finding {
    let (_, local) = replica!(context);
    let counts = tried!(local.count_outbox());
    let pending: u64 = counts.iter().map(|count| count.pending).sum();
    let oldest = counts
        .iter()
        .filter_map(|count| count.oldest_pending_at)
        .min();
    let Some(oldest) = oldest else {
        return Finding::ok("nothing waits to be sent");
    };
    let age = context.now().as_millis() - oldest.as_millis();
    let age = u64::try_from(age).unwrap_or(0) / 1000;
    let message = format!(
        "{} waiting, the oldest for {}",
        counted(pending, "change"),
        duration(age)
    );
    let syncs = tried!(context.settings()).sync_endpoint().is_some();
    if syncs && age > WAIT_SECONDS_MAX {
        Finding::warning(message).fix("syncline sync")
    } else {
        Finding::ok(message)
    }
}

pub(super) fn quarantine(context: &Context) -> Finding {
    let (_, local) = replica!(context);
    match tried!(local.count_quarantined()) {
        0 => Finding::ok("nothing was refused"),
        refused => Finding::warning(format!(
            "{} refused, and waiting for you",
            counted(refused, "change")
        ))
        .fix("syncline sync quarantine list"),
    }
}

pub(super) fn last_sync(context: &Context) -> Finding {
    let (_, local) = replica!(context);
    let notes = tried!(local.sync_notes());
    if let Some(error) = notes.last_error {
        return Finding::warning(format!(
            "{} [{}] at {}",
            error.message, error.code, error.at
        ))
        .fix(cure_of(&error.code).unwrap_or("syncline sync"));
    }
    match notes.last_sync_at {
        Some(at) => Finding::ok(at.to_string()),
        None => Finding::ok("never"),
    }
}

/// Files that were set aside are kept for their owner to look at, and nobody removes them.
pub(super) fn kept_files(context: &Context) -> Finding {
    let (dir, _) = replica!(context);
    let entries = match std::fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) => return Finding::failed(format!("could not list {}: {error}", dir.display())),
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let kept: Vec<String> = names
        .filter(|name| name.starts_with("damaged-") && name.ends_with(".db"))
        .collect();
    if kept.is_empty() {
        return Finding::ok("no damaged file is kept");
    }
    Finding::warning(format!("{} in {}", kept.join(", "), dir.display()))
        .fix("remove them once all is well: they are not used any more")
}

/// What a restore has replaced may hold what was never sent, and who finished the restore of another process said
/// nothing of it.
pub(super) fn replaced(context: &Context) -> Finding {
    let (dir, _) = replica!(context);
    let entries = match std::fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) => return Finding::failed(format!("could not list {}: {error}", dir.display())),
    };
    if tried!(context.settings()).sync_endpoint().is_none() {
        return Finding::ok("nothing is to be sent");
    }
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut replaced: Vec<_> = names.filter(|name| name.starts_with("replaced-")).collect();
    replaced.sort();
    let (mut told, mut to_send, mut is_kept_from_us) = (Vec::new(), None, false);
    for aside in replaced.into_iter().map(|name| dir.join(name)) {
        let at = aside.display();
        match LocalFile::pending_of_copy(&aside.join(LOCAL_FILE_NAME)) {
            Ok(0) | Err(OpenError::Missing { .. }) => {}
            Ok(count) => {
                told.push(format!("{} in {at}", counted(count, "op")));
                to_send.get_or_insert(aside);
            }
            Err(error) => {
                is_kept_from_us |= !error.is_damage();
                told.push(format!("{at} can't be read: {}", last_cause(&error)));
            }
        }
    }
    if told.is_empty() {
        return Finding::ok("nothing unsent is in what restores have replaced");
    }
    let found = Finding::warning(format!(
        "restores have replaced what was not sent, or may not have been: {}; remove it when nothing of it is missed",
        told.join(", ")
    ));
    match to_send {
        Some(first) => found.fix(tried!(to_send_replaced(&first, context))),
        None if is_kept_from_us => found.fix(SEE_TO_OWNER),
        None => found,
    }
}
