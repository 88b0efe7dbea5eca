//! The schema of a tenant file: the log's tables as written here, the view's as the model lists them.

use std::fmt::Write as _;
use std::sync::OnceLock;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use syncline_model::{Table, planted, tables};

use crate::file::StoreError;

/// `SYNT` in a file's header.
pub(crate) const APPLICATION: i32 = 0x5359_4e54;
/// Raised with each change of the log's tables, and of what they may hold. Since format 4 one row of
/// `confirmed_rows` may say of a whole session that nothing of it was confirmed; files that don't are
/// read as before.
pub(crate) const FORMAT: i64 = 4;
/// Raised with each change of a fold or of a view table: the view is then folded again.
const FOLD_VERSION: i64 = 14;

/// The fold version of this binary, or of the one that the simulator lets this thread play.
pub(crate) fn fold_version() -> i64 {
    FOLD_VERSION - planted::fold_age()
}

/// Refuses to go on in a file whose view a newer version has folded, perhaps since it was opened: an
/// older fold would spoil it. Asked in each transaction that writes to the view.
pub(crate) fn refuse_newer_fold(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("SELECT fold_version FROM state")?;
    let found: i64 = statement.query_row([], |row| row.get(0))?;
    let known = fold_version();
    if found > known {
        Err(StoreError::NewerFold { found, known })
    } else {
        Ok(())
    }
}

const LOG: &str = "
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,
    origin BLOB NOT NULL,
    head INTEGER NOT NULL,
    mark BLOB NOT NULL,
    floor INTEGER NOT NULL,
    clock_max INTEGER NOT NULL,
    folded_order INTEGER NOT NULL,
    fold_version INTEGER NOT NULL
) STRICT;
CREATE TABLE epochs (
    ordinal INTEGER PRIMARY KEY,
    epoch TEXT NOT NULL UNIQUE,
    parent TEXT,
    parent_seq INTEGER,
    parent_mark BLOB,
    mode TEXT
) STRICT;
CREATE TABLE ops (
    server_seq INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    clock INTEGER NOT NULL,
    payload TEXT,
    payload_hash BLOB NOT NULL,
    mark BLOB
) STRICT;
CREATE UNIQUE INDEX ops_key ON ops (resource_id, actor, clock, scope);
CREATE TABLE pruned (
    actor TEXT NOT NULL,
    scope TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    clock INTEGER NOT NULL,
    PRIMARY KEY (actor, scope, resource_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE collected (
    scope TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    clock INTEGER NOT NULL,
    PRIMARY KEY (scope, resource_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE times (
    server_seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL
) STRICT;
CREATE TABLE unfolded (
    server_seq INTEGER PRIMARY KEY
) STRICT;
CREATE TABLE refusals (
    resource_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    clock INTEGER NOT NULL,
    scope TEXT NOT NULL,
    payload_hash BLOB NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (resource_id, actor, clock, scope)
) STRICT, WITHOUT ROWID;
CREATE TABLE clients (
    client_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    cursor_seq INTEGER,
    cursor_mark BLOB,
    moved_at TEXT NOT NULL,
    seen_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE actors (
    actor TEXT PRIMARY KEY,
    user_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE confirmed_rows (
    table_name TEXT NOT NULL,
    row_key TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    row TEXT,
    PRIMARY KEY (resource_id, table_name, row_key)
) STRICT, WITHOUT ROWID;
";

/// What is to be done to the file beside its log and view. Format 1 had none of it.
const UPKEEP: &str = "
CREATE TABLE upkeep (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    words INTEGER NOT NULL,
    traces INTEGER NOT NULL,
    judged INTEGER NOT NULL
) STRICT;
";

/// What a fetch has to know: resources of which ops came erased, and nothing that has erased them; and
/// how many tombstones were ever collected. Format 2 had none of it.
const FETCHING: &str = "
CREATE TABLE erasures (
    scope TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    PRIMARY KEY (scope, resource_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE collections (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    made INTEGER NOT NULL
) STRICT;
";
const NO_COLLECTIONS: &str = "INSERT INTO collections VALUES (1, 0)";

/// Makes the tables of an empty tenant file.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(LOG)?;
    connection.execute_batch(UPKEEP)?;
    connection.execute_batch(FETCHING)?;
    connection.execute_batch(NO_COLLECTIONS)?;
    connection.execute_batch("INSERT INTO upkeep VALUES (1, 0, 0, 0)")?;
    create_view(connection)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", FORMAT)
}

/// Brings a file of an older format to this one, unless another process has done it meanwhile.
pub(crate) fn bring_to_format(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found >= FORMAT {
        return Ok(());
    }
    if found < 2 {
        transaction.execute_batch(UPKEEP)?;
        // What the file has forgotten of erased texts was not written down before.
        transaction.execute_batch(
            "INSERT INTO upkeep SELECT 1, erased, erased, 0 \
             FROM (SELECT EXISTS (SELECT 1 FROM ops WHERE payload IS NULL) AS erased)",
        )?;
    }
    if found < 3 {
        transaction.execute_batch(FETCHING)?;
        transaction.execute_batch(NO_COLLECTIONS)?;
    }
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

/// Makes the view's tables.
pub(crate) fn create_view(connection: &Connection) -> rusqlite::Result<()> {
    tables().try_for_each(|table| connection.execute_batch(&table_ddl(table)))
}

/// Drops the view's tables, and with them what was pending on top.
pub(crate) fn drop_view(connection: &Connection) -> rusqlite::Result<()> {
    for table in tables() {
        let name = table.name;
        connection.execute_batch(&format!(
            "DROP TABLE IF EXISTS {name}_fts; DROP TABLE IF EXISTS {name};"
        ))?;
    }
    connection.execute_batch("DELETE FROM confirmed_rows; DELETE FROM unfolded;")
}

/// The statements that make one view table, its indexes and its full-text index.
///
/// A searched table has an `id`, the row of its full-text index; it is no part of the view, and two
/// replicas may number alike rows differently.
fn table_ddl(table: &Table) -> String {
    let mut ddl = format!("CREATE TABLE {} (\n", table.name);
    if table.searched.is_some() {
        ddl.push_str("    id INTEGER PRIMARY KEY,\n");
    }
    for column in table.columns {
        let null = if column.nullable { "" } else { " NOT NULL" };
        writeln!(ddl, "    {} {}{null},", column.name, column.sql_type).expect(TO_STRING);
    }
    let key = column_list(&table.columns[..table.key_columns]);
    if table.searched.is_some() {
        write!(ddl, "    UNIQUE ({key})\n) STRICT;").expect(TO_STRING);
    } else {
        write!(ddl, "    PRIMARY KEY ({key})\n) STRICT, WITHOUT ROWID;").expect(TO_STRING);
    }
    for (n, columns) in table.indexes.iter().enumerate() {
        let columns = columns.join(", ");
        write!(
            ddl,
            "\nCREATE INDEX {0}_{n} ON {0} ({columns});",
            table.name
        )
        .expect(TO_STRING);
    }
    if let Some(searched) = table.searched {
        write!(
            ddl,
            "\nCREATE VIRTUAL TABLE {}_fts USING fts5({}, content='', contentless_delete=1, \
             tokenize='porter unicode61 remove_diacritics 2');",
            table.name, table.columns[searched].name
        )
        .expect(TO_STRING);
    }
    ddl
}

const TO_STRING: &str = "writing to a string does not fail";

fn column_list(columns: &[syncline_model::Column]) -> String {
    columns
        .iter()
        .map(|column| column.name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Takes the words of rows that are gone out of the full-text indexes. A delete only notes there that
/// the row is gone; its words go when the index is merged.
pub(crate) fn forget_deleted_words(connection: &Connection) -> rusqlite::Result<()> {
    let searched = tables().filter(|table| table.searched.is_some());
    searched.map(|table| table.name).try_for_each(|name| {
        let merge = format!("INSERT INTO {name}_fts ({name}_fts) VALUES ('optimize')");
        connection.execute_batch(&merge)
    })
}

/// The statements that read and write the rows of one view table.
#[derive(Debug)]
pub(crate) struct TableSql {
    pub select: String,
    pub insert: String,
    pub upsert: String,
    pub delete: String,
    /// The first rows, and the rows after a key, in key order; the last hole is their number.
    pub select_first: String,
    pub select_after: String,
    pub select_resource: String,
    pub delete_resource: String,
    /// For a searched table: its row's id, and the statements of its full-text index.
    pub select_id: String,
    pub index: String,
    pub unindex: String,
    pub unindex_resource: String,
}

/// The statements of `table`.
pub(crate) fn sql_of(table: &'static Table) -> &'static TableSql {
    static ALL: OnceLock<Vec<(&'static str, TableSql)>> = OnceLock::new();
    let all = ALL.get_or_init(|| tables().map(|t| (t.name, table_sql(t))).collect());
    let found = all
        .iter()
        .find(|(name, _)| std::ptr::eq(*name, table.name) || *name == table.name);
    &found
        .expect("a fold writes only the tables that the model lists")
        .1
}

fn table_sql(table: &'static Table) -> TableSql {
    let name = table.name;
    let columns = column_list(table.columns);
    let holes = vec!["?"; table.columns.len()].join(", ");
    let by_key = table.columns[..table.key_columns]
        .iter()
        .map(|column| format!("{} = ?", column.name))
        .collect::<Vec<_>>()
        .join(" AND ");
    let resource = table.columns[0].name;
    let key = column_list(&table.columns[..table.key_columns]);
    let updates = table.columns[table.key_columns..]
        .iter()
        .map(|column| format!("{0} = excluded.{0}", column.name))
        .collect::<Vec<_>>()
        .join(", ");
    TableSql {
        select: format!("SELECT {columns} FROM {name} WHERE {by_key}"),
        insert: format!("INSERT OR IGNORE INTO {name} ({columns}) VALUES ({holes})"),
        upsert: format!(
            "INSERT INTO {name} ({columns}) VALUES ({holes}) ON CONFLICT ({key}) DO UPDATE SET {updates}"
        ),
        delete: format!("DELETE FROM {name} WHERE {by_key}"),
        select_first: format!("SELECT {columns} FROM {name} ORDER BY {key} LIMIT ?"),
        select_after: format!(
            "SELECT {columns} FROM {name} WHERE ({key}) > ({}) ORDER BY {key} LIMIT ?",
            vec!["?"; table.key_columns].join(", ")
        ),
        select_resource: format!("SELECT {columns} FROM {name} WHERE {resource} = ?"),
        delete_resource: format!("DELETE FROM {name} WHERE {resource} = ?"),
        select_id: format!("SELECT id FROM {name} WHERE {by_key}"),
        index: format!(
            "INSERT INTO {name}_fts (rowid, {}) VALUES (?, ?)",
            searched(table)
        ),
        unindex: format!("DELETE FROM {name}_fts WHERE rowid = ?"),
        unindex_resource: format!(
            "DELETE FROM {name}_fts WHERE rowid IN (SELECT id FROM {name} WHERE {resource} = ?)"
        ),
    }
}

fn searched(table: &Table) -> &'static str {
    table
        .searched
        .map_or("", |column| table.columns[column].name)
}

/// Every `CREATE` statement of the file, in a fixed order: what two files of one format share.
pub(crate) fn schema_text(connection: &Connection) -> rusqlite::Result<String> {
    let mut statement = connection.prepare(
        "SELECT coalesce(sql, name) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' \
         AND name NOT LIKE 'records_by_%' ORDER BY type, name",
    )?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.join(";\n"))
}

/// What [`schema_text`] gives for a file of this format.
pub(crate) fn expected_text() -> rusqlite::Result<String> {
    let connection = Connection::open_in_memory()?;
    create(&connection)?;
    schema_text(&connection)
}
