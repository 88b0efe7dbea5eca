//! Orders: what a command asks of the server that runs on the same data directory, which alone writes
//! to the logs. An order is placed, taken, and answered; who placed it takes it away.

use std::time::Duration;

use rusqlite::{OptionalExtension, Params, params};
use syncline_model::{TenantId, Timestamp};

use super::{ControlError, ControlFile, failed, token};
use crate::file::is_disk_full;

/// Names one order; chosen by who places it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderId(String);

impl OrderId {
    /// An id of random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(random)))
    }
}

/// Something to be done to one tenant's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub tenant: TenantId,
    pub work: OrderedWork,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderedWork {
    /// Compact, and keep ops of this time; clients idle for longer hold nothing.
    Compact { retention: Duration, idle: Duration },
    /// Let go of the places of clients idle for this long.
    Expire { idle: Duration },
    /// Write down what clients have said of themselves, in every log that is open.
    Notes,
}

/// What has become of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderNews {
    /// The server has not seen it yet.
    Placed,
    /// The server has not seen it yet, and is at another one.
    Behind,
    /// The server is at it; how far, in its own words.
    Taken { progress: Option<String> },
    /// It is done, or has failed: the answer, in its own words.
    Answered { answer: String },
    /// There is no such order: a server has begun since, which knows nothing of it.
    Gone,
}

impl ControlFile {
    /// Places an order.
    pub fn place_order(&self, order: &Order, now: Timestamp) -> Result<(), ControlError> {
        let (work, retention, idle) = match order.work {
            OrderedWork::Compact { retention, idle } => ("compact", Some(retention), idle),
            OrderedWork::Expire { idle } => ("expire", None, idle),
            // It is written as an expiry of clients idle for longer than there is time, which is nobody: a
            // server that knows no notes makes that of it.
            OrderedWork::Notes => ("expire", None, Duration::MAX),
        };
        self.write_with_room(
            "INSERT INTO orders (id, tenant, work, retention_ms, idle_ms, placed_at) \
             VALUES (?, ?, ?, ?, ?, ?)",
            params![
                order.id.0,
                order.tenant.as_str(),
                work,
                retention.map(millis),
                millis(idle),
                now.as_millis()
            ],
        )
        .map_err(failed("place an order"))
    }

    /// Writes, and once more where the disk was full: an order may be the one that makes room, and what the
    /// write-ahead log takes can be used again once it was moved into the file.
    fn write_with_room(&self, sql: &str, values: impl Params + Copy) -> rusqlite::Result<()> {
        let write = || -> rusqlite::Result<()> {
            self.connection.prepare_cached(sql)?.execute(values)?;
            Ok(())
        };
        match write() {
            Err(error) if is_disk_full(&error) => {
                let moved = "PRAGMA wal_checkpoint(PASSIVE)";
                self.connection.query_row(moved, [], |_| Ok(()))?;
                write()
            }
            written => written,
        }
    }

    /// Takes the order that waits the longest; none: none waits.
    pub fn take_order(&self, now: Timestamp) -> Result<Option<Order>, ControlError> {
        self.connection
            .prepare_cached(
                "SELECT id, tenant, work, retention_ms, idle_ms FROM orders \
                 WHERE taken_at IS NULL ORDER BY placed_at, id LIMIT 1",
            )
            .and_then(|mut statement| statement.query_row([], order_from_row).optional())
            .and_then(|order| {
                if let Some(order) = &order {
                    let take = "UPDATE orders SET taken_at = ? WHERE id = ?";
                    self.write_with_room(take, params![now.as_millis(), order.id.0])?;
                }
                Ok(order)
            })
            .map_err(failed("take an order"))
    }

    /// Says how far an order is.
    pub fn note_order_progress(&self, id: &OrderId, progress: &str) -> Result<(), ControlError> {
        self.set_order(id, "UPDATE orders SET progress = ? WHERE id = ?", progress)
    }

    /// Answers an order.
    pub fn answer_order(&self, id: &OrderId, answer: &str) -> Result<(), ControlError> {
        self.set_order(id, "UPDATE orders SET answer = ? WHERE id = ?", answer)
    }

    fn set_order(&self, id: &OrderId, sql: &str, text: &str) -> Result<(), ControlError> {
        self.write_with_room(sql, [text, &*id.0])
            .map_err(failed("tell of an order"))
    }

    /// What has become of an order.
    pub fn order_news(&self, id: &OrderId) -> Result<OrderNews, ControlError> {
        self.connection
            .prepare_cached(
                "SELECT taken_at, progress, answer, EXISTS \
                 (SELECT 1 FROM orders WHERE taken_at IS NOT NULL AND answer IS NULL) \
                 FROM orders WHERE id = ?",
            )
            .and_then(|mut statement| {
                let news = statement.query_row([&id.0], |row| {
                    let taken: Option<i64> = row.get(0)?;
                    Ok(match (row.get(2)?, taken) {
                        (Some(answer), _) => OrderNews::Answered { answer },
                        (None, Some(_)) => OrderNews::Taken {
                            progress: row.get(1)?,
                        },
                        (None, None) if row.get(3)? => OrderNews::Behind,
                        (None, None) => OrderNews::Placed,
                    })
                });
                Ok(news.optional()?.unwrap_or(OrderNews::Gone))
            })
            .map_err(failed("ask for an order"))
    }

    /// Takes an order away, whatever has become of it.
    pub fn drop_order(&self, id: &OrderId) -> Result<(), ControlError> {
        self.write_with_room("DELETE FROM orders WHERE id = ?", [&*id.0])
            .map_err(failed("take an order away"))
    }

    /// Forgets all orders: those who placed them are answered by no server that begins later.
    pub fn drop_orders(&self) -> Result<(), ControlError> {
        self.connection
            .execute("DELETE FROM orders", [])
            .map(|_| ())
            .map_err(failed("forget old orders"))
    }
}

fn order_from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Order> {
    let idle = duration(row.get(4)?);
    let retention: Option<i64> = row.get(3)?;
    Ok(Order {
        id: OrderId(row.get(0)?),
        tenant: token::parsed(row, 1)?,
        work: match retention {
            None if millis(idle) == i64::MAX => OrderedWork::Notes,
            Some(retention) => OrderedWork::Compact {
                retention: duration(retention),
                idle,
            },
            None => OrderedWork::Expire { idle },
        },
    })
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(millis.max(0) as u64)
}
