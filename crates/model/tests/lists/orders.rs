//! Positions stand in one order wherever they are sorted: in Rust, SQLite, Postgres and JavaScript.

#[path = "../shapes/postgres/cluster.rs"]
mod cluster;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use syncline_model::list::Position;

use self::cluster::Cluster;
use super::chance::Chance;
use super::fuzz;
use super::positions::{between, insert_at_one_spot, of_path};

/// Of a hundred thousand inserts at one spot, each so-manieth is looked at.
const EACH: usize = 80;
/// Inserts anywhere, and worlds of the fuzzer.
const ANYWHERE: usize = 2_000;
const WORLDS: u64 = 20;

/// Positions of every kind, in no order.
fn sample() -> Vec<String> {
    let mut chance = Chance(1);
    let mut anywhere = vec![between(None, None, &mut chance)];
    for _ in 1..ANYWHERE {
        let at = chance.below(anywhere.len() + 1);
        let left = at.checked_sub(1).map(|left| &anywhere[left]);
        let made = between(left, anywhere.get(at), &mut chance);
        anywhere.insert(at, made);
    }
    let gap = [ANYWHERE / 2, ANYWHERE / 2 + 1].map(|at| Some(anywhere[at].clone()));
    let [low, high] = gap;
    let spots = [
        insert_at_one_spot(None, None, Ordering::Greater, 2),
        insert_at_one_spot(None, None, Ordering::Less, 3),
        insert_at_one_spot(low.clone(), high.clone(), Ordering::Greater, 4),
        insert_at_one_spot(low, high, Ordering::Less, 5),
    ];
    let spots = spots.iter().flat_map(|all| all.iter().step_by(EACH));
    let mut all: BTreeSet<String> = spots.chain(&anywhere).map(Position::to_string).collect();
    for actor in ["", "a", "actor-9", "Ä"] {
        let paths = [vec![7], vec![7, 0, 1], vec![1023, 512]];
        let paths = paths.map(|path| path.into_iter().map(|digit| (digit, actor.to_owned())));
        all.extend(paths.map(|path| of_path(&path.collect::<Vec<_>>()).to_string()));
    }
    for seed in 0..WORLDS {
        let [replica, ..] = fuzz::run(seed).replicas;
        let rows = replica.view.rows.into_iter();
        let items = rows.filter(|((table, _), _)| *table == "list_items");
        all.extend(items.filter_map(|(_, (row, _))| row[3].as_text().map(str::to_owned)));
    }
    all.remove("");
    let mut all: Vec<String> = all.into_iter().collect();
    chance.shuffle(&mut all);
    all
}

fn sorted_by_sqlite(keys: &[String]) -> Vec<String> {
    let mut connection = Connection::open_in_memory().expect("memory");
    let transaction = connection.transaction().expect("nobody else writes");
    // tidy: sql because SQLite is asked for its order
    let table = "CREATE TABLE keys (key TEXT NOT NULL)";
    transaction.execute_batch(table).expect("a new table");
    for key in keys {
        // tidy: sql because SQLite is asked for its order
        let insert = "INSERT INTO keys (key) VALUES (?)";
        let mut statement = transaction.prepare_cached(insert).expect("a statement");
        statement.execute([key]).expect("a row");
    }
    // tidy: sql because SQLite is asked for its order
    let select = "SELECT key FROM keys ORDER BY key";
    let mut statement = transaction.prepare(select).expect("a statement");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|key| key.expect("a text")).collect()
}

fn sorted_by_postgres(keys: &[String]) -> Vec<String> {
    let script = format!(
        // tidy: sql because Postgres is asked for its order
        "CREATE TABLE keys (key text COLLATE \"C\");\nCOPY keys FROM STDIN;\n{}\n\\.\n\
         SELECT key FROM keys ORDER BY key;\n",
        keys.join("\n")
    );
    let printed = Cluster::start().run(&script);
    printed.lines().map(str::to_owned).collect()
}

fn sorted_by_javascript(keys: &[String]) -> Vec<String> {
    let script = r#"
        const keys = require("node:fs").readFileSync(0, "utf8").split("\n");
        keys.sort((one, other) => (one < other ? -1 : one > other ? 1 : 0));
        process.stdout.write(keys.join("\n"));
    "#;
    let mut node = Command::new("node")
        .args(["--eval", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("no Node.js to hold the order against");
    let mut input = node.stdin.take().expect("it was asked for");
    let written = input.write_all(keys.join("\n").as_bytes());
    drop(input);
    let output = node.wait_with_output().expect("Node.js ends");
    written.expect("Node.js reads all");
    assert!(output.status.success(), "Node.js could not sort");
    let printed = String::from_utf8(output.stdout).expect("keys are ASCII");
    printed.lines().map(str::to_owned).collect()
}

#[test]
fn positions_sort_alike_in_rust_sqlite_postgres_and_javascript() {
    let keys = sample();
    assert!(keys.len() > 7_000, "{} positions", keys.len());
    let read = keys.iter().map(|key| Position::parse(key));
    let mut expected: Vec<Position> = read.collect::<Result<_, _>>().expect("positions");
    expected.sort();
    let expected: Vec<String> = expected.into_iter().map(Position::into_string).collect();
    assert_eq!(sorted_by_sqlite(&keys), expected, "SQLite");
    assert_eq!(sorted_by_postgres(&keys), expected, "Postgres");
    assert_eq!(sorted_by_javascript(&keys), expected, "JavaScript");
}
