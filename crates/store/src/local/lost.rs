//! Edits of records that others' have won against, or whose fields were gone, kept until somebody was told of them.

use rusqlite::Transaction;
use serde::{Deserialize, Serialize};
use syncline_model::OpKey;
use syncline_model::record::Lost;

use super::rows::actor_columns;
use super::{LocalFile, StoreError};

/// How many are kept, the newest: nobody reads more, and the histories of their records keep all.
pub const LOST_EDITS_MAX: usize = 1_000;

/// A value that was written here, and that another's won against, which is kept in the record's history; or that
/// nobody is shown, since its field was gone when it came to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostEdit {
    pub entity: String,
    pub id: String,
    pub column: String,
    #[serde(flatten)]
    pub values: Lost,
    /// Whether its field was gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub field_gone: bool,
}

/// A lost edit that nobody was told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntoldLoss {
    id: i64,
    actor: String,
    clock: u64,
    pub edit: LostEdit,
}

impl UntoldLoss {
    /// Whether this op has written what lost.
    pub fn is_of(&self, key: &OpKey) -> bool {
        (&*self.actor, self.clock) == (key.actor.as_str(), key.clock.get())
    }
}

impl LocalFile {
    /// The lost edits that nobody was told of, the oldest first.
    pub fn untold_losses(&self) -> Result<Vec<UntoldLoss>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, actor, clock, edit FROM lost_edits ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut untold = Vec::new();
        while let Some(row) = rows.next()? {
            let edit = serde_json::from_str(&row.get::<_, String>(3)?);
            untold.push(UntoldLoss {
                id: row.get(0)?,
                actor: row.get(1)?,
                clock: row.get::<_, i64>(2)? as u64,
                edit: edit.map_err(|_| StoreError::damaged("a lost edit is not one"))?,
            });
        }
        Ok(untold)
    }

    /// How many lost edits nobody was told of.
    pub fn count_losses(&self) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM lost_edits";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
    }

    /// Forgets lost edits that somebody was told of.
    pub fn forget_losses(&mut self, told: &[UntoldLoss]) -> Result<(), StoreError> {
        if told.is_empty() {
            return Ok(());
        }
        self.relaxed(|transaction| {
            let mut statement =
                transaction.prepare_cached("DELETE FROM lost_edits WHERE id = ?")?;
            for loss in told {
                statement.execute([loss.id])?;
            }
            Ok(())
        })
    }
}

/// Notes what ops have lost.
pub(super) fn note<'a>(
    transaction: &Transaction<'_>,
    lost: impl Iterator<Item = &'a (OpKey, LostEdit)>,
) -> Result<(), StoreError> {
    let mut lost = lost.peekable();
    if lost.peek().is_none() {
        return Ok(());
    }
    let mut statement = transaction
        .prepare_cached("INSERT INTO lost_edits (actor, clock, edit) VALUES (?, ?, ?)")?;
    for (key, edit) in lost {
        let (actor, clock) = actor_columns(&key.actor, key.clock.get());
        let edit = serde_json::to_string(edit).expect("an edit is text and JSON");
        statement.execute((actor, clock, edit))?;
    }
    transaction.execute(
        "DELETE FROM lost_edits WHERE id <= (SELECT max(id) FROM lost_edits) - ?",
        [LOST_EDITS_MAX as i64],
    )?;
    Ok(())
}
