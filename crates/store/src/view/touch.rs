//! Which rows were written, for who looks after what is made of them.

use syncline_model::{Row, Rows, Table, Value};

use super::View;
use crate::file::StoreError;

/// A row that was written, or with a part of a key, all of a resource's that were cleared.
#[derive(Debug, Clone)]
pub(crate) struct Touch {
    pub table: &'static Table,
    pub key: Vec<Value>,
    /// The row before and after, of tables that are read whole anyway.
    pub before: Option<Row>,
    pub after: Option<Row>,
}

impl View<'_> {
    /// Notes from now on which rows are written.
    pub(crate) fn trace(&mut self) {
        self.touches = Some(Vec::new());
    }

    /// The rows written since the last time.
    pub(crate) fn take_touches(&mut self) -> Vec<Touch> {
        self.touches
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Notes that `row` is about to be written.
    pub(super) fn touch(&mut self, table: &'static Table, row: &Row) -> Result<(), StoreError> {
        if self.touches.is_none() {
            return Ok(());
        }
        let key = row[..table.key_columns].to_vec();
        let (before, after) = if table.searched.is_some() {
            (None, None)
        } else {
            (self.get(table, &key)?, Some(row.clone()))
        };
        let touch = Touch {
            table,
            key,
            before,
            after,
        };
        self.touches.get_or_insert_default().push(touch);
        Ok(())
    }

    /// Notes that all rows of a resource are about to go.
    pub(super) fn touch_all(&mut self, table: &'static Table, resource: &str) {
        if let Some(touches) = &mut self.touches {
            touches.push(Touch {
                table,
                key: vec![Value::from(resource)],
                before: None,
                after: None,
            });
        }
    }
}
