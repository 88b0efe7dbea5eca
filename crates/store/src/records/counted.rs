//! What another schema changes, with the records that stand against it.

use std::collections::BTreeSet;
use std::fmt;

use rusqlite::Connection;
use serde_json::Value as Json;
use syncline_model::record::{RECORDS, Record, Rulebook, shown_as_kind};
use syncline_model::schema::{Change, ChangeKind, Entity, Field, FieldKind, Schema, diff};

use super::compared::compared;
use super::filter::kind_of;
use super::stored::{COLUMNS, literal, record_of};
use crate::StoreError;
use crate::view::read_row;

/// How many of the records are named.
const IDS_MAX: usize = 5;

/// A change, and which records hold what it does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedChange {
    pub change: Change,
    /// None: the change asks nothing of records that are there.
    pub violating: Option<Violating>,
}

/// Records that are there and break what a schema asks. They stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violating {
    pub count: u64,
    /// The first of them, in the order of their ids.
    pub ids: Vec<String>,
}

impl Violating {
    fn add(&mut self, id: String) {
        self.count += 1;
        if self.ids.len() < IDS_MAX {
            self.ids.push(id);
        }
    }
}

impl fmt::Display for CountedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.change.fmt(f)?;
        let Some(Violating { count, ids }) = &self.violating else {
            return Ok(());
        };
        let (records, hold) = match count {
            0 => return f.write_str("; no record stands against it"),
            1 => ("record", "holds"),
            _ => ("records", "hold"),
        };
        let what = match self.change.kind {
            ChangeKind::AddUnique => "values that another one has",
            ChangeKind::ChangeKey => "another value there than what it is called by",
            _ => "what it does not take",
        };
        let more = if (ids.len() as u64) < *count {
            ", …"
        } else {
            ""
        };
        write!(
            f,
            "; {count} {records} {hold} {what}: {}{more}",
            ids.join(", ")
        )
    }
}

/// The changes from the schema that stands to another, those that records may stand against with these.
pub fn counted_changes(
    connection: &Connection,
    before: &Schema,
    after: &Schema,
) -> Result<Vec<CountedChange>, StoreError> {
    let rulebook = Rulebook::new(after.clone());
    let mut counted: Vec<_> = diff(before, after)
        .into_iter()
        .map(|change| CountedChange {
            change,
            violating: None,
        })
        .collect();
    for entity in &after.entities {
        let of_entity = counted.iter_mut();
        let of_entity = of_entity.filter(|counted| counted.change.entity == entity.name);
        count(
            connection,
            &rulebook,
            (before.entity(&entity.name), entity),
            of_entity,
        )?;
    }
    // Records hold values of a field that is new where clients sent them unasked, or where it was dropped before;
    // an entity that is new has records where it was dropped before.
    let is_told = |change: &Change, found: &Violating| {
        let is_added = matches!(change.kind, ChangeKind::AddEntity | ChangeKind::AddField);
        !is_added || found.count > 0
    };
    for CountedChange { change, violating } in &mut counted {
        *violating = violating.take().filter(|found| is_told(change, found));
    }
    Ok(counted)
}

fn count<'c>(
    connection: &Connection,
    rulebook: &Rulebook,
    (before, entity): (Option<&Entity>, &Entity),
    changes: impl Iterator<Item = &'c mut CountedChange>,
) -> Result<(), StoreError> {
    let mut of_fields = Vec::new();
    let mut of_all = None;
    let mut are_new = true;
    for CountedChange { change, violating } in changes {
        match change.kind {
            ChangeKind::AddUnique => {
                let found = violating.insert(Violating::default());
                for id in doubles(connection, before, entity)? {
                    found.add(id);
                }
            }
            ChangeKind::ChangeKey => {
                *violating = Some(misnamed(connection, entity)?);
            }
            ChangeKind::AddEntity => {
                let doubled = doubles(connection, before, entity)?;
                of_all = Some((doubled, violating.insert(Violating::default())));
            }
            ChangeKind::AddField | ChangeKind::TightenField | ChangeKind::ChangeKind => {
                let field = change.field.as_deref().and_then(|name| entity.field(name));
                let found = violating.insert(Violating::default());
                of_fields.extend(field.map(|field| (field, found)));
                are_new &= change.kind == ChangeKind::AddField;
            }
            _ => {}
        }
    }
    if of_fields.is_empty() && of_all.is_none() {
        return Ok(());
    }
    let among = if are_new && of_all.is_none() {
        holding(of_fields.iter().map(|(field, _)| *field))
    } else {
        String::new()
    };
    each(connection, entity, &among, |record| {
        let mut fields = entity.stored_fields();
        if let Some((doubled, violating)) = &mut of_all
            && (doubled.contains(&record.id)
                || fields.any(|field| rulebook.is_broken(entity, field, &record)))
        {
            violating.add(record.id.clone());
        }
        for (field, violating) in &mut of_fields {
            if rulebook.is_broken(entity, field, &record) {
                violating.add(record.id.clone());
            }
        }
    })
}

/// The records that would be called otherwise than they are, by the entity's key or by what that may hold.
pub fn misnamed(connection: &Connection, entity: &Entity) -> Result<Violating, StoreError> {
    let kind = entity
        .key_field()
        .map_or(&FieldKind::Text, |field| &field.kind);
    let mut found = Violating::default();
    each(connection, entity, "", |record| {
        let name = match record.value(&entity.key) {
            Json::String(name) => name.clone(),
            other => other.to_string(),
        };
        let is_none = shown_as_kind(kind, &Json::from(&*record.id)) == Some(Json::Null);
        if name != record.id || is_none {
            found.add(record.id);
        }
    })?;
    Ok(found)
}

/// The records that hold something of one of these names, as SQL. Against fields that are new and may be left
/// out none else can stand, and a server that starts with them reads no more.
fn holding<'f>(fields: impl Iterator<Item = &'f Field>) -> String {
    let names: Vec<_> = fields.map(|field| literal(&field.name)).collect();
    let names = names.join(", ");
    format!(" AND EXISTS (SELECT 1 FROM json_each(columns) AS held WHERE held.key IN ({names}))")
}

/// The records of an entity that are there, in the order of their ids: those among them that `among` says,
/// which is SQL.
fn each(
    connection: &Connection,
    entity: &Entity,
    among: &str,
    mut see: impl FnMut(Record),
) -> Result<(), StoreError> {
    let name = literal(&entity.name);
    let sql = format!(
        "SELECT {COLUMNS} FROM records WHERE entity = {name} AND deleted = 0{among} ORDER BY record_id"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        see(record_of(read_row(row, &RECORDS)?)?);
    }
    Ok(())
}

/// The records whose values of a set that is new are those of another record too.
fn doubles(
    connection: &Connection,
    before: Option<&Entity>,
    entity: &Entity,
) -> Result<BTreeSet<String>, StoreError> {
    let known = before.map_or(&[][..], |before| &before.unique);
    let name = literal(&entity.name);
    let mut doubled = Vec::new();
    for set in entity.unique.iter().filter(|set| !known.contains(set)) {
        let values = set
            .iter()
            .map(|field| compared(kind_of(entity, field), field));
        let values: Vec<_> = values.collect();
        let given: Vec<_> = values
            .iter()
            .map(|value| format!("{value} IS NOT NULL"))
            .collect();
        doubled.push(format!(
            "SELECT record_id FROM (SELECT record_id, count(*) OVER (PARTITION BY {}) AS together \
             FROM records WHERE entity = {name} AND deleted = 0 AND {}) WHERE together > 1",
            values.join(", "),
            given.join(" AND "),
        ));
    }
    let mut found = BTreeSet::new();
    if doubled.is_empty() {
        return Ok(found);
    }
    let mut statement = connection.prepare(&doubled.join(" UNION "))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found.insert(row.get(0)?);
    }
    Ok(found)
}
