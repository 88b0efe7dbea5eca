//! What stands between a name and its value.

use std::ops::Range;

use super::command_start::COMMAND_BYTES_MAX;
use super::shape::Alphabet;
use super::values::Style;

/// What a sentence says between a name and its value.
const VERBS: [&str; 8] = [
    "is ", "was ", "are ", "set to ", "to ", "is: ", "= ", "value ",
];

/// Reads over what stands between a name and its value.
pub(super) fn separator(text: &[u8], name: &Range<usize>) -> Option<(usize, Style)> {
    let flag = is_flag(text, name);
    let query = matches!(text[..name.start].last(), Some(b'?' | b'&' | b';'));
    let mut at = name.end;
    let closes = |byte: u8| matches!(byte, b'"' | b'\'' | b'`' | b']' | b')' | b'*' | b'?');
    let closed = skip(text, &mut at, closes, 4);
    let spaced = skip(text, &mut at, |byte| matches!(byte, b' ' | b'\t'), 32);
    let rest = &text[at..];
    let begins = |mark: &[u8]| rest.starts_with(mark);
    if begins(b"=>") || begins(b":=") || begins(b"->") || begins(b"==") || begins(b"?=") {
        at += 2;
        if text.get(at) == Some(&b'=') {
            at += 1;
        }
        return Some((at, Style::Code));
    }
    if begins(b"=") {
        let upper = !text[name.clone()].iter().any(u8::is_ascii_lowercase);
        let tight = spaced == 0 && !matches!(rest.get(1), Some(b' '));
        let style = match () {
            () if query || flag => Style::Bare,
            () if tight && (upper || closed == 0) => Style::Environment,
            () => Style::Code,
        };
        return Some((at + 1, style));
    }
    if begins(b":") && !begins(b"::") && !begins(b"://") {
        let style = if closed == 0 && fills_line(text, name, at + 1) {
            Style::Bare
        } else {
            Style::Code
        };
        let behind = after_emphasis(text, at + 1);
        return Some((in_object(text, after_type(text, behind)), style));
    }
    if closed + spaced == 0 && begins(b"(") && sets(&text[name.clone()]) {
        return quoted(text, at + 1).then_some((at + 1, Style::Code));
    }
    if flag && begins(b"<<<") {
        return Some((at + 3, Style::Bare));
    }
    if closed > 0 && spaced > 0 && (begins(b"value") || begins(b"Value")) {
        return Some((named_value(text, at), Style::Code));
    }
    if begins(b"</") {
        return None;
    }
    if begins(b">") && closed == 0 && spaced == 0 {
        return Some((at + 1, Style::Bare));
    }
    if begins(b",") && closed > 0 {
        return Some((named_value(text, at + 1), Style::Code));
    }
    if (begins(b",") || begins(b"\n")) && is_named(&text[..name.start]) {
        let value = named_value(text, at + 1);
        return (value > at + 1).then_some((value, Style::Bare));
    }
    if begins(b"|") {
        return Some((at + 1, Style::Prose));
    }
    if spaced > 0 && flag {
        return Some((at, Style::Bare));
    }
    if spaced > 0 && closed > 0 && matches!(rest.first(), Some(b'"' | b'\'')) {
        return Some((at, Style::Code));
    }
    let verb = VERBS.iter().find(|verb| begins(verb.as_bytes()));
    if let Some(verb) = verb.filter(|_| spaced > 0) {
        return Some((at + verb.len(), Style::Said));
    }
    // `machine host login user password value`, `set password value`.
    (spaced > 0 && closed == 0).then_some((at, Style::Prose))
}

/// Whether a name is that of an option: `--name`, ` -name`.
pub(super) fn is_flag(text: &[u8], name: &Range<usize>) -> bool {
    text[..name.start].ends_with(b"--") || text[..name.start].ends_with(b" -")
}

/// Whether `name=` sets a variable of a shell's: behind what exports it, or in capitals where a line begins, as
/// other files have it, too.
pub(super) fn is_of_shell(text: &[u8], name: &Range<usize>, value: &[u8]) -> bool {
    const EXPORTS: [&[u8]; 5] = [b"export ", b"env ", b"ENV ", b" -e ", b"--env "];
    let before = &text[name.start.saturating_sub(COMMAND_BYTES_MAX)..name.start];
    let exports = |export: &[u8]| {
        let place = memchr::memmem::rfind(before, export);
        place.is_some_and(|at| is_assignments(&before[at + export.len()..]))
    };
    let begins = name.start == 0 || before.ends_with(b"\n");
    let upper = !text[name.clone()].iter().any(u8::is_ascii_lowercase);
    // There words without a number are as often what a label says.
    let telling = value.iter().any(u8::is_ascii_digit);
    EXPORTS.into_iter().any(exports) || begins && upper && telling
}

/// Whether a text is nothing but assignments of a shell's, and a blank behind each: `A=1 B="x y" `.
fn is_assignments(text: &[u8]) -> bool {
    let mut text = after_blanks(text);
    while !text.is_empty() {
        let name = Alphabet::Word.run(text);
        let Some(value) = text[name..].strip_prefix(b"=") else {
            return false;
        };
        let end = match value.first() {
            Some(quote @ (b'"' | b'\'')) => memchr::memchr(*quote, &value[1..]).map(|end| end + 2),
            _ => value.iter().position(|byte| b" \n;|&".contains(byte)),
        };
        let Some(rest) = end.map(|end| &value[end..]) else {
            return false;
        };
        text = after_blanks(rest);
        if text.len() == rest.len() {
            return false;
        }
    }
    true
}

/// What follows blanks, and ends of lines that go on, also as JSON writes them.
fn after_blanks(mut text: &[u8]) -> &[u8] {
    const BLANKS: [&[u8]; 4] = [b" ", b"\\\n", b"\\\r\n", b"\\\\\\n"];
    while let Some(rest) = BLANKS.iter().find_map(|blank| text.strip_prefix(*blank)) {
        text = rest;
    }
    text
}

/// Whether `name: value` is all of its line, as in YAML and in headers.
fn fills_line(text: &[u8], name: &Range<usize>, at: usize) -> bool {
    let before = &text[name.start.saturating_sub(64)..name.start];
    let indent = before
        .iter()
        .rev()
        .find(|byte| !matches!(byte, b' ' | b'-' | b'\t'));
    let rest = text[at..text.len().min(at + 128)].trim_ascii_start();
    let value = rest
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'\"' | b'\'' | b'`'))
        .unwrap_or(rest.len());
    let ended = matches!(
        rest.get(value),
        None | Some(b'\n' | b'\r' | b'\"' | b'\'' | b'`')
    );
    matches!(indent, None | Some(b'\n' | b'"' | b'\'' | b'`'))
        && ended
        && !matches!(rest[..value].last(), Some(b',' | b';' | b'{' | b'('))
}

pub(super) fn skip(text: &[u8], at: &mut usize, of: fn(u8) -> bool, max: usize) -> usize {
    let length = text[*at..]
        .iter()
        .take(max)
        .take_while(|byte| of(**byte))
        .count();
    *at += length;
    length
}

/// `**Name:** value`, `<b>Name:</b> value`: goes on behind the mark, which ends behind the colon.
fn after_emphasis(text: &[u8], at: usize) -> usize {
    const ENDS: [&[u8]; 8] = [
        b"***",
        b"**",
        b"*",
        b"__",
        b"_",
        b"</b>",
        b"</strong>",
        b"</em>",
    ];
    let rest = &text[at..];
    let end = ENDS.iter().find(|end| rest.starts_with(end));
    let end = end.map_or(0, |end| end.len());
    if matches!(rest.get(end), Some(b' ' | b'\t')) {
        at + end
    } else {
        at
    }
}

/// Whether `name:` or `key:` stands at the end of what is before a name, as in YAML.
fn is_named(before: &[u8]) -> bool {
    let unquoted = before.strip_suffix(b"\"").or(before.strip_suffix(b"'"));
    let before = unquoted.unwrap_or(before);
    [&b"name: "[..], b"key: "]
        .iter()
        .any(|key| before.ends_with(key))
}

/// `name: &'static str = value`: goes on behind the type.
fn after_type(text: &[u8], at: usize) -> usize {
    let line = &text[at..text.len().min(at + 48)];
    let typed = line.iter().position(|byte| *byte == b'=').filter(|end| {
        line[..*end]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b" &'<>:|?_".contains(byte))
            && line[..*end].iter().any(u8::is_ascii_alphabetic)
            && !line[..*end].contains(&b'\n')
            && line.get(*end + 1) == Some(&b' ')
            && line[..*end].last() == Some(&b' ')
    });
    typed.map_or(at, |end| at + end + 1)
}

/// `"name": {"value": "Y"}`: goes on behind `value`.
fn in_object(text: &[u8], at: usize) -> usize {
    let mut next = at;
    skip(text, &mut next, |byte| byte.is_ascii_whitespace(), 64);
    if text.get(next) != Some(&b'{') {
        return at;
    }
    let value = named_value(text, next + 1);
    if value == next + 1 { at } else { value }
}

/// Whether a name is that of a function that is given the secret: `setPassword`.
fn sets(name: &[u8]) -> bool {
    let name = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    name.len() > 3 && name[..3].eq_ignore_ascii_case(b"set")
}

/// Whether a string begins at `at`.
fn quoted(text: &[u8], at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default().trim_ascii_start();
    matches!(rest.first(), Some(b'"' | b'\''))
}

/// `"name": "X", "value": "Y"`: goes on behind `value`.
fn named_value(text: &[u8], at: usize) -> usize {
    let mut next = at;
    skip(text, &mut next, |byte| byte.is_ascii_whitespace(), 64);
    skip(text, &mut next, |byte| matches!(byte, b'"' | b'\''), 1);
    let keys = [&b"value"[..], b"Value", b"val"];
    let Some(rest) = keys.iter().find_map(|key| text[next..].strip_prefix(*key)) else {
        return at;
    };
    let mut after = text.len() - rest.len();
    skip(
        text,
        &mut after,
        |byte| matches!(byte, b'"' | b'\'' | b' '),
        3,
    );
    match text.get(after) {
        Some(b':' | b'=') => after + 1,
        _ => at,
    }
}
