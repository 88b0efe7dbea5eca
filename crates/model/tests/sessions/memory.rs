//! A view in memory, and who writes to it.

use std::collections::BTreeMap;
use std::convert::Infallible;

use syncline_model::compaction::{Coverage, coverage};
use syncline_model::session::{MESSAGES, SESSIONS, SessionId, session_id};
use syncline_model::{
    ActorId, Clock, Folded, Op, OpKey, Payload, Place, ResourceId, Row, Rows, Scope, ServerSeq,
    Table, Value, fold,
};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) rows: BTreeMap<(&'static str, String), Row>,
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
            let fits = match cell {
                Value::Null => column.nullable,
                Value::Integer(_) => column.sql_type == "INTEGER",
                Value::Text(_) => column.sql_type == "TEXT",
            };
            assert!(fits, "{}.{}: {cell:?}", table.name, column.name);
        }
        assert_eq!(
            row[0],
            Value::from(session().to_string()),
            "rows of its own"
        );
        self.rows.insert(place_of(table, &row), row);
        Ok(())
    }

    fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool, Infallible> {
        let absent = self.get(table, &row)?.is_none();
        if absent {
            self.put(table, row)?;
        }
        Ok(absent)
    }

    fn clear(&mut self, table: &'static Table, resource: &str) -> Result<(), Infallible> {
        self.rows
            .retain(|(name, _), row| *name != table.name || row[0].as_text() != Some(resource));
        Ok(())
    }
}

impl Memory {
    pub(crate) fn fold(&mut self, op: &Op) -> Folded {
        let place = Place::Confirmed(ServerSeq(1));
        fold(self, &op.key, Some(&op.payload), place).expect("memory does not fail")
    }

    pub(crate) fn of<'a>(ops: impl IntoIterator<Item = &'a Op>) -> Self {
        let mut view = Self::default();
        for op in ops {
            view.fold(op);
        }
        view
    }

    /// The rows of a table.
    pub(crate) fn table(&self, table: &'static Table) -> Vec<Row> {
        let rows = self
            .rows
            .iter()
            .filter(|((name, _), _)| *name == table.name);
        rows.map(|(_, row)| row.clone()).collect()
    }

    /// The cell of the one row of `table` whose second column is `id`.
    pub(crate) fn cell(&self, table: &'static Table, id: &str, column: &str) -> Value {
        let rows = self.table(table);
        let mut rows = rows.iter().filter(|row| row[1] == id.into());
        let row = rows.next().expect("the row is there");
        row[column_at(table, column)].clone()
    }

    pub(crate) fn of_session(&self, column: &str) -> Value {
        self.table(&SESSIONS)[0][column_at(&SESSIONS, column)].clone()
    }

    pub(crate) fn of_message(&self, id: &str, column: &str) -> Value {
        self.cell(&MESSAGES, id, column)
    }
}

pub(crate) fn column_at(table: &'static Table, name: &str) -> usize {
    let mut columns = table.columns.iter();
    columns
        .position(|column| column.name == name)
        .expect("a column of the table")
}

/// Those ops of `log` that its rows need.
pub(crate) fn kept(log: &[Op]) -> Vec<Op> {
    let whole = Memory::of(log);
    let needed = |op: &&Op| {
        let answer = coverage(&mut whole.clone(), &op.key, Some(&op.payload));
        answer.expect("memory does not fail") == Coverage::Needed
    };
    log.iter().filter(needed).cloned().collect()
}

/// The session of all these tests.
pub(crate) fn session() -> SessionId {
    session_id("claude-code", "s", "")
}

/// An op on the session, as JSON spells it.
pub(crate) fn op(actor: &str, clock: u64, payload: &str) -> Op {
    Op {
        key: OpKey {
            actor: ActorId::new(actor).expect("a short name"),
            clock: Clock::new(clock).expect("a small clock"),
            scope: Scope::session(),
            resource: ResourceId::from(session()),
        },
        payload: Payload::parse(payload).expect("JSON"),
    }
}

/// An op with a patch, as JSON spells it.
pub(crate) fn patch(actor: &str, clock: u64, patch: &str) -> Op {
    op(
        actor,
        clock,
        &format!(r#"{{"type":"patch","patch":{patch}}}"#),
    )
}
