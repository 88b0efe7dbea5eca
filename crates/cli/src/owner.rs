//! Whose files are: what an administrator puts into a server's directory must be the server's.

use std::io;
use std::path::Path;

/// Gives every file and directory in `directory` that is of another user to the directory's own.
///
/// That user may write there meanwhile. So nothing is gone to by its path, no link is followed, and a
/// file that has another name as well, perhaps elsewhere, is left alone.
#[cfg(unix)]
pub(crate) fn give_to_owner_of(directory: &Path) -> io::Result<()> {
    let directory = std::fs::File::open(directory)?;
    let owner = directory.metadata()?;
    give_below(&directory, &owner)
}

#[cfg(unix)]
fn give_below(directory: &std::fs::File, owner: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    use rustix::fs::{Dir, FileType, Mode, OFlags, openat};
    use rustix::io::Errno;

    let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let may_be_ours = matches!(
            entry.file_type(),
            FileType::Directory | FileType::RegularFile | FileType::Unknown
        );
        if !may_be_ours || matches!(entry.file_name().to_bytes(), b"." | b"..") {
            continue;
        }
        let file = match openat(directory, entry.file_name(), read, Mode::empty()) {
            Ok(file) => std::fs::File::from(file),
            // A link, a socket, or gone by now.
            Err(Errno::LOOP | Errno::NXIO | Errno::NOENT) => continue,
            Err(error) => return Err(error.into()),
        };
        let is = file.metadata()?;
        let has_one_name = is.is_file() && is.nlink() == 1;
        if is.uid() != owner.uid() && (is.is_dir() || has_one_name) {
            fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
        }
        if is.is_dir() {
            give_below(&file, owner)?;
        }
    }
    Ok(())
}

/// Files are their directory's here.
#[cfg(not(unix))]
pub(crate) fn give_to_owner_of(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, chown, symlink};
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use tempfile::TempDir;

    use super::*;

    const SERVICE: u32 = 65_532;

    /// Files of root's beside a directory of a service's; none where only root could make them.
    fn beside_a_service() -> Option<TempDir> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for directory in ["data/tenants", "elsewhere/below"] {
            fs::create_dir_all(at(directory)).unwrap();
        }
        for file in [
            "data/tenants/log.db",
            "elsewhere/one",
            "elsewhere/below/two",
        ] {
            fs::write(at(file), "").unwrap();
        }
        chown(at("data"), Some(SERVICE), Some(SERVICE)).unwrap();
        Some(root)
    }

    fn is_the_services(path: &Path) -> bool {
        path.metadata().unwrap().uid() == SERVICE
    }

    #[test]
    fn neither_what_links_lead_to_nor_what_has_another_name_is_given_away() {
        let Some(root) = beside_a_service() else {
            return;
        };
        let (data, elsewhere) = (root.path().join("data"), root.path().join("elsewhere"));
        symlink(elsewhere.join("one"), data.join("link")).unwrap();
        symlink(elsewhere.join("below"), data.join("links")).unwrap();
        fs::hard_link(elsewhere.join("below/two"), data.join("tenants/two")).unwrap();
        give_to_owner_of(&data).unwrap();
        assert!(is_the_services(&data.join("tenants")));
        assert!(is_the_services(&data.join("tenants/log.db")));
        for kept in ["one", "below", "below/two"] {
            assert!(!is_the_services(&elsewhere.join(kept)), "{kept}");
        }
    }

    /// The service's user exchanges a directory for a link while its files are given to it.
    #[test]
    fn a_link_that_takes_a_directorys_place_meanwhile_leads_nowhere() {
        let Some(root) = beside_a_service() else {
            return;
        };
        let (data, elsewhere) = (root.path().join("data"), root.path().join("elsewhere"));
        symlink(&elsewhere, data.join("link")).unwrap();
        let is_done = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let (one, other) = (data.join("tenants"), data.join("link"));
                while !is_done.load(Ordering::SeqCst) {
                    renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).unwrap();
                }
            });
            for _ in 0..1_000 {
                give_to_owner_of(&data).unwrap();
            }
            is_done.store(true, Ordering::SeqCst);
        });
        for kept in ["one", "below", "below/two"] {
            assert!(!is_the_services(&elsewhere.join(kept)), "{kept}");
        }
    }
}
