mod attacks;

use std::convert::Infallible;
use std::ops::ControlFlow;

use rusqlite::Connection;
use tempfile::TempDir;

use super::{SqlEnd, SqlError, SqlReader, SqlRows, SqlValue, VIEWS};
use crate::sessions::PriceTable;
use crate::{Durability, FileOptions, TenantFile};
use syncline_model::{Epoch, Mark};

#[derive(Debug, Default)]
struct Kept {
    names: Vec<String>,
    rows: Vec<Vec<SqlValue<'static>>>,
}

impl SqlRows for Kept {
    type Error = Infallible;

    fn columns(&mut self, names: &[&str]) -> Result<(), Infallible> {
        self.names = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(())
    }

    fn row(&mut self, values: &[SqlValue<'_>]) -> Result<ControlFlow<()>, Infallible> {
        self.rows.push(values.iter().map(owned).collect());
        Ok(ControlFlow::Continue(()))
    }
}

fn owned(value: &SqlValue<'_>) -> SqlValue<'static> {
    match value {
        SqlValue::Null => SqlValue::Null,
        SqlValue::Integer(number) => SqlValue::Integer(*number),
        SqlValue::Real(number) => SqlValue::Real(*number),
        SqlValue::Text(text) => SqlValue::Text(text.clone().into_owned().into()),
        SqlValue::Blob(bytes) => panic!("no query here gives a blob: {bytes:?}"),
    }
}

/// A tenant file with one thread of one entry, and one list of two items.
fn file() -> (TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tenant.db");
    let options = FileOptions {
        durability: Durability::Normal,
        ..FileOptions::default()
    };
    drop(
        TenantFile::create(
            &path,
            &options,
            Epoch::new(uuid::Uuid::from_u128(7)),
            Mark::origin([7; 16]),
        )
        .unwrap(),
    );
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "INSERT INTO threads VALUES ('t1','plan','p',0,'p','Plan','active','2026-01-01T00:00:00.000Z',
                '2026-01-02T00:00:00.000Z',1,'[\"ann\"]','');
             INSERT INTO threads VALUES ('t2','gone','p',0,'p','Gone','deleted','2026-01-01T00:00:00.000Z',
                '2026-01-02T00:00:00.000Z',1,'[]','');
             INSERT INTO thread_tags VALUES ('t1','','red',1,1,'a'), ('t1','','old',0,2,'a');
             INSERT INTO entries (thread_id, entry_id, sequence_id, pending_order, timestamp, author, thread_name, content) VALUES ('t1','e1',0,NULL,'2026-01-02T00:00:00.000Z','ann',NULL,'say delete from it'),
                ('t2','e2',0,NULL,'2026-01-02T00:00:00.000Z','ann',NULL,'erased');
             INSERT INTO lists VALUES ('registry','l1','V',1,'Shopping','');
             INSERT INTO list_items VALUES ('l1','i2','l1','W',1,1,'','bread',''), ('l1','i1','l1','V',1,0,'','milk','2 l'),
                ('l1','i3','l1','X',0,0,'','removed','');",
        )
        .unwrap();
    (dir, path)
}

fn run(path: &std::path::Path, sql: &str) -> Result<(Kept, SqlEnd), SqlError<Infallible>> {
    let mut kept = Kept::default();
    let mut reader = SqlReader::open(path, &PriceTable::built_in()).unwrap();
    let end = reader.run(sql, Some(100), || false, &mut kept)?;
    Ok((kept, end))
}

fn strings(path: &std::path::Path, sql: &str) -> Vec<String> {
    let (kept, _) = run(path, sql).unwrap();
    kept.rows.iter().map(|row| format!("{row:?}")).collect()
}

#[test]
fn views_show_what_is_there_and_nothing_that_was_deleted() {
    let (_dir, path) = file();
    let (threads, end) = run(&path, "SELECT * FROM threads").unwrap();
    assert_eq!(end, SqlEnd::Whole);
    assert_eq!(threads.rows.len(), 1);
    assert_eq!(
        threads.rows[0].last(),
        Some(&SqlValue::Text("[\"red\"]".into()))
    );
    let content = "SELECT content, state FROM entries -- with a remark";
    assert_eq!(
        strings(&path, content),
        [r#"[Text("say delete from it"), Text("acknowledged")]"#]
    );
    assert_eq!(
        strings(&path, "SELECT title, item_count, done_count FROM lists"),
        [r#"[Text("Shopping"), Integer(2), Integer(1)]"#]
    );
    assert_eq!(
        strings(&path, "SELECT place, text FROM items ORDER BY place"),
        [
            r#"[Integer(0), Text("milk")]"#,
            r#"[Integer(1), Text("bread")]"#
        ]
    );
}

#[test]
fn each_view_has_the_columns_that_it_declares() {
    let (_dir, path) = file();
    for view in VIEWS {
        let (kept, _) = run(&path, &format!("SELECT * FROM {}", view.name)).unwrap();
        let declared: Vec<&str> = view.columns.iter().map(|column| column.name).collect();
        assert_eq!(kept.names, declared);
    }
}

#[test]
fn what_only_looks_like_a_write_is_read() {
    let (_dir, path) = file();
    for sql in [
        "-- first\nSELECT 1",
        "/* delete */ SELECT 'DELETE FROM threads'",
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT sum(i) FROM n",
        "EXPLAIN QUERY PLAN SELECT * FROM threads",
        "EXPLAIN SELECT 1",
        "SELECT value FROM json_each('[1,2]')",
        "VALUES (1), (2);",
        "SELECT replace(content, 'update', 'x') FROM entries;  -- done\n ;",
    ] {
        assert!(run(&path, sql).is_ok(), "{sql}: {:?}", run(&path, sql));
    }
}

#[test]
fn nothing_but_the_views_is_read_and_nothing_is_written() {
    let (_dir, path) = file();
    let before = std::fs::read(&path).unwrap();
    for sql in [
        "DELETE FROM threads",
        "WITH x AS (SELECT 1)\nDELETE\nFROM main.threads",
        "INSERT INTO main.ops DEFAULT VALUES",
        "UPDATE main.threads SET name = ''",
        "REPLACE INTO main.state SELECT * FROM main.state",
        "DROP VIEW threads",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y)",
        "CREATE TEMP VIEW x AS SELECT 1",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA query_only = OFF",
        "SELECT * FROM pragma_table_info('ops')",
        "SELECT * FROM main.ops",
        "SELECT * FROM ops",
        "SELECT count(*) FROM main.ops",
        "SELECT * FROM main.threads",
        "SELECT * FROM main.entries",
        "WITH lists AS (SELECT payload FROM main.ops) SELECT * FROM lists",
        "WITH threads AS (SELECT versions FROM main.threads) SELECT * FROM threads",
        "SELECT (SELECT payload FROM ops LIMIT 1) FROM threads",
        "SELECT * FROM sqlite_schema",
        "SELECT * FROM sqlite_temp_schema",
        "ATTACH '/etc/passwd' AS p",
        "DETACH main",
        "VACUUM",
        "VACUUM INTO 'never.db'",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT s",
        "ANALYZE",
        "REINDEX",
        "SELECT load_extension('x')",
        "ALTER TABLE main.ops RENAME TO x",
        "EXPLAIN DELETE FROM main.ops",
    ] {
        let answer = run(&path, sql);
        assert!(
            matches!(
                answer,
                Err(SqlError::Refused { .. } | SqlError::Invalid { .. })
            ),
            "{sql}: {answer:?}"
        );
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn more_or_less_than_one_statement_is_told() {
    let (_dir, path) = file();
    for sql in ["", "  ", "-- nothing", ";"] {
        assert!(matches!(run(&path, sql), Err(SqlError::Empty)), "{sql:?}");
    }
    let several = run(&path, "SELECT 1; SELECT 2");
    assert!(matches!(several, Err(SqlError::Several)), "{several:?}");
    let hidden = run(&path, "SELECT 1;\nDELETE\nFROM threads");
    assert!(
        matches!(hidden, Err(SqlError::Refused { .. })),
        "{hidden:?}"
    );
    assert!(matches!(run(&path, "SELECT ?"), Err(SqlError::Parameters)));
}

#[test]
fn a_query_ends_at_its_rows_and_its_time() {
    const ENDLESS: &str = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let (_dir, path) = file();
    let (kept, end) = run(&path, ENDLESS).unwrap();
    assert_eq!((kept.rows.len(), end), (100, SqlEnd::RowLimit));
    let (kept, end) = run(&path, &format!("{ENDLESS} LIMIT 100")).unwrap();
    assert_eq!((kept.rows.len(), end), (100, SqlEnd::Whole));

    let mut reader = SqlReader::open(&path, &PriceTable::built_in()).unwrap();
    let mut looks = 0;
    let up = move || {
        looks += 1;
        looks == 3
    };
    let endless = format!("SELECT max(i) FROM ({ENDLESS})");
    let answer = reader.run(&endless, None, up, &mut Kept::default());
    assert!(matches!(answer, Err(SqlError::TimedOut)), "{answer:?}");
    // Few steps may be long ones, and so may be what is done with a row.
    let mut kept = Kept::default();
    let answer = reader.run("VALUES (1), (2), (3)", None, || true, &mut kept);
    assert!(matches!(answer, Err(SqlError::TimedOut)), "{answer:?}");
    assert_eq!(kept.rows.len(), 1);
    // The next one has all its time.
    let answer = reader.run("SELECT 1", None, || false, &mut Kept::default());
    assert_eq!(answer.unwrap(), SqlEnd::Whole);
}

#[test]
fn a_value_or_a_statement_may_not_grow_without_end() {
    let (_dir, path) = file();
    for sql in [
        "SELECT zeroblob(1000000000)",
        "SELECT length(printf('%.*c', 1000000000, 'x'))",
        "SELECT group_concat(z) FROM (WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) \
         SELECT printf('%.*c', 1000000, 'x') AS z FROM n)",
        // Each of them may be, and both in one row may not.
        "SELECT hex(zeroblob(20000000)), hex(zeroblob(20000000))",
    ] {
        let answer = run(&path, sql);
        assert!(
            matches!(answer, Err(SqlError::TooLarge)),
            "{sql}: {answer:?}"
        );
    }
    let long = format!("SELECT '{}'", "x".repeat(2 << 20));
    assert!(matches!(run(&path, &long), Err(SqlError::TooLarge)));
}

#[test]
fn a_name_that_is_not_there_is_told_with_those_that_are() {
    let (_dir, path) = file();
    let hint = |sql| match run(&path, sql) {
        Err(SqlError::Invalid { hint, offset, .. }) => (hint.unwrap(), offset),
        other => panic!("{other:?}"),
    };
    let (table, _) = hint("SELECT * FROM thread");
    assert_eq!(table.similar[0], "threads");
    assert_eq!(table.known.len(), VIEWS.len());
    let (column, offset) = hint("SELECT titel FROM lists");
    assert_eq!((column.similar[0], offset), ("title", Some(7)));
    let syntax = run(&path, "SELEC 1");
    assert!(matches!(
        syntax,
        Err(SqlError::Invalid {
            hint: None,
            offset: Some(0),
            ..
        })
    ));
}
