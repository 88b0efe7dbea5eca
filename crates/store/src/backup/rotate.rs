//! Backups made again and again, each in a directory of its own, the oldest dropped.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use syncline_model::Timestamp;

use super::{BackupError, MANIFEST_NAME, Manifest, io_error};
use crate::control::TENANTS;

const PREFIX: &str = "syncline-";
/// Stands in the name of a backup that is being made, before whose it is and the number of the process.
const PART: &str = ".part-";
/// What follows `.db` in the names of SQLite's files.
const SIDES: [&str; 4] = ["", "-wal", "-shm", "-journal"];
/// How long a part that says no server stays: older versions make such parts, and hold none of them.
const UNNAMED_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The name of the part in which a backup is made that is to be called `name`.
pub(super) fn part_name(name: &OsStr, server: Option<&str>) -> OsString {
    let mut part = name.to_owned();
    part.push(PART);
    if let Some(server) = server {
        part.push(format!("{server}-"));
    }
    part.push(std::process::id().to_string());
    part
}

/// Removes what processes have left that were killed as they made the backup `to`, or, where that has its
/// name of the time, as they made or removed any such backup of the server's beside it.
pub(super) fn sweep_parts(
    to: &Path,
    server: Option<&str>,
    now: Timestamp,
) -> Result<(), BackupError> {
    let name = to.file_name().unwrap_or_default();
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    sweep(parent.unwrap_or(Path::new(".")), |path, part| {
        // Who makes the same backup now is told from who was killed by holding it.
        if part.backup == name {
            return is_let_go(path, now);
        }
        let are_dated = is_dated(name) && is_dated(part.backup);
        are_dated && is_left_behind(path, part, server, now)
    })
}

/// Removes what processes have left in `directory` that were killed as they made or removed a backup with its
/// name of the time. Nobody else's may be made in it: whose they are is not asked.
pub fn sweep_own(directory: &Path, now: Timestamp) -> Result<(), BackupError> {
    sweep(directory, |path, part| {
        is_dated(part.backup) && is_let_go(path, now)
    })
}

fn sweep(directory: &Path, is_left: impl Fn(&Path, &Part<'_>) -> bool) -> Result<(), BackupError> {
    let mut left = paths_in(directory)?;
    left.retain(|path| Part::read(path).is_some_and(|part| is_left(path, &part)));
    remove_each(left, |path| match is_of_a_backup(path)? {
        true => fs::remove_dir_all(path).map_err(io_error("remove", path)),
        // A user's own directory may have such a name.
        false => Ok(()),
    });
    Ok(())
}

/// Removes what it can of `paths`, and gives that; of the rest the log tells.
pub(super) fn remove_each(
    mut paths: Vec<PathBuf>,
    remove: impl Fn(&Path) -> Result<(), BackupError>,
) -> Vec<PathBuf> {
    paths.retain(|path| {
        let removed = remove(path);
        if let Err(error) = &removed {
            tracing::warn!(
                error = error as &dyn Error, backup.path = %path.display(),
                "could not remove an old backup, or what is left of one"
            );
        }
        removed.is_ok()
    });
    paths
}

/// Whether a directory holds no more than a backup does.
pub(super) fn is_of_a_backup(directory: &Path) -> Result<bool, BackupError> {
    for path in paths_in(directory)? {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let is_ours = match path.is_dir() {
            true => name == TENANTS && is_of_a_backup(&path)?,
            false => {
                name.starts_with(MANIFEST_NAME)
                    || name
                        .rsplit_once(".db")
                        .is_some_and(|(_, rest)| SIDES.contains(&rest))
            }
        };
        if !is_ours {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Holds a part before anything is made in it, so that nobody takes it for one of a process that was killed;
/// none where the system can't tell that of a directory.
pub(super) fn hold_part(path: &Path) -> Option<File> {
    let directory = File::open(path).ok()?;
    // Whoever else holds it looks at it, for a moment.
    directory.lock().ok()?;
    Some(directory)
}

/// Whether it can be told that nobody holds a part any more. One with nothing in it may have been made just now, to be held next.
fn is_let_go(path: &Path, now: Timestamp) -> bool {
    let Ok(directory) = File::open(path) else {
        return false;
    };
    // Held as it is looked into: who has just made it has put nothing in it before that.
    if directory.try_lock().is_err() {
        return false;
    }
    let has_content = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    has_content || is_forgotten(path, now)
}

/// What the name of a part tells.
struct Part<'p> {
    /// The name that the backup is to have.
    backup: &'p OsStr,
    /// Whose backup it is; none: it doesn't say.
    server: Option<&'p str>,
}

impl<'p> Part<'p> {
    /// Reads what [`part_name`] made; none: it is another name, or no directory.
    fn read(path: &'p Path) -> Option<Self> {
        if !path.is_dir() {
            return None;
        }
        let (backup, maker) = path.file_name()?.to_str()?.rsplit_once(PART)?;
        let (server, process) = match maker.rsplit_once('-') {
            Some((server, process)) => (Some(server), process),
            None => (None, maker),
        };
        let is_process = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
        let is_server = server.is_none_or(|server| !server.is_empty());
        (is_process && is_server).then_some(Self {
            backup: backup.as_ref(),
            server,
        })
    }
}

/// Whether a part was left behind by a process that was killed: one of this server's that is held no
/// more, or one of nobody's that has been untouched for long.
fn is_left_behind(path: &Path, part: &Part<'_>, server: Option<&str>, now: Timestamp) -> bool {
    match part.server {
        None => is_forgotten(path, now),
        Some(_) if part.server == server => is_let_go(path, now),
        Some(_) => false,
    }
}

/// Whether nothing was made in the directory for so long that nobody is at it any more.
fn is_forgotten(path: &Path, now: Timestamp) -> bool {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified());
    let since = changed
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.is_some_and(|since| {
        let untouched = now
            .as_millis()
            .saturating_sub_unsigned(since.as_millis() as u64);
        untouched >= UNNAMED_KEPT.as_millis() as i64
    })
}

/// The name of a backup made at `at`: names sort as times do.
pub fn backup_name(at: Timestamp) -> String {
    // Colons are not allowed in file names everywhere.
    format!("{PREFIX}{}", at.to_string().replace(':', "-"))
}

/// Whether [`backup_name`] made the name, or what it begins with up to a `-`: that of a log which was reset goes on
/// with its epoch.
fn is_dated(name: &OsStr) -> bool {
    let time = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    let parts = time.and_then(|time| time.split_once('T'));
    parts.is_some_and(|(day, rest)| {
        let (time, rest) = rest.split_once('Z').unwrap_or((rest, ""));
        let time = format!("{day}T{}Z", time.replace('-', ":"));
        time.parse::<Timestamp>().is_ok() && (rest.is_empty() || rest.starts_with('-'))
    })
}

/// The finished backups in `directory`, oldest first; none where there is no such directory.
pub fn backups_in(directory: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut backups = paths_in(directory)?;
    backups.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        let is_backup = name.is_some_and(|name| name.starts_with(PREFIX) && !name.contains(PART));
        is_backup && path.join(MANIFEST_NAME).is_file()
    });
    backups.sort();
    Ok(backups)
}

/// What is in `directory`; nothing where there is none.
fn paths_in(directory: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("list", directory)(error)),
    };
    let paths = entries.map(|entry| Ok(entry?.path()));
    let paths: std::io::Result<_> = paths.collect();
    paths.map_err(io_error("list", directory))
}

/// The newest finished backup in `directory` of the server of this name; none yet. Those that are of a
/// later time than `now` were made before the clock was set back, and are the oldest.
pub fn newest_of(
    directory: &Path,
    server: Option<&str>,
    now: Timestamp,
) -> Result<Option<Manifest>, BackupError> {
    let newest = backups_of(directory, server, now)?.pop();
    Ok(newest.map(|(_, manifest)| manifest))
}

/// The backups of one server, oldest first. Those that say no name may be anybody's, and count as its
/// own.
fn backups_of(
    directory: &Path,
    server: Option<&str>,
    now: Timestamp,
) -> Result<Vec<(PathBuf, Manifest)>, BackupError> {
    let own =
        |manifest: &Manifest| manifest.server.is_none() || manifest.server.as_deref() == server;
    let mut backups: Vec<_> = backups_in(directory)?
        .into_iter()
        // One that can't be read is left alone.
        .filter_map(|path| Some((Manifest::read(&path).ok()?, path)))
        .filter(|(manifest, _)| own(manifest))
        .map(|(manifest, path)| (path, manifest))
        .collect();
    // What a clock that was since set back dates later than now is older than what it dates earlier.
    backups
        .sort_by_key(|(path, manifest)| (manifest.made_at <= now, manifest.made_at, path.clone()));
    Ok(backups)
}

/// Removes the oldest backups of a server in `directory` until `keep` are left, as [`newest_of`] counts
/// age, and gives those that were removed. Other servers' stay, and so does one that was made `now`.
///
/// Where the newest leaves a log out, only others that do are counted and removed: the older ones may be
/// all that there is of that log.
pub fn drop_oldest(
    directory: &Path,
    server: Option<&str>,
    keep: NonZeroUsize,
    now: Timestamp,
) -> Result<Vec<PathBuf>, BackupError> {
    let mut backups = backups_of(directory, server, now)?;
    let newest = backups.last();
    if newest.is_some_and(|(_, manifest)| !manifest.left_out.is_empty()) {
        backups.retain(|(_, manifest)| !manifest.left_out.is_empty());
    }
    backups.truncate(backups.len().saturating_sub(keep.get()));
    let backups = backups.into_iter().map(|(path, _)| path);
    Ok(remove_each(backups.collect(), |path| {
        remove_backup(path, server)
    }))
}

/// Removes a backup of a server, or one of nobody's that counts as its own.
pub fn remove_backup(path: &Path, server: Option<&str>) -> Result<(), BackupError> {
    let (part, _held) = set_aside(path, server)?;
    fs::remove_dir_all(&part).map_err(io_error("remove", &part))
}

/// Gives a backup the name of a part, and holds it: what is half gone is no backup, and where the process is
/// killed, the next sweep removes the rest.
pub(super) fn set_aside(
    path: &Path,
    server: Option<&str>,
) -> Result<(PathBuf, Option<File>), BackupError> {
    let held = hold_part(path);
    let name = path.file_name().unwrap_or_default();
    let part = path.with_file_name(part_name(name, server));
    fs::rename(path, &part).map_err(io_error("remove", path))?;
    Ok((part, held))
}
