//! Functions that the views need, and SQL alone can't say.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use syncline_model::registry::shown_title;
use syncline_model::{Row, Value};

use crate::sessions::PriceTable;

/// Registers them all; costs are by `prices`.
pub(super) fn register(connection: &Connection, prices: &PriceTable) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function(c"shown_title", 4, flags, title)?;
    prices.register(connection)
}

/// `shown_title(title, versions, own_title, own_versions)`: what a list is called.
fn title(context: &Context<'_>) -> rusqlite::Result<String> {
    let text = |column| -> rusqlite::Result<Value> { Ok(Value::Text(context.get(column)?)) };
    let empty = || Value::Text(String::new());
    let row: Row = vec![
        empty(),
        empty(),
        empty(),
        Value::Integer(1),
        text(0)?,
        text(1)?,
    ];
    let own_title: Option<String> = context.get(2)?;
    let own: Option<Row> = match own_title {
        Some(own_title) => Some(vec![empty(), Value::Text(own_title), text(3)?]),
        None => None,
    };
    Ok(shown_title(&row, own.as_ref()).to_owned())
}
