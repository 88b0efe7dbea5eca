//! Files that nobody but their owner may read.

use std::path::Path;

/// Takes from other users what they may do with the file and those beside it. Another user's file
/// keeps its mode, which its owner has chosen, and so does what is no file, such as a device.
#[cfg(unix)]
pub(crate) fn keep_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let mode = match std::fs::metadata(&name) {
            Ok(metadata) if !metadata.is_file() => continue,
            Ok(metadata) => metadata.permissions().mode() & 0o777,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if mode & 0o077 == 0 {
            continue;
        }
        let private = std::fs::Permissions::from_mode(mode & 0o700);
        match std::fs::set_permissions(&name, private) {
            Err(error)
                if !matches!(
                    error.kind(),
                    std::io::ErrorKind::PermissionDenied
                        | std::io::ErrorKind::ReadOnlyFilesystem
                        | std::io::ErrorKind::NotFound
                ) =>
            {
                return Err(error);
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn keep_private(_: &Path) -> std::io::Result<()> {
    Ok(())
}
