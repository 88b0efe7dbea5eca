//! What a list of records is narrowed and ordered by, as SQL.

use rusqlite::types::Value as Cell;
use serde_json::Value as Json;
use syncline_model::schema::{Entity, FieldKind, Role};

use super::compared::{compared, compared_as_shown, compared_cell};
use super::stored::{path_of, value_of};
use crate::StoreError;

/// A condition on one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub column: String,
    pub test: Test,
}

/// What a column's value is held against, by what both mean. Null passes only the tests that name it.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Is(Json),
    IsNot(Json),
    Less(Json),
    AtMost(Json),
    More(Json),
    AtLeast(Json),
    OneOf(Vec<Json>),
    /// Holds this text somewhere, or as an element of a list, whatever the case of ASCII letters.
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
    /// Nothing of the column's kind could be compared with it.
    #[error("`{column}` can't be compared with {value}: it must be {expected}")]
    Incomparable {
        column: String,
        value: Json,
        expected: &'static str,
    },
    #[error("the cursor is none of this list's")]
    Cursor,
    /// It is of a list in another order, as that is written; empty: in the order of ids.
    #[error(
        "the cursor is of a list ordered by `{given}`: ask in that order, or without the cursor for the first page"
    )]
    CursorOrder { given: String },
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

/// What a column's values are compared as.
pub(super) fn kind_of<'e>(entity: &'e Entity, column: &str) -> &'e FieldKind {
    let field = entity.field(column);
    field.map_or(&FieldKind::Json, |field| &field.kind)
}

/// Whether records are found by the column's value, with an index: the first of fields whose values are one
/// record's alone, one that names another record, or that gives roles.
pub(super) fn is_looked_up(entity: &Entity, column: &str) -> bool {
    let mut unique = entity.unique.iter().filter_map(|fields| fields.first());
    unique.any(|first| first == column)
        || entity
            .field(column)
            .is_some_and(|field| field.references.is_some())
        || entity
            .access
            .role_via
            .as_ref()
            .is_some_and(|via| via.field == column)
}

/// What a value should be that is compared with one of this kind.
fn expected(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Date => "a day, as 2026-01-31",
        FieldKind::Time => "a time of day, as 23:59:59",
        FieldKind::Timestamp => "a time, as 2026-01-31T23:59:59Z",
        FieldKind::Decimal => "a decimal number",
        FieldKind::Text
        | FieldKind::Uuid
        | FieldKind::Boolean
        | FieldKind::Int32
        | FieldKind::Int64
        | FieldKind::Float
        | FieldKind::Json => "a value",
    }
}

/// ` AND …` of one condition.
pub(super) fn condition(entity: &Entity, condition: &Condition) -> Result<Fragment, FilterError> {
    let Condition { column, test } = condition;
    let kind = kind_of(entity, column);
    // Without its index a look-up would read all records.
    let value = if is_looked_up(entity, column) {
        compared(kind, column)
    } else {
        compared_as_shown(kind, column)
    };
    let cell = |json: &Json| {
        compared_cell(kind, json).ok_or_else(|| FilterError::Incomparable {
            column: column.clone(),
            value: json.clone(),
            expected: expected(kind),
        })
    };
    let compare = |operator: &str, json: &Json| {
        let mut out = Fragment::default();
        out.push(&format!(" AND {value} {operator} ?"), [cell(json)?]);
        Ok(out)
    };
    let mut out = Fragment::default();
    match test {
        Test::Is(json) => return compare("=", json),
        Test::IsNot(json) => return compare("<>", json),
        Test::Less(json) => return compare("<", json),
        Test::AtMost(json) => return compare("<=", json),
        Test::More(json) => return compare(">", json),
        Test::AtLeast(json) => return compare(">=", json),
        Test::OneOf(all) => {
            let holes = vec!["?"; all.len()].join(", ");
            let cells = all.iter().map(cell).collect::<Result<Vec<_>, _>>()?;
            out.push(&format!(" AND {value} IN ({holes})"), cells);
        }
        Test::Contains(text) => out.push(
            &format!(" AND {}", contains(kind, column)),
            [Cell::Text(text.clone())],
        ),
        Test::IsNull => out.push(&format!(" AND {value} IS NULL"), []),
        Test::IsNotNull => out.push(&format!(" AND {value} IS NOT NULL"), []),
    }
    Ok(out)
}

/// Whether a value holds a text: as a part of how it is written, or a list as one of its elements. What is
/// within an object is not looked at.
fn contains(kind: &FieldKind, column: &str) -> String {
    let value = match kind {
        // They are compared by what no reader sees.
        FieldKind::Date | FieldKind::Time | FieldKind::Timestamp | FieldKind::Decimal => {
            value_of(column)
        }
        _ => compared_as_shown(kind, column),
    };
    if *kind != FieldKind::Json {
        return format!("instr(lower({value}), lower(?)) > 0");
    }
    let path = path_of(column);
    let element = "CASE held.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' \
                   ELSE lower(CAST(held.value AS TEXT)) END";
    format!(
        "EXISTS (SELECT 1 FROM (SELECT lower(?) AS wanted) WHERE CASE json_type(columns, {path}) \
         WHEN 'array' THEN EXISTS \
         (SELECT 1 FROM json_each(columns, {path}) AS held WHERE {element} = wanted) \
         WHEN 'object' THEN 0 ELSE instr(lower({value}), wanted) > 0 END)"
    )
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
