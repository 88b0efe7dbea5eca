//! A daemon on its real socket.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use syncline_daemon::{CallError, Config, DaemonError, Followed, Settings, call, prepare};
use syncline_replica::ReplicaOptions;

/// What nothing here takes, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Home {
    directory: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("replica")).unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("run/daemon.sock")
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            replica: self.path("replica"),
            options: ReplicaOptions::default(),
            socket: self.socket(),
            plugin_socket: None,
            lock: self.path("daemon.lock"),
            followed: Followed {
                files: Vec::new(),
                read: Box::new(|| Ok(Settings::off())),
            },
        }
    }
}

/// A daemon on a thread of its own.
pub(crate) struct Running {
    pub(crate) socket: PathBuf,
    pub(crate) thread: JoinHandle<Result<(), DaemonError>>,
    shutdown: tokio::sync::oneshot::Sender<()>,
}

impl Running {
    /// Starts a daemon, and waits until it answers.
    pub(crate) fn start(config: Config) -> Self {
        let socket = config.socket.clone();
        let (shutdown, asked) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            block_on(async { prepare(config)?.run(async { drop(asked.await) }).await })
        });
        until("the daemon answers", || {
            assert!(!thread.is_finished(), "the daemon has ended early");
            call(&socket, "health", Value::Null, PATIENCE).is_ok()
        });
        Self {
            socket,
            thread,
            shutdown,
        }
    }

    pub(crate) fn call(&self, method: &str, params: Value) -> Result<Value, CallError> {
        call(&self.socket, method, params, PATIENCE)
    }

    pub(crate) fn signal(self) {
        self.shutdown.send(()).unwrap();
        self.thread.join().unwrap().unwrap();
    }
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// Why a daemon can't begin.
pub(crate) fn refused(config: Config) -> DaemonError {
    block_on(async { prepare(config).unwrap_err() })
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}
