//! Rows as they come, printed in the format that was asked for.

use std::collections::HashSet;
use std::io::{self, Write};
use std::ops::ControlFlow;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use syncline_store::sql::{SqlRows, SqlValue};

use super::RowFormat;
use super::table::{Cell, Cells, Shown, Width, line};

/// Prints rows.
pub(super) struct Rows<'a> {
    format: RowFormat,
    width: Width,
    out: &'a mut dyn Write,
    names: Vec<String>,
    /// Whether anything was printed: nothing is before the first row is known, or that there is none.
    begun: bool,
    given: u64,
    /// The table, where that is the format.
    cells: Option<Cells>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(format: RowFormat, width: Width, out: &'a mut dyn Write) -> Self {
        Self {
            format,
            width,
            out,
            names: Vec::new(),
            begun: false,
            given: 0,
            cells: None,
        }
    }

    /// Prints what comes after the last row.
    pub(super) fn finish(mut self) -> io::Result<Shown> {
        self.begin()?;
        match self.cells.take() {
            Some(cells) => cells.finish(self.out),
            None => self.end().map(|()| Shown::Whole),
        }
    }

    /// Ends what was begun, so that it can be read as far as it goes.
    pub(super) fn break_off(mut self) -> io::Result<()> {
        match (self.cells.take(), self.begun) {
            (Some(cells), _) => cells.break_off(self.out),
            (None, true) => self.end(),
            (None, false) => Ok(()),
        }
    }

    fn end(self) -> io::Result<()> {
        match self.format {
            RowFormat::Json => writeln!(self.out, "]"),
            RowFormat::Table | RowFormat::Csv | RowFormat::Ndjson | RowFormat::Markdown => Ok(()),
        }
    }

    /// Prints what comes before the first row, unless that was done.
    fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let names = self.names.clone();
        match self.format {
            RowFormat::Json => write!(self.out, "["),
            RowFormat::Csv => self.csv(names.into_iter().map(Into::into)),
            RowFormat::Table | RowFormat::Ndjson => Ok(()),
            RowFormat::Markdown => {
                self.markdown(names.iter().map(|name| line(name)))?;
                writeln!(self.out, "|{}", " --- |".repeat(names.len()))
            }
        }
    }

    fn csv<'b>(
        &mut self,
        cells: impl Iterator<Item = std::borrow::Cow<'b, str>>,
    ) -> io::Result<()> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(&mut self.out);
        for cell in cells {
            writer.write_field(cell.as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
        writer.flush()
    }

    fn markdown(&mut self, cells: impl Iterator<Item = String>) -> io::Result<()> {
        let escaped = cells.map(|cell| cell.replace('\\', "\\\\").replace('|', "\\|"));
        let cells: Vec<String> = escaped.collect();
        writeln!(self.out, "| {} |", cells.join(" | "))
    }

    fn object(&mut self, values: &[SqlValue<'_>]) -> io::Result<()> {
        let object = Object {
            names: &self.names,
            values,
        };
        serde_json::to_writer(&mut self.out, &object).map_err(io::Error::from)
    }
}

impl SqlRows for Rows<'_> {
    type Error = io::Error;

    fn columns(&mut self, names: &[&str]) -> io::Result<()> {
        self.names = match self.format {
            RowFormat::Json | RowFormat::Ndjson => each_once(names),
            RowFormat::Table | RowFormat::Csv | RowFormat::Markdown => {
                names.iter().map(|name| (*name).to_owned()).collect()
            }
        };
        if self.format == RowFormat::Table {
            self.cells = Some(Cells::new(names, self.width));
        }
        Ok(())
    }

    fn row(&mut self, values: &[SqlValue<'_>]) -> io::Result<ControlFlow<()>> {
        self.begin()?;
        match self.format {
            RowFormat::Table => {
                let cells = values.iter().map(cell).collect();
                if let Some(rows) = &mut self.cells {
                    rows.row(cells, self.out)?;
                }
            }
            RowFormat::Json => {
                if self.given > 0 {
                    write!(self.out, ",")?;
                }
                self.object(values)?;
            }
            RowFormat::Csv => self.csv(values.iter().map(SqlValue::to_text))?,
            RowFormat::Ndjson => {
                self.object(values)?;
                writeln!(self.out)?;
            }
            RowFormat::Markdown => {
                self.markdown(values.iter().map(|value| line(&value.to_text())))?
            }
        }
        self.given += 1;
        Ok(ControlFlow::Continue(()))
    }
}

/// The names, with a number behind those that stand before: an object has a member of each name once.
fn each_once(names: &[&str]) -> Vec<String> {
    let mut given: HashSet<String> = HashSet::new();
    let named = names.iter().map(|name| {
        let mut unique = (*name).to_owned();
        let mut number = 2;
        while given.contains(&unique) || unique != *name && names.contains(&&*unique) {
            unique = format!("{name}_{number}");
            number += 1;
        }
        given.insert(unique.clone());
        unique
    });
    named.collect()
}

fn cell(value: &SqlValue<'_>) -> Cell {
    match value {
        SqlValue::Null => Cell::Text("NULL".to_owned()),
        SqlValue::Integer(_) | SqlValue::Real(_) => Cell::Number(value.to_text().into_owned()),
        SqlValue::Text(_) | SqlValue::Blob(_) => Cell::Text(value.to_text().into_owned()),
    }
}

/// A row as a JSON object, its members in the order of the columns.
struct Object<'a> {
    names: &'a [String],
    values: &'a [SqlValue<'a>],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.names.len()))?;
        for (name, value) in self.names.iter().zip(self.values) {
            match value {
                SqlValue::Null => map.serialize_entry(name, &())?,
                SqlValue::Integer(number) => map.serialize_entry(name, number)?,
                SqlValue::Real(number) => map.serialize_entry(name, number)?,
                SqlValue::Text(_) | SqlValue::Blob(_) => {
                    map.serialize_entry(name, &value.to_text())?
                }
            }
        }
        map.end()
    }
}
