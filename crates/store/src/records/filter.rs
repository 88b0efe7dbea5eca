//! What a list of records is narrowed and ordered by, as SQL.

use rusqlite::types::Value as Cell;
use serde_json::Value as Json;
use syncline_model::schema::{Entity, FieldKind, Role};

use super::stored::{cell_of, value_of};
use crate::StoreError;

/// A condition on one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub column: String,
    pub test: Test,
}

/// What a column's value is held against. Null passes only the tests that name it.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Is(Json),
    IsNot(Json),
    Less(Json),
    AtMost(Json),
    More(Json),
    AtLeast(Json),
    OneOf(Vec<Json>),
    /// Holds this text somewhere, whatever the case of ASCII letters.
    Contains(String),
    IsNull,
    IsNotNull,
}

/// One column that a list is ordered by. Null comes before every value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub column: String,
    pub direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Rising,
    Falling,
}

/// Why a list can't be made.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    #[error("there is no column `{column}`")]
    UnknownColumn { column: String },
    /// The role may not read it, and so may not ask by it.
    #[error("the role may not read `{column}`")]
    Unreadable { column: String },
    #[error("the cursor is none of this list's")]
    Cursor,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for FilterError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// SQL and the values of its holes, in order.
#[derive(Debug, Default)]
pub(super) struct Fragment {
    pub(super) sql: String,
    pub(super) cells: Vec<Cell>,
}

impl Fragment {
    pub(super) fn push(&mut self, sql: &str, cells: impl IntoIterator<Item = Cell>) {
        self.sql.push_str(sql);
        self.cells.extend(cells);
    }
}

/// Checks that a column is there, and that nobody whose list this is is kept from reading it.
pub(super) fn check_column(entity: &Entity, role: Role, column: &str) -> Result<(), FilterError> {
    let column_of = || column.to_owned();
    if entity.field(column).is_none_or(|field| field.sync_exclude) {
        return Err(FilterError::UnknownColumn {
            column: column_of(),
        });
    }
    // Where each record gives a role of its own, whoever asks may have any.
    let may_read = match &entity.access.role_via {
        Some(_) => Role::ALL.iter().all(|role| entity.may_read(*role, column)),
        None => entity.may_read(role, column),
    };
    if may_read {
        Ok(())
    } else {
        Err(FilterError::Unreadable {
            column: column_of(),
        })
    }
}

/// The SQL value that a column is compared by.
pub(super) fn compared(entity: &Entity, column: &str) -> String {
    let value = value_of(column);
    let kind = entity.field(column).map(|field| &field.kind);
    if kind == Some(&FieldKind::Decimal) {
        format!("CAST({value} AS REAL)")
    } else {
        value
    }
}

fn compared_with(entity: &Entity, column: &str, value: &Json) -> Cell {
    let kind = entity.field(column).map(|field| &field.kind);
    match (kind, value.as_str()) {
        (Some(FieldKind::Decimal), Some(text)) => text.parse().map_or(Cell::Null, Cell::Real),
        _ => cell_of(value),
    }
}

/// ` AND …` of one condition.
pub(super) fn condition(entity: &Entity, condition: &Condition) -> Fragment {
    let Condition { column, test } = condition;
    let value = compared(entity, column);
    let cell = |json: &Json| compared_with(entity, column, json);
    let mut out = Fragment::default();
    let mut compare = |operator: &str, json: &Json| {
        out.push(&format!(" AND {value} {operator} ?"), [cell(json)]);
    };
    match test {
        Test::Is(json) => compare("=", json),
        Test::IsNot(json) => compare("<>", json),
        Test::Less(json) => compare("<", json),
        Test::AtMost(json) => compare("<=", json),
        Test::More(json) => compare(">", json),
        Test::AtLeast(json) => compare(">=", json),
        Test::OneOf(all) => {
            let holes = vec!["?"; all.len()].join(", ");
            out.push(&format!(" AND {value} IN ({holes})"), all.iter().map(cell));
        }
        Test::Contains(text) => out.push(
            &format!(" AND instr(lower({value}), lower(?)) > 0"),
            [Cell::Text(text.clone())],
        ),
        Test::IsNull => out.push(&format!(" AND {value} IS NULL"), []),
        Test::IsNotNull => out.push(&format!(" AND {value} IS NOT NULL"), []),
    }
    out
}

/// `(…)`: what comes after the row with these values, in this order, as far as the order has values.
pub(super) fn after(keys: &[(String, Direction)], values: &[Cell]) -> Fragment {
    let mut out = Fragment::default();
    out.push(" AND (0", []);
    for (n, ((key, direction), value)) in keys.iter().zip(values).enumerate() {
        let behind = match (direction, value) {
            (Direction::Rising, Cell::Null) => format!("{key} IS NOT NULL"),
            (Direction::Rising, _) => format!("{key} > ?"),
            (Direction::Falling, Cell::Null) => continue,
            (Direction::Falling, _) => format!("({key} < ? OR {key} IS NULL)"),
        };
        out.push(" OR (1", []);
        for ((key, _), value) in keys.iter().zip(values).take(n) {
            out.push(&format!(" AND {key} IS ?"), [value.clone()]);
        }
        let holes = behind.contains('?').then(|| value.clone());
        out.push(&format!(" AND {behind})"), holes);
    }
    out.push(")", []);
    out
}
