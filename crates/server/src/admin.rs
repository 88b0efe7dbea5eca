//! What an operator asks of the logs in a data directory, whether or not a server runs on it.

mod order;
#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use serde::Serialize;
use syncline_model::schema::{ChangeKind, Schema};
use syncline_model::{ClientId, Epoch, ServerSeq, TenantId, Timestamp, UserId};
use syncline_protocol::ErrorCode;
use syncline_store::control::{DataDirectory, ServeLock};
use syncline_store::records::{CountedChange, StandingSchema, counted_changes, schema};
use syncline_store::{
    ClientRecord, Durability, FileOptions, Head, OpenError, Stepped, StoreError, TenantFile,
};

use crate::log::unfinished;
use crate::random::{birth, server_actor};
use crate::tenant::{
    Bounds, CompactReport, Compacting, Keep, Liveness, Recorded, Refused, Rewrite, TenantLog,
    before, with_room,
};

pub use order::{
    CompactSummary, OrderAnswer, OrderError, OrderProgress, OrderWait, notes_from_server,
    order_from_server,
};

/// Ops or pages of one step.
const STEP_COUNT: usize = 2_048;

/// What a tenant's log is like.
#[derive(Debug, Clone, Serialize)]
pub struct TenantReport {
    pub tenant: TenantId,
    pub epoch: Epoch,
    /// The log's head.
    pub server_seq: ServerSeq,
    /// Below it, covered ops were dropped.
    pub floor: ServerSeq,
    /// Where the floor could be now.
    pub floor_next: ServerSeq,
    /// The client that keeps it from being higher; none: those stay that came lately, or none does.
    pub held_by: Option<HolderReport>,
    /// Ops that the log holds.
    pub ops: u64,
    /// Bytes of the file and its write-ahead log.
    pub bytes: u64,
    /// The version of the folds that have made the view.
    pub fold_version: i64,
    pub clients: usize,
    /// Clients that have pushed, or moved their cursor, within the time that a client may be idle.
    pub clients_live: usize,
}

/// How a client stands to a tenant's log.
#[derive(Debug, Clone, Serialize)]
pub struct ClientReport {
    pub tenant: TenantId,
    pub client_id: ClientId,
    pub user: UserId,
    /// The place up to which it has applied the log, as it says; none: it has not said, or was
    /// expired.
    pub server_seq: Option<ServerSeq>,
    /// Places between there and the head.
    pub lag: Option<u64>,
    pub state: ClientState,
    /// When it last pushed, or moved its cursor; none: not since it was expired.
    pub moved_at: Option<Timestamp>,
    pub seen_at: Timestamp,
}

/// The client that holds the floor of a log, where the retention window would let it be higher.
#[derive(Debug, Clone, Serialize)]
pub struct HolderReport {
    #[serde(flatten)]
    pub client: ClientReport,
    /// Ops between its place and the retention window.
    pub ops_held: u64,
    /// Other clients that hold some or all of these as well.
    pub other_holders: u64,
}

/// What a client's place means for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientState {
    /// It has applied the whole log, or has not said yet how much of it.
    Live,
    /// It holds the floor where it stands.
    Lagging,
    /// It does not hold the floor: below it, it will rebuild.
    Expired,
}

/// Why something could not be done to a tenant's log.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("could not work on the log")]
    Store(#[from] StoreError),
    #[error("could not remove the prepared file")]
    Prepared(#[source] io::Error),
    #[error("could not write to the log")]
    Refused(#[source] Refused),
}

impl AdminError {
    /// Whether the disk is full.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Open(error) => error.is_disk_full(),
            Self::Store(error) => matches!(error, StoreError::Full(_)),
            Self::Prepared(error) => error.kind() == io::ErrorKind::StorageFull,
            Self::Refused(refused) => refused.code() == ErrorCode::StorageFull,
        }
    }
}

impl TenantReport {
    /// Reads the report of a tenant's log in one state of it.
    pub fn read(
        tenant: &TenantId,
        file: &TenantFile,
        keep: &Keep,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        file.snapshot(|file| {
            let head = file.head()?;
            let bounds = keep.bounds(file, now)?;
            let clients = file.clients()?;
            let live = clients
                .iter()
                .filter(|client| keep.liveness(client, head.floor, now) == Liveness::Live);
            Ok(Self {
                tenant: tenant.clone(),
                epoch: head.epoch,
                server_seq: head.cursor.server_seq,
                floor: head.floor,
                floor_next: bounds.floor().max(head.floor),
                held_by: HolderReport::of(tenant, bounds, file, keep, now)?,
                ops: file.count_ops()?,
                bytes: file.bytes_on_disk(),
                fold_version: file.fold_version()?,
                clients_live: live.count(),
                clients: clients.len(),
            })
        })
    }
}

impl ClientReport {
    /// Reads the reports of a log's clients, by id.
    pub fn read(
        tenant: &TenantId,
        file: &TenantFile,
        keep: &Keep,
        now: Timestamp,
    ) -> Result<Vec<Self>, StoreError> {
        file.snapshot(|file| {
            let head = file.head()?;
            let clients = file.clients()?.into_iter();
            let report = |client| Self::of(tenant, client, &head, keep, now);
            Ok(clients.map(report).collect())
        })
    }

    fn of(
        tenant: &TenantId,
        client: ClientRecord,
        head: &Head,
        keep: &Keep,
        now: Timestamp,
    ) -> Self {
        let (at, head, floor) = (client.cursor, head.cursor.server_seq, head.floor);
        let at = at.map(|cursor| cursor.server_seq);
        Self {
            state: match keep.liveness(&client, floor, now) {
                Liveness::Live if at.is_some_and(|at| at < head) => ClientState::Lagging,
                Liveness::Live => ClientState::Live,
                Liveness::Expired => ClientState::Expired,
            },
            tenant: tenant.clone(),
            client_id: client.client,
            user: client.user,
            server_seq: at,
            lag: at.map(|at| head.get().saturating_sub(at.get())),
            moved_at: client.moved_at,
            seen_at: client.seen_at,
        }
    }
}

impl HolderReport {
    /// Reads the report of the client that holds the floor, if one does.
    pub fn read(
        tenant: &TenantId,
        file: &TenantFile,
        keep: &Keep,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        file.snapshot(|file| Self::of(tenant, keep.bounds(file, now)?, file, keep, now))
    }

    fn of(
        tenant: &TenantId,
        bounds: Bounds,
        file: &TenantFile,
        keep: &Keep,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let mut holders = bounds.holders.into_iter();
        let Some((place, client)) = holders.next() else {
            return Ok(None);
        };
        Ok(Some(Self {
            client: ClientReport::of(tenant, client, &file.head()?, keep, now),
            ops_held: file.count_after(place)? - file.count_after(bounds.window)?,
            other_holders: holders.len() as u64,
        }))
    }
}

/// Opens a tenant's log; it must be there.
pub fn open_log(directory: &DataDirectory, tenant: &TenantId) -> Result<TenantFile, OpenError> {
    let options = FileOptions {
        durability: Durability::Full,
        ..FileOptions::default()
    };
    TenantFile::open(&directory.tenant_file(tenant), &options)
}

/// The schema that stands in a tenant's log; none: it has none.
pub fn standing_schema(
    directory: &DataDirectory,
    tenant: &TenantId,
) -> Result<Option<StandingSchema>, AdminError> {
    let file = open_log(directory, tenant)?;
    Ok(schema(file.connection())?)
}

/// What a schema would change in a tenant's log, and which records stand against it.
pub fn schema_changes(
    directory: &DataDirectory,
    tenant: &TenantId,
    after: &Schema,
) -> Result<Vec<CountedChange>, AdminError> {
    let file = open_log(directory, tenant)?;
    let standing = schema(file.connection())?;
    let before = standing.map(|standing| standing.schema).unwrap_or_default();
    Ok(counted_changes(file.connection(), &before, after)?)
}

/// Has a schema stand in a tenant's log that no server works on; `Applied` or `Breaking` is what comes
/// of it. The log must be there.
pub fn apply_schema(
    directory: &DataDirectory,
    tenant: &TenantId,
    schema: &Schema,
    allow: &[ChangeKind],
    _lock: &ServeLock,
    now: Timestamp,
) -> Result<Recorded, AdminError> {
    let options = FileOptions {
        durability: Durability::Full,
        ..FileOptions::default()
    };
    let path = directory.tenant_file(tenant);
    let mut log = TenantLog::open(&path, &options, birth(server_actor()))?;
    let put = log.put_schema(schema, allow, now);
    put.map_err(AdminError::Refused)
}

/// Compacts a tenant's log that no server works on. When this returns, the file has shrunk.
pub fn compact_log(
    directory: &DataDirectory,
    tenant: &TenantId,
    keep: &Keep,
    _lock: &ServeLock,
    now: Timestamp,
    mut progress: impl FnMut(&CompactReport),
) -> Result<CompactReport, AdminError> {
    let mut file = open_log(directory, tenant)?;
    with_room(&file, |file| file.note_time(now))?;
    let mut compacting = Compacting::begin(&file, keep, Rewrite::Always, now)?;
    while compacting.step(&mut file, STEP_COUNT)? == Stepped::More {
        progress(&compacting.report());
    }
    // They hold what is gone; a server makes its file again.
    let prepared = directory.prepared_file(tenant);
    let beside = unfinished(&prepared).into_iter();
    for prepared in beside.chain([prepared, directory.former_prepared_file(tenant)]) {
        match std::fs::remove_file(prepared) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(AdminError::Prepared(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(compacting.report())
}

/// Lets go of the places of clients that have been idle for this long, in a log that no server works
/// on; gives their number.
pub fn expire_clients(
    directory: &DataDirectory,
    tenant: &TenantId,
    idle: Duration,
    _lock: &ServeLock,
    now: Timestamp,
) -> Result<usize, AdminError> {
    let file = open_log(directory, tenant)?;
    match before(now, idle) {
        Some(by) => Ok(file.expire_clients(by)?),
        None => Ok(0),
    }
}
