use super::*;

#[test]
fn a_database_is_read_and_its_directory_stays_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("50%?#.db");
    let made = Connection::open(&path).unwrap();
    made.execute_batch(
        "PRAGMA journal_mode = WAL; CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB); \
         INSERT INTO kv VALUES ('a:1', x'7b7d'), ('a:2', 'two'), ('b:1', 'three'), ('a;', 4), \
             ('c:x', 5), ('c:x-1', 6);",
    )
    .unwrap();
    let seen = |database: &ForeignDatabase| {
        let mut found = Vec::new();
        database
            .each_value("kv", "a:", |key, value| {
                found.push(format!("{key}={}", value.text));
                Ok::<_, StoreError>(())
            })
            .unwrap();
        found
    };
    // Its writer is there still, with a log that is not empty.
    assert_eq!(
        seen(&ForeignDatabase::open(&path).unwrap()),
        ["a:1={}", "a:2=two"]
    );
    drop(made);
    let before = std::fs::read_dir(directory.path()).unwrap().count();
    let database = ForeignDatabase::open(&path).unwrap();
    assert_eq!(seen(&database), ["a:1={}", "a:2=two"]);
    assert!(database.has_table("kv").unwrap());
    assert_eq!(database.names_below("kv", "c:").unwrap(), ["x", "x-1"]);
    assert_eq!(database.names_below("kv", "a:").unwrap(), ["1", "2"]);
    let two = database.value("kv", "a:2").unwrap().unwrap();
    assert_eq!((two.text.as_str(), two.mended), ("two", false));
    assert_eq!(database.value("kv", "a").unwrap(), None);
    assert_eq!(database.last_row("kv").unwrap(), 6);
    assert_eq!(database.texts_of("kv", "value").unwrap(), ["two", "three"]);
    assert!(!database.has_table("other").unwrap());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), before);
    let write = database.connection.execute("DELETE FROM kv", []);
    assert!(write.is_err());
    // A writer that has come meanwhile is seen.
    assert!(!database.was_written_to());
    let writer = Connection::open(&path).unwrap();
    writer.execute("DELETE FROM kv", []).unwrap();
    assert!(database.was_written_to());
    let database = ForeignDatabase::open(&path).unwrap();
    assert_eq!(seen(&database), Vec::<String>::new());
    assert!(!database.was_written_to());
}

#[test]
fn a_database_with_a_journal_is_never_read_in_the_midst_of_a_transaction() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let writer = Connection::open(&path).unwrap();
    writer
        .execute_batch("PRAGMA journal_mode = DELETE; CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        .unwrap();
    let count = |database: &ForeignDatabase| {
        database.connection.busy_timeout(Duration::ZERO).unwrap();
        let mut rows = 0;
        let counted = database.each_row_between("t", 1..=9_999, |_| {
            rows += 1;
            Ok::<_, StoreError>(())
        });
        counted.map(|()| rows)
    };
    let before = ForeignDatabase::open(&path).unwrap();
    // Pages that do not fit into its memory are in the file before the transaction ends.
    writer
        .execute_batch(
            "PRAGMA cache_size = 2; BEGIN; INSERT INTO t WITH RECURSIVE n (i) AS \
             (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 999) \
             SELECT hex(zeroblob(1000)) FROM n",
        )
        .unwrap();
    let amid = ForeignDatabase::open(&path);
    for database in [Ok(before), amid].into_iter().flatten() {
        assert!(matches!(count(&database), Err(StoreError::Busy(_))));
    }
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(count(&ForeignDatabase::open(&path).unwrap()).unwrap(), 1000);
}

#[test]
fn rows_are_objects_of_all_columns() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let made = Connection::open(&path).unwrap();
    made.execute_batch(
        "CREATE TABLE t (x, y); INSERT INTO t VALUES ('b', 2), ('a', NULL), ('b', 1.5)",
    )
    .unwrap();
    drop(made);
    let database = ForeignDatabase::open(&path).unwrap();
    let mut rows = Vec::new();
    let mut take = |row: ForeignRow| {
        rows.push(Value::Object(row.cells).to_string());
        Ok::<_, StoreError>(())
    };
    database.each_row_between("t", 1..=9, &mut take).unwrap();
    database.each_row_of("t", "x", "b", "y", &mut take).unwrap();
    let expected = [
        r#"{"x":"b","y":2}"#,
        r#"{"x":"a","y":null}"#,
        r#"{"x":"b","y":1.5}"#,
        r#"{"x":"b","y":1.5}"#,
        r#"{"x":"b","y":2}"#,
    ];
    assert_eq!(rows, expected);
}
