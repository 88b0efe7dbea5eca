//! The view as text.

use rusqlite::Connection;
use syncline_model::compaction::is_tombstone;
use syncline_model::tables;

use super::images::print_cells;
use super::read_row;
use crate::file::StoreError;

/// Every row of every view table but for tombstones, in key order, as text: what equal replicas share.
pub(crate) fn dump(connection: &Connection) -> Result<String, StoreError> {
    let mut text = String::new();
    for table in tables() {
        let columns = table
            .columns
            .iter()
            .map(|c| c.name)
            .collect::<Vec<_>>()
            .join(", ");
        let key = table.columns[..table.key_columns]
            .iter()
            .map(|c| c.name)
            .collect::<Vec<_>>()
            .join(", ");
        let sql = format!("SELECT {columns} FROM {} ORDER BY {key}", table.name);
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let row = read_row(row, table)?;
            if !is_tombstone(table, &row) {
                text.push_str(table.name);
                text.push_str(&print_cells(&row));
                text.push('\n');
            }
        }
    }
    Ok(text)
}
