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
        let cells = cells.map(|cell| printable(&cell).replace(['\n', '\t'], " "));
        self.rows.push(cells);
    }

    pub(crate) fn write(&self, out: &mut dyn Write, colour: Colour) -> io::Result<()> {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        for (number, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
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
