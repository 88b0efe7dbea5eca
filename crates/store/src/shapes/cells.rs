//! Rows as they are kept: a JSON array of texts and nulls, in the order of the relation's columns.

use std::borrow::Cow;

use syncline_model::shape::CellSource;

use crate::file::StoreError;

/// The cells of a kept row.
#[derive(Debug)]
pub struct ShapeCells<'a> {
    /// Each as JSON.
    raw: Vec<&'a str>,
    texts: Vec<Option<Cow<'a, str>>>,
}

const DAMAGED: &str = "a kept row of a shape is no list of texts";

impl<'a> ShapeCells<'a> {
    /// Reads a kept row. Cells that it lacks, of columns added since, are null.
    pub fn read(row: &'a str, columns: usize) -> Result<Self, StoreError> {
        let mut rest = row.strip_prefix('[').ok_or(StoreError::damaged(DAMAGED))?;
        let mut cells = Self {
            raw: Vec::with_capacity(columns),
            texts: Vec::with_capacity(columns),
        };
        while !rest.starts_with(']') {
            let end = cell_end(rest).ok_or(StoreError::damaged(DAMAGED))?;
            cells.push(&rest[..end])?;
            rest = &rest[end..];
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        while cells.raw.len() < columns {
            cells.push("null")?;
        }
        Ok(cells)
    }

    fn push(&mut self, raw: &'a str) -> Result<(), StoreError> {
        self.raw.push(raw);
        let text = match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
            None => None,
            Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
            Some(_) => {
                let text: String =
                    serde_json::from_str(raw).map_err(|_| StoreError::damaged(DAMAGED))?;
                Some(Cow::Owned(text))
            }
        };
        self.texts.push(text);
        Ok(())
    }

    /// A cell as JSON: a text in quotes, or `null`.
    pub fn json(&self, column: usize) -> &'a str {
        self.raw.get(column).copied().unwrap_or("null")
    }
}

impl CellSource for ShapeCells<'_> {
    fn cell(&self, column: usize) -> Option<&str> {
        self.texts.get(column)?.as_deref()
    }
}

/// Where the first cell ends.
fn cell_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return text.starts_with("null").then_some(4);
    }
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// What stands for U+0000 in cells: readers that are Postgres have no text with that.
pub(super) const REPLACED: &str = "\u{fffd}";

/// Writes cells as they are kept.
pub(super) fn print(cells: &[Option<String>]) -> String {
    if cells.iter().flatten().any(|cell| cell.contains('\0')) {
        let cells = cells
            .iter()
            .map(|cell| Some(cell.as_ref()?.replace('\0', REPLACED)));
        return print(&cells.collect::<Vec<_>>());
    }
    serde_json::to_string(cells).unwrap_or_else(|_| "[]".to_owned())
}

/// The cells that a row's key is made of.
pub fn cells_of_key(key: &str) -> Vec<Option<String>> {
    let mut cells = Vec::new();
    let mut chars = key.chars().peekable();
    while let Some('/') = chars.next() {
        let mut cell = String::new();
        while let Some(&char) = chars.peek() {
            if char == '/' {
                let mut ahead = chars.clone();
                ahead.next();
                if ahead.peek() != Some(&'/') {
                    break;
                }
                chars.next();
            }
            chars.next();
            cell.push(char);
        }
        let text = cell
            .strip_prefix('"')
            .and_then(|cell| cell.strip_suffix('"'));
        cells.push(text.map(str::to_owned));
    }
    cells
}

/// The part of a row's key in messages: each key cell in quotes, after a slash.
pub(super) fn key_of(cells: &[Option<String>], columns: &[usize]) -> String {
    let mut key = String::new();
    for column in columns {
        match cells.get(*column).and_then(Option::as_deref) {
            Some(text) => {
                key.push_str("/\"");
                key.push_str(&text.replace('/', "//"));
                key.push('"');
            }
            None => key.push_str("/_"),
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_back_the_cells_that_it_was_made_of() {
        for cells in [
            ["a", "b"],
            ["a/b", "\"c/"],
            ["/", "//"],
            ["", "_"],
            ["\"/\"", "x"],
        ] {
            let cells = cells.map(|text| Some(text.to_owned()));
            let key = key_of(&cells, &[0, 1]);
            assert_eq!(cells_of_key(&key), cells, "{key}");
        }
        assert_eq!(
            cells_of_key(&key_of(&[None, Some("x".to_owned())], &[0, 1])),
            [None, Some("x".to_owned())]
        );
    }

    #[test]
    fn kept_rows_are_read_cell_by_cell() {
        let kept = print(&[Some("a".to_owned()), None, Some("\"},\\\n".to_owned())]);
        let cells = ShapeCells::read(&kept, 4).unwrap();
        assert_eq!(cells.cell(0), Some("a"));
        assert_eq!((cells.cell(1), cells.json(1)), (None, "null"));
        assert_eq!(cells.cell(2), Some("\"},\\\n"));
        assert_eq!(
            (cells.cell(3), cells.json(3)),
            (None, "null"),
            "added since"
        );
        assert!(ShapeCells::read("{}", 1).is_err());
    }
}
