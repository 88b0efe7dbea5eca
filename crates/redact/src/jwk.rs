//! The private members of a JSON Web Key, which only the members beside them tell from others of their
//! names.

use std::ops::Range;

use super::shape::Alphabet;
use super::{Hit, Kind, values};

/// The rule's name.
pub(super) const RULE: &str = "jwk-private-key";

/// The members that RFC 7518 calls private, each with how its quotation ends: as it is, or escaped.
#[rustfmt::skip]
pub(super) const MARKS: &[&str] = &[
    "\"d\"", "\"p\"", "\"q\"", "\"k\"", "\"dp\"", "\"dq\"", "\"qi\"",
    "\"d\\", "\"p\\", "\"q\\", "\"k\\", "\"dp\\", "\"dq\\", "\"qi\\",
    "'d'", "'p'", "'q'", "'k'", "'dp'", "'dq'", "'qi'",
];

/// A key of 128 bits in base64.
const VALUE_BYTES_MIN: usize = 22;
/// What a key of 4,096 bits takes, nearly three times over.
const KEY_BYTES_MAX: usize = 10 << 10;

/// The value of the member whose name is `at`, if a key's type stands beside it.
pub(super) fn look(text: &[u8], at: &Range<usize>) -> Option<Hit<'static>> {
    /// Of `\": \"`, with more escapes.
    const BETWEEN_BYTES_MAX: usize = 16;
    let between = text[at.end..].iter().take(BETWEEN_BYTES_MAX);
    let between = between
        .take_while(|byte| matches!(byte, b'\\' | b'"' | b'\'' | b':' | b' '))
        .count();
    let start = at.end + between;
    if !text[at.end..start].contains(&b':') || !matches!(text[start - 1], b'"' | b'\'') {
        return None;
    }
    let range = start..start + Alphabet::Url64.run(&text[start..]);
    let value = &text[range.clone()];
    let closed = matches!(text.get(range.end), Some(b'"' | b'\'' | b'\\' | b'='));
    if value.len() < VALUE_BYTES_MIN || !closed || values::is_placeholder(value) {
        return None;
    }
    let near = start.saturating_sub(KEY_BYTES_MAX)..text.len().min(range.end + KEY_BYTES_MAX);
    memchr::memmem::find(&text[near], b"kty").map(|_| Hit {
        rule: RULE,
        kind: Kind::Token,
        range,
    })
}

/// Whether a string is a private member's value, as far as its name and itself can tell.
pub(super) fn is_member(name: &str, value: &str) -> bool {
    /// No curve's key is shorter.
    const MEMBER_BYTES_MIN: usize = 42;
    let value = value.as_bytes();
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    matches!(name, "d" | "p" | "q" | "k" | "dp" | "dq" | "qi")
        && value.len() >= MEMBER_BYTES_MIN
        && Alphabet::Url64.run(value) == value.len()
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}
