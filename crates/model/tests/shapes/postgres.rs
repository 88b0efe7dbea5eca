//! Filters hold what Postgres selects, for each operator, type and kind of null.

mod asked;
mod chance;
mod cluster;
mod expressions;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use syncline_model::shape::{CellSource, Filter, FilterRow, Kind, Scalar, ShapeColumn};

use self::asked::ASKED;
use self::chance::Chance;
use self::cluster::Cluster;
use self::expressions::condition;

/// Conditions that are asked, and rows that they are asked of.
const CONDITIONS: usize = 4_000;
const ROWS: usize = 60;
/// Of the conditions, those that Postgres answers at least: what else there is divides by zero, or is
/// too large.
const ANSWERED_MIN: usize = CONDITIONS * 3 / 4;

/// A column, its type here and there, and values that it holds.
struct Column {
    name: &'static str,
    kind: Kind,
    declared: &'static str,
    values: &'static [&'static str],
}

const fn column(
    name: &'static str,
    kind: Kind,
    declared: &'static str,
    values: &'static [&'static str],
) -> Column {
    Column {
        name,
        kind,
        declared,
        values,
    }
}

const COLUMNS: &[Column] = &[
    column(
        "small",
        Kind::one(Scalar::Int2),
        "int2",
        &["0", "1", "-3", "7"],
    ),
    column(
        "whole",
        Kind::one(Scalar::Int4),
        "int4",
        &["0", "2", "-5", "42"],
    ),
    column(
        "big",
        Kind::one(Scalar::Int8),
        "int8",
        &["0", "3", "9007199254740993", "-1"],
    ),
    column(
        "double",
        Kind::one(Scalar::Float8),
        "float8",
        &["0", "2.5", "-0.125", "1e10"],
    ),
    column(
        "exact",
        Kind::one(Scalar::Numeric),
        "numeric",
        &["0", "12.50", "-0.1", "3"],
    ),
    column(
        "title",
        Kind::one(Scalar::Text),
        "text",
        &["", "milk", "Bread", "50%", "a_b", "it's", "Straße", "a\\b"],
    ),
    column(
        "note",
        Kind::one(Scalar::Text),
        "text",
        &["milk", "x", "MILK shake"],
    ),
    column("done", Kind::one(Scalar::Bool), "bool", &["true", "false"]),
    column(
        "ref",
        Kind::one(Scalar::Uuid),
        "uuid",
        &[
            "9f0d4c1e-35f8-4f7b-a0aa-2c1fdc8cbd9b",
            "00000000-0000-0000-0000-000000000001",
        ],
    ),
    column(
        "day",
        Kind::one(Scalar::Date),
        "date",
        &["2026-03-01", "2024-02-29", "1999-12-31"],
    ),
    column(
        "clock",
        Kind::one(Scalar::Time),
        "time",
        &["12:30:00", "00:00:00", "23:59:59.5"],
    ),
    column(
        "at",
        Kind::one(Scalar::TimestampTz),
        "timestamptz",
        &["2026-03-01 12:30:00+00", "2024-02-29 00:00:00+00"],
    ),
    column(
        "local",
        Kind::one(Scalar::Timestamp),
        "timestamp",
        &["2026-03-01 12:30:00", "2025-12-31 23:00:00.25"],
    ),
    column(
        "span",
        Kind::one(Scalar::Interval),
        "interval",
        &["P1DT2H", "PT30M", "P1M"],
    ),
    column(
        "wholes",
        Kind::array(Scalar::Int4),
        "int4[]",
        &["{}", "{1,2}", "{2,NULL}", "{7}"],
    ),
    column(
        "words",
        Kind::array(Scalar::Text),
        "text[]",
        &["{}", "{milk}", "{x,NULL}", "{a,milk}"],
    ),
];

/// A row: a cell of each column.
type Cells = Vec<Option<String>>;

struct Row<'r>(&'r Cells);

impl CellSource for Row<'_> {
    fn cell(&self, column: usize) -> Option<&str> {
        self.0[column].as_deref()
    }
}

fn rows(chance: &mut Chance) -> Vec<Cells> {
    let cell = |chance: &mut Chance, column: &Column| {
        let is_null = chance.below(5) == 0;
        let value = chance.one(column.values);
        (!is_null).then(|| value.to_owned())
    };
    let row = |_| COLUMNS.iter().map(|column| cell(chance, column)).collect();
    (0..ROWS).map(row).collect()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What makes the table, with a number for each row.
fn table(rows: &[Cells]) -> String {
    let columns = COLUMNS
        .iter()
        .map(|column| format!("\"{}\" {}", column.name, column.declared));
    let columns: Vec<_> = columns.collect();
    // tidy: sql because it is what filters are held against
    let mut sql = format!("CREATE TABLE rows (n int, {});\n", columns.join(", "));
    for (n, row) in rows.iter().enumerate() {
        let cells = row.iter().map(|cell| match cell {
            Some(text) => quoted(text),
            None => "NULL".to_owned(),
        });
        let cells: Vec<_> = cells.collect();
        // tidy: sql because it is what filters are held against
        writeln!(sql, "INSERT INTO rows VALUES ({n}, {});", cells.join(", "))
            .expect("writing to a string does not fail");
    }
    sql
}

/// The rows that Postgres selects, by condition; those that it refuses are not there.
fn selected(rows: &[Cells], conditions: &[String]) -> BTreeMap<usize, Vec<usize>> {
    let mut sql = table(rows);
    for (n, condition) in conditions.iter().enumerate() {
        writeln!(
            sql,
            // tidy: sql because it is what filters are held against
            "SELECT '{n}:' || coalesce(string_agg(n::text, ',' ORDER BY n), '') FROM rows WHERE {condition};"
        )
        .expect("writing to a string does not fail");
    }
    let printed = Cluster::start().run(&sql);
    let lines = printed.lines().filter_map(|line| line.split_once(':'));
    let found = lines.map(|(condition, rows)| {
        let rows = rows.split(',').filter(|row| !row.is_empty());
        let rows = rows.map(|row| row.parse().expect("a row's number"));
        (
            condition.parse().expect("a condition's number"),
            rows.collect(),
        )
    });
    found.collect()
}

#[test]
fn filters_hold_what_postgres_selects() {
    let mut chance = Chance::new(7);
    let rows = rows(&mut chance);
    let conditions: Vec<_> = (0..CONDITIONS).map(|_| condition(&mut chance, 2)).collect();
    let columns: Vec<_> = COLUMNS
        .iter()
        .map(|column| ShapeColumn {
            name: column.name.to_owned(),
            kind: column.kind,
            is_nullable: true,
            key_place: None,
        })
        .collect();
    let selected = selected(&rows, &conditions);
    let mut differing = Vec::new();
    let mut partial = 0;
    for (n, expected) in &selected {
        let condition = &conditions[*n];
        let filter = match Filter::parse(condition, &[], "rows", &columns) {
            Ok(filter) => filter,
            Err(error) => {
                differing.push(format!("{condition}\n  is not taken: {error}"));
                continue;
            }
        };
        let holds = |row: &Cells| filter.matches(&FilterRow::new(&columns, &Row(row)));
        let found: Vec<_> = (0..rows.len()).filter(|n| holds(&rows[*n])).collect();
        partial += usize::from(!expected.is_empty() && expected.len() < rows.len());
        if found != *expected {
            let row = (0..rows.len()).find(|n| found.contains(n) != expected.contains(n));
            let row = row.map(|n| rows[n].clone());
            differing.push(format!("{condition}\n  differs on {row:?}"));
        }
    }
    let shown = differing.iter().take(30).cloned().collect::<Vec<_>>();
    assert!(
        differing.is_empty(),
        "{} of {} differ:\n{}",
        differing.len(),
        selected.len(),
        shown.join("\n")
    );
    assert!(
        selected.len() >= ANSWERED_MIN,
        "{} answered",
        selected.len()
    );
    assert!(
        partial >= CONDITIONS / 4,
        "{partial} select some and not all"
    );
    for word in ASKED {
        let is_asked = conditions.iter().any(|condition| condition.contains(word));
        assert!(is_asked, "{word:?} was never asked");
    }
    println!(
        "{} of {CONDITIONS} conditions were answered, {partial} of them with some rows and not all",
        selected.len()
    );
}
