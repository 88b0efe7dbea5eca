//! A table that shapes are made of.

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use syncline_model::schema::Schema;
use syncline_model::shape::{Kind, Scalar, ShapeColumn};

use super::builtin::{BUILT_IN, BuiltIn};
use super::entity;
use crate::file::StoreError;
use crate::tenant::TenantFile;

/// A table: its name, and its columns in the order in which rows are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    pub name: String,
    pub columns: Vec<ShapeColumn>,
    pub(super) source: Source,
}

/// Where its rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    BuiltIn(&'static BuiltIn),
    Entity,
}

impl Relation {
    /// The columns of the primary key, in its order.
    pub fn key_columns(&self) -> Vec<usize> {
        let mut key: Vec<_> = (0..self.columns.len())
            .filter(|n| self.columns[*n].key_place.is_some())
            .collect();
        key.sort_by_key(|n| self.columns[*n].key_place);
        key
    }

    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The name of the entity whose rows these are; none where it is a view that always is.
    pub fn entity(&self) -> Option<&str> {
        match self.source {
            Source::Entity => Some(&self.name),
            Source::BuiltIn(_) => None,
        }
    }

    /// The relation of this name as it stands in the schema: an entity, or else a view.
    pub(super) fn declared(schema: Option<&Schema>, name: &str) -> Option<Self> {
        let entity = schema.and_then(|schema| entity::relation(schema, name));
        entity.or_else(|| {
            let built_in = BUILT_IN.iter().find(|built_in| built_in.view.name == name);
            built_in.map(BuiltIn::relation)
        })
    }

    /// The relation as its kept rows have it, under its number.
    pub(super) fn kept(
        connection: &Connection,
        name: &str,
    ) -> Result<Option<(i64, Self)>, StoreError> {
        let mut statement = connection
            .prepare_cached("SELECT relation, columns FROM shape_relations WHERE name = ?")?;
        let found: Option<(i64, String)> = statement
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((number, columns)) = found else {
            return Ok(None);
        };
        Ok(Some((number, Self::from_text(name, &columns)?)))
    }

    pub(super) fn from_text(name: &str, text: &str) -> Result<Self, StoreError> {
        let damaged = StoreError::damaged("the columns of a shape's table can't be read");
        let Ok(kept) = serde_json::from_str::<KeptColumns>(text) else {
            return Err(damaged);
        };
        let source = if kept.entity {
            Source::Entity
        } else {
            let built_in = BUILT_IN.iter().find(|built_in| built_in.view.name == name);
            Source::BuiltIn(built_in.ok_or(damaged)?)
        };
        let columns = kept.columns.into_iter().map(KeptColumn::column);
        Ok(Self {
            name: name.to_owned(),
            columns: columns.collect(),
            source,
        })
    }

    pub(super) fn to_text(&self) -> String {
        let kept = KeptColumns {
            entity: self.source == Source::Entity,
            columns: self.columns.iter().map(KeptColumn::of).collect(),
        };
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// These kept columns with those that `declared` adds; none where it changes or lacks one. That rows
    /// may lack a value of a column from now on is no change to those that are kept.
    pub(super) fn grown(&self, declared: &Self) -> Option<Self> {
        if self.source != declared.source {
            return None;
        }
        let mut grown = self.clone();
        for column in &mut grown.columns {
            let meant = &declared.columns[declared.column(&column.name)?];
            column.is_nullable |= meant.is_nullable;
            if column != meant {
                return None;
            }
        }
        let added = declared
            .columns
            .iter()
            .filter(|column| self.column(&column.name).is_none());
        grown.columns.extend(added.cloned());
        Some(grown)
    }
}

#[derive(Serialize, Deserialize)]
struct KeptColumns {
    entity: bool,
    columns: Vec<KeptColumn>,
}

#[derive(Serialize, Deserialize)]
struct KeptColumn {
    name: String,
    kind: String,
    nullable: bool,
    key: Option<usize>,
}

impl KeptColumn {
    fn of(column: &ShapeColumn) -> Self {
        Self {
            name: column.name.clone(),
            kind: column.kind.scalar.short_name().to_owned(),
            nullable: column.is_nullable,
            key: column.key_place,
        }
    }

    fn column(self) -> ShapeColumn {
        ShapeColumn {
            name: self.name,
            kind: Kind::one(Scalar::named(&self.kind).unwrap_or(Scalar::Text)),
            is_nullable: self.nullable,
            key_place: self.key,
        }
    }
}

impl TenantFile {
    /// The table of this name of which shapes can be made under the schema that stands, if there is one.
    pub fn shape_relation(
        &self,
        name: &str,
        schema: Option<&Schema>,
    ) -> Result<Option<Relation>, StoreError> {
        let Some(declared) = Relation::declared(schema, name) else {
            return Ok(None);
        };
        if super::tables::are_made(self.connection())?
            && let Some((_, kept)) = Relation::kept(self.connection(), name)?
            && let Some(grown) = kept.grown(&declared)
        {
            // In the order of the rows that are kept.
            return Ok(Some(grown));
        }
        Ok(Some(declared))
    }
}
