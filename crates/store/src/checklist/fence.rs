//! Fenced blocks of code, whose lines say nothing to a checklist.

use super::escape::split_indent;

/// How many marks make a fence.
const MARKS_MIN: usize = 3;

/// An open block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fence {
    mark: char,
    marks: usize,
    /// A line with text further left is no part of it any more: what it stood in has ended.
    columns: usize,
}

impl Fence {
    /// The block that a line opens which says `text`, where all of its lines have so many columns
    /// before them.
    pub(super) fn opened_by(text: &str, columns: usize) -> Option<Self> {
        let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = text.trim_start_matches(mark);
        let marks = text.len() - info.len();
        // With another mark behind it, it is code within a line.
        let is_inline = mark == '`' && info.contains(mark);
        (marks >= MARKS_MIN && !is_inline).then_some(Self {
            mark,
            marks,
            columns,
        })
    }

    /// Whether a line is its end that says `text`.
    pub(super) fn is_closed_by(&self, text: &str) -> bool {
        text.len() >= self.marks && text.chars().all(|c| c == self.mark)
    }

    /// Whether a line with text behind so many columns is still within it.
    pub(super) fn reaches(&self, columns: usize) -> bool {
        columns >= self.columns
    }
}

/// Puts a backslash before each fence of `lines` that nothing closes: whoever reads them would take
/// what comes after them for code.
pub(super) fn escape_open_fences(lines: &mut [String]) {
    let said = |line: &str| split_indent(line).1.to_owned();
    let mut at = 0;
    while at < lines.len() {
        let Some(fence) = Fence::opened_by(&said(&lines[at]), 0) else {
            at += 1;
            continue;
        };
        let mut rest = lines[at + 1..].iter();
        if let Some(length) = rest.position(|line| fence.is_closed_by(&said(line))) {
            at += length + 2;
            continue;
        }
        let indent = split_indent(&lines[at]).0.len();
        lines[at].insert(indent, '\\');
        at += 1;
    }
}
