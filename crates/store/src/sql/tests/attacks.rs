//! Statements of attackers: what they would write, read beside the views, or use up.
//!
//! They are put together from parts by a generator of random numbers of its own, so that each run tries
//! the same ones; the number of one that gets through is its seed.

mod parts;

use std::convert::Infallible;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::Connection;

use super::file;
use crate::sessions::PriceTable;
use crate::sql::{SqlEnd, SqlError, SqlReader, SqlRows, SqlValue, SqlWrite, changes_of};
use parts::{BOMBS, FILES, HIDDEN, PRAGMAS, READS, REMARKS, SCHEMAS, VIEWS, WRITES};

const COUNT: u64 = 5_000;
/// What stands in the file, and beside it, where no view shows it.
const CANARY: &str = "canary-4711";
/// How often it may be asked whether the time is up before it is: after each row, too.
const LOOKS_MAX: u32 = 60;
const ROWS_MAX: u64 = 50;

struct Random(u64);

impl Random {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[(self.next() % from.len() as u64) as usize]
    }
}

/// The statement of a seed.
fn attack(seed: u64, dir: &str) -> String {
    let random = &mut Random(seed);
    let base = match random.next() % 3 {
        0 => random.pick(WRITES),
        1 => random.pick(READS),
        _ => random.pick(BOMBS),
    };
    let sql = named(random, base, dir);
    let sql = decorated(random, sql);
    match random.next() % 12 {
        0 => format!("{sql};{}", named(random, "DELETE FROM {s}{t}", dir)),
        1 => format!("SELECT 1;\n{sql}"),
        2 => format!("{sql}\0; DROP TABLE ops"),
        3 => format!("SELECT 1\0{sql}"),
        _ => sql,
    }
}

/// Puts names in the place of what stands for them.
fn named(random: &mut Random, base: &str, dir: &str) -> String {
    let mut sql = base.to_owned();
    for (part, names) in [
        ("{f}", FILES),
        ("{p}", PRAGMAS),
        ("{s}", SCHEMAS),
        ("{v}", VIEWS),
        ("{t}", HIDDEN),
    ] {
        while sql.contains(part) {
            sql = sql.replacen(part, random.pick(names), 1);
        }
    }
    for (part, repeated, times) in [
        ("{dir}", dir, 1),
        ("{open}", "(", 5_000),
        ("{close}", ")", 5_000),
        ("{nest}", "[", 50_000),
        ("{compound}", " UNION ALL SELECT 1", 2_000),
        ("{list}", "1,", 100_000),
    ] {
        if sql.contains(part) {
            sql = sql.replace(part, &repeated.repeat(times));
        }
    }
    sql
}

/// Hides what a statement is from those who look at its text.
fn decorated(random: &mut Random, sql: String) -> String {
    let mut sql = match random.next() % 8 {
        0 => format!("EXPLAIN {sql}"),
        1 => format!("EXPLAIN QUERY PLAN {sql}"),
        2 => format!("SELECT * FROM ({sql})"),
        3 => format!("WITH a AS ({sql}) SELECT * FROM a"),
        _ => sql,
    };
    if random.next().is_multiple_of(3) {
        sql.insert_str(0, random.pick(REMARKS));
    }
    match random.next() % 6 {
        0 => sql.to_uppercase(),
        1 => sql.to_lowercase(),
        2 => sql.replace(' ', "/**/"),
        3 => sql.replace(' ', "\n"),
        _ => sql,
    }
}

/// Looks for what must not be seen.
#[derive(Default)]
struct Watched {
    seen: Vec<String>,
}

impl SqlRows for Watched {
    type Error = Infallible;

    fn columns(&mut self, _: &[&str]) -> Result<(), Infallible> {
        Ok(())
    }

    fn row(&mut self, values: &[SqlValue<'_>]) -> Result<ControlFlow<()>, Infallible> {
        for value in values {
            let text = match value {
                SqlValue::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                other => other.to_text().into_owned(),
            };
            let hidden = [CANARY, "CREATE TABLE", "payload_hash", "entries_fts_data"];
            if hidden.iter().any(|hidden| text.contains(hidden)) {
                self.seen.push(text.chars().take(80).collect());
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// What lies in a directory, but for the memory that processes share.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap());
    let read = files.map(|file| {
        let name = file.file_name().into_string().unwrap();
        let bytes = match name.ends_with("-shm") {
            true => Vec::new(),
            false => fs::read(file.path()).unwrap(),
        };
        (name, bytes)
    });
    let mut contents: Vec<_> = read.collect();
    contents.sort();
    contents
}

/// A file with what no view shows, and another file beside it.
fn planted() -> (tempfile::TempDir, std::path::PathBuf) {
    let (dir, path) = file();
    let connection = Connection::open(&path).unwrap();
    let plant = format!(
        "UPDATE threads SET name = '{CANARY}' WHERE thread_id = 't2';
         UPDATE entries SET content = '{CANARY}' WHERE entry_id = 'e2';
         UPDATE list_items SET text = '{CANARY}' WHERE item_id = 'i3';"
    );
    connection.execute_batch(&plant).unwrap();
    fs::write(dir.path().join("secret.txt"), CANARY).unwrap();
    (dir, path)
}

#[test]
fn no_statement_that_may_change_views_writes_to_the_file() {
    let (dir, path) = planted();
    let prices = PriceTable::built_in();
    let note = |sql: &str| {
        let mut looks = 0;
        let is_up = move || {
            looks += 1;
            looks > LOOKS_MAX
        };
        changes_of(&path, &prices, sql, is_up)
    };
    // While it is open, the files beside it stay.
    let mut reader = SqlReader::open(&path, &prices).unwrap();
    let sql = "SELECT content FROM entries";
    let end = reader.run(sql, None, || false, &mut Watched::default());
    assert_eq!(end.unwrap(), SqlEnd::Whole);
    let before = contents(dir.path());
    let in_dir = dir.path().to_str().unwrap();
    let mut changes = 0;
    for seed in 0..COUNT / 20 {
        let random = &mut Random(seed);
        let base = random.pick(WRITES);
        let sql = named(random, base, in_dir);
        let sql = decorated(random, sql);
        changes += u64::from(matches!(note(&sql), Ok(SqlWrite::Changes(_))));
        assert!(contents(dir.path()) == before, "{seed} has written: {sql}");
    }
    assert!(changes > 0, "no attack changes a view");
    for sql in [
        "DELETE FROM threads WHERE EXISTS (SELECT 1 FROM main.ops)",
        "UPDATE threads SET name = (SELECT name FROM main.threads WHERE status = 'deleted')",
        "UPDATE items SET text = (SELECT group_concat(sql) FROM sqlite_schema)",
        "UPDATE items SET text = readfile('secret.txt')",
    ] {
        assert!(note(sql).is_err(), "{sql}");
    }
}

#[test]
fn no_statement_of_an_attacker_writes_reads_beside_the_views_or_runs_on() {
    let (dir, path) = planted();
    let mut reader = SqlReader::open(&path, &PriceTable::built_in()).unwrap();
    let good = |reader: &mut SqlReader| {
        let sql = "SELECT content FROM entries";
        let end = reader.run(sql, None, || false, &mut Watched::default());
        assert_eq!(end.unwrap(), SqlEnd::Whole);
    };
    good(&mut reader);
    let before = contents(dir.path());
    let in_dir = dir.path().to_str().unwrap();
    let mut refused = 0;
    for seed in 0..COUNT {
        let sql = attack(seed, in_dir);
        let shown: String = sql.chars().take(200).collect();
        let mut looks = 0;
        let is_up = move || {
            looks += 1;
            looks > LOOKS_MAX
        };
        let mut watched = Watched::default();
        let end = reader.run(&sql, Some(ROWS_MAX), is_up, &mut watched);
        assert_eq!(watched.seen, Vec::<String>::new(), "{seed}: {shown}");
        refused += u64::from(matches!(end, Err(SqlError::Refused { .. })));
        if seed % 500 == 0 {
            good(&mut reader);
            assert!(contents(dir.path()) == before, "{seed} has written");
        }
    }
    good(&mut reader);
    assert!(contents(dir.path()) == before, "something was written");
    for name in ["attacked.db", "../attacked.db"] {
        assert!(!Path::new(name).exists(), "{name} was made");
    }
    assert!(refused > COUNT / 4, "{refused} were refused");
}
