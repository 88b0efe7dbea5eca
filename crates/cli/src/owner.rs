//! Whose files are: what an administrator puts into a server's directory must be the server's.

use std::io;
use std::path::Path;

/// Gives everything in `directory` that is of another user to the directory's own.
#[cfg(unix)]
pub(crate) fn give_to_owner_of(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let owner = directory.metadata()?;
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in next.read_dir()? {
            let entry = entry?;
            let is = entry.metadata()?;
            if is.uid() != owner.uid() {
                std::os::unix::fs::lchown(entry.path(), Some(owner.uid()), Some(owner.gid()))?;
            }
            if is.is_dir() {
                directories.push(entry.path());
            }
        }
    }
    Ok(())
}

/// Files are their directory's here.
#[cfg(not(unix))]
pub(crate) fn give_to_owner_of(_: &Path) -> io::Result<()> {
    Ok(())
}
