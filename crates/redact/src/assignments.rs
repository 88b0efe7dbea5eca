//! Values that a name before them gives away: `name = value` in all the ways of writing it.

use std::ops::Range;

use super::separators::{is_flag, is_of_shell, separator, skip};
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
const AFTER_NAME: &[u8] = b"=:\"'`]()><|,\\%& \t\x1b*\n?";

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
            Style::Quoted | Style::Argument => !names::is_signature(name),
            Style::Code | Style::Prose | Style::Said => {
                !names::is_signature(name) && !names::is_plain_pass(name)
            }
        };
        self.hides |= bytes.iter().any(|byte| *byte != b'&' && hides(byte))
            || text.get(value.end).is_some_and(hides)
            || value.end < text.len() && seam::starting(text, value.end).is_some();
        if written && is_told(name, bytes, promise, style) {
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

/// Whether `value` is a secret where `name` names it, as a member of an object does, or a flag its argument.
pub(super) fn member(name: &str, value: &str, style: Style) -> Option<(&'static str, Kind)> {
    if jwk::is_member(name, value) {
        return Some((jwk::RULE, Kind::Token));
    }
    let promise = names::promise(name.as_bytes())?;
    if names::is_signature(name.as_bytes()) {
        return None;
    }
    let secret = is_told(name.as_bytes(), value.as_bytes(), promise, style);
    secret.then(|| (rule(promise), kind(promise)))
}

/// Whether `value` is a secret, where `name` promises one.
fn is_told(name: &[u8], value: &[u8], promise: Promise, style: Style) -> bool {
    // What a search for a flag is given to look in.
    let searched = style == Style::Argument && value.contains(&b' ') && is_file(value);
    !searched && values::is_secret(value, promise, style) || values::is_issued(name, value)
}

/// Whether a value is the path of a file, by what its name ends with.
fn is_file(value: &[u8]) -> bool {
    const EXTENSION_BYTES_MAX: usize = 5;
    let dot = memchr::memrchr(b'.', value);
    let extension = dot.map_or(&[][..], |dot| &value[dot + 1..]);
    (1..=EXTENSION_BYTES_MAX).contains(&extension.len())
        && extension.iter().all(u8::is_ascii_alphanumeric)
        && values::is_path(value)
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
        let style = quoted_style(text, name, &text[*at..*at + length], style);
        return Some((*at..*at + length, style));
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

/// How a string between quotes is judged, where without them it was `style`.
fn quoted_style(text: &[u8], name: &Range<usize>, value: &[u8], style: Style) -> Style {
    // Behind a flag that is closed by a quote, this may be what its help says.
    let is_open = matches!(text.get(name.end), Some(b' ' | b'='));
    let is_argument = is_open
        && match style {
            Style::Bare => is_flag(text, name),
            Style::Environment => value.contains(&b' ') && is_of_shell(text, name, value),
            Style::Quoted | Style::Argument | Style::Code | Style::Prose | Style::Said => false,
        };
    match is_argument {
        true => Style::Argument,
        false => Style::Quoted,
    }
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
