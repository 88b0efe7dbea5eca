//! The control socket's address, and who may use it.
//!
//! On Unix a socket of mode 0600 in a directory of mode 0700, both the user's own, and each peer's
//! user id is checked. On Windows a named pipe that remote clients are refused.

use std::io;
use std::path::{Path, PathBuf};

/// Why the control socket can't be served.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("{} is not a directory of this user with mode 0700", path.display())]
    UnsafeDirectory { path: PathBuf },
    #[error("{} is longer than a socket's path may be; choose a shorter data directory", path.display())]
    TooLong { path: PathBuf },
    #[error("could not open the control socket {}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

#[cfg(unix)]
pub(crate) use unix::{Listener, Stream, connect};
#[cfg(windows)]
pub(crate) use windows::{Listener, Stream, connect};

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
    use std::time::Duration;

    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};

    use super::{Path, SocketError, io};

    /// The longest path that every system's `sockaddr_un` holds.
    const PATH_BYTES_MAX: usize = 103;

    pub(crate) type Stream = tokio::net::UnixStream;

    /// The listening socket; its file is removed when this is dropped.
    #[derive(Debug)]
    pub(crate) struct Listener {
        inner: tokio::net::UnixListener,
        path: std::path::PathBuf,
        owner: u32,
    }

    impl Listener {
        /// Binds the socket. The caller holds the instance lock, so that a file left there belongs
        /// to a daemon that died.
        pub(crate) fn bind(path: &Path) -> Result<Self, SocketError> {
            if path.as_os_str().len() > PATH_BYTES_MAX {
                return Err(SocketError::TooLong {
                    path: path.to_owned(),
                });
            }
            let fail = |source| SocketError::Io {
                path: path.to_owned(),
                source,
            };
            let directory = path.parent().unwrap_or(Path::new("."));
            let owner = own_directory(directory, fail)?;
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
                Ok(()) | Err(_) => {}
            }
            let inner = tokio::net::UnixListener::bind(path).map_err(fail)?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(fail)?;
            // The socket is this user's own, so the directory must be too: root may enter others'.
            if fs::metadata(path).map_err(fail)?.uid() != owner {
                let _ = fs::remove_file(path);
                return Err(SocketError::UnsafeDirectory {
                    path: directory.to_owned(),
                });
            }
            Ok(Self {
                inner,
                path: path.to_owned(),
                owner,
            })
        }

        /// The next connection of this user; others' are closed.
        pub(crate) async fn accept(&mut self) -> io::Result<Stream> {
            loop {
                let (stream, _) = self.inner.accept().await?;
                if stream.peer_cred()?.uid() == self.owner {
                    return Ok(stream);
                }
                tracing::warn!("a connection of another user to the control socket was refused");
            }
        }
    }

    impl Drop for Listener {
        fn drop(&mut self) {
            if let Err(error) = fs::remove_file(&self.path) {
                tracing::warn!(%error, "could not remove the control socket");
            }
        }
    }

    /// Makes the directory if need be, and gives its owner: the user that this process runs as.
    fn own_directory(
        directory: &Path,
        fail: impl Fn(io::Error) -> SocketError,
    ) -> Result<u32, SocketError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(&fail)?;
        let unsafe_directory = || SocketError::UnsafeDirectory {
            path: directory.to_owned(),
        };
        let metadata = fs::symlink_metadata(directory).map_err(&fail)?;
        if !metadata.is_dir() {
            return Err(unsafe_directory());
        }
        // Only its owner can change a directory's mode, so this also fails for another's.
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
            .map_err(|_| unsafe_directory())?;
        Ok(metadata.uid())
    }

    /// Connects, or fails at once where nobody takes connections any more; reads and writes then fail after
    /// `patience`.
    pub(crate) fn connect(
        path: &Path,
        patience: Duration,
    ) -> io::Result<std::os::unix::net::UnixStream> {
        let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        let stream = std::os::unix::net::UnixStream::from(socket);
        // It would wait for a place among those that a daemon at a standstill has yet to take.
        stream.set_nonblocking(true)?;
        rustix::net::connect(&stream, &SocketAddrUnix::new(path)?)?;
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(stream)
    }
}

#[cfg(windows)]
mod windows {
    use std::time::Duration;

    use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};

    use super::{Path, SocketError, io};

    pub(crate) type Stream = NamedPipeServer;

    /// The listening pipe: always one instance that waits for a client.
    #[derive(Debug)]
    pub(crate) struct Listener {
        waiting: NamedPipeServer,
        path: std::path::PathBuf,
    }

    impl Listener {
        pub(crate) fn bind(path: &Path) -> Result<Self, SocketError> {
            let waiting = ServerOptions::new()
                .first_pipe_instance(true)
                .reject_remote_clients(true)
                .create(path)
                .map_err(|source| SocketError::Io {
                    path: path.to_owned(),
                    source,
                })?;
            Ok(Self {
                waiting,
                path: path.to_owned(),
            })
        }

        pub(crate) async fn accept(&mut self) -> io::Result<Stream> {
            self.waiting.connect().await?;
            let next = ServerOptions::new()
                .reject_remote_clients(true)
                .create(&self.path)?;
            Ok(std::mem::replace(&mut self.waiting, next))
        }
    }

    /// Opens the pipe as a file; it has no time-outs of its own.
    pub(crate) fn connect(path: &Path, _patience: Duration) -> io::Result<std::fs::File> {
        std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Duration;

    use super::{connect, io};

    #[test]
    fn who_takes_no_connections_any_more_is_not_waited_for() {
        /// More than any system lets wait.
        const CONNECTIONS_MAX: usize = 100_000;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let refused =
            (0..CONNECTIONS_MAX).find_map(|_| connect(&path, Duration::from_secs(1)).err());
        assert!(refused.is_some());
        let nobody = connect(&directory.path().join("none"), Duration::from_secs(1));
        assert_eq!(nobody.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
