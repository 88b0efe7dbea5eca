//! Which tenants are open: a bounded number, of which the least recently used is closed first.

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use syncline_model::schema::Schema;
use syncline_model::{ActorId, TenantId, Timestamp};
use syncline_store::control::DataDirectory;
use syncline_store::{Durability, FileOptions, Head};
use tokio::runtime::Handle;
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};

use super::checkpoint::{Checkpointer, WalGauge};
use super::looks::Looks;
use super::pages::Pages;
use super::prepared::Prepared;
use super::readers::Readers;
use super::served::put_where_none_stands;
use super::sight::KnownSchema;
use super::tenant::Tenant;
use super::writer::{self, JOBS_MAX, Shared};
use crate::config::ServeConfig;
use crate::metrics::Metrics;
use crate::random::birth;
use crate::shapes::Hub;
use crate::tenant::{Birth, Refused, TenantLog};

/// All tenants that this server has met since it started.
#[derive(Debug)]
pub(crate) struct Tenants {
    pub(super) directory: DataDirectory,
    pub(super) options: FileOptions,
    actor: ActorId,
    metrics: Arc<Metrics>,
    checkpointer: Checkpointer,
    open_max: usize,
    shapes_max: usize,
    pub(super) served: Option<Arc<Schema>>,
    pub(super) now: fn() -> Timestamp,
    pub(super) looks: Looks,
    slots: Mutex<HashMap<TenantId, Arc<Slot>>>,
    /// Counts uses, to tell who was used last.
    uses: AtomicU64,
}

/// A tenant, open or not.
#[derive(Debug)]
struct Slot {
    tenant: TenantId,
    head: Arc<watch::Sender<Option<Head>>>,
    prepared: Arc<Prepared>,
    hub: Arc<Hub>,
    /// Held while the file is opened or closed, so that two writers never are.
    open: AsyncMutex<Option<Open>>,
    used: AtomicU64,
}

#[derive(Debug)]
struct Open {
    tenant: Arc<Tenant>,
    writer: JoinHandle<()>,
}

impl Tenants {
    pub(crate) fn start(
        config: &ServeConfig,
        directory: DataDirectory,
        actor: ActorId,
        metrics: Arc<Metrics>,
        now: fn() -> Timestamp,
    ) -> std::io::Result<Self> {
        let options = FileOptions {
            vfs: config.vfs.clone(),
            durability: Durability::Full,
        };
        Ok(Self {
            checkpointer: Checkpointer::start(options.clone())?,
            directory,
            options,
            actor,
            metrics,
            open_max: config.tenants_open_max.max(1),
            shapes_max: config.shapes.shapes_max,
            served: config.schema.clone().map(Arc::new),
            now,
            looks: Looks::default(),
            slots: Mutex::default(),
            uses: AtomicU64::new(0),
        })
    }

    /// The tenant's log, opened if it is not.
    pub(crate) async fn open(&self, tenant: &TenantId) -> Result<Arc<Tenant>, Refused> {
        let slot = self.slot(tenant);
        slot.used.store(self.uses.fetch_add(1, SeqCst), SeqCst);
        let mut open = slot.open.lock().await;
        // A writer that has ended, which it never should, is replaced.
        if let Some(Open { tenant, writer }) = &*open
            && !writer.is_finished()
        {
            return Ok(Arc::clone(tenant));
        }
        *open = None;
        // Boxed, for all the requests that find it open.
        let opening = Box::pin(async {
            self.make_room(&slot).await;
            self.looks.forget(tenant);
            self.open_slot(&slot).await
        });
        let opened = opening.await;
        let opened = opened.inspect_err(|refused| self.metrics.note_refused(refused))?;
        let tenant = Arc::clone(&opened.tenant);
        *open = Some(opened);
        self.metrics.tenants_open.set(self.count_open() + 1);
        Ok(tenant)
    }

    fn slot(&self, tenant: &TenantId) -> Arc<Slot> {
        let mut slots = self.slots.lock().expect(UNPOISONED);
        let make = || {
            Arc::new(Slot {
                tenant: tenant.clone(),
                head: Arc::new(watch::Sender::new(None)),
                prepared: Arc::new(Prepared::new(
                    self.directory.prepared_file(tenant),
                    self.directory.former_prepared_file(tenant),
                )),
                hub: Arc::default(),
                open: AsyncMutex::new(None),
                used: AtomicU64::new(0),
            })
        };
        Arc::clone(slots.entry(tenant.clone()).or_insert_with(make))
    }

    /// How a log begins that is not there yet.
    pub(super) fn birth(&self) -> Birth {
        birth(self.actor.clone())
    }

    async fn open_slot(&self, slot: &Arc<Slot>) -> Result<Open, Refused> {
        let path = self.directory.tenant_file(&slot.tenant);
        let birth = self.birth();
        let (log_path, options, now) = (path.clone(), self.options.clone(), self.now);
        let served = self.served.clone();
        let served_here = served.clone();
        let opening = tokio::task::spawn_blocking(move || {
            let mut log = TenantLog::open(&log_path, &options, birth)?;
            log.checkpoint_by_hand()?;
            if let Some(schema) = served_here {
                put_where_none_stands(&mut log, &schema, now())?;
            }
            if let Err(error) = log.note_time(now()) {
                // Nothing but a later floor is lost by it.
                tracing::warn!(
                    error = &error as &dyn Error,
                    "could not note the time of a log"
                );
            }
            let head = log.head()?;
            Ok::<_, Refused>((log, head))
        });
        let (log, head) = opening.await.unwrap_or(Err(Refused::Panicked))?;
        slot.head.send_replace(Some(head));
        let shared = Arc::new(Shared {
            path: path.clone(),
            head: Arc::clone(&slot.head),
            pages: Pages::default(),
            prepared: Arc::clone(&slot.prepared),
            hub: Arc::clone(&slot.hub),
            notes: Mutex::default(),
            metrics: Arc::clone(&self.metrics),
            schema: KnownSchema::default(),
            wal: Arc::new(WalGauge::default()),
            checkpointer: self.checkpointer.clone(),
            runtime: Handle::current(),
            now: self.now,
            shapes_max: self.shapes_max,
            served,
        });
        let (jobs, waiting) = mpsc::channel(JOBS_MAX);
        let writers_shared = Arc::clone(&shared);
        let writer = thread::Builder::new()
            .name("tenant-writer".into())
            .spawn(move || writer::run(log, waiting, &writers_shared));
        let writer = writer.map_err(Refused::Thread)?;
        let tenant = Arc::new(Tenant {
            jobs,
            readers: Arc::new(Readers::new(path, self.options.clone())),
            shared,
        });
        Ok(Open { tenant, writer })
    }

    /// Closes the tenant that nobody has used for longest, if as many as may be are open.
    async fn make_room(&self, newcomer: &Arc<Slot>) {
        while self.count_open() >= self.open_max {
            let Some(oldest) = self.oldest_idle(newcomer) else {
                // Each of them is in use this very moment; one more does less harm than waiting.
                return;
            };
            close(&oldest).await;
            self.looks.forget(&oldest.tenant);
        }
    }

    /// Whether a tenant's log is open, or being opened or closed.
    pub(super) fn is_open(&self, tenant: &TenantId) -> bool {
        let slots = self.slots.lock().expect(UNPOISONED);
        let slot = slots.get(tenant);
        slot.is_some_and(|slot| slot.open.try_lock().map_or(true, |open| open.is_some()))
    }

    fn count_open(&self) -> usize {
        let slots = self.slots.lock().expect(UNPOISONED);
        // One that is being opened or closed is not counted twice: its lock is held.
        let is_open = |slot: &&Arc<Slot>| slot.open.try_lock().is_ok_and(|open| open.is_some());
        slots.values().filter(is_open).count()
    }

    fn oldest_idle(&self, newcomer: &Arc<Slot>) -> Option<Arc<Slot>> {
        let slots = self.slots.lock().expect(UNPOISONED);
        let is_idle = |slot: &&Arc<Slot>| {
            !Arc::ptr_eq(slot, newcomer)
                && slot.open.try_lock().is_ok_and(|open| {
                    let open = open.as_ref();
                    open.is_some_and(|open| Arc::strong_count(&open.tenant) == 1)
                })
        };
        let oldest = slots.values().filter(is_idle);
        oldest.min_by_key(|slot| slot.used.load(SeqCst)).cloned()
    }

    /// Closes idle connections, and has waiting notes written down.
    pub(crate) fn tidy(&self) {
        let mut slots = self.slots.lock().expect(UNPOISONED);
        for slot in slots.values() {
            if let Ok(open) = slot.open.try_lock()
                && let Some(open) = &*open
            {
                open.tenant.tidy();
            }
        }
        // A tenant that is closed, and that no stream waits for, is forgotten.
        slots.retain(|_, slot| {
            Arc::strong_count(slot) > 1
                || slot.head.receiver_count() > 0
                || slot.open.try_lock().map_or(true, |open| open.is_some())
        });
    }

    /// Has what clients have said of themselves written down, in every log that is open.
    pub(crate) async fn write_notes(&self) -> Result<(), Refused> {
        let open: Vec<Arc<Tenant>> = {
            let slots = self.slots.lock().expect(UNPOISONED);
            // One that is being opened has no notes yet, and one that is being closed writes its own.
            let open = slots.values().filter_map(|slot| slot.open.try_lock().ok());
            open.filter_map(|open| open.as_ref().map(|open| Arc::clone(&open.tenant)))
                .collect()
        };
        for tenant in open {
            tenant.write_notes().await?;
        }
        Ok(())
    }

    /// Closes all, once their requests are answered.
    pub(crate) async fn close_all(&self) {
        let slots: Vec<_> = {
            let mut slots = self.slots.lock().expect(UNPOISONED);
            slots.drain().map(|(_, slot)| slot).collect()
        };
        for slot in slots {
            close(&slot).await;
        }
    }
}

/// Closes the tenant: its writer ends once nobody can ask it any more.
async fn close(slot: &Slot) {
    let mut open = slot.open.lock().await;
    let Some(Open { tenant, writer }) = open.take() else {
        return;
    };
    drop(tenant);
    let joined = tokio::task::spawn_blocking(move || writer.join().is_err()).await;
    if joined.unwrap_or(true) {
        tracing::error!("a tenant's writer has panicked");
    }
}

const UNPOISONED: &str = "nothing panics under this lock";
