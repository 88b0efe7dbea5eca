//! Bars, as long as there is room for them.

use crate::output::Colour;

const BAR_CELLS: usize = 24;
/// In a terminal of fewer than so many cells, bars are shorter.
const WIDE_CELLS: usize = 100;
const BAR_CELLS_NARROW: usize = 10;

/// What is drawn on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) colour: Colour,
    /// In cells; none: there is no bound.
    pub(super) width: Option<usize>,
}

impl Page {
    pub(super) fn bar_cells(self) -> usize {
        match self.width {
            Some(..WIDE_CELLS) => BAR_CELLS_NARROW,
            Some(_) | None => BAR_CELLS,
        }
    }
}

/// How many of `all` are `some`, from 0 to 1.
pub(super) fn rate(some: u64, all: u64) -> f64 {
    match all {
        0 => 0.0,
        all => some as f64 / all as f64,
    }
}

/// A bar as long as `part` is of `whole`, to an eighth of a cell.
pub(super) fn bar(part: u64, whole: u64, cells: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (rate(part, whole) * (cells * 8) as f64).round() as usize;
    let rest = match (part, eighths) {
        // What is there is seen.
        (1.., 0) => "▏",
        (_, eighths) => EIGHTHS[eighths % 8],
    };
    format!("{}{rest}", "█".repeat(eighths / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_part_and_never_nothing() {
        let bar = |part, whole| bar(part, whole, BAR_CELLS);
        assert_eq!(bar(10, 10), "█".repeat(BAR_CELLS));
        assert_eq!(bar(5, 10), "█".repeat(BAR_CELLS / 2));
        assert_eq!(
            (bar(1, 1_000_000), bar(0, 10), bar(0, 0)),
            ("▏".to_owned(), String::new(), String::new())
        );
    }
}
