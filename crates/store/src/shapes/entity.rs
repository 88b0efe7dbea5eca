//! An application's entities as relations.

use rusqlite::{Connection, OptionalExtension, Rows};
use serde_json::Value as Json;
use syncline_model::Value;
use syncline_model::schema::{Field, FieldKind, Schema};
use syncline_model::shape::{Kind, Scalar, ShapeColumn, print_datum, read_datum};

use super::relation::{Relation, Source};
use crate::file::StoreError;
use crate::view::Touch;

/// The schema as it stands; none where the tenant has none.
pub(super) fn schema(connection: &Connection) -> Result<Option<Schema>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT schema FROM main.schemas")?;
    let text: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// The relation of an entity, if there is one of this name.
pub(super) fn relation(
    connection: &Connection,
    name: &str,
) -> Result<Option<Relation>, StoreError> {
    let schema = schema(connection)?;
    let entity = schema.as_ref().and_then(|schema| schema.entity(name));
    Ok(entity.map(|entity| {
        let columns = entity.stored_fields().map(|field| ShapeColumn {
            name: field.name.clone(),
            kind: Kind::one(scalar_of(field.kind.clone())),
            is_nullable: field.name != entity.key && is_nullable(field),
            key_place: (field.name == entity.key).then_some(0),
        });
        Relation {
            name: name.to_owned(),
            columns: columns.collect(),
            source: Source::Entity,
        }
    }))
}

/// Whether a record may lack a value of it: one that clients need not name, and that has no default.
fn is_nullable(field: &Field) -> bool {
    field.nullable || !field.required
}

fn scalar_of(kind: FieldKind) -> Scalar {
    match kind {
        FieldKind::Text => Scalar::Text,
        FieldKind::Uuid => Scalar::Uuid,
        FieldKind::Boolean => Scalar::Bool,
        FieldKind::Int32 => Scalar::Int4,
        FieldKind::Int64 => Scalar::Int8,
        FieldKind::Float => Scalar::Float8,
        FieldKind::Decimal => Scalar::Numeric,
        FieldKind::Date => Scalar::Date,
        FieldKind::Time => Scalar::Time,
        FieldKind::Timestamp => Scalar::TimestampTz,
        FieldKind::Json => Scalar::Jsonb,
    }
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
        let columns: serde_json::Map<String, Json> =
            serde_json::from_str(&columns).unwrap_or_default();
        let cells = relation.columns.iter().map(|column| {
            let value = columns.get(&column.name).unwrap_or(&Json::Null);
            // The key names the record whatever its columns say.
            match column.key_place {
                Some(_) => Some(id.clone()),
                None => text_of(column.kind, value),
            }
        });
        let cells = cells.collect();
        each(id, cells)?;
    }
    Ok(())
}

/// A value as Postgres writes it. What is none of its column's type stays as it is.
fn text_of(kind: Kind, value: &Json) -> Option<String> {
    match (kind.scalar, value) {
        (_, Json::Null) => None,
        (Scalar::Json | Scalar::Jsonb, value) => Some(value.to_string()),
        (
            Scalar::Float8 | Scalar::Date | Scalar::Time | Scalar::TimestampTz | Scalar::Uuid,
            value,
        ) => {
            let text = plain(value);
            let datum = read_datum(kind, &text);
            let printed = datum.and_then(|datum| print_datum(kind, &datum));
            Some(printed.unwrap_or(text))
        }
        (_, value) => Some(plain(value)),
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
