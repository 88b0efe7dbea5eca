//! Columns for a person: as wide as they need to be, and never wrapped, so that a pipe can cut them.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::output::{Colour, Style, printable};

/// A table with a head.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(head: [&str; N]) -> Self {
        Self {
            rows: vec![head.map(str::to_owned)],
        }
    }

    /// Adds a row; a line break within a cell becomes a space.
    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| on_one_line(&cell)));
    }

    pub(crate) fn write(&self, out: &mut dyn Write, colour: Colour) -> io::Result<()> {
        write_rows(&self.rows, out, colour)
    }
}

/// A cell's text with nothing in it that breaks its line.
pub(crate) fn on_one_line(cell: &str) -> String {
    printable(cell).replace(['\n', '\t'], " ")
}

/// Writes rows of as many cells as the first, which is the head.
pub(crate) fn write_rows<R: AsRef<[String]>>(
    rows: &[R],
    out: &mut dyn Write,
    colour: Colour,
) -> io::Result<()> {
    let columns = rows.first().map_or(0, |head| head.as_ref().len());
    let mut widths = vec![0; columns];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row.as_ref()) {
            *width = (*width).max(cell.width());
        }
    }
    for (number, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (cell, width) in row.as_ref().iter().zip(&widths) {
            let room = " ".repeat(width - cell.width());
            line.push_str(&format!("{cell}{room}  "));
        }
        let line = line.trim_end();
        if number == 0 {
            writeln!(out, "{}", colour.paint(Style::Faint, line))?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_stay_lines() {
        let mut table = Table::new(["A", "LONGER"]);
        table.row(["wide\ncell".to_owned(), String::new()]);
        table.row(["é".to_owned(), "x\u{1b}".to_owned()]);
        table.row(["日本".to_owned(), "y".to_owned()]);
        let mut text = Vec::new();
        table.write(&mut text, Colour::Off).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "A          LONGER\nwide cell\né          x\u{fffd}\n日本       y\n"
        );
    }
}
