//! Columns for a person: never wrapped, and as wide as they need to be, so that a pipe can cut them, or as
//! a terminal has room for.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

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

    /// Writes it into `width` cells; none: there is no such bound.
    pub(crate) fn write_within(
        &self,
        width: Option<usize>,
        fit: Fit<'_>,
        out: &mut dyn Write,
        colour: Colour,
    ) -> io::Result<()> {
        let Some(width) = width else {
            return self.write(out, colour);
        };
        let mut rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.to_vec()).collect();
        fit.narrow(&mut rows, width);
        write_rows(&rows, out, colour)
    }

    pub(crate) fn write(&self, out: &mut dyn Write, colour: Colour) -> io::Result<()> {
        write_rows(&self.rows, out, colour)
    }
}

/// How a table becomes narrower: columns by their places, from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fit<'a> {
    /// Those whose cells can be cut at their ends, with how many cells they keep.
    pub(crate) elastic: &'a [(usize, usize)],
    /// Those that can be left out where that is not enough, the first first.
    pub(crate) optional: &'a [usize],
}

/// What stands between two columns.
const GAP: usize = 2;
/// A column that is cut keeps so many cells, unless it says more than others.
pub(crate) const ELASTIC_CELLS_MIN: usize = 12;

impl Fit<'_> {
    fn narrow(self, rows: &mut [Vec<String>], width: usize) {
        let widths = widths_of(rows);
        let mut kept: Vec<usize> = (0..widths.len()).collect();
        let whole = |kept: &[usize], of: &dyn Fn(usize) -> usize| -> usize {
            kept.iter().map(|column| of(*column) + GAP).sum::<usize>() - GAP
        };
        let least = |column: usize| {
            let mut elastic = self.elastic.iter();
            let kept = elastic.find(|(elastic, _)| *elastic == column);
            kept.map_or(widths[column], |(_, kept)| widths[column].min(*kept))
        };
        for column in self.optional {
            if whole(&kept, &least) <= width {
                break;
            }
            kept.retain(|one| one != column);
        }
        let mut given = widths.clone();
        let excess = whole(&kept, &|column| given[column]).saturating_sub(width);
        let least = |column: usize| match kept.contains(&column) {
            true => least(column),
            false => usize::MAX,
        };
        narrow(&mut given, least, excess);
        for row in rows {
            let cells = kept.iter().map(|column| cut(&row[*column], given[*column]));
            *row = cells.collect();
        }
    }
}

/// Takes `excess` cells from columns, each from the widest that has more than its least; gives what none
/// could give.
pub(crate) fn narrow(
    widths: &mut [usize],
    least: impl Fn(usize) -> usize,
    mut excess: usize,
) -> usize {
    while excess > 0 {
        let columns = widths.iter_mut().enumerate();
        let can_give = columns.filter(|(column, width)| **width > least(*column));
        let Some((_, widest)) = can_give.max_by_key(|(_, width)| **width) else {
            return excess;
        };
        *widest -= 1;
        excess -= 1;
    }
    0
}

/// `text` where it has no more than `cells_max` cells, else its begin and an ellipsis.
pub(crate) fn cut(text: &str, cells_max: usize) -> String {
    if text.width() <= cells_max {
        return text.to_owned();
    }
    let (mut kept, mut width) = (String::new(), 0);
    for letter in text.chars() {
        width += letter.width().unwrap_or(0);
        if width >= cells_max {
            break;
        }
        kept.push(letter);
    }
    format!("{}…", kept.trim_end())
}

/// `text` as far as a line of `width` cells has room for it beside `others`; none: there is no such bound. A
/// few cells are always kept: less says nothing, and the terminal wraps them.
pub(crate) fn cut_beside(text: &str, others: usize, width: Option<usize>) -> String {
    match width {
        Some(width) => cut(text, width.saturating_sub(others).max(ELASTIC_CELLS_MIN)),
        None => text.to_owned(),
    }
}

fn widths_of<R: AsRef<[String]>>(rows: &[R]) -> Vec<usize> {
    let columns = rows.first().map_or(0, |head| head.as_ref().len());
    let mut widths = vec![0; columns];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row.as_ref()) {
            *width = (*width).max(cell.width());
        }
    }
    widths
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
    let widths = widths_of(rows);
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

    #[test]
    fn a_table_is_as_wide_as_its_terminal() {
        let mut table = Table::new(["ID", "N", "NAME", "TITLE"]);
        let row = ["a1", "100", "prj-abcdefghijkl", "a title that is long"];
        table.row(row.map(str::to_owned));
        let fit = Fit {
            elastic: &[(2, ELASTIC_CELLS_MIN), (3, ELASTIC_CELLS_MIN)],
            optional: &[1, 2],
        };
        let within = |width| {
            let mut text = Vec::new();
            let written = table.write_within(width, fit, &mut text, Colour::Off);
            written.unwrap();
            String::from_utf8(text).unwrap()
        };
        let whole = "\
ID  N    NAME              TITLE
a1  100  prj-abcdefghijkl  a title that is long
";
        assert_eq!(
            (within(None), within(Some(47))),
            (whole.to_owned(), whole.to_owned())
        );
        let cases = [
            (
                40,
                "\
ID  N    NAME             TITLE
a1  100  prj-abcdefghij…  a title that…
",
            ),
            (
                35,
                "\
ID  N    NAME          TITLE
a1  100  prj-abcdefg…  a title tha…
",
            ),
            (
                30,
                "\
ID  NAME          TITLE
a1  prj-abcdefg…  a title tha…
",
            ),
            (
                10,
                "\
ID  TITLE
a1  a title tha…
",
            ),
        ];
        for (width, shown) in cases {
            assert_eq!(within(Some(width)), shown, "{width}");
        }
        assert_eq!(
            (&*cut("日本語", 6), &*cut("日本語", 5)),
            ("日本語", "日本…")
        );
    }

    #[test]
    fn a_text_beside_others_has_what_is_left_of_the_line() {
        let text = "cargo nextest run";
        assert_eq!(cut_beside(text, 10, None), text);
        assert_eq!(cut_beside(text, 10, Some(27)), text);
        assert_eq!(cut_beside(text, 10, Some(26)), "cargo nextest r…");
        assert_eq!(cut_beside(text, 90, Some(80)), "cargo nexte…");
    }
}
