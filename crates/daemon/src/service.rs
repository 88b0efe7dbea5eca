//! The daemon itself: what it opens, what it follows, and the order in which it ends.

mod calls;
mod plugins;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use syncline_capture::hook::Spool;
use syncline_client::{StartError, SyncEnd, SyncHandle, SyncOutcome, SyncSettings};
use syncline_replica::{LOCAL_FILE_NAME, Replica, ReplicaError, ReplicaOptions};
use tokio::sync::Notify;

use crate::control;
use crate::follow::{Followed, Follower, Settings};
use crate::instance::{Instance, InstanceError};
use crate::read::Reader;
use crate::record::{InForce, Recorder};
use crate::rpc::RpcError;
use crate::socket::{Listener, SocketError};
use crate::watch::Watch;
use plugins::{Claim, PluginSocket};

/// The version of the control socket's methods; raised when one changes its meaning.
pub const PROTOCOL: u32 = 1;
/// How often the configuration's files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest that `sync.now` waits; a caller who wants more asks again.
const SYNC_WAIT_MAX: Duration = Duration::from_secs(600);
const SYNC_WAIT: Duration = Duration::from_secs(5);

/// What a daemon needs to run.
#[derive(Debug)]
pub struct Config {
    /// The directory of the replica; it must exist.
    pub replica: PathBuf,
    pub options: ReplicaOptions,
    /// The control socket.
    pub socket: PathBuf,
    /// Where plugins that were made for clankers look for a socket; none: it is not served.
    pub plugin_socket: Option<PathBuf>,
    /// The file whose lock makes this the only daemon of its profile.
    pub lock: PathBuf,
    pub followed: Followed,
}

/// Why a daemon ended, or never began.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error("this process can't be the daemon")]
    Instance(#[source] InstanceError),
    #[error("could not serve the control socket")]
    Socket(#[source] SocketError),
    #[error("could not open the replica")]
    Replica(#[source] ReplicaError),
    #[error("could not start sync")]
    Start(#[source] StartError),
    #[error("could not start to watch what agents leave")]
    Watch(#[source] std::io::Error),
    #[error("the watching of what agents leave has ended by a fault")]
    WatchEnded,
}

/// A daemon that is set up, and answers once it is run.
#[derive(Debug)]
#[must_use = "a daemon answers nobody until it is run"]
pub struct ReadyDaemon {
    listener: Listener,
    plugins: Option<Claim>,
    service: Arc<Service>,
    instance: Instance,
}

/// Takes the profile's lock and socket, opens the replica and starts sync; what can fail at a start
/// fails here, but for the socket of plugins: without it, all else goes on, and it is taken over once who
/// listens there has gone. Needs a runtime's context.
pub fn prepare(config: Config) -> Result<ReadyDaemon, DaemonError> {
    let instance = Instance::claim(&config.lock).map_err(DaemonError::Instance)?;
    let listener = Listener::bind(&config.socket).map_err(DaemonError::Socket)?;
    let (plugin_socket, plugins) = config.plugin_socket.map(PluginSocket::claim).unzip();
    let made = !config.replica.join(LOCAL_FILE_NAME).exists();
    let replica = Replica::open(&config.replica, config.options).map_err(DaemonError::Replica)?;
    let another = || replica.another().map_err(DaemonError::Replica);
    let (recording, reading, watching) = (another()?, another()?, another()?);
    let follower = Follower::begin(config.followed);
    let Settings { sync, capture } = follower.current().clone();
    let captured = InForce::new(Mutex::new(capture));
    let spool = Spool::beside(&config.replica);
    let watch = Watch::start(watching, spool.clone(), Arc::clone(&captured));
    let sync = syncline_client::start(replica, sync);
    let service = Service {
        sync: Arc::new(sync.map_err(DaemonError::Start)?),
        recorder: Arc::new(Recorder::new(recording, Arc::clone(&captured))),
        reader: Arc::new(Reader::new(reading)),
        watch: watch.map_err(DaemonError::Watch)?,
        plugin_socket,
        captured,
        spool,
        made: AtomicBool::new(made),
        follower: Mutex::new(follower),
        stop: Notify::new(),
    };
    tracing::info!(socket = %config.socket.display(), "the daemon is ready");
    Ok(ReadyDaemon {
        listener,
        plugins,
        service: Arc::new(service),
        instance,
    })
}

impl ReadyDaemon {
    /// Why the socket of plugins is not served, where it was to be.
    pub fn plugin_socket_error(&self) -> Option<&SocketError> {
        self.plugins.as_ref()?.error()
    }

    /// Runs until `shutdown` is done or a caller asks it to stop, or until the watching ends by a fault: who starts it
    /// again is better off than with one that watches nothing.
    ///
    /// It ends in this order: no new calls, then the write under way is finished, capture and sync end,
    /// then the replica is closed, then another daemon may begin.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), DaemonError> {
        let Self {
            listener,
            plugins,
            service,
            instance,
        } = self;
        let answer_plugins = async {
            match service.plugin_socket.as_ref().zip(plugins) {
                Some((socket, claim)) => {
                    let listener = socket.listener(claim).await;
                    control::serve(listener, Arc::clone(&service)).await;
                }
                None => std::future::pending().await,
            }
        };
        let end = tokio::select! {
            () = control::serve(listener, Arc::clone(&service)) => Ok(()),
            () = answer_plugins => Ok(()),
            () = service.follow() => Ok(()),
            () = service.watch.ended() => Err(DaemonError::WatchEnded),
            () = service.stop.notified() => {
                tracing::info!("asked to stop by a command");
                Ok(())
            }
            () = shutdown => {
                tracing::info!("asked to stop by a signal");
                Ok(())
            }
        };
        if let Err(error) = &end {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "the daemon has to end"
            );
        }
        let ended = tokio::task::spawn_blocking(move || {
            service.watch.stop();
            service.sync.stop();
        });
        ended.await.expect("ending the work does not panic");
        tracing::info!("the daemon has ended");
        drop(instance);
        end
    }
}

/// What answers the control socket.
#[derive(Debug)]
struct Service {
    sync: Arc<SyncHandle>,
    recorder: Arc<Recorder>,
    reader: Arc<Reader>,
    watch: Watch,
    /// None: plugins of clankers are not to be answered.
    plugin_socket: Option<PluginSocket>,
    captured: InForce,
    spool: Spool,
    /// Whether this daemon has made the replica, and nobody was told so yet.
    made: AtomicBool,
    follower: Mutex<Follower>,
    stop: Notify,
}

impl Service {
    /// Hands on changed settings, as long as it is polled.
    async fn follow(&self) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            self.configure(Follower::look);
        }
    }

    /// Hands on settings that `look` finds changed.
    fn configure(&self, look: impl FnOnce(&mut Follower) -> Option<Settings>) {
        let mut follower = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Settings { sync, capture }) = look(&mut follower) else {
            return;
        };
        tracing::info!(settings = ?sync, captured = ?capture.captured, "the settings have changed");
        self.sync.configure(sync);
        *self.captured.lock().unwrap_or_else(PoisonError::into_inner) = capture;
        self.watch.configure();
    }

    /// The server of the settings in force; none: sync is off.
    fn endpoint(&self) -> Option<String> {
        let follower = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
        match &follower.current().sync {
            SyncSettings::Off => None,
            SyncSettings::On(remote) => Some(remote.endpoint.to_string()),
        }
    }

    async fn sync_now(&self, params: Value) -> Result<Value, RpcError> {
        let SyncNow { timeout_ms } = read_params(params)?;
        let wait = timeout_ms.map_or(SYNC_WAIT, Duration::from_millis);
        if wait > SYNC_WAIT_MAX {
            let message = format!("timeout_ms is more than {}", SYNC_WAIT_MAX.as_millis());
            return Err(RpcError::new(RpcError::INVALID_PARAMS, message));
        }
        self.configure(Follower::read_again);
        let sync = Arc::clone(&self.sync);
        let outcome = tokio::task::spawn_blocking(move || sync.sync_now(wait)).await;
        let outcome = outcome.expect("waiting for sync does not panic");
        Ok(show_outcome(&outcome))
    }

    fn status(&self) -> Value {
        let status = self.sync.status();
        json!({
            "phase": status.phase.as_str(),
            "since": status.since,
            "endpoint": status.endpoint.as_ref().map(ToString::to_string),
            "error": status.failure.as_ref().map(show_failure),
            "traffic": {
                "calls": status.traffic.calls,
                "sent_bytes": status.traffic.sent_bytes,
                "received_bytes": status.traffic.received_bytes,
            },
            "plugin_socket": self.plugin_socket.as_ref().map(PluginSocket::shown),
        })
    }
}

#[derive(Deserialize)]
struct SyncNow {
    timeout_ms: Option<u64>,
}

/// Reads named parameters; none given counts as an empty object.
pub(crate) fn read_params<T: for<'a> Deserialize<'a>>(params: Value) -> Result<T, RpcError> {
    let params = if params.is_null() { json!({}) } else { params };
    serde_json::from_value(params)
        .map_err(|error| RpcError::new(RpcError::INVALID_PARAMS, format!("bad params: {error}")))
}

fn show_outcome(outcome: &SyncOutcome) -> Value {
    let (state, error) = match &outcome.end {
        SyncEnd::Synced => ("synced", None),
        SyncEnd::Off => ("off", None),
        SyncEnd::OutOfTime => ("out_of_time", None),
        SyncEnd::Failed(failure) => ("failed", Some(show_failure(failure))),
    };
    json!({
        "state": state,
        "error": error,
        "pending": outcome.pending,
        "acknowledged": outcome.acknowledged,
        "quarantined": outcome.quarantined,
    })
}

fn show_failure(failure: &syncline_client::SyncFailure) -> Value {
    json!({ "code": failure.code, "message": failure.message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_daemon_that_watches_no_more_ends_and_says_so() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("replica")).unwrap();
        let config = Config {
            replica: directory.path().join("replica"),
            options: ReplicaOptions::default(),
            socket: directory.path().join("run/daemon.sock"),
            plugin_socket: None,
            lock: directory.path().join("daemon.lock"),
            followed: Followed {
                files: Vec::new(),
                read: Box::new(|| Ok(Settings::off())),
            },
        };
        let mut daemon = prepare(config).unwrap();
        let service = Arc::get_mut(&mut daemon.service).unwrap();
        std::mem::replace(&mut service.watch, Watch::that_panics()).stop();
        let ended = daemon.run(std::future::pending()).await;
        assert!(matches!(ended, Err(DaemonError::WatchEnded)));
    }
}
