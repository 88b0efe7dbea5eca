//! The records as REST has them, in a table of a Postgres.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::cluster::Cluster;
use super::conditions::Condition;
use super::table::{COLUMNS, Column, LATER};
use crate::shapes::Shapes;

/// The text of each cell, by column, of each row, by id.
pub(super) type Rows = BTreeMap<String, Map<String, Value>>;

/// What a condition selects.
pub(super) struct Selected {
    rows: Rows,
    of: usize,
}

impl Selected {
    /// The rows as a reader of these columns is told them.
    pub(super) fn told(&self, columns: &[&str]) -> Rows {
        let told = |row: &Map<String, Value>| {
            let cells = row
                .iter()
                .filter(|(name, _)| columns.contains(&name.as_str()));
            cells
                .map(|(name, cell)| (name.clone(), cell.clone()))
                .collect()
        };
        let rows = self.rows.iter();
        rows.map(|(id, row)| (id.clone(), told(row))).collect()
    }

    pub(super) fn is_partial(&self) -> bool {
        !self.rows.is_empty() && self.rows.len() < self.of
    }
}

pub(super) struct Oracle<'c> {
    cluster: &'c Cluster,
    has_later: bool,
}

impl<'c> Oracle<'c> {
    pub(super) fn new(cluster: &'c Cluster) -> Self {
        Self {
            cluster,
            has_later: false,
        }
    }

    /// The document has another field from now on.
    pub(super) fn grows(&mut self) {
        self.has_later = true;
    }

    fn table(&self) -> impl Iterator<Item = &'static Column> {
        COLUMNS.iter().chain(self.has_later.then_some(&LATER))
    }

    /// All columns that the table has.
    pub(super) fn columns(&self) -> Vec<&'static str> {
        let names = self.table().map(|column| column.name);
        ["id"].into_iter().chain(names).collect()
    }

    /// What each condition selects of the records as they are; none where Postgres refuses it.
    pub(super) async fn select(
        &self,
        s: &Shapes,
        conditions: &[Condition],
    ) -> Vec<Option<Selected>> {
        let listed = s.server.get("/api/things?limit=500", &s.token).await;
        let listed = listed.expect(200);
        let records = listed.as_array().expect("a list of records");
        let mut sql = self.made(records);
        let cells = self.columns().into_iter();
        let cells = cells.map(|name| format!("'{name}', \"{name}\"::text"));
        let cells = cells.collect::<Vec<_>>().join(", ");
        for (n, condition) in conditions.iter().enumerate() {
            writeln!(
                sql,
                // tidy: sql because it is what shapes are held against
                "SELECT '{n}:' || coalesce(jsonb_agg(jsonb_build_object({cells})), '[]')::text \
                 FROM things WHERE {};",
                condition.sql()
            )
            .expect("writing to a string does not fail");
        }
        let printed = self.cluster.run(&sql);
        let mut found: BTreeMap<usize, Rows> = printed
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(n, rows)| (n.parse().expect("a condition's number"), self.rows(rows)))
            .collect();
        (0..conditions.len())
            .map(|n| {
                found.remove(&n).map(|rows| Selected {
                    rows,
                    of: records.len(),
                })
            })
            .collect()
    }

    fn rows(&self, printed: &str) -> Rows {
        let rows: Vec<Map<String, Value>> =
            serde_json::from_str(printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
        let rows = rows.into_iter().map(|row| {
            let id = row["id"].as_str().expect("a key").to_owned();
            (id, alike(row))
        });
        rows.collect()
    }

    /// What makes the table, and fills it with the records.
    fn made(&self, records: &[Value]) -> String {
        let columns = self.table();
        let columns = columns.map(|column| format!("\"{}\" {}", column.name, column.declared));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let mut sql = format!(
            // tidy: sql because it is what shapes are held against
            "DROP TABLE IF EXISTS things;\nCREATE TABLE things (id text PRIMARY KEY, {columns});\n"
        );
        for record in records {
            let cells = self.columns().into_iter();
            let cells = cells.map(|name| match &record[name] {
                Value::Null => "NULL".to_owned(),
                Value::String(text) => quoted(text),
                other => quoted(&other.to_string()),
            });
            let cells = cells.collect::<Vec<_>>().join(", ");
            // tidy: sql because it is what shapes are held against
            writeln!(sql, "INSERT INTO things VALUES ({cells});")
                .expect("writing to a string does not fail");
        }
        sql
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A row with its JSON cells in one spelling: Postgres puts spaces where shapes have none.
pub(super) fn alike(mut row: Map<String, Value>) -> Map<String, Value> {
    for column in COLUMNS.iter().filter(|column| column.is_json()) {
        let Some(Value::String(text)) = row.get(column.name) else {
            continue;
        };
        let meant: Value = serde_json::from_str(text).expect("a cell of JSON is JSON");
        row.insert(column.name.to_owned(), meant);
    }
    row
}
