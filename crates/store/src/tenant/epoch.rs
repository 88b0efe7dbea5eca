//! Epochs: the histories that a log has had.

use syncline_model::planted::{Defect, is_planted};
use syncline_model::{Cursor, Epoch, EpochMode, Lineage, Mark, Parent, Scope, ServerSeq};

use super::{Head, PageLimit, TenantFile, read_head, stored_mark};
use crate::file::StoreError;
use crate::schema;

/// How much of a log is held at a time to compare it with another.
const COMPARED: PageLimit = PageLimit {
    ops: 1000,
    bytes: 4 * 1024 * 1024,
};

const fn mode_text(mode: EpochMode) -> &'static str {
    match mode {
        EpochMode::Heal => "heal",
        EpochMode::Follow => "follow",
    }
}

fn parse_mode(text: &str) -> Result<EpochMode, StoreError> {
    match text {
        "heal" => Ok(EpochMode::Heal),
        "follow" => Ok(EpochMode::Follow),
        _ => Err(StoreError::damaged("an epoch's mode is not one")),
    }
}

/// How a log begins a new epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStart {
    /// The log as it is, put back from a copy: the parent's place is where it stands.
    Restored(EpochMode),
    /// An empty log that replicas follow; clocks go on above those seen.
    Reset { origin: Mark },
}

impl TenantFile {
    /// The epochs that this log has had, oldest first; the last is the current one.
    pub fn lineage(&self) -> Result<Vec<Lineage>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT epoch, parent, parent_seq, parent_mark, mode FROM epochs ORDER BY ordinal",
        )?;
        let mut rows = statement.query([])?;
        let mut lineage = Vec::new();
        while let Some(row) = rows.next()? {
            let epoch = parse_epoch(&row.get::<_, String>(0)?)?;
            let parent = match row.get::<_, Option<String>>(1)? {
                None => None,
                Some(parent) => Some(Parent {
                    epoch: parse_epoch(&parent)?,
                    cursor: Cursor {
                        server_seq: ServerSeq(row.get::<_, i64>(2)? as u64),
                        mark: stored_mark(&row.get::<_, Vec<u8>>(3)?)?,
                    },
                    mode: parse_mode(&row.get::<_, String>(4)?)?,
                }),
            };
            lineage.push(Lineage { epoch, parent });
        }
        Ok(lineage)
    }

    /// Whether the two logs tell nothing of being one, and each holds something: no epoch, and no op.
    ///
    /// Schemas don't count: a server puts the one that it was started with into every log. A log that
    /// a lost server has begun anew holds ops of the old one as soon as a replica has healed it.
    pub fn is_foreign_to(&self, other: &Self) -> Result<bool, StoreError> {
        let ours = self.lineage()?;
        let theirs = other.lineage()?;
        if ours
            .iter()
            .any(|step| theirs.iter().any(|other| other.epoch == step.epoch))
        {
            return Ok(false);
        }
        Ok(self.holds_more_than_schemas()?
            && other.holds_more_than_schemas()?
            && (is_planted(Defect::KeepApartFromOwn)
                || !self.has_any_of(other)? && !other.has_any_of(self)?))
    }

    fn holds_more_than_schemas(&self) -> Result<bool, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM ops WHERE scope <> ?)")?;
        Ok(statement.query_row([Scope::SCHEMA], |row| row.get(0))?)
    }

    /// Whether an op of `other` is in this log, or was, before it was dropped as covered.
    fn has_any_of(&self, other: &Self) -> Result<bool, StoreError> {
        let mut at = ServerSeq::ZERO;
        loop {
            let page = other.ops_after(at, COMPARED)?;
            let Some(last) = page.last() else {
                return Ok(false);
            };
            at = last.seq;
            for op in page
                .iter()
                .filter(|op| op.key.scope.as_str() != Scope::SCHEMA)
            {
                if self.find(&op.key)?.is_some() || self.is_pruned(&op.key)? {
                    return Ok(true);
                }
            }
        }
    }

    /// Notes epochs of the log that this one takes the place of. A restore notes them before it begins
    /// its own epoch: it leaves them behind, and their replicas can then be told from where.
    pub fn remember_epochs(&mut self, lineage: &[Lineage]) -> Result<(), StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for step in lineage {
            let parent = step.parent;
            transaction.execute(
                "INSERT OR IGNORE INTO epochs (ordinal, epoch, parent, parent_seq, parent_mark, mode) \
                 VALUES ((SELECT max(ordinal) + 1 FROM epochs), ?, ?, ?, ?, ?)",
                (
                    step.epoch.to_string(),
                    parent.map(|parent| parent.epoch.to_string()),
                    parent.map(|parent| parent.cursor.server_seq.get() as i64),
                    parent.map(|parent| *parent.cursor.mark.as_bytes()),
                    parent.map(|parent| mode_text(parent.mode)),
                ),
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// Raises the highest clock ever accepted to `clock`, if it is below: that of a log which this one
    /// takes the place of, whose actors go on above it.
    pub fn raise_clock(&mut self, clock: u64) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE state SET clock_max = max(clock_max, ?)",
            [clock as i64],
        )?;
        Ok(())
    }

    /// Begins the epoch `epoch`, in one transaction; `expected` is the epoch that it replaces, and
    /// where another has replaced that already, nothing happens and the head is returned as it is.
    pub fn start_epoch(
        &mut self,
        expected: Epoch,
        epoch: Epoch,
        start: LogStart,
    ) -> Result<Head, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let old = read_head(&transaction)?;
        if old.epoch != expected {
            return Ok(old);
        }
        let (mode, common) = match start {
            LogStart::Restored(mode) => (mode, old.cursor),
            LogStart::Reset { .. } => (EpochMode::Follow, origin_cursor(&transaction)?),
        };
        // A replica returns to an epoch that it has left when its server is put back to it.
        transaction.execute(
            "INSERT INTO epochs (ordinal, epoch, parent, parent_seq, parent_mark, mode) \
             VALUES ((SELECT max(ordinal) + 1 FROM epochs), ?, ?, ?, ?, ?) \
             ON CONFLICT (epoch) DO UPDATE SET ordinal = excluded.ordinal",
            (
                epoch.to_string(),
                old.epoch.to_string(),
                common.server_seq.get() as i64,
                common.mark.as_bytes(),
                mode_text(mode),
            ),
        )?;
        transaction.execute("UPDATE state SET epoch = ?", [epoch.to_string()])?;
        if let LogStart::Reset { origin } = start {
            schema::drop_view(&transaction)?;
            transaction.execute_batch(
                "DELETE FROM ops; DELETE FROM pruned; DELETE FROM collected; DELETE FROM refusals; \
                 DELETE FROM times; DELETE FROM erasures; UPDATE upkeep SET traces = traces + 1, judged = 0; \
                 UPDATE clients SET cursor_seq = NULL, cursor_mark = NULL;",
            )?;
            transaction.execute(
                "UPDATE state SET origin = ?1, mark = ?1, head = 0, floor = 0",
                [origin.as_bytes()],
            )?;
            schema::create_view(&transaction)?;
        }
        let head = read_head(&transaction)?;
        transaction.commit()?;
        Ok(head)
    }
}

/// Place 0 of the log as it is.
fn origin_cursor(connection: &rusqlite::Connection) -> Result<Cursor, StoreError> {
    let origin: Vec<u8> = connection.query_row("SELECT origin FROM state", [], |row| row.get(0))?;
    Ok(Cursor {
        server_seq: ServerSeq::ZERO,
        mark: stored_mark(&origin)?,
    })
}

fn parse_epoch(text: &str) -> Result<Epoch, StoreError> {
    text.parse()
        .map_err(|_| StoreError::damaged("an epoch is no UUID"))
}
