//! The difference of two texts, line by line, as `diff -u` shows it.

use std::fmt::Write;

/// How many lines are shown around a change.
const CONTEXT: usize = 3;
/// The most pairs of lines that are compared: beyond it a change is shown as one.
const PAIRS_MAX: usize = 4_000_000;

/// A line of either text, or of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'t> {
    Both(&'t str),
    Old(&'t str),
    New(&'t str),
}

/// Shows what becomes of the text of a file; a file that is not there has none.
pub(crate) fn diff(name: &str, old: Option<&str>, new: Option<&str>) -> String {
    let path = |text: Option<&str>| text.map_or("/dev/null", |_| name);
    let mut shown = format!("--- {}\n+++ {}\n", path(old), path(new));
    let lines = lines_of(old.unwrap_or_default(), new.unwrap_or_default());
    let is_change = |line: &Line<'_>| !matches!(line, Line::Both(_));
    let (mut old_line, mut new_line) = (1, 1);
    let mut at = 0;
    while let Some(ahead) = lines[at..].iter().position(is_change) {
        let start = at + ahead.saturating_sub(CONTEXT);
        for _ in at..start {
            (old_line, new_line) = (old_line + 1, new_line + 1);
        }
        let end = end_of_hunk(&lines, at + ahead);
        let hunk = &lines[start..end];
        let count = |of: fn(&Line<'_>) -> bool| hunk.iter().filter(|line| of(line)).count();
        let old_count = count(|line| !matches!(line, Line::New(_)));
        let new_count = count(|line| !matches!(line, Line::Old(_)));
        let head = |line: usize, count: usize| match count {
            0 => format!("{},0", line - 1),
            count => format!("{line},{count}"),
        };
        let (from, to) = (head(old_line, old_count), head(new_line, new_count));
        let _ = writeln!(shown, "@@ -{from} +{to} @@");
        hunk.iter().for_each(|line| show(&mut shown, *line));
        (old_line, new_line) = (old_line + old_count, new_line + new_count);
        at = end;
    }
    shown
}

/// Where the hunk of a change ends: behind the context of the last change that is near the one before.
fn end_of_hunk(lines: &[Line<'_>], first: usize) -> usize {
    let mut last = first;
    for (at, line) in lines.iter().enumerate().skip(first) {
        if !matches!(line, Line::Both(_)) {
            last = at;
        } else if at > last + 2 * CONTEXT {
            break;
        }
    }
    (last + 1 + CONTEXT).min(lines.len())
}

fn show(shown: &mut String, line: Line<'_>) {
    let (mark, text) = match line {
        Line::Both(text) => (' ', text),
        Line::Old(text) => ('-', text),
        Line::New(text) => ('+', text),
    };
    let whole = text.strip_suffix('\n');
    let text = whole.unwrap_or(text);
    let _ = writeln!(shown, "{mark}{}", text.strip_suffix('\r').unwrap_or(text));
    if whole.is_none() {
        shown.push_str("\\ No newline at end of file\n");
    }
}

fn lines_of<'t>(old: &'t str, new: &'t str) -> Vec<Line<'t>> {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let pairs = old_rest.iter().rev().zip(new_rest.iter().rev());
    let tail = pairs.take_while(|(a, b)| a == b).count();
    let middle = between(
        &old_rest[..old_rest.len() - tail],
        &new_rest[..new_rest.len() - tail],
    );
    let both = |lines: &[&'t str]| {
        lines
            .iter()
            .map(|line| Line::Both(line))
            .collect::<Vec<_>>()
    };
    [both(&old[..head]), middle, both(&old[old.len() - tail..])].concat()
}

/// The longest common subsequence, by the table of the lengths of those of the ends.
fn between<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let olds = || old.iter().map(|line| Line::Old(line));
    let news = || new.iter().map(|line| Line::New(line));
    if old.len().saturating_mul(new.len()) > PAIRS_MAX {
        return olds().chain(news()).collect();
    }
    let width = new.len() + 1;
    let mut lengths = vec![0_u32; (old.len() + 1) * width];
    for (row, line) in old.iter().enumerate().rev() {
        for (column, other) in new.iter().enumerate().rev() {
            let below = lengths[(row + 1) * width + column];
            let right = lengths[row * width + column + 1];
            lengths[row * width + column] = match line == other {
                true => lengths[(row + 1) * width + column + 1] + 1,
                false => below.max(right),
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut lines = Vec::new();
    while row < old.len() && column < new.len() {
        if old[row] == new[column] {
            lines.push(Line::Both(old[row]));
            (row, column) = (row + 1, column + 1);
        } else if lengths[(row + 1) * width + column] >= lengths[row * width + column + 1] {
            lines.push(Line::Old(old[row]));
            row += 1;
        } else {
            lines.push(Line::New(new[column]));
            column += 1;
        }
    }
    lines.extend(olds().skip(row));
    lines.extend(news().skip(column));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_with_what_is_around_them() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm";
        let new = "a\nb\nc\nd\nE\nf\ng\nh\ni\nj\nk\nl\nm\nn\n";
        let shown = "--- f\n+++ f\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n@@ -10,4 +10,5 @@\n j\n k\n l\n\
                     -m\n\\ No newline at end of file\n+m\n+n\n";
        assert_eq!(diff("f", Some(old), Some(new)), shown);
    }

    #[test]
    fn a_file_that_is_made_or_removed_is_shown_whole() {
        let made = "--- /dev/null\n+++ f\n@@ -0,0 +1,2 @@\n+a\n+b\n";
        assert_eq!(diff("f", None, Some("a\nb\n")), made);
        let removed = "--- f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n";
        assert_eq!(diff("f", Some("a\n"), None), removed);
    }
}
