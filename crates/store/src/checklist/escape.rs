//! What a line of a file can't say by itself, said in another way that Markdown shows alike.
//!
//! A line break within a text is `<br>`, white space that ends a line (or begins a note) is a
//! character reference. Who means these very characters has them behind a backslash: an odd number of
//! backslashes before them, of which each pair is one.

use super::fence::Fence;

const BREAK: &str = "<br>";
/// White space at the edge of a line, where editors and readers drop it.
const EDGES: [(char, &str); 3] = [(' ', "&#32;"), ('\t', "&#9;"), ('\r', "&#13;")];

/// `text` as one line.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '\n' {
            double_backslashes(&mut line);
            line.push_str(BREAK);
        } else if rest.starts_with(BREAK) {
            double_backslashes(&mut line);
            line.push('\\');
            line.push_str(BREAK);
            rest = &rest[BREAK.len()..];
            continue;
        } else {
            line.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    end(line)
}

/// What [`one_line`] made `line` of.
pub(super) fn text_of_line(line: &str) -> String {
    let line = text_of_end(line);
    let mut text = String::with_capacity(line.len());
    let mut parts = line.split(BREAK);
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        if halve_backslashes(&mut text) {
            text.push_str(BREAK);
        } else {
            text.push('\n');
        }
        text.push_str(part);
    }
    text
}

/// A line of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoteLine {
    First,
    Later,
}

/// A line of a note, as a line that stands by itself; `is_item` tells what would be read as an item.
pub(super) fn note_line(text: &str, which: NoteLine, is_item: fn(&str) -> bool) -> String {
    if let (NoteLine::First, Some((_, reference, rest))) = (which, edge_at_start(text)) {
        return end(format!("{reference}{rest}"));
    }
    let (indent, rest) = split_indent(text);
    let meant = rest.trim_start_matches('\\');
    // A fence is one, unless it is never closed: that is seen where all lines are.
    let is_fence = meant.len() == rest.len() && Fence::opened_by(meant, 0).is_some();
    if is_special(meant, which, is_item) && !is_fence {
        end(format!("{indent}\\{rest}"))
    } else {
        end(text.to_owned())
    }
}

/// An empty line where a blank one would be dropped.
pub(super) const EMPTY_NOTE_LINE: &str = BREAK;

/// What [`note_line`] made `line` of.
pub(super) fn text_of_note_line(line: &str, which: NoteLine, is_item: fn(&str) -> bool) -> String {
    if line == EMPTY_NOTE_LINE {
        return String::new();
    }
    let line = text_of_end(line);
    if which == NoteLine::First
        && let Some((edge, rest)) = reference_at_start(&line)
    {
        return format!("{edge}{rest}");
    }
    let (indent, rest) = split_indent(&line);
    match rest.strip_prefix('\\') {
        Some(meant) if is_special(meant.trim_start_matches('\\'), which, is_item) => {
            format!("{indent}{meant}")
        }
        Some(_) | None => line,
    }
}

/// Whether a line that says this would be read as something else.
fn is_special(text: &str, which: NoteLine, is_item: fn(&str) -> bool) -> bool {
    text == EMPTY_NOTE_LINE
        || is_item(text)
        || Fence::opened_by(text, 0).is_some()
        || (which == NoteLine::First && reference_at_start(text).is_some())
}

/// The spaces and tabs that `text` begins with, and the rest.
pub(super) fn split_indent(text: &str) -> (&str, &str) {
    let rest = text.trim_start_matches([' ', '\t']);
    text.split_at(text.len() - rest.len())
}

fn edge_at_start(text: &str) -> Option<(char, &'static str, &str)> {
    let edges = EDGES.into_iter();
    let mut found =
        edges.filter_map(|(edge, said)| text.strip_prefix(edge).map(|rest| (edge, said, rest)));
    found.next()
}

fn reference_at_start(text: &str) -> Option<(char, &str)> {
    let edges = EDGES.into_iter();
    let mut found =
        edges.filter_map(|(edge, said)| text.strip_prefix(said).map(|rest| (edge, rest)));
    found.next()
}

/// `line` with an end that nobody drops.
fn end(mut line: String) -> String {
    for (edge, reference) in EDGES {
        if line.ends_with(edge) {
            line.pop();
            double_backslashes(&mut line);
            line.push_str(reference);
            return line;
        }
        if line.ends_with(reference) {
            line.truncate(line.len() - reference.len());
            double_backslashes(&mut line);
            line.push('\\');
            line.push_str(reference);
            return line;
        }
    }
    line
}

fn text_of_end(line: &str) -> String {
    for (edge, reference) in EDGES {
        if let Some(before) = line.strip_suffix(reference) {
            let mut text = before.to_owned();
            if halve_backslashes(&mut text) {
                text.push_str(reference);
            } else {
                text.push(edge);
            }
            return text;
        }
    }
    line.to_owned()
}

fn double_backslashes(text: &mut String) {
    let count = backslashes(text);
    text.extend(std::iter::repeat_n('\\', count));
}

/// Makes one backslash of each pair at the end; tells whether there was an odd one.
fn halve_backslashes(text: &mut String) -> bool {
    let count = backslashes(text);
    text.truncate(text.len() - count.div_ceil(2));
    count % 2 == 1
}

fn backslashes(text: &str) -> usize {
    text.len() - text.trim_end_matches('\\').len()
}
