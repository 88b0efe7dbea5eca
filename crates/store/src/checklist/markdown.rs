//! Markdown checklists, and plain text ones: `- [x] milk`, or `[x] milk`.

use super::escape::{
    EMPTY_NOTE_LINE, NoteLine, note_line, one_line, split_indent, text_of_line, text_of_note_line,
};
use super::fence::{Fence, escape_open_fences};
use super::{Checklist, Entry, ForeignLine, Place};

/// How far a note stands to the right of its item.
const NOTE_INDENT: &str = "  ";
/// The columns between two tab stops.
const TAB_COLUMNS: usize = 4;
/// More digits are no number of a list item in Markdown.
const NUMBER_DIGITS_MAX: usize = 9;

/// What stands before the tick of an item that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bullets {
    /// `- [ ]`, as Markdown has it.
    Dashes,
    /// `[ ]`, as a person reads it.
    None,
}

/// Writes a checklist: the title as a heading where there is one, a line for each item, and its note
/// as a paragraph below it.
pub fn write_markdown<'a>(
    title: Option<&str>,
    entries: impl IntoIterator<Item = &'a Entry>,
    bullets: Bullets,
) -> String {
    let mut out = String::new();
    if let Some(title) = title {
        out.push_str(&format!("# {}\n\n", title.replace('\n', " ")));
    }
    for entry in entries {
        write_entry(&mut out, entry, bullets);
    }
    out
}

fn write_entry(out: &mut String, entry: &Entry, bullets: Bullets) {
    let (indent, text) = split_indent(&entry.text);
    let bullet = match bullets {
        Bullets::Dashes => "- ",
        Bullets::None => "",
    };
    let tick = if entry.done { "[x]" } else { "[ ]" };
    let line = format!("{indent}{bullet}{tick} {}", one_line(text));
    out.push_str(line.trim_end_matches(' '));
    out.push('\n');
    if entry.note.is_empty() {
        return;
    }
    if bullets == Bullets::Dashes {
        out.push('\n');
    }
    for line in note_lines(&entry.note) {
        if !line.is_empty() {
            out.push_str(&format!("{indent}{NOTE_INDENT}{line}"));
        }
        out.push('\n');
    }
}

fn note_lines(note: &str) -> Vec<String> {
    let last = note.split('\n').count() - 1;
    let lines = note.split('\n').enumerate().map(|(number, line)| {
        let which = if number == 0 {
            NoteLine::First
        } else {
            NoteLine::Later
        };
        if line.is_empty() && (number == 0 || number == last) {
            return EMPTY_NOTE_LINE.to_owned();
        }
        note_line(line, which, is_item)
    });
    let mut lines: Vec<String> = lines.collect();
    escape_open_fences(&mut lines);
    lines
}

/// Reads a checklist. Bullets are `-`, `*`, `+`, a number, or none; lines that stand to the right of
/// the item above are its note; the first heading, if no item is before it, is the title. A fenced
/// block is part of a note, or of no checklist, whatever its lines say.
pub fn read_markdown(text: &str) -> Checklist {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::default();
    for (number, line) in (1..).zip(text.split('\n')) {
        reader.read(number, line.trim_end_matches([' ', '\t', '\r']));
    }
    reader.end_item();
    reader.read
}

#[derive(Default)]
struct Reader {
    read: Checklist,
    /// The item whose note may follow.
    open: Option<OpenItem>,
    /// The fenced block that is open: of that item's note, if there is one.
    fence: Option<Fence>,
}

struct OpenItem {
    place: Place,
    entry: Entry,
    columns: usize,
    /// The indentation of its note, once there is a line of it.
    note_indent: Option<String>,
    /// Blank lines, which belong to the note if more of it follows.
    blank_lines: usize,
}

impl Reader {
    fn read(&mut self, number: u64, line: &str) {
        let (indent, rest) = split_indent(line);
        let ends = |fence: &Fence| !rest.is_empty() && !fence.reaches(columns(indent));
        self.fence = self.fence.filter(|fence| !ends(fence));
        if let Some((done, text)) = item(rest).filter(|_| self.fence.is_none()) {
            self.end_item();
            self.open = Some(OpenItem {
                place: Place::Line(number),
                entry: Entry {
                    id: None,
                    text: format!("{indent}{}", text_of_line(text)),
                    done,
                    note: String::new(),
                },
                columns: columns(indent),
                note_indent: None,
                blank_lines: 0,
            });
            return;
        }
        match &mut self.open {
            Some(open) if rest.is_empty() => open.blank_lines += 1,
            Some(open) if columns(indent) > open.columns => {
                let columns = open.columns + 1;
                open.read_note(indent, line);
                self.read_fence(rest, columns);
            }
            Some(_) | None if rest.is_empty() => {}
            Some(_) | None => {
                self.end_item();
                self.read_foreign(number, line);
                self.read_fence(rest, columns(indent));
            }
        }
    }

    /// Takes note of a fence, where the line is one.
    fn read_fence(&mut self, text: &str, columns: usize) {
        self.fence = match self.fence {
            Some(fence) => Some(fence).filter(|fence| !fence.is_closed_by(text)),
            None => Fence::opened_by(text, columns),
        };
    }

    fn end_item(&mut self) {
        if let Some(open) = self.open.take() {
            self.read.entries.push((open.place, open.entry));
        }
    }

    fn read_foreign(&mut self, number: u64, line: &str) {
        let heading = line.trim_start_matches('#');
        let is_heading = heading.len() < line.len() && heading.starts_with([' ', '\t']);
        let is_first = self.read.title.is_none() && self.read.entries.is_empty();
        if is_heading && is_first && self.fence.is_none() {
            self.read.title = Some(heading.trim().to_owned());
            return;
        }
        self.read.foreign.push(ForeignLine {
            line: number,
            text: line.to_owned(),
        });
    }
}

impl OpenItem {
    fn read_note(&mut self, indent: &str, line: &str) {
        let (which, strip) = match &self.note_indent {
            None => (NoteLine::First, indent),
            Some(first) => (NoteLine::Later, common_prefix(first, indent)),
        };
        let text = text_of_note_line(&line[strip.len()..], which, is_item);
        if which == NoteLine::Later {
            let breaks = self.blank_lines + 1;
            self.entry.note.extend(std::iter::repeat_n('\n', breaks));
        }
        self.entry.note.push_str(&text);
        self.note_indent.get_or_insert_with(|| indent.to_owned());
        self.blank_lines = 0;
    }
}

/// Whether a line that says this, wherever it begins, is an item.
fn is_item(text: &str) -> bool {
    item(text.trim_end_matches([' ', '\t', '\r'])).is_some()
}

/// The tick and the text of an item that begins here.
fn item(line: &str) -> Option<(bool, &str)> {
    let unmarked = match after_bullet(line) {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start_matches([' ', '\t']),
        Some(_) | None => line,
    };
    let inner = unmarked.strip_prefix('[')?;
    let done = match inner.chars().next()? {
        ' ' => false,
        'x' | 'X' => true,
        _ => return None,
    };
    let text = inner[1..].strip_prefix(']')?;
    let ends = text.is_empty() || text.starts_with([' ', '\t']);
    ends.then(|| (done, text.trim_start_matches([' ', '\t'])))
}

/// What follows the bullet or the number that `line` begins with.
fn after_bullet(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix(['-', '*', '+']) {
        return Some(rest);
    }
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = line.len() - rest.len();
    let number = (1..=NUMBER_DIGITS_MAX).contains(&digits);
    rest.strip_prefix(['.', ')']).filter(|_| number)
}

/// How wide an indentation is.
fn columns(indent: &str) -> usize {
    indent.chars().fold(0, |columns, c| match c {
        '\t' => (columns / TAB_COLUMNS + 1) * TAB_COLUMNS,
        _ => columns + 1,
    })
}

/// The part that two indentations begin with alike; both are of one-byte characters.
fn common_prefix<'a>(one: &str, other: &'a str) -> &'a str {
    let same = one.bytes().zip(other.bytes());
    &other[..same.take_while(|(a, b)| a == b).count()]
}
