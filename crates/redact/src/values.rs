//! Whether a value is a secret, or only stands where one could.

use super::names;
use super::shape::Alphabet;
use super::words::{
    distinct, is_argument, is_drawn, is_option, is_phrase, is_word_and_digits, is_word_and_number,
    is_wordy, turns,
};

/// What the name before a value promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Promise {
    /// `password`: may be short, and chosen by a person.
    Password,
    /// `token`, `api_key`, `secret`: drawn at random.
    Secret,
    /// `session`, `sid`, `auth`: often something else.
    Perhaps,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Between quotes.
    Quoted,
    /// `NAME=value` as shells and `.env` files have it.
    Environment,
    /// After a flag, in a URL, a tag, a connection string: never an expression.
    Bare,
    /// After `=` or `:` in what may be code: an identifier here is a variable.
    Code,
    /// In a sentence, or in a cell of a table.
    Prose,
    /// In a sentence that says what it is: `the password is`.
    Said,
    /// As the argument of a command, whatever signs it has.
    Argument,
}

/// No secret is longer than this: what is, is data.
const SECRET_BYTES_MAX: usize = 4096;

/// Whether `value` is a secret, as far as its name, its writing and itself can tell.
pub(super) fn is_secret(value: &[u8], promise: Promise, style: Style) -> bool {
    if value.len() < 4 || value.len() > SECRET_BYTES_MAX {
        return false;
    }
    if style != Style::Quoted && is_expression(value, style) {
        return false;
    }
    let fits = match promise {
        Promise::Password => is_password(value, style),
        Promise::Secret => {
            is_random(value, 10)
                || style == Style::Bare && is_base32(value)
                || !matches!(style, Style::Prose | Style::Said) && is_drawn_run(value, 10)
        }
        Promise::Perhaps => is_random(value, 20) && !is_uuid(value),
    };
    // Last, as it is asked for much and seldom of use.
    fits && !is_placeholder(value)
}

/// Whether `value` stands for a value: an example, a variable, a mask.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    const MEANT: [&[u8]; 22] = [
        b"example",
        b"placeholder",
        b"changeme",
        b"change-me",
        b"change_me",
        b"changethis",
        b"your-",
        b"your_",
        b"yourpass",
        b"yourkey",
        b"yourtoken",
        b"yoursecret",
        b"replace",
        b"redacted",
        b"dummy",
        b"****",
        b"....",
        b"<your",
        b"insert",
        b"foobar",
        b"sample",
        b"[redacted",
    ];
    let Some(first) = value.first() else {
        return true;
    };
    if is_held_open(value)
        || (*first == b'$'
            && value
                .get(1)
                .is_none_or(|byte| *byte == b'{' || *byte == b'('))
        || is_variable(value)
    {
        return true;
    }
    let distinct = distinct(value);
    if distinct <= 3 || (distinct <= 5 && value.len() >= 16) {
        return true;
    }
    let lower = value.to_ascii_lowercase();
    MEANT
        .iter()
        .any(|meant| memchr::memmem::find(&lower, meant).is_some())
        || is_crossed_out(&lower)
        || has_slot(value)
        || lower.windows(3).any(|part| part == "…".as_bytes())
}

/// Whether a token is an example's: masked, or saying so.
pub(super) fn is_masked(value: &[u8]) -> bool {
    const MEANT: [&[u8]; 3] = [b"example", b"placeholder", b"redacted"];
    let lower = value.to_ascii_lowercase();
    MEANT
        .iter()
        .any(|meant| memchr::memmem::find(&lower, meant).is_some())
        || is_crossed_out(&lower)
}

/// Whether `x` stands for what is left out: in a row as by no chance, or for half of it. Four in a row stand
/// in one of some ten thousand drawn tokens.
fn is_crossed_out(lower: &[u8]) -> bool {
    const ROW: &[u8] = b"xxxxxxxx";
    let crosses = lower.iter().filter(|byte| **byte == b'x').count();
    memchr::memmem::find(lower, &ROW[..4]).is_some()
        && (crosses * 2 >= lower.len() || memchr::memmem::find(lower, ROW).is_some())
}

/// Whether something is to be put in a place within a value: `${NAME}`, `{{ name }}`, `$(command)`.
fn has_slot(value: &[u8]) -> bool {
    let slots = value.windows(2).enumerate();
    let mut slots = slots.filter(|(_, pair)| matches!(*pair, b"${" | b"{{" | b"$("));
    slots.any(|(at, _)| {
        let inside = value[at + 2..].trim_ascii_start();
        let marks = inside.iter().take_while(|byte| b"{(.-$".contains(byte));
        let inside = &inside[marks.count()..];
        let name = Alphabet::Word.run(inside);
        name == inside.len() || name >= 2 && is_wordy(&inside[..name])
    })
}

/// Whether a value begins with a bracket or a star, as what is to be replaced does: closed again, or words.
fn is_held_open(value: &[u8]) -> bool {
    let close = match value[0] {
        b'<' => b'>',
        b'{' => b'}',
        b'[' => b']',
        b'(' => b')',
        b'*' => b'*',
        _ => return false,
    };
    let inside = &value[1..];
    inside.last().is_none_or(|last| *last == close) || is_wordy(inside)
}

/// `$NAME`, `%NAME%`, `NAME_OF_SOMETHING`.
fn is_variable(value: &[u8]) -> bool {
    let name = |text: &[u8]| !text.is_empty() && Alphabet::Word.run(text) == text.len();
    let upper = |text: &[u8]| text.iter().all(|byte| !byte.is_ascii_lowercase());
    match value {
        [b'$', rest @ ..] => name(rest) && (upper(rest) || is_wordy(rest)),
        [b'%', rest @ .., b'%'] => name(rest),
        _ => value.contains(&b'_') && name(value) && upper(value) && is_wordy(value),
    }
}

/// Whether an unquoted value is code: a call, a member, a type, a path, an option.
fn is_expression(value: &[u8], style: Style) -> bool {
    let starts = |text: &[u8]| value.starts_with(text);
    if starts(b"/") && style != Style::Environment && (value.len() < 40 || is_path(value))
        || starts(b"./")
        || starts(b"~/")
        || is_option(value)
    {
        return true;
    }
    if matches!(style, Style::Environment | Style::Bare | Style::Argument) {
        return false;
    }
    if is_number(value) {
        return true;
    }
    if value
        .iter()
        .any(|byte| matches!(byte, b'(' | b'[' | b'{' | b'}' | b')' | b']' | b'<' | b'>'))
    {
        return true;
    }
    if memchr::memmem::find(value, b"::").is_some() || starts(b"&") || starts(b"self.") {
        return true;
    }
    // A member of a member, each an identifier.
    let members = value.split(|byte| *byte == b'.');
    let identifiers = members.clone().all(|part| {
        !part.is_empty() && !part[0].is_ascii_digit() && Alphabet::Word.run(part) == part.len()
    });
    let path = members.clone().count() > 1 && members.clone().all(|part| part.len() < 24);
    let is_name = || style == Style::Code && !is_random(value, 12) && !is_drawn_run(value, 10);
    identifiers && is_wordy(value) && (path || is_name())
}

/// Whether letters and digits alone, of so many bytes at least, sound drawn at random.
fn is_drawn_run(value: &[u8], min: usize) -> bool {
    value.len() >= min && value.iter().all(u8::is_ascii_alphanumeric) && is_drawn(value)
}

/// A number as code writes it: `0x8001_u32`, `131072u32`.
fn is_number(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"-").unwrap_or(value);
    if !value.first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let digits = value.strip_prefix(b"0x").unwrap_or(value);
    let hex = digits.len() < value.len();
    let end = digits
        .iter()
        .position(|byte| {
            !(byte.is_ascii_digit() || *byte == b'_' || hex && byte.is_ascii_hexdigit())
        })
        .unwrap_or(digits.len());
    matches!(
        &digits[end..],
        b"" | b"u8"
            | b"u16"
            | b"u32"
            | b"u64"
            | b"u128"
            | b"usize"
            | b"i8"
            | b"i16"
            | b"i32"
            | b"i64"
            | b"isize"
            | b"n"
            | b"L"
            | b"UL"
            | b"ULL"
            | b"px"
            | b"ms"
            | b"s"
            | b"m"
            | b"h"
    )
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The writing of seeds for one-time passwords.
fn is_base32(value: &[u8]) -> bool {
    value.len() >= 16
        && distinct(value) >= 8
        && value
            .iter()
            .all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7' | b'='))
}

fn is_password(value: &[u8], style: Style) -> bool {
    #[rustfmt::skip]
    const WORDS: [&[u8]; 22] = [
        b"true", b"false", b"null", b"none", b"nil", b"undefined", b"string", b"password", b"passwd", b"pass",
        b"secret", b"required", b"optional", b"prompt", b"stdin", b"value", b"hidden", b"input", b"text", b"test",
        b"user", b"postgres",
    ];
    if value.len() > 256 {
        return false;
    }
    if WORDS.iter().any(|word| value.eq_ignore_ascii_case(word)) {
        return false;
    }
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let letters = has(u8::is_ascii_alphabetic);
    let digits = has(u8::is_ascii_digit);
    let marks = has(|byte| {
        byte.is_ascii_punctuation() && !matches!(byte, b'-' | b'_' | b'.' | b'/' | b':' | b',')
    });
    if value.contains(&b' ') {
        return match style {
            Style::Argument => is_argument(value),
            _ => style == Style::Quoted && is_phrase(value),
        };
    }
    let drawn = is_drawn_run(value, 8);
    let mixed =
        (drawn || !is_wordy(value)) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    let strong = letters && (digits || marks) || digits && marks && value.len() >= 6;
    match style {
        Style::Environment => {
            value.len() >= 6
                && (strong || mixed || !has(|byte| matches!(byte, b'/' | b'.')) && letters)
        }
        Style::Bare => strong || mixed || drawn || value.len() >= 8 && letters && !is_wordy(value),
        Style::Quoted | Style::Argument => {
            strong && value.len() >= 5 || mixed && value.len() >= 8 || drawn
        }
        Style::Code => {
            strong && value.len() >= 6 && !value.contains(&b'/')
                || (mixed || drawn) && value.len() >= 10
        }
        Style::Prose | Style::Said => {
            let plain = value.len() >= 6 && !has(|byte| matches!(byte, b'/' | b':'));
            let said = style == Style::Said && (marks || is_word_and_number(value));
            plain && letters && digits && (said || !is_wordy(value) || is_word_and_digits(value))
                || drawn && value.len() >= 10
        }
    }
}

/// Whether `value` looks drawn at random, and is at least `min` bytes long.
pub(super) fn is_random(value: &[u8], min: usize) -> bool {
    if value.len() < min
        || value
            .iter()
            .any(|byte| matches!(byte, 0..=b' ' | b'\\' | 0x7f..))
    {
        return false;
    }
    let distinct = distinct(value);
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    if letters == 0 || distinct < 6.min(value.len()) || is_path(value) {
        return false;
    }
    // Pieces between marks are short, and short pieces sound like words.
    if is_wordy(value) && !is_strewn_with_marks(value) {
        return false;
    }
    if digits == 0 {
        // Letters alone: both cases, back and forth.
        return value.len() >= 16 && turns(value) * 5 >= value.len() && distinct >= 10;
    }
    value.len() >= 16 && distinct >= 8 || turns(value) >= 4 || value.len() >= 20
}

/// Whether marks that no name and no sentence has stand all over a value, as in one drawn from all that a
/// keyboard has.
fn is_strewn_with_marks(value: &[u8]) -> bool {
    let marks = value
        .iter()
        .copied()
        .filter(|byte| b"!@#$%^&*()+=~".contains(byte));
    let marks: Vec<u8> = marks.collect();
    value.len() >= 24 && marks.len() * 8 >= value.len() && distinct(&marks) >= 4
}

/// A path or URL of readable parts: they are half of it, and pieces too short to tell anything count
/// for nothing.
pub(super) fn is_path(value: &[u8]) -> bool {
    /// Shorter pieces sound like words by chance.
    const PIECE_BYTES_MIN: usize = 3;
    if memchr::memmem::find(value, b"://").is_some() {
        return true;
    }
    let (mut telling, mut plain) = (0, 0);
    for piece in value.split(|byte| *byte == b'/') {
        if piece.len() >= PIECE_BYTES_MIN {
            telling += piece.len();
            plain += if is_wordy(piece) { piece.len() } else { 0 };
        }
    }
    value.contains(&b'/') && plain > 0 && plain * 2 >= telling
}

/// Whether `value` has the very shape that its issuer gives what goes by `name`, however it looks: secret
/// access keys of AWS, and keys of 32 and 64 bytes in padded base64.
pub(super) fn is_issued(name: &[u8], value: &[u8]) -> bool {
    let padding = value.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = value.len() - padding;
    let shaped = match (body, value.len()) {
        (40, 40) => names::is_of_secret_access_key(name),
        (43, 44) | (86, 88) => names::promise(name) == Some(Promise::Secret),
        _ => false,
    };
    let has = |test: fn(&u8) -> bool| value[..body].iter().any(test);
    shaped
        && Alphabet::Base64.run(value) == value.len()
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && !is_placeholder(value)
}
