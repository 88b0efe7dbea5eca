//! Who does the work on the logs: this process, or the server that runs on them.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use syncline_model::TenantId;
use syncline_server::admin::{
    CompactSummary, OrderAnswer, OrderError, OrderProgress, OrderWait, compact_log, expire_clients,
    order_from_server,
};
use syncline_server::tenant::Keep;
use syncline_store::control::{
    ControlFile, DataDirectory, DataDirectoryError, OrderedWork, ServeLock,
};

use super::each::Trouble;
use crate::context::Context;
use crate::failure::Failure;

/// One process writes to the logs: the server where one runs, else this one, which keeps servers from
/// beginning meanwhile.
pub(super) enum Host {
    This(ServeLock),
    Server(Box<ControlFile>),
}

impl Host {
    pub(super) fn of(directory: &DataDirectory) -> Result<Self, Failure> {
        match directory.lock() {
            Ok(lock) => Ok(Self::This(lock)),
            Err(DataDirectoryError::Locked { .. }) => {
                Ok(Self::Server(Box::new(ControlFile::open(directory)?)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Compacts a tenant's log.
    pub(super) fn compact(
        &self,
        directory: &DataDirectory,
        tenant: &TenantId,
        keep: &Keep,
        context: &Context,
        mut waits: impl FnMut(OrderWait),
    ) -> Result<CompactSummary, Trouble> {
        let now = context.now();
        let control = match self {
            Self::This(lock) => {
                let report = compact_log(directory, tenant, keep, lock, now, |report| {
                    waits(OrderWait::Taken(OrderProgress {
                        reached: report.reached,
                        floor: report.aim,
                        said: 0,
                    }));
                })?;
                return Ok(CompactSummary::of(tenant, &report));
            }
            Self::Server(control) => control,
        };
        let work = OrderedWork::Compact {
            retention: keep.retention,
            idle: keep.idle,
        };
        match order_from_server(directory, control, (tenant, work), random()?, now, waits)? {
            OrderAnswer::Compacted(summary) => Ok(summary),
            OrderAnswer::Expired { .. } | OrderAnswer::Noted | OrderAnswer::Failed { .. } => {
                Err(other_answer().into())
            }
        }
    }

    /// Lets go of the places of idle clients; gives their number.
    pub(super) fn expire(
        &self,
        directory: &DataDirectory,
        tenant: &TenantId,
        idle: std::time::Duration,
        context: &Context,
        waits: impl FnMut(OrderWait),
    ) -> Result<usize, Trouble> {
        let now = context.now();
        let control = match self {
            Self::This(lock) => return Ok(expire_clients(directory, tenant, idle, lock, now)?),
            Self::Server(control) => control,
        };
        let work = (tenant, OrderedWork::Expire { idle });
        match order_from_server(directory, control, work, random()?, now, waits)? {
            OrderAnswer::Expired { clients } => Ok(clients),
            OrderAnswer::Compacted(_) | OrderAnswer::Noted | OrderAnswer::Failed { .. } => {
                Err(other_answer().into())
            }
        }
    }
}

/// What helps where a compaction has found no room. It goes on in small steps within the write-ahead log that
/// there is, so that what it needs is what that holds more than the file.
pub(super) const NO_ROOM: &str = "free as much as the log's .db-wal file takes and 1 MB more on that disk (old backups, other files), \
     and try again";
const NO_ROOM_FOR_ORDER: &str =
    "stop the server and try again, which needs no order then; or free 1 MB on that disk first";

pub(super) fn random() -> Result<[u8; 16], Failure> {
    let mut random = StdRng::try_from_os_rng().map_err(|error| {
        Failure::new("no_randomness", "the system gives no random bytes").because(error)
    })?;
    Ok(random.random())
}

fn other_answer() -> Failure {
    Failure::new("server_too_old", "the server has answered something else")
        .state("what the server did stands")
        .fix("start the server with this version of syncline, and try again")
}

impl From<OrderError> for Trouble {
    fn from(error: OrderError) -> Self {
        match &error {
            OrderError::Failed { .. } => Self::Log(error.into()),
            OrderError::NotTaken
            | OrderError::Silent
            | OrderError::Stopped
            | OrderError::Answer(_)
            | OrderError::Control(_)
            | OrderError::Directory(_) => Self::All(error.into()),
        }
    }
}

impl From<OrderError> for Failure {
    fn from(error: OrderError) -> Self {
        let (code, fix) = match &error {
            OrderError::Answer(_) => (
                "server_too_old",
                "start the server with this version of syncline, and try again",
            ),
            OrderError::NotTaken | OrderError::Silent => (
                "server_silent",
                "see the server's log, and the room on its disk; start the server anew, and try again",
            ),
            OrderError::Stopped => ("server_stopped", "try again"),
            OrderError::Control(full) if full.is_disk_full() => ("disk_full", NO_ROOM_FOR_ORDER),
            OrderError::Failed {
                is_disk_full: true, ..
            } => ("disk_full", NO_ROOM),
            OrderError::Failed { .. } => (
                "admin_failed",
                "see to the cause, and try again; a damaged log is put back with `syncline restore`",
            ),
            OrderError::Control(_) | OrderError::Directory(_) => {
                ("control_failed", "syncline doctor")
            }
        };
        Self::new(code, "could not have the running server do it")
            .because(error)
            .state("what was done before stands, and nothing that anybody reads was lost")
            .fix(fix)
    }
}
