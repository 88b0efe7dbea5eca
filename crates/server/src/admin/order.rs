//! Asking the server that runs on a data directory, which alone writes to its logs.

use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use syncline_model::{ServerSeq, TenantId, Timestamp};
use syncline_store::LogLeft;
use syncline_store::control::{
    ControlError, ControlFile, DataDirectory, DataDirectoryError, Order, OrderId, OrderNews,
    OrderedWork,
};

use crate::tenant::CompactReport;

/// How often it is asked what has become of an order.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How often it is looked whether there is a server still.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A server that has not taken an order by then takes none: it is of an older version, or stuck.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// How long who looks waits for what clients have said meanwhile.
const NOTED_WITHIN: Duration = Duration::from_secs(3);

/// What a compaction has come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactSummary {
    pub tenant: TenantId,
    pub floor: ServerSeq,
    /// Ops judged, and dropped; tombstones collected.
    pub judged: u64,
    pub dropped: u64,
    pub collected: u64,
    /// Bytes of the file and its write-ahead log.
    pub bytes_before: u64,
    pub bytes_after: u64,
    /// Whether the write-ahead log could be emptied, or holds what was dropped.
    #[serde(default)]
    pub log_left: LogLeft,
}

impl CompactSummary {
    pub fn of(tenant: &TenantId, report: &CompactReport) -> Self {
        Self {
            tenant: tenant.clone(),
            floor: report.floor,
            judged: report.totals.judged,
            dropped: report.totals.dropped,
            collected: report.totals.collected,
            bytes_before: report.bytes_before,
            bytes_after: report.bytes_after,
            log_left: report.log_left,
        }
    }
}

/// What a server answers to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderAnswer {
    Compacted(CompactSummary),
    Expired {
        clients: usize,
    },
    /// What clients have said of themselves is written down.
    Noted,
    /// Why it could not be done, outermost first.
    Failed {
        causes: Vec<String>,
    },
}

/// How far a compaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderProgress {
    pub reached: ServerSeq,
    /// The place that it goes up to.
    pub floor: ServerSeq,
}

/// Why a server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Directory(#[from] DataDirectoryError),
    #[error("the server that runs on the directory does not take orders")]
    NotTaken,
    #[error("the server has stopped meanwhile")]
    Stopped,
    #[error("the server failed at it: {}", causes.join(": "))]
    Failed { causes: Vec<String> },
    #[error("the server's answer can't be read")]
    Answer(#[source] serde_json::Error),
}

/// Has the server that runs on the control file's directory write down what clients have said of themselves,
/// for who looks at them in the files; says whether it has. It is not waited for where it is at another
/// order, which may take long.
///
/// `tenant` is any of its tenants; `random` tells this order from others.
pub fn notes_from_server(
    control: &ControlFile,
    tenant: &TenantId,
    random: [u8; 16],
    now: Timestamp,
) -> Result<bool, ControlError> {
    let order = Order {
        id: OrderId::new(random),
        tenant: tenant.clone(),
        work: OrderedWork::Notes,
    };
    control.place_order(&order, now)?;
    let placed = Instant::now();
    let written = loop {
        match control.order_news(&order.id)? {
            OrderNews::Answered { answer } => {
                let answer = serde_json::from_str(&answer);
                break matches!(answer, Ok(OrderAnswer::Noted));
            }
            OrderNews::Behind | OrderNews::Gone => break false,
            OrderNews::Placed | OrderNews::Taken { .. } if placed.elapsed() > NOTED_WITHIN => {
                break false;
            }
            OrderNews::Placed | OrderNews::Taken { .. } => thread::sleep(ASK_EVERY),
        }
    };
    control.drop_order(&order.id)?;
    Ok(written)
}

/// Has the server that runs on `directory` do `work` to a tenant's log, and waits until it has.
///
/// `random` tells this order from others.
pub fn order_from_server(
    directory: &DataDirectory,
    control: &ControlFile,
    (tenant, work): (&TenantId, OrderedWork),
    random: [u8; 16],
    now: Timestamp,
    progress: impl FnMut(OrderProgress),
) -> Result<OrderAnswer, OrderError> {
    let order = Order {
        id: OrderId::new(random),
        tenant: tenant.clone(),
        work,
    };
    control.place_order(&order, now)?;
    let answer = wait(directory, control, &order.id, progress);
    control.drop_order(&order.id)?;
    match answer? {
        OrderAnswer::Failed { causes } => Err(OrderError::Failed { causes }),
        answer => Ok(answer),
    }
}

fn wait(
    directory: &DataDirectory,
    control: &ControlFile,
    id: &OrderId,
    mut progress: impl FnMut(OrderProgress),
) -> Result<OrderAnswer, OrderError> {
    let mut placed = Instant::now();
    let mut looked = placed;
    loop {
        match control.order_news(id)? {
            OrderNews::Answered { answer } => {
                return serde_json::from_str(&answer).map_err(OrderError::Answer);
            }
            OrderNews::Gone => return Err(OrderError::Stopped),
            OrderNews::Placed if placed.elapsed() > TAKEN_WITHIN => {
                return Err(OrderError::NotTaken);
            }
            OrderNews::Placed => {}
            // It takes one after another, and each for as long as it needs.
            OrderNews::Behind => placed = Instant::now(),
            OrderNews::Taken { progress: said } => {
                if let Some(said) = said {
                    progress(serde_json::from_str(&said).map_err(OrderError::Answer)?);
                }
            }
        }
        if looked.elapsed() > LOOK_EVERY {
            looked = Instant::now();
            if !directory.is_locked()? {
                return Err(OrderError::Stopped);
            }
        }
        thread::sleep(ASK_EVERY);
    }
}
