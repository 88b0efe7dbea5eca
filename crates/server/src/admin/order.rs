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
/// How long a server that has taken an order may say nothing of it. It says something twice a second,
/// whatever it is at, unless it has failed at that or can't write it down.
const SILENT_MAX: Duration = Duration::from_secs(60);
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
        /// There was no room on the server's disk.
        #[serde(default)]
        is_disk_full: bool,
    },
}

/// How far a compaction is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderProgress {
    pub reached: ServerSeq,
    /// The place that it goes up to; 0 where that is not known yet.
    pub floor: ServerSeq,
    /// Rises each time the server says something, so that one that has failed is told from one that is
    /// slow.
    #[serde(default)]
    pub said: u64,
}

/// What an order waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderWait {
    /// The server has not seen it yet.
    ToBeTaken,
    /// The server is at another one.
    Behind,
    /// The server is at it.
    Taken(OrderProgress),
}

/// How long who has placed an order waits.
struct Patience {
    taken_within: Duration,
    silent_max: Duration,
}

/// Why a server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Directory(#[from] DataDirectoryError),
    #[error("the server that runs on the directory has not taken the order for {} seconds", TAKEN_WITHIN.as_secs())]
    NotTaken,
    #[error("the server has taken the order, and has said nothing of it for {} seconds", SILENT_MAX.as_secs())]
    Silent,
    #[error("the server has stopped meanwhile")]
    Stopped,
    #[error("the server failed at it: {}", causes.join(": "))]
    Failed {
        causes: Vec<String>,
        is_disk_full: bool,
    },
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
    waits: impl FnMut(OrderWait),
) -> Result<OrderAnswer, OrderError> {
    let order = Order {
        id: OrderId::new(random),
        tenant: tenant.clone(),
        work,
    };
    control.place_order(&order, now)?;
    let patience = Patience {
        taken_within: TAKEN_WITHIN,
        silent_max: SILENT_MAX,
    };
    let answer = wait(directory, control, &order.id, &patience, waits);
    let dropped = control.drop_order(&order.id);
    // What has become of it is of more interest than that its row is left, which the next start drops.
    let answer = answer?;
    dropped?;
    match answer {
        OrderAnswer::Failed {
            causes,
            is_disk_full,
        } => Err(OrderError::Failed {
            causes,
            is_disk_full,
        }),
        answer => Ok(answer),
    }
}

fn wait(
    directory: &DataDirectory,
    control: &ControlFile,
    id: &OrderId,
    patience: &Patience,
    mut waits: impl FnMut(OrderWait),
) -> Result<OrderAnswer, OrderError> {
    let mut placed = Instant::now();
    let mut looked = placed;
    let mut heard = (placed, None);
    loop {
        match control.order_news(id)? {
            OrderNews::Answered { answer } => {
                return serde_json::from_str(&answer).map_err(OrderError::Answer);
            }
            OrderNews::Gone => return Err(OrderError::Stopped),
            OrderNews::Placed if placed.elapsed() > patience.taken_within => {
                return Err(OrderError::NotTaken);
            }
            OrderNews::Placed => waits(OrderWait::ToBeTaken),
            // It takes one after another, and each for as long as it needs.
            OrderNews::Behind => {
                placed = Instant::now();
                waits(OrderWait::Behind);
            }
            OrderNews::Taken { progress } => {
                let said: Option<OrderProgress> = progress
                    .map(|said| serde_json::from_str(&said))
                    .transpose()
                    .map_err(OrderError::Answer)?;
                if heard.1 != Some(said) {
                    heard = (Instant::now(), Some(said));
                }
                if heard.0.elapsed() > patience.silent_max {
                    return Err(OrderError::Silent);
                }
                waits(OrderWait::Taken(said.unwrap_or_default()));
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

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// Waits for an order that `server` makes something of first, with next to no patience.
    fn waited(
        server: impl FnOnce(&ControlFile),
    ) -> (Result<OrderAnswer, OrderError>, Vec<OrderWait>) {
        let root = TempDir::new().unwrap();
        let directory = DataDirectory::open(root.path()).unwrap();
        let control = ControlFile::open(&directory).unwrap();
        let order = Order {
            id: OrderId::new([7; 16]),
            tenant: TenantId::new("acme").unwrap(),
            work: OrderedWork::Expire {
                idle: Duration::ZERO,
            },
        };
        let now = Timestamp::from_millis(1_000).unwrap();
        control.place_order(&order, now).unwrap();
        server(&control);
        let patience = Patience {
            taken_within: Duration::ZERO,
            // So that who has looked once waits, and looks again.
            silent_max: ASK_EVERY,
        };
        let mut waits = Vec::new();
        let answer = wait(&directory, &control, &order.id, &patience, |wait| {
            waits.push(wait);
        });
        (answer, waits)
    }

    #[test]
    fn an_order_that_no_server_takes_or_answers_is_not_waited_for_without_end() {
        let now = Timestamp::from_millis(2_000).unwrap();
        let (answer, _) = waited(|_| ());
        assert!(matches!(answer, Err(OrderError::NotTaken)), "{answer:?}");
        let (answer, waits) = waited(|control| {
            control.take_order(now).unwrap();
        });
        assert!(matches!(answer, Err(OrderError::Silent)), "{answer:?}");
        assert!(!waits.is_empty());
        assert!(
            waits
                .iter()
                .all(|wait| *wait == OrderWait::Taken(OrderProgress::default())),
            "{waits:?}"
        );
    }
}
