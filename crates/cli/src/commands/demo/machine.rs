//! A machine of the demo: a replica, and its sync.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use syncline_client::{Delivery, EndpointError, Remote, SyncHandle, SyncSettings, start};
use syncline_model::thread::EntryId;
use syncline_model::{Cursor, Epoch, Scope};
use syncline_replica::{NewOp, Replica, ReplicaOptions, Subscription};
use syncline_store::TenantFile;
use syncline_store::threads::import::Importer;
use syncline_store::threads::{
    NewEntry, NewThread, PlanError, PlannedOp, Resolved, entry, list_threads, plan_append,
    plan_new, resolve_key,
};
use uuid::Uuid;

use super::failed;
use crate::failure::Failure;
use crate::replica_access;

/// What nothing in the demo takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a wait for news lasts before the replica is looked at anyway.
const NEWS_WAIT: Duration = Duration::from_millis(20);

/// The thread that the demo writes to.
pub(super) const PROJECT: &str = "demo";
pub(super) const KEY: &str = "hello";

/// A replica whose sync runs.
pub(super) struct Machine {
    pub(super) name: &'static str,
    /// What commands are given as `--data-dir`.
    pub(super) data_dir: PathBuf,
    replica: Replica,
    news: Subscription,
    sync: SyncHandle,
    online: SyncSettings,
}

/// What equal machines share.
#[derive(Debug, PartialEq, Eq)]
struct Holding {
    log: (Option<Epoch>, Cursor),
    view: String,
}

/// How much an import brought.
pub(super) struct Imported {
    pub(super) threads: u64,
    pub(super) entries: u64,
}

/// The server of the demo, as its machines are told of it.
pub(super) fn remote(endpoint: &str) -> Result<Remote, Failure> {
    Ok(Remote {
        endpoint: endpoint
            .parse()
            .map_err(|error: EndpointError| failed("has no usable endpoint").because(error))?,
        token: None,
        delivery: Delivery::Live {
            interval: Duration::from_secs(30),
        },
    })
}

impl Machine {
    /// Starts a machine below `home`, offline.
    pub(super) fn start(name: &'static str, home: &Path, endpoint: &str) -> Result<Self, Failure> {
        let data_dir = home.join(name);
        let directory = data_dir.join("profiles").join("default");
        crate::atomic_file::create_private_dir(&directory)
            .map_err(|error| failed("could not make a directory").because(error))?;
        let replica = Replica::open(&directory, ReplicaOptions::default())?;
        let sync = start(replica.another()?, SyncSettings::Off)?;
        Ok(Self {
            name,
            data_dir,
            news: replica.subscribe(),
            replica,
            sync,
            online: SyncSettings::On(remote(endpoint)?),
        })
    }

    pub(super) fn go_online(&self) {
        self.sync.configure(self.online.clone());
    }

    /// Goes offline; no call is out any more when this returns.
    pub(super) fn go_offline(&self) {
        self.sync.configure(SyncSettings::Off);
        let _ = self.sync.sync_now(PATIENCE);
    }

    /// Imports lines of entries.
    pub(super) fn import(&mut self, lines: &'static str) -> Result<Imported, Failure> {
        let mut importer = Importer::jsonl_from(lines.as_bytes(), PROJECT);
        let mut imported = Imported {
            threads: 0,
            entries: 0,
        };
        while let Some(batch) = importer.next_batch(self.replica.view()?.connection())? {
            replica_access::write(&mut self.replica, batch.ops)?;
            imported.threads += batch.threads_new;
            imported.entries += batch.entries_new;
        }
        Ok(imported)
    }

    /// Appends an entry to the demo's thread.
    pub(super) fn push(&mut self, text: &str) -> Result<EntryId, Failure> {
        let entry_id = EntryId::new(Uuid::now_v7());
        let at = self.replica.now();
        let new = NewEntry {
            entry_id,
            author: self.name,
            content: text,
            at,
        };
        let ops = plan_push(self.replica.view()?, &new)?;
        let new_op = |(resource, payload)| NewOp {
            scope: Scope::thread(),
            resource,
            payload,
        };
        let ops: Vec<NewOp> = ops.into_iter().map(new_op).collect();
        self.replica.write(&ops)?;
        Ok(entry_id)
    }

    /// Waits until an entry of the demo's thread is here.
    pub(super) fn wait_for(&mut self, wanted: EntryId) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self.replica.view()?, wanted)? {
            if Instant::now() > deadline {
                return Err(failed(&format!(
                    "never saw an entry arrive on the {}",
                    self.name
                )));
            }
            let _ = self.news.wait(NEWS_WAIT);
        }
        Ok(())
    }

    /// Ops that the server has not acknowledged.
    pub(super) fn pending(&mut self) -> Result<u64, Failure> {
        Ok(self.replica.status()?.pending())
    }

    /// Ops of the log that are here.
    pub(super) fn log_length(&mut self) -> Result<u64, Failure> {
        Ok(self.replica.status()?.cursor.server_seq.get())
    }

    /// Entries of all threads.
    pub(super) fn count_entries(&mut self) -> Result<u64, Failure> {
        let view = self.replica.view()?.connection();
        let all = list_threads(
            view,
            &Default::default(),
            syncline_store::threads::ListStart::Offset(0),
            1_000,
        )?;
        Ok(all
            .threads
            .iter()
            .map(|listed| listed.thread.entry_count)
            .sum())
    }

    /// What this machine holds, once nothing waits; none: something does.
    fn holding(&mut self) -> Result<Option<Holding>, Failure> {
        let status = self.replica.status()?;
        if status.pending() + status.acknowledged() + status.quarantined > 0 {
            return Ok(None);
        }
        let view = self.replica.view()?.dump_view()?;
        Ok(Some(Holding {
            log: (status.epoch, status.cursor),
            view,
        }))
    }

    /// Ends sync and closes the files.
    pub(super) fn close(self) -> PathBuf {
        self.sync.stop();
        self.data_dir
    }
}

/// Waits until all machines have nothing waiting and hold the same log and the same view, row by
/// row.
pub(super) fn wait_until_equal(machines: &mut [&mut Machine]) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut holdings = Vec::new();
        for machine in machines.iter_mut() {
            holdings.push(machine.holding()?);
        }
        if holdings
            .iter()
            .all(|holding| holding.is_some() && *holding == holdings[0])
        {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(failed("never saw its replicas become equal"));
        }
        if let Some(machine) = machines.first() {
            let _ = machine.news.wait(NEWS_WAIT);
        }
    }
}

fn plan_push(view: &TenantFile, new: &NewEntry<'_>) -> Result<Vec<PlannedOp>, PlanError> {
    let plan = match resolve_key(view.connection(), KEY, Some(PROJECT))? {
        Resolved::Found(thread) => plan_append(thread.thread_id, &[*new])?,
        Resolved::Unknown | Resolved::Ambiguous(_) => {
            let thread = NewThread {
                project: PROJECT,
                key: Some(KEY),
                name: "Hello",
                at: new.at,
            };
            plan_new(view.connection(), &thread, &[*new])?
        }
    };
    Ok(plan.ops)
}

fn holds(view: &TenantFile, wanted: EntryId) -> Result<bool, Failure> {
    let found = resolve_key(view.connection(), KEY, Some(PROJECT))?;
    let Resolved::Found(thread) = found else {
        return Ok(false);
    };
    Ok(entry(view.connection(), thread.thread_id, wanted)?.is_some())
}
