//! Rows in memory, and short ways to fold onto them.

use std::collections::BTreeMap;
use std::convert::Infallible;

use syncline_model::thread::{Create, Delete, Entry, ThreadId, ThreadOp, thread_id};
use syncline_model::{
    ActorId, Clock, Folded, Op, OpKey, Payload, Place, Row, Rows, Scope, ServerSeq, Table,
    Timestamp, Value, fold,
};
use uuid::Uuid;

/// A view in memory. Its keys are printed, and so in a fixed order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    rows: BTreeMap<(&'static str, String), Row>,
    confirmed: u64,
}

fn place_of(table: &'static Table, key: &[Value]) -> (&'static str, String) {
    (table.name, format!("{:?}", &key[..table.key_columns]))
}

impl Rows for Memory {
    type Error = Infallible;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, Infallible> {
        Ok(self.rows.get(&place_of(table, key)).cloned())
    }

    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), Infallible> {
        assert_eq!(row.len(), table.columns.len(), "a row has all its columns");
        for (cell, column) in row.iter().zip(table.columns) {
            assert!(column.nullable || *cell != Value::Null, "{}", column.name);
        }
        self.rows.insert(place_of(table, &row), row);
        Ok(())
    }

    fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool, Infallible> {
        if self.get(table, &row)?.is_some() {
            return Ok(false);
        }
        self.put(table, row)?;
        Ok(true)
    }

    fn clear(&mut self, table: &'static Table, resource: &str) -> Result<(), Infallible> {
        self.rows
            .retain(|(name, _), row| *name != table.name || row[0].as_text() != Some(resource));
        Ok(())
    }
}

impl Memory {
    /// All rows, in key order.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.rows.values().cloned().collect()
    }

    /// Folds `op` as the next one of the log.
    pub(crate) fn confirm(&mut self, op: &Op) -> Folded {
        self.confirm_stored(&op.key, Some(&op.payload))
    }

    /// Folds an op of the log whose payload may be erased.
    pub(crate) fn confirm_stored(&mut self, key: &OpKey, payload: Option<&Payload>) -> Folded {
        self.confirmed += 1;
        let place = Place::Confirmed(ServerSeq(self.confirmed));
        fold(self, key, payload, place).expect("memory does not fail")
    }

    pub(crate) fn pend(&mut self, op: &Op, order: u64) -> Folded {
        op.fold_pending(self, order).expect("memory does not fail")
    }

    /// A cell of the one row of `table` whose first cells are `key`.
    pub(crate) fn cell(&self, table: &'static Table, key: &[Value], column: &str) -> Option<Value> {
        let row = self.rows.get(&place_of(table, key))?;
        let at = table.columns.iter().position(|c| c.name == column);
        Some(row[at.expect("the table has the column")].clone())
    }

    /// All rows of `table`, with the named columns alone.
    pub(crate) fn columns(&self, table: &'static Table, names: &[&str]) -> Vec<Row> {
        let at = |name: &&str| table.columns.iter().position(|c| c.name == *name);
        let columns: Vec<usize> = names.iter().filter_map(at).collect();
        assert_eq!(columns.len(), names.len());
        self.rows
            .iter()
            .filter(|((name, _), _)| *name == table.name)
            .map(|(_, row)| columns.iter().map(|n| row[*n].clone()).collect())
            .collect()
    }
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("a time of our age")
}

/// The thread that [`create`] makes.
pub(crate) fn id() -> ThreadId {
    thread_id("p", "k", 0)
}

pub(crate) fn op_on(thread: ThreadId, actor: &str, clock: u64, op: &ThreadOp<'_>) -> Op {
    Op {
        key: OpKey {
            actor: ActorId::new(actor).expect("a short name"),
            clock: Clock::new(clock).expect("a small clock"),
            scope: Scope::thread(),
            resource: thread.into(),
        },
        payload: op.payload().expect("a small payload"),
    }
}

pub(crate) fn op(actor: &str, clock: u64, op: &ThreadOp<'_>) -> Op {
    op_on(id(), actor, clock, op)
}

pub(crate) fn create(name: &str) -> ThreadOp<'_> {
    ThreadOp::Create(Create {
        project: "p".into(),
        key: "k".into(),
        generation: 0,
        name: name.into(),
        at: at(1_000),
    })
}

pub(crate) fn entry<'a>(id: u128, author: &'a str, content: &'a str) -> ThreadOp<'a> {
    ThreadOp::Entry(Entry {
        entry_id: Uuid::from_u128(id).into(),
        author: author.into(),
        content: content.into(),
        name: None,
        at: at(2_000 + id as i64),
    })
}

pub(crate) fn delete() -> ThreadOp<'static> {
    ThreadOp::Delete(Delete {
        project: "p".into(),
        key: "k".into(),
        generation: 0,
        at: at(9_000),
    })
}
