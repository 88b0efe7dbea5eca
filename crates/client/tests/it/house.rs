//! A server and the machines that sync with it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use syncline_client::{
    Delivery, Endpoint, Phase, Remote, SyncEnd, SyncHandle, SyncSettings, Token, start,
};
use syncline_model::Scope;
use syncline_model::thread::foreign_entry_id;
use syncline_replica::{NewOp, Replica, ReplicaOptions, Written};
use syncline_server::{AuthMode, Exposure, ServeConfig, prepare};
use syncline_store::TenantFile;
use syncline_store::threads::{
    EntryRange, NewEntry, NewThread, PlanError, Resolved, Thread, plan_append, plan_new,
    read_entries, resolve_key,
};

/// What nothing here takes, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a condition that others bring about.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

pub(crate) fn open_to_all() -> AuthMode {
    AuthMode::None {
        exposure: Exposure::LoopbackOnly,
    }
}

/// A server on a thread of its own; dropped, it drains and ends.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shutdown: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// A server without authentication.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(ServeConfig::new(data, open_to_all()), free_address())
    }

    pub(crate) fn start_with(config: ServeConfig, address: SocketAddr) -> Self {
        let (shutdown, asked) = tokio::sync::oneshot::channel::<()>();
        let (ready, listening) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::bind(address).await.unwrap();
                let server = prepare(config, listener).unwrap();
                ready.send(server.address()).unwrap();
                server.run(async { drop(asked.await) }).await;
            });
        });
        let address = listening.recv().expect("the server starts");
        Self {
            address,
            shutdown: Some(shutdown),
            thread: Some(thread),
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.shutdown.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the server has panicked"
            );
        }
    }
}

pub(crate) fn free_address() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// The settings for a server without authentication.
pub(crate) fn live(endpoint: &str) -> SyncSettings {
    SyncSettings::On(remote(endpoint, None))
}

pub(crate) fn remote(endpoint: &str, token: Option<&str>) -> Remote {
    Remote {
        endpoint: endpoint.parse::<Endpoint>().unwrap(),
        token: token.map(|text| text.parse::<Token>().unwrap()),
        delivery: Delivery::Live {
            interval: Duration::from_secs(30),
        },
    }
}

/// A replica whose sync runs.
pub(crate) struct Machine {
    pub(crate) name: &'static str,
    pub(crate) directory: PathBuf,
    pub(crate) replica: Replica,
    pub(crate) sync: SyncHandle,
    written: usize,
}

pub(crate) fn open(directory: &Path) -> Replica {
    std::fs::create_dir_all(directory).unwrap();
    Replica::open(directory, ReplicaOptions::default()).unwrap()
}

impl Machine {
    pub(crate) fn start(name: &'static str, directory: &Path, settings: SyncSettings) -> Self {
        let replica = open(directory);
        let sync = start(replica.another().unwrap(), settings).unwrap();
        Self {
            name,
            directory: directory.to_owned(),
            replica,
            sync,
            written: 0,
        }
    }

    /// Appends an entry to the thread `plan`, and gives its text.
    pub(crate) fn write(&mut self) -> String {
        self.written += 1;
        let text = format!("{} {}", self.name, self.written);
        write_entry(&mut self.replica, self.name, &text);
        text
    }

    /// The entries of the thread `plan`.
    pub(crate) fn texts(&mut self) -> Vec<String> {
        texts(self.replica.view().unwrap())
    }

    pub(crate) fn pending(&mut self) -> u64 {
        self.replica.status().unwrap().pending()
    }

    pub(crate) fn until_live(&self) {
        until("live", || self.sync.status().phase == Phase::Live);
    }

    /// Waits until everything written here is on the server.
    pub(crate) fn sync(&self) {
        let outcome = self.sync.sync_now(PATIENCE);
        assert_eq!(outcome.end, SyncEnd::Synced, "{}: {outcome:?}", self.name);
    }

    pub(crate) fn stop(self) -> PathBuf {
        self.sync.stop();
        self.directory
    }
}

pub(crate) fn write_entry(replica: &mut Replica, author: &str, text: &str) -> Written {
    let at = replica.now();
    let entry = NewEntry {
        entry_id: foreign_entry_id("tests", author, text),
        author,
        content: text,
        at,
    };
    let plan = |view: &TenantFile| -> Result<Vec<NewOp>, PlanError> {
        let plan = match find(view)? {
            Some(thread) => plan_append(thread.thread_id, &[entry])?,
            None => {
                let new = NewThread {
                    project: "default",
                    key: Some("plan"),
                    name: "Plan",
                    at,
                };
                plan_new(view.connection(), &new, &[entry])?
            }
        };
        let new = |(resource, payload)| NewOp {
            scope: Scope::thread(),
            resource,
            payload,
        };
        Ok(plan.ops.into_iter().map(new).collect())
    };
    replica.write_with(plan).unwrap()
}

fn find(view: &TenantFile) -> Result<Option<Thread>, syncline_store::StoreError> {
    Ok(
        match resolve_key(view.connection(), "plan", Some("default"))? {
            Resolved::Found(thread) => Some(thread),
            Resolved::Unknown | Resolved::Ambiguous(_) => None,
        },
    )
}

pub(crate) fn texts(view: &TenantFile) -> Vec<String> {
    let Some(thread) = find(view).unwrap() else {
        return Vec::new();
    };
    let page = read_entries(view.connection(), thread.thread_id, EntryRange::All).unwrap();
    page.entries
        .into_iter()
        .map(|entry| entry.content)
        .collect()
}

/// Waits until all machines have synced everything and hold the same log and the same view.
pub(crate) fn until_equal(machines: &mut [&mut Machine]) {
    let mut last = String::new();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let states: Vec<_> = machines.iter_mut().map(|machine| state(machine)).collect();
        if states
            .iter()
            .all(|state| state.waiting == 0 && *state == states[0])
        {
            return;
        }
        if Instant::now() > deadline {
            panic!("never equal: {states:#?} {last}");
        }
        last = machines
            .iter()
            .map(|machine| format!("{:?}\n", machine.sync.status()))
            .collect();
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

#[derive(Debug, PartialEq, Eq)]
struct State {
    waiting: u64,
    log: (Option<syncline_model::Epoch>, syncline_model::Cursor),
    view: String,
}

fn state(machine: &mut Machine) -> State {
    let status = machine.replica.status().unwrap();
    State {
        waiting: status.pending() + status.acknowledged(),
        log: (status.epoch, status.cursor),
        view: machine.replica.view().unwrap().dump_view().unwrap(),
    }
}

/// Copies a directory as it is on the disk now.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Puts a directory back to an earlier copy.
pub(crate) fn restore(copied: &Path, to: &Path) {
    std::fs::remove_dir_all(to).unwrap();
    copy(copied, to);
}
