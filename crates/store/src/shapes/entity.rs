//! An application's entities as relations.

use rusqlite::{Connection, OptionalExtension, Rows};
use serde_json::Value as Json;
use syncline_model::Value;
use syncline_model::schema::Schema;
use syncline_model::shape::{ShapeColumn, entity_columns};

use super::relation::{Relation, Source};
use super::text::text_of;
use crate::file::StoreError;
use crate::view::Touch;

/// The schema as it stands; none where the tenant has none.
pub(super) fn schema(connection: &Connection) -> Result<Option<Schema>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT schema FROM main.schemas")?;
    let text: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// The relation of an entity, if the schema has one of this name.
pub(super) fn relation(schema: &Schema, name: &str) -> Option<Relation> {
    let entity = schema.entity(name)?;
    Some(Relation {
        name: name.to_owned(),
        columns: entity_columns(entity),
        source: Source::Entity,
    })
}

/// Whether records of the entity hold values of any of these columns, which it may not have declared when
/// they were written.
pub(super) fn holds_values(
    connection: &Connection,
    entity: &str,
    columns: &[ShapeColumn],
) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM main.records AS r, json_each(r.columns) AS held \
         WHERE r.resource_id > ?1 || '/' AND r.resource_id < ?1 || '0' AND r.deleted = 0 \
         AND held.key = ?2 AND held.type <> 'null')",
    )?;
    for column in columns {
        if statement.query_row((entity, &column.name), |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The records of the entity that an op has touched, each as the group that it is.
pub(super) fn touched(entity: &str, touches: &[Touch]) -> Vec<Vec<String>> {
    let records = touches.iter().filter(|touch| touch.table.name == "records");
    let ids = records.filter_map(|touch| {
        let resource = touch.key.first().and_then(Value::as_text)?;
        let id = resource.strip_prefix(entity)?.strip_prefix('/')?;
        Some(vec![id.to_owned()])
    });
    let mut groups: Vec<_> = ids.collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// Reads the record that a group names.
pub(super) fn read(
    connection: &Connection,
    relation: &Relation,
    group: &[String],
    each: impl FnMut(String, Vec<Option<String>>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let Some(id) = group.first() else {
        return Ok(());
    };
    let mut statement = connection.prepare_cached(
        "SELECT record_id, columns FROM main.records WHERE resource_id = ?1 AND deleted = 0",
    )?;
    let rows = statement.query([format!("{}/{id}", relation.name)])?;
    show(rows, relation, each)
}

/// Reads so many records after the one of this id, in the order of their ids.
pub(super) fn read_after(
    connection: &Connection,
    relation: &Relation,
    after: &str,
    count: usize,
    each: impl FnMut(String, Vec<Option<String>>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let name = &relation.name;
    // What follows the slash in the order of characters ends the entity's.
    let (from, to) = (format!("{name}/{after}"), format!("{name}0"));
    let mut statement = connection.prepare_cached(
        "SELECT record_id, columns FROM main.records WHERE resource_id > ?1 AND resource_id < ?2 \
         AND deleted = 0 ORDER BY resource_id LIMIT ?3",
    )?;
    let rows = statement.query((from, to, count as i64))?;
    show(rows, relation, each)
}

fn show(
    mut rows: Rows<'_>,
    relation: &Relation,
    mut each: impl FnMut(String, Vec<Option<String>>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let columns: String = row.get(1)?;
        let values: serde_json::Map<String, Json> =
            serde_json::from_str(&columns).unwrap_or_default();
        let cells = cells_of(&relation.columns, &id, |name| values.get(name));
        each(id, cells)?;
    }
    Ok(())
}

/// The cells of a record.
pub(crate) fn cells_of<'v>(
    columns: &[ShapeColumn],
    id: &str,
    value: impl Fn(&str) -> Option<&'v Json>,
) -> Vec<Option<String>> {
    let cells = columns.iter().map(|column| match column.key_place {
        // The key names the record whatever its columns say.
        Some(_) => Some(id.to_owned()),
        None => text_of(column.kind, value(&column.name).unwrap_or(&Json::Null)),
    });
    cells.collect()
}
