//! Values that a name before them gives away: `name = value` in all the ways of writing it.

use std::ops::Range;

use super::shape::Alphabet;
use super::values::{self, Promise, Style};
use super::{Hit, Kind, folded, jwk, lines, names, seam};

/// What a look at a name found.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) hit: Option<Hit<'static>>,
    /// The end of what need not be looked at again.
    pub(super) name_end: usize,
    /// Whether escapes or breaks stand where a value could.
    pub(super) hides: bool,
}

/// A name longer than this is none.
const NAME_BYTES_MAX: usize = 80;
/// What is longer is read once, whatever names stand in it.
const LONG_BYTES: usize = 256;
/// A value written without an end is read so far.
const VALUE_BYTES_MAX: usize = 4096;

/// What may follow a name that has a value.
const AFTER_NAME: &[u8] = b"=:\"'`])><|,\\%& \t\x1b*\n?";

/// Looks at the name around `word`, and at what follows.
pub(super) fn look(text: &[u8], word: &Range<usize>) -> Look {
    let name = name_around(text, word);
    let mut look = Look {
        hit: None,
        name_end: name.end,
        hides: false,
    };
    if !text
        .get(name.end)
        .is_some_and(|next| AFTER_NAME.contains(next))
    {
        return look;
    }
    look.hides = name.start > 0 && matches!(text[name.start - 1], b'\\' | b'%');
    if let Some(promise) = promise_of(text, &name) {
        let near = &text[name.end..text.len().min(name.end + 16)];
        look.hides = near.iter().any(hides);
        if let Some((at, style)) = separator(text, &name) {
            look.value(text, &name, promise, at, style);
        }
    }
    look
}

/// Whether a byte begins an escape.
fn hides(byte: &u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&' | 0x1b)
}

impl Look {
    /// Looks at the value at `at`.
    fn value(
        &mut self,
        text: &[u8],
        name: &Range<usize>,
        promise: Promise,
        mut at: usize,
        style: Style,
    ) {
        if let Some(secret) = lines::secret(text, name, at, promise) {
            self.hit = Some(hit(promise, secret));
            return;
        }
        let blanks = Alphabet::Blank.run(&text[at..]);
        if matches!(text.get(at + blanks), Some(b'|' | b'>'))
            && let Some(folded) = folded::below(text, at + blanks)
            && values::is_secret(&folded.joined, promise, Style::Quoted)
        {
            self.hit = Some(hit(promise, folded.range));
            return;
        }
        let Some((value, style)) = value(text, &mut at, style, name) else {
            return;
        };
        let bytes = &text[value.clone()];
        if bytes.len() > LONG_BYTES {
            self.name_end = value.end;
        }
        let name = &text[name.clone()];
        let written = match style {
            Style::Environment | Style::Bare => true,
            Style::Quoted => !names::is_signature(name),
            Style::Code | Style::Prose | Style::Said => {
                !names::is_signature(name) && !names::is_plain_pass(name)
            }
        };
        self.hides |= bytes.iter().any(|byte| *byte != b'&' && hides(byte))
            || text.get(value.end).is_some_and(hides)
            || value.end < text.len() && seam::starting(text, value.end).is_some();
        let issued = || values::is_issued(name, bytes);
        if written && (values::is_secret(bytes, promise, style) || issued()) {
            self.hit = Some(hit(promise, value));
        }
    }
}

fn hit(promise: Promise, range: Range<usize>) -> Hit<'static> {
    Hit {
        rule: rule(promise),
        kind: kind(promise),
        range,
    }
}

fn kind(promise: Promise) -> Kind {
    match promise {
        Promise::Password => Kind::Password,
        Promise::Secret | Promise::Perhaps => Kind::Assigned,
    }
}

/// Whether `value` is a secret where `name` names it, as a member of an object does.
pub(super) fn member(name: &str, value: &str) -> Option<(&'static str, Kind)> {
    if jwk::is_member(name, value) {
        return Some((jwk::RULE, Kind::Token));
    }
    let promise = names::promise(name.as_bytes())?;
    if names::is_signature(name.as_bytes()) {
        return None;
    }
    let secret = values::is_secret(value.as_bytes(), promise, Style::Quoted)
        || values::is_issued(name.as_bytes(), value.as_bytes());
    secret.then(|| (rule(promise), kind(promise)))
}

fn rule(promise: Promise) -> &'static str {
    match promise {
        Promise::Password => "password",
        Promise::Secret => "secret",
        Promise::Perhaps => "session",
    }
}

fn name_around(text: &[u8], word: &Range<usize>) -> Range<usize> {
    let mut start = word.start - Alphabet::Dotted.run_back(&text[..word.start], NAME_BYTES_MAX);
    while start < word.start && matches!(text[start], b'-' | b'.') {
        start += 1;
    }
    let rest = &text[word.end..text.len().min(word.end + NAME_BYTES_MAX)];
    let mut end = word.end + Alphabet::Dotted.run(rest);
    while end > word.end && matches!(text[end - 1], b'-' | b'.') {
        end -= 1;
    }
    start..end
}

/// What a name promises, with the word before it: `API key`, `Datadog app key`.
fn promise_of(text: &[u8], name: &Range<usize>) -> Option<Promise> {
    let own = names::promise(&text[name.clone()]);
    if own.is_some() || text[name.clone()].len() > 8 {
        return own;
    }
    let before = text[..name.start].strip_suffix(b" ")?;
    let length = Alphabet::Url64.run_back(before, 24);
    if length == 0 {
        return None;
    }
    names::promise(&text[name.start - 1 - length..name.end])
}

/// Reads over what stands between a name and its value.
fn separator(text: &[u8], name: &Range<usize>) -> Option<(usize, Style)> {
    let flag = text[..name.start].ends_with(b"--") || text[..name.start].ends_with(b" -");
    let query = matches!(text[..name.start].last(), Some(b'?' | b'&' | b';'));
    let mut at = name.end;
    let closed = skip(
        text,
        &mut at,
        |byte| matches!(byte, b'"' | b'\'' | b'`' | b']' | b')' | b'*' | b'?'),
        4,
    );
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
        return Some((after_type(text, at + 1), style));
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
    if begins(b"|") {
        return Some((at + 1, Style::Prose));
    }
    if spaced > 0 && flag {
        return Some((at, Style::Bare));
    }
    if spaced > 0 && closed > 0 && matches!(rest.first(), Some(b'"' | b'\'')) {
        return Some((at, Style::Code));
    }
    for verb in [
        "is ", "was ", "are ", "set to ", "to ", "is: ", "= ", "value ",
    ] {
        if spaced > 0 && begins(verb.as_bytes()) {
            return Some((at + verb.len(), Style::Said));
        }
    }
    // `machine host login user password value`, `set password value`.
    (spaced > 0 && closed == 0).then_some((at, Style::Prose))
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

fn skip(text: &[u8], at: &mut usize, of: fn(u8) -> bool, max: usize) -> usize {
    let length = text[*at..]
        .iter()
        .take(max)
        .take_while(|byte| of(**byte))
        .count();
    *at += length;
    length
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

/// `"name": "X", "value": "Y"`: goes on behind `value`.
fn named_value(text: &[u8], at: usize) -> usize {
    let mut next = at;
    skip(text, &mut next, |byte| byte.is_ascii_whitespace(), 64);
    skip(text, &mut next, |byte| matches!(byte, b'"' | b'\''), 1);
    let Some(rest) = text[next..]
        .strip_prefix(b"value")
        .or_else(|| text[next..].strip_prefix(b"Value"))
    else {
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

/// The value at `at`, without quotes, schemes and what trails it.
fn value(
    text: &[u8],
    at: &mut usize,
    style: Style,
    name: &Range<usize>,
) -> Option<(Range<usize>, Style)> {
    skip(text, at, |byte| matches!(byte, b' ' | b'\t'), 32);
    // A cell of a table.
    if text.get(*at) == Some(&b'|') {
        *at += 1;
        skip(text, at, |byte| byte == b' ', 4);
    }
    if style == Style::Code && text.get(*at) == Some(&b'\n') {
        // The next line, if it holds a string and nothing more.
        skip(text, at, |byte| byte.is_ascii_whitespace(), 64);
        if !matches!(text.get(*at), Some(b'"' | b'\'' | b'`')) {
            return None;
        }
    }
    *at += names::scheme_length(&text[*at..]);
    skip(text, at, |byte| matches!(byte, b'*'), 2);
    string_prefix(text, at);
    let quote = text
        .get(*at)
        .copied()
        .filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    if let Some(quote) = quote {
        *at += 1;
        if text.get(*at) == Some(&quote) {
            return None;
        }
        *at += names::scheme_length(&text[*at..]);
        let length = quoted_length(&text[*at..], quote)?;
        return Some((*at..*at + length, Style::Quoted));
    }
    let query = matches!(text[..name.start].last(), Some(b'?' | b'&')) || style == Style::Bare;
    let start = *at;
    let rest = &text[start..text.len().min(start + VALUE_BYTES_MAX)];
    let ends = |byte: &u8| {
        byte.is_ascii_whitespace()
            || byte.is_ascii_control()
            || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'|' | b';')
            || query && matches!(byte, b'&' | b'#')
            || style != Style::Environment && *byte == b','
    };
    let mut length = rest.iter().position(ends).unwrap_or(rest.len());
    while length > 0
        && matches!(
            rest[length - 1],
            b',' | b'.' | b')' | b']' | b'}' | b'\\' | b':' | b'*'
        )
    {
        length -= 1;
    }
    if rest.get(length) == Some(&b'(') {
        return None;
    }
    (length > 0).then_some((start..start + length, style))
}

/// The letters before a string: `b"…"`, `rb'…'`, `$'…'`.
fn string_prefix(text: &[u8], at: &mut usize) {
    let length = text[*at..]
        .iter()
        .take(2)
        .take_while(|byte| matches!(byte, b'b' | b'f' | b'r' | b'u' | b'$' | b'@' | b'L'))
        .count();
    if length > 0 && matches!(text.get(*at + length), Some(b'"' | b'\'')) {
        *at += length;
    }
}

/// The length of a string's text; nothing if it has no end on its line.
fn quoted_length(text: &[u8], quote: u8) -> Option<usize> {
    let text = &text[..text.len().min(VALUE_BYTES_MAX)];
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\\' if at + 1 < text.len() => at += 2,
            b'\n' | b'\r' => return (at >= 6).then_some(at),
            byte if byte == quote => return Some(at),
            _ => at += 1,
        }
    }
    (at >= 6).then_some(text.len())
}
