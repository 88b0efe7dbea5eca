//! Putting values into a text of JSON, and taking them out, with nothing else touched.

use serde::{Deserialize, Serialize};

use super::json::{Json, Layout, quoted};
use super::jsonc::{self, Kind, Node};

/// A piece of text that stands where another stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edit {
    pub(super) find: String,
    pub(super) leave: String,
}

/// What is put into a container: a value, with a key in an object.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) key: Option<&'static str>,
    pub(super) value: Json,
}

/// Takes edits back, the last one first; none: the text does not hold each of them once.
pub(super) fn undo(text: &str, edits: &[Edit]) -> Option<String> {
    let mut text = text.to_owned();
    for Edit { find, leave } in edits.iter().rev() {
        let (before, after) = text.split_once(find.as_str())?;
        if after.contains(find.as_str()) {
            return None;
        }
        text = format!("{before}{leave}{after}");
    }
    Some(text)
}

/// Writes a whole value into a text that has none.
pub(super) fn write_whole(text: &str, value: &Json) -> (String, Edit) {
    let newline = newline_of(text);
    let layout = Layout {
        newline,
        unit: "  ",
    };
    let gap = match text.is_empty() || text.ends_with(['\n', '\u{feff}']) {
        true => "",
        false => newline,
    };
    let find = format!("{gap}{}{newline}", value.on_lines(layout, ""));
    let edit = Edit {
        find,
        leave: String::new(),
    };
    (format!("{text}{}", edit.find), edit)
}

/// Puts elements behind the last one of a container, in the layout of the text.
pub(super) fn append(
    text: &str,
    root: &Node,
    container: &Node,
    elements: &[Element],
) -> (String, Edit) {
    let inside = container.place.start + 1..container.place.end - 1;
    let unit = unit_of(text, root);
    let layout = Layout {
        newline: newline_of(text),
        unit,
    };
    let outer = indent_of(text, container.place.start);
    let Some(&(_, last)) = places(container).last() else {
        let indent = format!("{outer}{unit}");
        let mut find = on_lines(elements, layout, &indent);
        let at = jsonc::skip(text, inside.start).1;
        if !text[at..inside.end].contains('\n') {
            find.push_str(layout.newline);
            find.push_str(outer);
        }
        return put(text, at, None, &find);
    };
    let first = places(container)[0].0;
    let breaks = |part: &str| part.contains('\n');
    let (end, comment) = jsonc::skip(text, last);
    let find = if breaks(&text[inside.start..first]) || breaks(&text[last..inside.end]) {
        let own = format!("{outer}{unit}");
        let indent = Some(indent_of(text, first)).filter(|_| starts_line(text, first));
        on_lines(elements, layout, indent.unwrap_or(&own))
    } else {
        let parts: Vec<String> = elements.iter().map(Element::on_one_line).collect();
        format!(" {}", parts.join(", "))
    };
    match text[end..].starts_with(',') {
        true => put(text, jsonc::skip(text, end + 1).1, None, &find),
        // The comma goes where the value ends; a comment behind it stays where it is.
        false => put(text, last, Some(comment - last), &find),
    }
}

/// Puts a piece into the text: at a place where none is before it, or, with a comma, behind what
/// stands in `between` bytes from there.
fn put(text: &str, at: usize, between: Option<usize>, piece: &str) -> (String, Edit) {
    let edit = match between {
        None => Edit {
            find: piece.to_owned(),
            leave: String::new(),
        },
        Some(between) => {
            let leave = text[at..at + between].to_owned();
            Edit {
                find: format!(",{leave}{piece}"),
                leave,
            }
        }
    };
    let rest = &text[at + edit.leave.len()..];
    (format!("{}{}{rest}", &text[..at], edit.find), edit)
}

fn on_lines(elements: &[Element], layout: Layout<'_>, indent: &str) -> String {
    let gap = format!("{}{indent}", layout.newline);
    let part = |element: &Element| {
        let value = element.value.on_lines(layout, indent);
        match element.key {
            Some(key) => format!("{gap}{}: {value}", quoted(key)),
            None => format!("{gap}{value}"),
        }
    };
    let parts: Vec<String> = elements.iter().map(part).collect();
    parts.join(",")
}

impl Element {
    fn on_one_line(&self) -> String {
        let value = self.value.on_one_line();
        match self.key {
            Some(key) => format!("{}: {value}", quoted(key)),
            None => value,
        }
    }
}

/// Takes the element at `index` out of a container, with its comma and the space that is its own.
pub(super) fn remove(text: &str, container: &Node, index: usize) -> String {
    let places = places(container);
    let (start, end) = places[index];
    let inside = container.place.start + 1..container.place.end - 1;
    let without = |from: usize, to: usize| format!("{}{}", &text[..from], &text[to..]);
    let next = jsonc::skip(text, end).0;
    let has_comma = text[next..].starts_with(',');
    if has_comma && places.len() > 1 {
        let rest = &text[next + 1..];
        let space = rest.len() - rest.trim_start().len();
        return without(start, next + 1 + space);
    }
    if let Some(before) = index.checked_sub(1) {
        let comma = jsonc::skip(text, places[before].1).0;
        let space = jsonc::skip(text, comma + 1).1;
        // What ends a comment stays, where nothing else would end it.
        let ends_line = text[end..]
            .trim_start_matches([' ', '\t', '\r'])
            .starts_with('\n');
        let is_free = space == comma + 1 || ends_line;
        let from = if is_free { space } else { start };
        return format!(
            "{}{}{}",
            &text[..comma],
            &text[comma + 1..from],
            &text[end..]
        );
    }
    let after = if has_comma { next + 1 } else { end };
    let is_bare = |part: &str| part.trim().is_empty();
    match is_bare(&text[inside.start..start]) && is_bare(&text[after..inside.end]) {
        true => without(inside.start, inside.end),
        false => without(start, after),
    }
}

/// Where the elements of a container begin and end.
fn places(container: &Node) -> Vec<(usize, usize)> {
    match &container.kind {
        Kind::Object(members) => {
            let members = members.iter();
            members
                .map(|member| (member.start, member.value.place.end))
                .collect()
        }
        Kind::Array(items) => items
            .iter()
            .map(|item| (item.place.start, item.place.end))
            .collect(),
        Kind::Text(_) | Kind::Other => Vec::new(),
    }
}

/// How the first line of a text ends.
fn newline_of(text: &str) -> &'static str {
    match text.find('\n').map(|at| text[..at].ends_with('\r')) {
        Some(true) => "\r\n",
        Some(false) | None => "\n",
    }
}

/// What a level of the text is indented by.
fn unit_of<'t>(text: &'t str, root: &Node) -> &'t str {
    let first = places(root).first().copied();
    let indent = first.filter(|(start, _)| starts_line(text, *start));
    let indent = indent.map(|(start, _)| indent_of(text, start));
    indent.filter(|indent| !indent.is_empty()).unwrap_or("  ")
}

/// The space at the beginning of the line of a place.
fn indent_of(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..at].trim_start_matches('\u{feff}');
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn starts_line(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..at].trim().is_empty()
}
