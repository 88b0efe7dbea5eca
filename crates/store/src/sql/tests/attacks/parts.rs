//! What attacks are put together from. `{s}` stands for a schema, `{t}` for what no view is, `{v}` for a
//! view, `{f}` for a file, `{p}` for a pragma, `{dir}` for the directory of the file that is attacked.

pub(super) const VIEWS: &[&str] = &[
    "threads", "entries", "lists", "items", "sessions", "messages", "tools",
];

pub(super) const SCHEMAS: &[&str] = &["", "main.", "temp.", "\"main\".", "[temp].", "`main`."];

#[rustfmt::skip]
pub(super) const HIDDEN: &[&str] = &[
    "ops", "state", "threads", "entries", "thread_tags", "lists", "list_items", "sessions", "session_parts",
    "entries_fts", "entries_fts_data", "entries_fts_config", "session_parts_fts", "sqlite_schema",
    "sqlite_master", "sqlite_temp_schema", "sqlite_temp_master", "sqlite_sequence", "sqlite_stat1",
    "sqlite_stmt", "sqlite_dbpage", "dbstat", "bytecode('SELECT 1')", "tables_used('SELECT * FROM threads')",
    "pragma_database_list", "pragma_table_list", "pragma_table_info('ops')", "pragma_table_xinfo('threads')",
    "pragma_function_list", "pragma_compile_options", "fsdir('/')", "completion('SEL')",
    "zipfile('secret.txt')", "csv('secret.txt')",
];

pub(super) const FILES: &[&str] = &[
    "attacked.db",
    "{dir}/attacked.db",
    "{dir}/tenant.db",
    "file:{dir}/attacked.db?mode=rwc",
    "file:{dir}/tenant.db?mode=rw&immutable=1",
    ":memory:",
    "",
    "../attacked.db",
];

pub(super) const REMARKS: &[&str] = &[
    "-- SELECT\n",
    "/* reads */",
    "/*",
    " \t\r\n\u{c}",
    "\u{feff}",
    ";;",
    "\u{a0}",
];

#[rustfmt::skip]
pub(super) const PRAGMAS: &[&str] = &[
    "query_only = OFF", "writable_schema = ON", "trusted_schema = ON", "journal_mode = DELETE",
    "journal_mode(OFF)", "user_version = 7", "application_id = 7", "wal_checkpoint(TRUNCATE)",
    "schema_version = 1", "locking_mode = EXCLUSIVE", "hard_heap_limit = 0", "soft_heap_limit = 1",
    "mmap_size = 1000000000", "temp_store_directory = '{dir}'", "data_store_directory = '{dir}'",
    "auto_vacuum = FULL", "incremental_vacuum", "optimize", "database_list", "table_info(ops)",
    "integrity_check", "foreign_key_check", "page_size = 512", "cache_size = 1000000000",
    "encoding = 'UTF-16'", "case_sensitive_like = ON", "threads = 64", "synchronous = OFF",
    "shrink_memory", "read_uncommitted = ON", "recursive_triggers = ON", "legacy_alter_table = ON",
];

#[rustfmt::skip]
pub(super) const WRITES: &[&str] = &[
    "INSERT INTO {s}{t} VALUES (1)",
    "INSERT OR REPLACE INTO {s}{t} DEFAULT VALUES",
    "INSERT INTO {s}{t} SELECT * FROM {s}{t} RETURNING *",
    "REPLACE INTO {s}{t} SELECT * FROM {v}",
    "UPDATE {s}{t} SET rowid = rowid + 1",
    "UPDATE {v} SET name = 'x' RETURNING *",
    "DELETE FROM {s}{t}",
    "DELETE FROM {v} WHERE 1",
    "WITH x AS (SELECT 1) DELETE FROM {s}{t}",
    "WITH x AS (SELECT 1)\nUPDATE {v} SET key = 1",
    "DROP TABLE {s}{t}",
    "DROP VIEW {v}",
    "DROP VIEW IF EXISTS {s}{v}",
    "CREATE TABLE {s}attacked (a)",
    "CREATE TABLE attacked AS SELECT * FROM {v}",
    "CREATE TEMP TABLE attacked AS SELECT * FROM {s}{t}",
    "CREATE VIEW temp.attacked AS SELECT * FROM main.{t}",
    "CREATE TEMP TRIGGER attacked INSTEAD OF DELETE ON {v} BEGIN SELECT 1; END",
    "CREATE TRIGGER attacked AFTER INSERT ON main.{t} BEGIN DELETE FROM {t}; END",
    "CREATE INDEX {s}attacked ON {t}(rowid)",
    "CREATE VIRTUAL TABLE attacked USING fts5(a)",
    "CREATE VIRTUAL TABLE temp.attacked USING fts5vocab(main, entries_fts, row)",
    "CREATE VIRTUAL TABLE temp.attacked USING dbstat(main)",
    "CREATE VIRTUAL TABLE temp.attacked USING rtree(a, b, c)",
    "ALTER TABLE {s}{t} RENAME TO attacked",
    "ALTER TABLE {s}{t} ADD COLUMN attacked",
    "REINDEX {s}{t}", "ANALYZE", "ANALYZE {s}{t}", "VACUUM", "VACUUM main INTO '{f}'", "VACUUM INTO '{f}'",
    "ATTACH '{f}' AS a", "ATTACH DATABASE '{f}' AS main", "DETACH main", "BEGIN IMMEDIATE", "COMMIT",
    "ROLLBACK", "SAVEPOINT a", "RELEASE a", "PRAGMA {p}", "PRAGMA main.{p}",
    "UPDATE sqlite_schema SET sql = 'x'",
    "DELETE FROM sqlite_master",
    "INSERT INTO entries_fts(entries_fts) VALUES('delete-all')",
    "INSERT INTO main.session_parts_fts(session_parts_fts, rank) VALUES('automerge', 0)",
    "SELECT writefile('{f}', 'x')",
    "SELECT load_extension('{f}')",
    "SELECT load_extension('{f}', 'sqlite3_extension_init')",
    "SELECT edit('x', 'touch {f}')",
    "SELECT fts3_tokenizer('simple', x'4141414141414141')",
    "SELECT fts5(?1)",
];

#[rustfmt::skip]
pub(super) const READS: &[&str] = &[
    "SELECT * FROM {s}{t}",
    "SELECT count(*), group_concat(rowid) FROM {s}{t}",
    "SELECT (SELECT group_concat(name) FROM {s}{t})",
    "SELECT * FROM {v} JOIN {s}{t}",
    "SELECT * FROM {v} WHERE EXISTS (SELECT 1 FROM {s}{t})",
    "SELECT * FROM {v} UNION ALL SELECT * FROM {s}{t}",
    "WITH threads AS (SELECT * FROM main.{t}) SELECT * FROM threads",
    "WITH v_00 AS (SELECT * FROM main.{t}) SELECT * FROM v_00",
    "SELECT * FROM (WITH entries AS (SELECT * FROM main.{t}) SELECT * FROM entries)",
    "SELECT * FROM {s}{t} AS threads",
    "SELECT threads.* FROM {s}{t} AS threads, {v}",
    "SELECT sql FROM sqlite_schema",
    "SELECT * FROM sqlite_dbpage('main')",
    "SELECT name, path FROM dbstat",
    "SELECT name, path FROM dbstat('main')",
    "SELECT readfile('{dir}/secret.txt')",
    "SELECT readfile('secret.txt')",
    "SELECT snippet(entries_fts) FROM entries_fts('a')",
    "SELECT * FROM main.entries_fts WHERE entries_fts MATCH 'canary'",
    "SELECT fts5_decode(id, block) FROM main.entries_fts_data",
    "SELECT highlight({t}, 0, '', '') FROM {s}{t}",
    "SELECT rowid, * FROM {v}",
    "SELECT _rowid_, oid FROM {v}",
    "SELECT * FROM {v} INDEXED BY sqlite_autoindex_threads_1",
    "SELECT sqlite_compileoption_get(1), sqlite_source_id()",
    "SELECT usage_cost(1,2,3,4,5,6,7), shown_title(1,2,3,4)",
    "VALUES ((SELECT count(*) FROM {s}{t}))",
    "TABLE {t}",
    "SELECT * FROM temp.{v}",
    "SELECT * FROM main.{v}",
    "SELECT * FROM \"{v}\" -- ; DELETE FROM {t}",
];

#[rustfmt::skip]
pub(super) const BOMBS: &[&str] = &[
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "WITH RECURSIVE n(i) AS (VALUES (1) UNION SELECT i + 1 FROM n) SELECT max(i) FROM n",
    "WITH RECURSIVE f(a, b) AS (VALUES (0, 1) UNION ALL SELECT b, a + b FROM f) SELECT sum(a) FROM f",
    "WITH RECURSIVE s(t) AS (SELECT 'x' UNION ALL SELECT t || t FROM s) SELECT max(length(t)) FROM s",
    "WITH RECURSIVE b(t) AS (SELECT zeroblob(9) UNION ALL SELECT zeroblob(length(t) * 2) FROM b) SELECT count(*) FROM b",
    "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT count(*) FROM n, n AS m, n AS o",
    "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n ORDER BY i DESC",
    "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT DISTINCT random() FROM n ORDER BY 1",
    "SELECT count(*) FROM json_each('[' || substr(printf('%.*c', 400000, ','), 2) || ']') AS a, json_each('[1,2,3]')",
    "SELECT zeroblob(2147483647)",
    "SELECT zeroblob(1000000000) || zeroblob(1000000000)",
    "SELECT randomblob(1000000000)",
    "SELECT printf('%.*c', 2147483647, 'x')",
    "SELECT format('%2000000000d', 1)",
    "SELECT printf('%.1000000000f', 1.0)",
    "SELECT hex(zeroblob(60000000))",
    "SELECT replace(printf('%.*c', 100000, 'x'), 'x', printf('%.*c', 100000, 'y'))",
    "SELECT quote(zeroblob(50000000))",
    "SELECT group_concat(printf('%.*c', 1000000, 'x')) FROM json_each('[1,2,3,4,5,6,7,8,9]') AS a, json_each('[1,2,3,4,5,6,7,8,9]')",
    "SELECT json_group_array(zeroblob(1)) FROM {v}",
    "SELECT count(*) FROM {v} AS a, {v} AS b, {v} AS c, {v} AS d, {v} AS e, {v} AS f",
    "SELECT abs(-9223372036854775808)",
    "SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' LIKE '%a%a%a%a%a%a%a%a%a%a%a%a%b'",
    "SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' GLOB '*a*a*a*a*a*a*a*a*a*a*a*a*b'",
    "SELECT {open}1{close}",
    "SELECT json('{nest}')",
    "SELECT 1{compound}",
    "SELECT 1 WHERE 1 IN ({list}1)",
    "SELECT char(0), x'00', 'a' || char(0) || 'b'",
    "SELECT substr(x'', 9223372036854775807, -9223372036854775807)",
    "SELECT likelihood(1, 2.0)",
    "SELECT sum(9223372036854775807) FROM {v}, {v}",
    "SELECT percentile({v}, 1), median(1) FROM {v}",
    "SELECT row_number() OVER (ORDER BY random()) FROM {v} AS a, {v} AS b",
];
