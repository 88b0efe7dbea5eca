//! The columns of a table of which shapes are made.

use super::error::FilterError;
use super::kind::Kind;
use super::lexer::What;
use super::parser::Parser;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeColumn {
    pub name: String,
    pub kind: Kind,
    pub is_nullable: bool,
    /// Its place in the primary key, from 0.
    pub key_place: Option<usize>,
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
