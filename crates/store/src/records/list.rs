//! Lists of records: narrowed, ordered, page by page.

use std::fmt;
use std::str::FromStr;

use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, Row, Rows, params_from_iter};
use serde_json::Value as Json;
use syncline_model::record::{Asker, RECORDS, Record};
use syncline_model::schema::{Entity, FieldKind, Role, RoleVia};

use super::compared::{compared_as_shown, compared_value};
use super::filter::{
    Condition, Direction, FilterError, Fragment, Order, after, check_column, condition, kind_of,
};
use super::stored::{COLUMNS, COLUMNS_PLACE, cell_of, literal, record_of, value_of};
use super::subset::Subset;
use crate::StoreError;
use crate::hex::{Hex, unhex};
use crate::view::read_row;

/// The bytes of records after which a page ends, whatever was asked for: what one answer may take in
/// memory.
pub const LIST_BYTES_MAX: usize = 4 << 20;

/// What a list holds.
#[derive(Debug, Clone)]
pub struct ListQuery<'a> {
    /// Who asks; none: somebody who sees all.
    pub asker: Option<&'a Asker>,
    /// The part of the records that it is a list of; none: all.
    pub subset: Option<&'a Subset>,
    pub conditions: &'a [Condition],
    /// Records that are alike in all of these stand in the order of their ids.
    pub order: &'a [Order],
    /// The place after which the page begins.
    pub after: Option<&'a PageCursor>,
    pub limit: usize,
}

/// A place in a list: the values that its order asks for, of one record. Its text is opaque and safe in
/// a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCursor(Vec<Json>);

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&Json::from(self.0.as_slice()).to_string()).fmt(f)
    }
}

impl FromStr for PageCursor {
    type Err = FilterError;
    fn from_str(text: &str) -> Result<Self, FilterError> {
        let text = unhex(text).ok_or(FilterError::Cursor)?;
        let values = serde_json::from_str(&text);
        values.map(Self).map_err(|_| FilterError::Cursor)
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    pub records: Vec<Record>,
    /// Where the next page begins; none: this is the last.
    pub next: Option<PageCursor>,
}

/// Reads a page of the records of `entity` that are there, and that who asks sees.
///
/// Columns that their role may not read are still in the records.
pub fn list(
    connection: &Connection,
    entity: &Entity,
    query: &ListQuery<'_>,
) -> Result<Listed, FilterError> {
    let role = query.asker.map_or(Role::Owner, |asker| asker.role);
    let mut keys: Vec<(String, Direction)> = Vec::new();
    for order in query.order {
        check_column(entity, role, &order.column)?;
        keys.push((ordered(entity, &order.column), order.direction));
    }
    keys.push((id_key(entity), Direction::Rising));
    let mut rest = Fragment::default();
    rest.push(
        &format!(
            " FROM records WHERE entity = {} AND deleted = 0",
            literal(&entity.name)
        ),
        [],
    );
    for one in query.conditions {
        check_column(entity, role, &one.column)?;
        let Fragment { sql, cells } = condition(entity, one)?;
        rest.push(&sql, cells);
    }
    if let (Some(asker), Some(via)) = (query.asker, &entity.access.role_via) {
        let Fragment { sql, cells } = is_member(asker, via, kind_of(entity, &via.field));
        rest.push(&sql, cells);
    }
    let order = order_text(query.order);
    if let Some(cursor) = query.after {
        let Fragment { sql, cells } = after(&keys, &read_cursor(cursor, &order, keys.len())?);
        rest.push(&sql, cells);
    }
    let ordered = keys.iter().map(|(key, direction)| match direction {
        Direction::Rising => key.clone(),
        Direction::Falling => format!("{key} DESC"),
    });
    let ordered: Vec<_> = ordered.collect();
    let places: String = keys.iter().map(|(key, _)| format!(", {key}")).collect();
    // One more than is asked for tells whether there is a next page. How many are not in a subset is not known.
    let limit = match query.subset {
        None => query.limit.saturating_add(1).to_string(),
        Some(_) => "-1".to_owned(),
    };
    let sql = format!(
        "SELECT {COLUMNS}{places}{} ORDER BY {} LIMIT {limit}",
        rest.sql,
        ordered.join(", "),
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query(params_from_iter(rest.cells))?;
    Ok(page(rows, query, |row| cursor_of(row, &order, keys.len()))?)
}

/// Reads rows until the page is full.
fn page(
    mut rows: Rows<'_>,
    query: &ListQuery<'_>,
    place: impl Fn(&Row<'_>) -> Result<PageCursor, StoreError>,
) -> Result<Listed, StoreError> {
    let mut listed = Listed {
        records: Vec::new(),
        next: None,
    };
    let (mut last, mut bytes) = (None, 0);
    while let Some(row) = rows.next()? {
        let record = record_of(read_row(row, &RECORDS)?)?;
        if query.subset.is_some_and(|subset| !subset.holds(&record)) {
            continue;
        }
        if listed.records.len() == query.limit || bytes >= LIST_BYTES_MAX {
            listed.next = last;
            break;
        }
        let columns = row.get_ref(COLUMNS_PLACE)?;
        bytes += columns.as_str().map_or(0, str::len);
        last = Some(place(row)?);
        listed.records.push(record);
    }
    Ok(listed)
}

/// Characters of a text that it is ordered by, or of a decimal's key. The place of a page holds them, and is
/// part of a URL.
const ORDERED_CHARS: usize = 128;

/// What a column orders by.
fn ordered(entity: &Entity, column: &str) -> String {
    use syncline_model::schema::FieldKind::{
        Boolean, Date, Decimal, Float, Int32, Int64, Json, Text, Time, Timestamp, Uuid,
    };
    let kind = kind_of(entity, column);
    let value = compared_as_shown(kind, column);
    match kind {
        Decimal | Text => format!("substr({value}, 1, {ORDERED_CHARS})"),
        Json => format!(
            "CASE typeof({value}) WHEN 'text' THEN substr({value}, 1, {ORDERED_CHARS}) ELSE {value} END"
        ),
        Boolean | Date | Float | Int32 | Int64 | Time | Timestamp | Uuid => value,
    }
}

/// What orders the ids: whole numbers by their size.
fn id_key(entity: &Entity) -> String {
    use syncline_model::schema::FieldKind::{Int32, Int64};
    match entity.key_field().map(|field| &field.kind) {
        Some(Int32 | Int64) => "CAST(record_id AS INTEGER)".to_owned(),
        Some(_) | None => "record_id".to_owned(),
    }
}

fn is_member(asker: &Asker, via: &RoleVia, kind: &FieldKind) -> Fragment {
    let of = |column: &str| value_of(column).replace("(columns,", "(member.columns,");
    let kept = value_of(&via.field).replace("(columns,", "(records.columns,");
    let sql = format!(
        " AND EXISTS (SELECT 1 FROM records AS member WHERE member.entity = {} \
         AND member.deleted = 0 AND {} = ? AND {} = {})",
        literal(&via.entity),
        of(&via.user_field),
        compared_value(kind, &of(&via.entity_field)),
        compared_value(kind, &kept),
    );
    let mut out = Fragment::default();
    out.push(&sql, [Cell::Text(asker.user.as_str().to_owned())]);
    out
}

/// What a cursor begins with: one of another form names values that compare with nothing here.
const CURSOR_FORM: u64 = 3;

/// An order as requests write it: `-due,title`.
fn order_text(order: &[Order]) -> String {
    let columns = order.iter().map(|one| match one.direction {
        Direction::Rising => one.column.clone(),
        Direction::Falling => format!("-{}", one.column),
    });
    columns.collect::<Vec<_>>().join(",")
}

/// The place of a row in a list of this order: values in another are in no place there.
fn cursor_of(row: &Row<'_>, order: &str, keys: usize) -> Result<PageCursor, StoreError> {
    let first = RECORDS.columns.len();
    let mut values = Vec::with_capacity(2 + keys);
    values.push(CURSOR_FORM.into());
    values.push(order.into());
    for n in first..first + keys {
        values.push(match row.get_ref(n)? {
            ValueRef::Null | ValueRef::Blob(_) => Json::Null,
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        });
    }
    Ok(PageCursor(values))
}

fn read_cursor(cursor: &PageCursor, order: &str, keys: usize) -> Result<Vec<Cell>, FilterError> {
    let [form, Json::String(given), values @ ..] = cursor.0.as_slice() else {
        return Err(FilterError::Cursor);
    };
    if *form != CURSOR_FORM {
        return Err(FilterError::Cursor);
    }
    if given != order {
        return Err(FilterError::CursorOrder {
            given: given.clone(),
        });
    }
    let is_plain = |value: &Json| !value.is_array() && !value.is_object();
    if values.len() != keys || !values.iter().all(is_plain) {
        return Err(FilterError::Cursor);
    }
    Ok(values.iter().map(cell_of).collect())
}
