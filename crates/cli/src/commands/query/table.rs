//! A table in boxes, its columns as wide as what they hold.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::output::printable;

/// Rows that are kept until all widths are known.
#[derive(Debug)]
pub(super) struct Cells {
    names: Vec<String>,
    rows: Vec<Vec<Cell>>,
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
            rows: Vec::new(),
            width_max,
        }
    }

    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        let fit = |cell| match cell {
            Cell::Text(text) => Cell::Text(cut(line(&text), self.width_max)),
            Cell::Number(text) => Cell::Number(text),
        };
        self.rows.push(cells.into_iter().map(fit).collect());
    }

    pub(super) fn text_row(&mut self, texts: &[&str]) {
        let cells = texts.iter().map(|text| Cell::Text((*text).to_owned()));
        self.row(cells.collect());
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut widths: Vec<usize> = self.names.iter().map(|name| name.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.as_str().width());
            }
        }
        let rule = |left: &str, middle: &str, right: &str| {
            let bars: Vec<String> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
            format!("{left}{}{right}", bars.join(middle))
        };
        writeln!(out, "{}", rule("┌", "┬", "┐"))?;
        let head = self.names.iter().map(|name| Cell::Text(name.clone()));
        writeln!(out, "{}", boxes(&head.collect::<Vec<_>>(), &widths))?;
        writeln!(out, "{}", rule("├", "┼", "┤"))?;
        for row in &self.rows {
            writeln!(out, "{}", boxes(row, &widths))?;
        }
        writeln!(out, "{}", rule("└", "┴", "┘"))
    }
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

    fn written(cells: &Cells) -> String {
        let mut out = Vec::new();
        cells.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn boxes_hold_what_they_are_to_hold() {
        let mut cells = Cells::new(&["id", "title"], 0);
        cells.text_row(&["session-001", "API Design"]);
        cells.text_row(&["session-002", "Debug Session"]);
        let expected = "\
┌─────────────┬───────────────┐
│ ID          │ TITLE         │
├─────────────┼───────────────┤
│ session-001 │ API Design    │
│ session-002 │ Debug Session │
└─────────────┴───────────────┘
";
        assert_eq!(written(&cells), expected);
    }

    #[test]
    fn wide_letters_take_two_cells_and_line_breaks_stay_in_theirs() {
        let mut cells = Cells::new(&["日本", "n"], 0);
        cells.row(vec![
            Cell::Text("a\nb\u{1b}".to_owned()),
            Cell::Number("7".to_owned()),
        ]);
        cells.row(vec![
            Cell::Text("e\u{301}".to_owned()),
            Cell::Number("100".to_owned()),
        ]);
        let expected = "\
┌──────┬─────┐
│ 日本 │ N   │
├──────┼─────┤
│ a↵b\u{fffd} │   7 │
│ e\u{301}    │ 100 │
└──────┴─────┘
";
        assert_eq!(written(&cells), expected);
    }

    #[test]
    fn a_long_cell_is_cut_at_its_width() {
        assert_eq!(cut("abcdef".to_owned(), 4), "abc…");
        assert_eq!(cut("abcd".to_owned(), 4), "abcd");
        assert_eq!(cut("日本語".to_owned(), 4), "日…");
    }
}
