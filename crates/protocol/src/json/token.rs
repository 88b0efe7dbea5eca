//! One JSON value as it stands in the text.

use std::borrow::Cow;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    False,
    True,
    Number,
    /// Without any escape: the text between the quotes is the string.
    PlainString,
    EscapedString,
    /// An array or object, and how deep it nests: 1 for one that holds no other.
    Nested(usize),
}

/// A value whose syntax has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) kind: Kind,
}

impl<'a> Token<'a> {
    pub(crate) fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::True => Some(true),
            Kind::False => Some(false),
            Kind::Null
            | Kind::Number
            | Kind::PlainString
            | Kind::EscapedString
            | Kind::Nested(_) => None,
        }
    }

    /// The number, if it is written as a whole one that fits.
    pub(crate) fn as_u64(&self) -> Option<u64> {
        if self.kind == Kind::Number {
            self.text.parse().ok()
        } else {
            None
        }
    }

    /// Whether this is a number written as a whole one, however large, and not negative.
    pub(crate) fn is_whole(&self) -> bool {
        self.kind == Kind::Number && self.text.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// The string; none where this is none, or names half of a surrogate pair.
    pub(crate) fn as_str(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::PlainString => Some(Cow::Borrowed(self.inner())),
            Kind::EscapedString => unescape(self.inner()).map(Cow::Owned),
            Kind::Null | Kind::False | Kind::True | Kind::Number | Kind::Nested(_) => None,
        }
    }

    fn inner(&self) -> &'a str {
        &self.text[1..self.text.len() - 1]
    }
}

/// Takes the escapes, whose syntax has been checked, out of `text`.
fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let (escaped, length) = escape(&rest[at + 1..])?;
        plain.push(escaped);
        rest = &rest[at + 1 + length..];
    }
    plain.push_str(rest);
    Some(plain)
}

/// The character that an escape (behind its backslash) stands for, and the escape's length.
fn escape(text: &str) -> Option<(char, usize)> {
    let simple = match text.as_bytes().first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return unicode_escape(text),
    };
    Some((simple, 1))
}

fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let unit = |from: usize| u32::from_str_radix(text.get(from..from + 4)?, 16).ok();
    let first = unit(1)?;
    if let Some(single) = char::from_u32(first) {
        return Some((single, 5));
    }
    let second = text
        .get(5..7)
        .filter(|prefix| *prefix == "\\u")
        .and_then(|_| unit(7))?;
    if !(0xd800..0xdc00).contains(&first) || !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    let pair = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))?;
    Some((pair, 11))
}
