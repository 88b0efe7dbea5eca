//! Values that are all of their line behind `NAME=` or `NAME: `, or all of their part of a connection
//! string: whatever signs are in them, they end nowhere else.

use std::ops::Range;

use super::names;
use super::shape::Alphabet;
use super::values::{self, Promise};
use super::words::is_wordy;

/// What a line begins with, and a value that fills it, are no longer.
const LINE_BYTES_MAX: usize = 300;
/// What ends a value elsewhere, or is of an expression.
const SIGNS: &[u8] = b",;|<>&#()[]{}";
/// What does not belong to a value that ends with it elsewhere.
const TRAIL: &[u8] = b".:*";

/// Where a value ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// With its line.
    Line,
    /// With the line, or the string that began before the name.
    Quote(u8),
    /// With its part of a connection string.
    Part,
}

/// The secret behind the name at `name`, whose `=` or `:` ends at `at`, if it fills its place and has signs
/// that end it in another.
pub(super) fn secret(
    text: &[u8],
    name: &Range<usize>,
    at: usize,
    promise: Promise,
) -> Option<Range<usize>> {
    let name_text = &text[name.clone()];
    let other = names::is_signature(name_text) || names::is_plain_pass(name_text);
    let assigned = match &text[name.end..at] {
        [blank @ .., b'=' | b':'] => blank.iter().all(|byte| Alphabet::Blank.has(*byte)),
        _ => false,
    };
    (assigned && !other).then_some(())?;
    let end = begins(&text[name.start.saturating_sub(LINE_BYTES_MAX)..name.start])?;
    let range = value(text, at, end)?;
    is_secret(&text[range.clone()], promise).then_some(range)
}

/// Where a value ends whose name has `before` before it; nothing where more than the value is on the line.
fn begins(before: &[u8]) -> Option<End> {
    const COMMANDS: [&[u8]; 6] = [
        b"export ",
        b"declare -x ",
        b"set ",
        b"SET ",
        b"ENV ",
        b"ARG ",
    ];
    let newline = memchr::memrchr(b'\n', before);
    let line = &before[newline.map_or(0, |newline| newline + 1)..];
    if line.trim_ascii_end().ends_with(b";") && is_connection(line) {
        return Some(End::Part);
    }
    let command = COMMANDS.iter().find_map(|one| line.strip_suffix(*one));
    let line = command.unwrap_or(line);
    let marks = line.iter().rev();
    let marks = marks.take_while(|byte| b" \t-+>*".contains(byte)).count();
    let number = &line[..line.len() - marks];
    match number {
        [] => Some(End::Line),
        [.., b'\\', b'n' | b'r'] => Some(End::Quote(b'"')),
        [.., quote @ (b'"' | b'\'' | b'`')] if marks == 0 => Some(End::Quote(*quote)),
        // Numbers of lines, as they are shown before files.
        [.., digit, b':'] if digit.is_ascii_digit() => Some(End::Line),
        _ if ["→", "│"]
            .iter()
            .any(|mark| number.ends_with(mark.as_bytes())) =>
        {
            Some(End::Line)
        }
        _ => {
            let digits = number.trim_ascii();
            (Alphabet::Digit.run(digits) == digits.len()).then_some(End::Line)
        }
    }
}

/// Whether a line is a connection string, as far as it goes.
fn is_connection(line: &[u8]) -> bool {
    const MEMBERS: [&[u8]; 8] = [
        b"server=",
        b"source=",
        b"host=",
        b"endpoint=",
        b"database=",
        b"catalog=",
        b"user=",
        b"id=",
    ];
    let line = line.to_ascii_lowercase();
    MEMBERS
        .iter()
        .any(|member| memchr::memmem::find(&line, member).is_some())
}

/// The value at `at`, without blanks and a comment; nothing if it is quoted, or of several words.
fn value(text: &[u8], at: usize, end: End) -> Option<Range<usize>> {
    let start = at + Alphabet::Blank.run(&text[at..]);
    let rest = &text[start..text.len().min(start + LINE_BYTES_MAX)];
    let whole = start + rest.len() == text.len();
    let length = (0..rest.len()).find(|at| ends(&rest[*at..], end));
    let mut line = &rest[..length.or(whole.then_some(rest.len()))?];
    let comment = |pair: &[u8]| Alphabet::Blank.has(pair[0]) && pair[1] == b'#';
    if let Some(comment) = line.windows(2).position(comment) {
        line = &line[..comment];
    }
    let mut line = line.trim_ascii_end();
    if end == End::Line {
        line = without_closed_quote(line);
    }
    line = &line[..next_member(line)?];
    if end == End::Part {
        line = line.strip_suffix(b";").unwrap_or(line);
    }
    let first = line.first()?;
    let quoted = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`');
    let string = quoted(first) || line.get(1).is_some_and(quoted) && b"bfru$@L".contains(first);
    let blank = line.iter().any(u8::is_ascii_whitespace);
    let argument = line
        .windows(2)
        .any(|pair| b"([{=,+".contains(&pair[0]) && quoted(&pair[1]));
    (!string && !blank && !argument).then_some(start..start + line.len())
}

fn ends(rest: &[u8], end: End) -> bool {
    match rest {
        [b'\n' | b'\r', ..] => true,
        // As JSON writes the end of a line, and of a string.
        [b'\\', b'n' | b'r' | b't' | b'"' | b'\\', ..] => true,
        [byte, ..] => match end {
            End::Line => false,
            End::Quote(quote) => *byte == quote,
            End::Part => matches!(byte, b'"' | b'\'' | b'`'),
        },
        [] => true,
    }
}

/// A line without a quote that closes what began before it, and what is behind that.
fn without_closed_quote(line: &[u8]) -> &[u8] {
    let closers = line.iter().rev();
    let closers = closers.take_while(|byte| b"\"'`,;)]}".contains(byte));
    let from = line.len() - closers.count();
    let quote = line[from..].iter().position(|byte| b"\"'`".contains(byte));
    quote.map_or(line, |quote| &line[..from + quote])
}

/// The length of a value before `;name=`; nothing where `&name=` follows it, as in a form.
fn next_member(line: &[u8]) -> Option<usize> {
    let mut separators = (0..line.len()).filter(|at| matches!(line[*at], b';' | b'&'));
    match separators.find(|at| is_member(&line[at + 1..])) {
        Some(at) => (line[at] == b';').then_some(at),
        None => Some(line.len()),
    }
}

/// Whether a text begins with `name=`, where a name may be of several words.
fn is_member(text: &[u8]) -> bool {
    const NAME_BYTES_MIN: usize = 3;
    let name = text
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'_'));
    let name = name.count();
    name >= NAME_BYTES_MIN && text.get(name) == Some(&b'=') && is_wordy(&text[..name])
}

/// Whether a value that fills its place, signs and all, is a secret.
fn is_secret(value: &[u8], promise: Promise) -> bool {
    const PASSWORD_BYTES_MIN: usize = 6;
    const SORTS_MIN: usize = 3;
    let signs = value.iter().any(|byte| SIGNS.contains(byte))
        || value.last().is_some_and(|last| TRAIL.contains(last));
    if !signs || value.len() < PASSWORD_BYTES_MIN || is_code(value) || is_path(value) {
        return false;
    }
    if values::is_placeholder(value) || has_slot(value) {
        return false;
    }
    let has = |test: fn(&u8) -> bool| usize::from(value.iter().any(test));
    let sorts = has(u8::is_ascii_lowercase)
        + has(u8::is_ascii_uppercase)
        + has(u8::is_ascii_digit)
        + has(u8::is_ascii_punctuation);
    match promise {
        Promise::Password => value.len() <= 256 && sorts >= SORTS_MIN,
        Promise::Secret => values::is_random(value, 10),
        Promise::Perhaps => false,
    }
}

fn is_path(value: &[u8]) -> bool {
    let rooted = [&b"/"[..], b"./", b"~/", b"../", b"\\"]
        .iter()
        .any(|root| value.starts_with(root));
    rooted && is_wordy(value) || memchr::memmem::find(value, b"://").is_some()
}

/// Whether a name stands in brackets, for what is to be put there: `{name}`, `<name>`.
fn has_slot(value: &[u8]) -> bool {
    const NAME_BYTES_MIN: usize = 3;
    value.iter().enumerate().any(|(at, byte)| {
        let close = match byte {
            b'{' => b'}',
            b'<' => b'>',
            _ => return false,
        };
        let name = Alphabet::Dotted.run(&value[at + 1..]);
        let inside = &value[at + 1..][..name];
        name >= NAME_BYTES_MIN && value.get(at + 1 + name) == Some(&close) && is_wordy(inside)
    })
}

/// Whether a value is an expression: names, joined as code joins them, with what is in their brackets.
fn is_code(value: &[u8]) -> bool {
    if let [b'$', digit, next, ..] = value
        && digit.is_ascii_digit()
        && !next.is_ascii_alphanumeric()
    {
        return true;
    }
    let trail = value.iter().rev().take_while(|byte| b",;".contains(byte));
    let value = &value[..value.len() - trail.count()];
    let closers = value.iter().rev().take_while(|byte| b")]}".contains(byte));
    let unclosed = &value[..value.len() - closers.count()];
    is_expression(value) || unclosed.len() < value.len() && is_expression(unclosed)
}

fn is_expression(mut rest: &[u8]) -> bool {
    loop {
        let signs = rest.iter().take_while(|byte| b"&*!$@.".contains(byte));
        rest = &rest[signs.count()..];
        let name = Alphabet::Word.run(rest);
        let letter = name == 1 && matches!(rest.get(1), Some(b'.' | b'('));
        if name < 2 && !letter || !is_wordy(&rest[..name]) {
            return false;
        }
        rest = after_brackets(&rest[name..]);
        rest = match rest {
            // The rest of a call, a list or an object is on the next lines.
            [] | [b'(' | b'[' | b'{'] => return true,
            [b'.' | b'|' | b'+' | b'?' | b':', next @ ..] => next,
            [b'-', b'>', next @ ..] | [b'&', b'&', next @ ..] => next,
            _ => return false,
        };
        let again = rest.iter().take_while(|byte| b".|?:".contains(byte));
        rest = &rest[again.count()..];
        if rest.is_empty() {
            return true;
        }
    }
}

/// What follows the brackets, closed again, that `text` begins with.
fn after_brackets(mut text: &[u8]) -> &[u8] {
    loop {
        let (open, close) = match text.first() {
            Some(b'(') => (b'(', b')'),
            Some(b'[') => (b'[', b']'),
            Some(b'<') => (b'<', b'>'),
            Some(b'{') => (b'{', b'}'),
            _ => return text,
        };
        let mut depth = 0_usize;
        let closed = text.iter().position(|byte| {
            depth += usize::from(*byte == open);
            depth -= usize::from(*byte == close);
            depth == 0
        });
        match closed {
            Some(closed) => text = &text[closed + 1..],
            None => return text,
        }
    }
}
