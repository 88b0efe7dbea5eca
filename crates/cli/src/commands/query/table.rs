//! A table in boxes, its columns as wide as what the first rows hold.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::output::printable;
use crate::table::{ELASTIC_CELLS_MIN, cut, narrow};

/// How many rows are kept for their widths at most, and how many bytes of them: a person sees no more of
/// them at once by far, and a table of millions of rows takes no more memory than one of thousands.
const KEPT_ROWS_MAX: usize = 1_000;
const KEPT_BYTES_MAX: usize = 4 << 20;

/// How wide a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// No cell is wider; 0: cells are as wide as they need to be.
    OfCell(usize),
    /// The whole of it is no wider, as far as its columns can give.
    OfTable(usize),
}

/// How wide a cell is at most where nobody says it, and no terminal has an edge.
const CELL_WIDTH_MAX: usize = 60;

impl Width {
    /// As was asked for, else as the terminal has room for.
    pub(super) fn chosen(asked: Option<usize>, terminal: Option<usize>) -> Self {
        match (asked, terminal) {
            (Some(width), _) => Self::OfCell(width),
            (None, Some(cells)) => Self::OfTable(cells),
            (None, None) => Self::OfCell(CELL_WIDTH_MAX),
        }
    }

    fn of_cell(self) -> usize {
        match self {
            Self::OfCell(width) | Self::OfTable(width) => width,
        }
    }
}

/// How much of its rows a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shown {
    Whole,
    /// Some values are cut.
    Cut,
    /// So many columns don't fit, however narrow.
    TooWide,
}

/// A table on its way: its first rows are kept until their widths are known, the others are printed as
/// they come. Of those a cell that is wider than its column moves the rest of its row, or is cut where the
/// table is to fit.
#[derive(Debug)]
pub(super) struct Cells {
    names: Vec<String>,
    kept: Vec<Vec<Cell>>,
    kept_bytes: usize,
    /// How wide the columns are; none before anything is printed.
    widths: Option<Vec<usize>>,
    width: Width,
    shown: Shown,
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
    pub(super) fn new(names: &[&str], width: Width) -> Self {
        let head = |name: &&str| line(&name.to_uppercase());
        Self {
            names: names.iter().map(head).collect(),
            kept: Vec::new(),
            kept_bytes: 0,
            widths: None,
            width,
            shown: Shown::Whole,
        }
    }

    pub(super) fn row(&mut self, cells: Vec<Cell>, out: &mut dyn Write) -> io::Result<()> {
        let on_lines = cells.into_iter().map(|cell| match cell {
            Cell::Text(text) => Cell::Text(line(&text)),
            Cell::Number(text) => Cell::Number(text),
        });
        let mut row: Vec<Cell> = on_lines.collect();
        let width = self.width.of_cell();
        self.cut(&mut row, &|_| width);
        if let Some(widths) = self.widths.take() {
            if matches!(self.width, Width::OfTable(_)) {
                self.cut(&mut row, &|column| widths[column]);
            }
            let printed = writeln!(out, "{}", boxes(&row, &widths));
            self.widths = Some(widths);
            return printed;
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

    /// Cuts the texts of a row that are wider than their columns; 0: there is no bound.
    fn cut(&mut self, row: &mut [Cell], width_of: &dyn Fn(usize) -> usize) {
        for (column, cell) in row.iter_mut().enumerate() {
            let width = width_of(column);
            if let Cell::Text(text) = cell
                && width > 0
                && text.width() > width
            {
                *text = cut(text, width);
                self.shown = self.shown.max(Shown::Cut);
            }
        }
    }

    /// Prints what comes after the last row.
    pub(super) fn finish(mut self, out: &mut dyn Write) -> io::Result<Shown> {
        self.begin(out)?;
        let shown = self.shown;
        self.break_off(out)?;
        Ok(shown)
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
        let mut kept = std::mem::take(&mut self.kept);
        let widths = self.fit(&mut kept);
        let names = self.names.iter().zip(&widths);
        let names = names.map(|(name, width)| Cell::Text(cut(name, *width)));
        let head = boxes(&names.collect::<Vec<_>>(), &widths);
        writeln!(out, "{}", rule(["┌", "┬", "┐"], &widths))?;
        writeln!(out, "{head}")?;
        writeln!(out, "{}", rule(["├", "┼", "┤"], &widths))?;
        for row in kept {
            writeln!(out, "{}", boxes(&row, &widths))?;
        }
        self.widths = Some(widths);
        Ok(())
    }

    /// How wide the columns are to be: as wide as they need, and where the table is to fit, as it has room
    /// for. Numbers are never cut.
    fn fit(&mut self, rows: &mut [Vec<Cell>]) -> Vec<usize> {
        let mut widths: Vec<usize> = self.names.iter().map(|name| name.width()).collect();
        let mut numbers = vec![0; widths.len()];
        for row in &*rows {
            for (column, cell) in row.iter().enumerate() {
                let width = cell.as_str().width();
                widths[column] = widths[column].max(width);
                if matches!(cell, Cell::Number(_)) {
                    numbers[column] = numbers[column].max(width);
                }
            }
        }
        let Width::OfTable(room) = self.width else {
            return widths;
        };
        let needed = widths.clone();
        let least = |column: usize| needed[column].min(ELASTIC_CELLS_MIN).max(numbers[column]);
        let whole = widths.iter().map(|width| width + BESIDE).sum::<usize>() + 1;
        if narrow(&mut widths, least, whole.saturating_sub(room)) > 0 {
            self.shown = Shown::TooWide;
        }
        for row in rows {
            self.cut(row, &|column| widths[column]);
        }
        widths
    }
}

/// What stands beside a cell: a space at each side, and a bar.
const BESIDE: usize = 3;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn written(names: &[&str], rows: Vec<Vec<Cell>>) -> String {
        let (mut cells, mut out) = (Cells::new(names, Width::OfCell(0)), Vec::new());
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
        let (mut cells, mut out) = (Cells::new(&["a", "n"], Width::OfCell(0)), Vec::new());
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
        let (mut cells, mut out) = (Cells::new(&["a", "b"], Width::OfCell(0)), Vec::new());
        let long = "x".repeat(KEPT_BYTES_MAX / 2);
        cells.row(vec![text(&long), text("y")], &mut out).unwrap();
        assert!(out.is_empty());
        cells.row(vec![text(&long), text("y")], &mut out).unwrap();
        assert!(out.len() > KEPT_BYTES_MAX);
    }

    #[test]
    fn a_table_of_which_nothing_was_printed_is_broken_off_without_a_trace() {
        let (mut cells, mut out) = (Cells::new(&["a"], Width::OfCell(0)), Vec::new());
        cells.row(vec![text("b")], &mut out).unwrap();
        cells.break_off(&mut out).unwrap();
        assert!(out.is_empty());
    }

    #[test]
    fn a_table_is_as_wide_as_its_terminal_and_says_what_it_cuts() {
        let within = |width, cells: [Cell; 3]| {
            let (mut table, mut out) = (Cells::new(&["id", "tokens", "title"], width), Vec::new());
            table.row(cells.into(), &mut out).unwrap();
            let shown = table.finish(&mut out).unwrap();
            (String::from_utf8(out).unwrap(), shown)
        };
        let row = || {
            let title = "a title that goes on and on";
            [text("ses_1"), number("1234567890"), text(title)]
        };
        let (whole, shown) = within(Width::OfTable(80), row());
        assert_eq!((whole.contains("on and on"), shown), (true, Shown::Whole));
        let expected = "\
┌───────┬────────────┬──────────────┐
│ ID    │ TOKENS     │ TITLE        │
├───────┼────────────┼──────────────┤
│ ses_1 │ 1234567890 │ a title tha… │
└───────┴────────────┴──────────────┘
";
        let narrow = within(Width::OfTable(37), row());
        assert_eq!(narrow, (expected.to_owned(), Shown::Cut));
        assert_eq!(within(Width::OfTable(36), row()).1, Shown::TooWide);
        assert_eq!(within(Width::OfCell(12), row()).1, Shown::Cut);
        let (piped, shown) = within(Width::chosen(Some(0), Some(20)), row());
        assert_eq!((piped.contains("on and on"), shown), (true, Shown::Whole));
    }

    #[test]
    fn a_later_row_of_a_table_that_fits_is_cut_to_it() {
        let mut cells = Cells::new(&["a"], Width::OfTable(20));
        let mut out = Vec::new();
        for _ in 0..=KEPT_ROWS_MAX {
            cells.row(vec![text("b")], &mut out).unwrap();
        }
        cells.row(vec![text("wider")], &mut out).unwrap();
        assert_eq!(cells.finish(&mut out).unwrap(), Shown::Cut);
        assert!(String::from_utf8(out).unwrap().ends_with("│ … │\n└───┘\n"));
    }
}
