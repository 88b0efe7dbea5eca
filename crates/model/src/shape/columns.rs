//! The columns of a table of which shapes are made.

use super::error::FilterError;
use super::kind::{Kind, Scalar};
use super::lexer::What;
use super::parser::Parser;
use crate::schema::{Entity, Field, FieldKind};

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeColumn {
    pub name: String,
    pub kind: Kind,
    pub is_nullable: bool,
    /// Its place in the primary key, from 0.
    pub key_place: Option<usize>,
}

/// The columns of an entity's table.
pub fn entity_columns(entity: &Entity) -> Vec<ShapeColumn> {
    let columns = entity.stored_fields().map(|field| ShapeColumn {
        name: field.name.clone(),
        kind: Kind::one(scalar_of(&field.kind)),
        is_nullable: field.name != entity.key && is_nullable(field),
        key_place: (field.name == entity.key).then_some(0),
    });
    columns.collect()
}

/// Whether a record may lack a value of it. Who makes one need not name what has a default, or what they
/// only read; and records that are older than such a field have no value of it at all.
fn is_nullable(field: &Field) -> bool {
    field.nullable || !field.required || field.default.is_some() || field.read_only
}

/// The type of a column that holds values of this kind.
pub(crate) fn scalar_of(kind: &FieldKind) -> Scalar {
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

/// Reads a list of columns, `id,"Due date"`: names without quotes are in lower case.
pub fn column_list(text: &str) -> Result<Vec<String>, FilterError> {
    let mut parser = Parser::of(text)?;
    let mut names = Vec::new();
    loop {
        names.push(column_name(&mut parser)?);
        if !parser.take_mark(",") {
            parser.end()?;
            return Ok(names);
        }
    }
}

/// Reads a table's name, `"Due dates"` or `public.tasks`, as its schema and itself.
pub fn table_name(text: &str) -> Result<(String, String), FilterError> {
    let mut parser = Parser::of(text)?;
    let first = column_name(&mut parser)?;
    let name = if parser.take_mark(".") {
        (first, column_name(&mut parser)?)
    } else {
        ("public".to_owned(), first)
    };
    parser.end()?;
    Ok(name)
}

pub(super) fn column_name(parser: &mut Parser<'_>) -> Result<String, FilterError> {
    let token = parser.take();
    match &token.what {
        What::Quoted(name) => Ok(name.clone()),
        What::Word => Ok(token.word()),
        _ => Err(token.unexpected()),
    }
}
