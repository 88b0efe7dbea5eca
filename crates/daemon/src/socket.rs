//! The control socket's address, and who may use it.
//!
//! On Unix a socket of mode 0600 in a directory of mode 0700, both the user's own, and each peer's
//! user id is checked. On Windows a named pipe that remote clients are refused. A second socket may lie
//! where plugins that were made for another daemon look for one.

use std::io;
use std::path::{Path, PathBuf};

/// Why the control socket can't be served.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("{} is not a directory of this user with mode 0700", path.display())]
    UnsafeDirectory { path: PathBuf },
    #[error("{} is longer than a socket's path may be; choose a shorter data directory", path.display())]
    TooLong { path: PathBuf },
    #[error("{} is taken: another process listens there, or it is no socket", path.display())]
    Taken { path: PathBuf },
    #[error("others than this user may replace what lies in {}", path.display())]
    OpenDirectory { path: PathBuf },
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
    use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
    use std::time::Duration;

    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};

    use super::{Path, SocketError, io};

    /// The longest path that every system's `sockaddr_un` holds.
    const PATH_BYTES_MAX: usize = 103;

    /// How long a socket that is already there is given to be one that somebody listens at.
    const LOOK: Duration = Duration::from_millis(100);

    pub(crate) type Stream = tokio::net::UnixStream;

    /// The listening socket; its file is removed when this is dropped, unless it is another's by then.
    #[derive(Debug)]
    pub(crate) struct Listener {
        inner: tokio::net::UnixListener,
        path: std::path::PathBuf,
        owner: u32,
        /// The device and inode of its file.
        file: (u64, u64),
    }

    impl Listener {
        /// Binds the socket. The caller holds the instance lock, so that a file left there belongs
        /// to a daemon that died.
        pub(crate) fn bind(path: &Path) -> Result<Self, SocketError> {
            check_length(path)?;
            let fail = |source| io_error(path, source);
            let directory = path.parent().unwrap_or(Path::new("."));
            let owner = own_directory(directory, fail)?;
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
                Ok(()) | Err(_) => {}
            }
            let listener = Self::listen(path).map_err(fail)?;
            // The socket is this user's own, so the directory must be too: root may enter others'.
            if listener.owner != owner {
                return Err(SocketError::UnsafeDirectory {
                    path: directory.to_owned(),
                });
            }
            Ok(listener)
        }

        /// Binds a socket at a path that other programs know too. Who listens there goes on, and so does
        /// what is no socket; the directory may hold more, and stays as it is if it is there.
        pub(crate) fn bind_shared(path: &Path) -> Result<Self, SocketError> {
            check_length(path)?;
            let fail = |source| io_error(path, source);
            let directory = path.parent().unwrap_or(Path::new("."));
            make_directory(directory).map_err(fail)?;
            make_way(path)?;
            let listener = Self::listen(path).map_err(fail)?;
            let around = fs::metadata(directory).map_err(fail)?;
            let for_all = around.mode() & 0o002 != 0 && around.mode() & 0o1000 == 0;
            if for_all || ![listener.owner, 0].contains(&around.uid()) {
                return Err(SocketError::OpenDirectory {
                    path: directory.to_owned(),
                });
            }
            Ok(listener)
        }

        fn listen(path: &Path) -> io::Result<Self> {
            let inner = tokio::net::UnixListener::bind(path)?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            let file = fs::symlink_metadata(path)?;
            Ok(Self {
                inner,
                path: path.to_owned(),
                owner: file.uid(),
                file: (file.dev(), file.ino()),
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
            let removed = match fs::symlink_metadata(&self.path) {
                Ok(found) if (found.dev(), found.ino()) == self.file => fs::remove_file(&self.path),
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
                tracing::warn!(%error, socket = %self.path.display(), "could not remove a socket");
            }
        }
    }

    fn check_length(path: &Path) -> Result<(), SocketError> {
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(());
        }
        Err(SocketError::TooLong {
            path: path.to_owned(),
        })
    }

    fn io_error(path: &Path, source: io::Error) -> SocketError {
        SocketError::Io {
            path: path.to_owned(),
            source,
        }
    }

    fn make_directory(directory: &Path) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
    }

    /// Makes the directory if need be, and gives its owner: the user that this process runs as.
    fn own_directory(
        directory: &Path,
        fail: impl Fn(io::Error) -> SocketError,
    ) -> Result<u32, SocketError> {
        make_directory(directory).map_err(&fail)?;
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

    /// Removes the socket of a process that is gone.
    fn make_way(path: &Path) -> Result<(), SocketError> {
        let taken = || SocketError::Taken {
            path: path.to_owned(),
        };
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io_error(path, error)),
            Ok(found) if !found.file_type().is_socket() => return Err(taken()),
            Ok(_) => {}
        }
        match connect(path, LOOK) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path).map_err(|error| io_error(path, error))
            }
            Ok(_) | Err(_) => Err(taken()),
        }
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

        /// The same: the first instance of a pipe is refused where another process has it.
        pub(crate) fn bind_shared(path: &Path) -> Result<Self, SocketError> {
            Self::bind(path)
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
