//! A table in boxes, its columns as wide as what the first rows hold.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::output::printable;

/// How many rows are kept for their widths at most, and how many bytes of them: a person sees no more of
/// them at once by far, and a table of millions of rows takes no more memory than one of thousands.
const KEPT_ROWS_MAX: usize = 1_000;
const KEPT_BYTES_MAX: usize = 4 << 20;

/// A table on its way: its first rows are kept until their widths are known, the others are printed as
/// they come. Of those a cell that is wider than its column moves the rest of its row.
#[derive(Debug)]
pub(super) struct Cells {
    names: Vec<String>,
    kept: Vec<Vec<Cell>>,
    kept_bytes: usize,
    /// How wide the columns are; none before anything is printed.
    widths: Option<Vec<usize>>,
    /// How wide a cell is at most; 0: no bound.
    width_max: usize,
}

/// What stands in a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    /// Stands at the right, so that digits of one worth are above each other.
    Number(String),
}

impl Cell {
    fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
        }
    }
}

impl Cells {
    pub(super) fn new(names: &[&str], width_max: usize) -> Self {
        let head = |name: &&str| line(&name.to_uppercase());
        Self {
            names: names.iter().map(head).collect(),
            kept: Vec::new(),
            kept_bytes: 0,
            widths: None,
            width_max,
        }
    }

    pub(super) fn row(&mut self, cells: Vec<Cell>, out: &mut dyn Write) -> io::Result<()> {
        let fit = |cell| match cell {
            Cell::Text(text) => Cell::Text(cut(line(&text), self.width_max)),
            Cell::Number(text) => Cell::Number(text),
        };
        let row: Vec<Cell> = cells.into_iter().map(fit).collect();
        if let Some(widths) = &self.widths {
            return writeln!(out, "{}", boxes(&row, widths));
        }
        self.kept_bytes += row.iter().map(|cell| cell.as_str().len()).sum::<usize>();
        self.kept.push(row);
        if self.kept.len() > KEPT_ROWS_MAX || self.kept_bytes > KEPT_BYTES_MAX {
            self.begin(out)?;
        }
        Ok(())
    }

    pub(super) fn text_row(&mut self, texts: &[&str], out: &mut dyn Write) -> io::Result<()> {
        let cells = texts.iter().map(|text| Cell::Text((*text).to_owned()));
        self.row(cells.collect(), out)
    }

    /// Prints what comes after the last row.
    pub(super) fn finish(mut self, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out)?;
        self.break_off(out)
    }

    /// Ends the table where any of it was printed.
    pub(super) fn break_off(self, out: &mut dyn Write) -> io::Result<()> {
        match &self.widths {
            Some(widths) => writeln!(out, "{}", rule(["└", "┴", "┘"], widths)),
            None => Ok(()),
        }
    }

    /// Prints the head and the rows that were kept, unless that was done.
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.widths.is_some() {
            return Ok(());
        }
        let mut widths: Vec<usize> = self.names.iter().map(|name| name.width()).collect();
        for row in &self.kept {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.as_str().width());
            }
        }
        writeln!(out, "{}", rule(["┌", "┬", "┐"], &widths))?;
        let head = self.names.iter().map(|name| Cell::Text(name.clone()));
        writeln!(out, "{}", boxes(&head.collect::<Vec<_>>(), &widths))?;
        writeln!(out, "{}", rule(["├", "┼", "┤"], &widths))?;
        for row in std::mem::take(&mut self.kept) {
            writeln!(out, "{}", boxes(&row, &widths))?;
        }
        self.widths = Some(widths);
        Ok(())
    }
}

fn rule([left, middle, right]: [&str; 3], widths: &[usize]) -> String {
    let bars: Vec<String> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
    format!("{left}{}{right}", bars.join(middle))
}

fn boxes(row: &[Cell], widths: &[usize]) -> String {
    let mut text = String::from("│");
    for (cell, width) in row.iter().zip(widths) {
        let room = " ".repeat(width.saturating_sub(cell.as_str().width()));
        match cell {
            Cell::Text(cell) => text.push_str(&format!(" {cell}{room} │")),
            Cell::Number(cell) => text.push_str(&format!(" {room}{cell} │")),
        }
    }
    text
}

/// `text` on one line, with nothing in it that drives a terminal.
pub(super) fn line(text: &str) -> String {
    printable(text).replace('\n', "↵").replace('\t', " ")
}

/// `text` where it is no wider than `width_max`, else its begin and an ellipsis.
fn cut(text: String, width_max: usize) -> String {
    if width_max == 0 || text.width() <= width_max {
        return text;
    }
    let (mut kept, mut width) = (String::new(), 0);
    for letter in text.chars() {
        width += letter.width().unwrap_or(0);
        if width >= width_max {
            break;
        }
        kept.push(letter);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(names: &[&str], rows: Vec<Vec<Cell>>) -> String {
        let (mut cells, mut out) = (Cells::new(names, 0), Vec::new());
        for row in rows {
            cells.row(row, &mut out).unwrap();
        }
        cells.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn number(text: &str) -> Cell {
        Cell::Number(text.to_owned())
    }

    #[test]
    fn boxes_hold_what_they_are_to_hold() {
        let rows = vec![
            vec![text("session-001"), text("API Design")],
            vec![text("session-002"), text("Debug Session")],
        ];
        let expected = "\
┌─────────────┬───────────────┐
│ ID          │ TITLE         │
├─────────────┼───────────────┤
│ session-001 │ API Design    │
│ session-002 │ Debug Session │
└─────────────┴───────────────┘
";
        assert_eq!(written(&["id", "title"], rows), expected);
    }

    #[test]
    fn wide_letters_take_two_cells_and_line_breaks_stay_in_theirs() {
        let rows = vec![
            vec![text("a\nb\u{1b}"), number("7")],
            vec![text("e\u{301}"), number("100")],
        ];
        let expected = "\
┌──────┬─────┐
│ 日本 │ N   │
├──────┼─────┤
│ a↵b\u{fffd} │   7 │
│ e\u{301}    │ 100 │
└──────┴─────┘
";
        assert_eq!(written(&["日本", "n"], rows), expected);
    }

    #[test]
    fn rows_are_printed_as_they_come_once_the_first_have_told_the_widths() {
        let (mut cells, mut out) = (Cells::new(&["a", "n"], 0), Vec::new());
        for _ in 0..KEPT_ROWS_MAX {
            cells.row(vec![text("bb"), number("7")], &mut out).unwrap();
        }
        assert!(out.is_empty());
        cells.row(vec![text("c"), number("8")], &mut out).unwrap();
        let begun = std::mem::take(&mut out);
        assert_eq!(
            begun.split(|byte| *byte == b'\n').count(),
            3 + KEPT_ROWS_MAX + 2
        );
        cells
            .row(vec![text("wider"), number("9")], &mut out)
            .unwrap();
        cells.finish(&mut out).unwrap();
        let rest = String::from_utf8(out).unwrap();
        assert_eq!(rest, "│ wider │ 9 │\n└────┴───┘\n");
    }

    #[test]
    fn few_rows_of_many_bytes_are_not_kept_either() {
        let (mut cells, mut out) = (Cells::new(&["a"], 0), Vec::new());
        let long = "x".repeat(KEPT_BYTES_MAX / 2);
        cells.row(vec![text(&long)], &mut out).unwrap();
        assert!(out.is_empty());
        cells.row(vec![text(&long), text("y")], &mut out).unwrap();
        assert!(out.len() > KEPT_BYTES_MAX);
    }

    #[test]
    fn a_table_of_which_nothing_was_printed_is_broken_off_without_a_trace() {
        let (mut cells, mut out) = (Cells::new(&["a"], 0), Vec::new());
        cells.row(vec![text("b")], &mut out).unwrap();
        cells.break_off(&mut out).unwrap();
        assert!(out.is_empty());
    }

    #[test]
    fn a_long_cell_is_cut_at_its_width() {
        assert_eq!(cut("abcdef".to_owned(), 4), "abc…");
        assert_eq!(cut("abcd".to_owned(), 4), "abcd");
        assert_eq!(cut("日本語".to_owned(), 4), "日…");
    }
}
