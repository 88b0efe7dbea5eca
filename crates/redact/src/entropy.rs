//! Values that nothing but their own randomness gives away: long, of both cases and digits, and with
//! nearly as many bits as letters and digits can hold.
//!
//! Digests, ids, integrity hashes, public keys, encoded text and long data look random too. They are told
//! by their alphabet, by the name before them, or by how they begin, and stay.

use std::ops::Range;

use super::names;
use super::shape::Alphabet;
use super::words::is_wordy;
use super::{Hit, Kind};

/// The rule's name.
pub(super) const RULE: &str = "high-entropy";

/// Shorter ones are too often names and ids.
const VALUE_BYTES_MIN: usize = 32;
/// Longer ones are data: images, signatures, archives.
const VALUE_BYTES_MAX: usize = 128;

/// What a byte is, for a look at a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Stranger,
    Upper,
    Lower,
    Digit,
    /// What base64 has besides letters and digits, and file names.
    Mark,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Stranger; 256];
    let mut byte = 0;
    while byte < 128 {
        classes[byte as usize] = match byte {
            b'A'..=b'Z' => Class::Upper,
            b'a'..=b'z' => Class::Lower,
            b'0'..=b'9' => Class::Digit,
            b'-' | b'_' | b'+' | b'/' => Class::Mark,
            _ => Class::Stranger,
        };
        byte += 1;
    }
    classes
};

fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

/// Calls `found` with each value of `text` that its entropy gives away.
pub(super) fn each(text: &[u8], mut found: impl FnMut(Hit<'static>)) {
    let mut start = 0;
    // A stranger rules out every value over it: most bytes are never looked at.
    while let Some(window) = text.get(start..start + VALUE_BYTES_MIN) {
        let stranger = |byte: &u8| class(*byte) == Class::Stranger;
        if let Some(at) = window.iter().rposition(stranger) {
            start += at + 1;
            continue;
        }
        let rest = &text[start + VALUE_BYTES_MIN..];
        let more = rest.iter().position(stranger).unwrap_or(rest.len());
        let end = start + VALUE_BYTES_MIN + more;
        if is_of_mailgun(&text[start..end]) {
            found(Hit {
                rule: "mailgun-key",
                kind: Kind::Token,
                range: start..end,
            });
        } else if let Some(range) = value(text, start..end) {
            found(Hit {
                rule: RULE,
                kind: Kind::Random,
                range,
            });
        }
        start = end + 1;
    }
}

/// Whether a run is a key of Mailgun's: 32, 8 and 8 hexadecimal digits, of which none is a mark to look for.
fn is_of_mailgun(run: &[u8]) -> bool {
    let digits = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    run.len() == 50
        && run.iter().enumerate().all(|(at, byte)| match at {
            32 | 41 => *byte == b'-',
            _ => digits(byte),
        })
}

/// The value that a run of letters, digits and marks holds, with what pads it.
fn value(text: &[u8], run: Range<usize>) -> Option<Range<usize>> {
    if run.len() > VALUE_BYTES_MAX + 2 {
        return None;
    }
    // The letter of `\n` is not the value's, nor is the sign of a line of a diff.
    let foreign = match (text[..run.start].last(), text[run.start]) {
        (Some(b'\\'), b'n' | b'r' | b't') => 1,
        (None | Some(b'\n'), b'+' | b'-') => 1,
        _ => 0,
    };
    let start = run.start + foreign;
    let drawn = &text[start..run.end];
    if !(VALUE_BYTES_MIN..=VALUE_BYTES_MAX).contains(&drawn.len()) || !is_mixed(drawn) {
        return None;
    }
    let padding = text[run.end..]
        .iter()
        .take(3)
        .take_while(|byte| **byte == b'=')
        .count();
    let range = start..run.end + padding;
    (padding < 3
        && is_drawn(drawn)
        && !is_known(drawn)
        && stands_apart(text, &range)
        && !is_in_block(text, &range))
    .then_some(range)
}

/// Whether both cases and digits stand mixed as chance has it: cheap, for what is no stranger.
fn is_mixed(value: &[u8]) -> bool {
    let (mut counts, mut turns) = ([0; 5], 0);
    let mut last = Class::Stranger;
    for byte in value {
        let class = class(*byte);
        counts[class as usize] += 1;
        turns += usize::from(class != last);
        last = class;
    }
    let [upper, lower, digits] =
        [Class::Upper, Class::Lower, Class::Digit].map(|class| counts[class as usize]);
    let length = value.len();
    digits > 0
        && digits * 2 <= length
        && (length / 6..=length * 2 / 3).contains(&upper)
        && (length / 6..=length * 2 / 3).contains(&lower)
        && turns * 5 >= length * 2
}

/// Whether a value has the bits of one drawn from letters and digits, and little in it reads.
fn is_drawn(value: &[u8]) -> bool {
    /// Shorter pieces sound like words by chance; not so many of them.
    const WORD_BYTES_MIN: usize = 6;
    const WORDS_MIN: usize = 4;
    if value[0] == b'/' || bits(value) < bits_min(value.len()) {
        return false;
    }
    let pieces = value.split(|byte| matches!(byte, b'_' | b'-'));
    let many = pieces.clone().count() >= WORDS_MIN;
    let pieces = pieces.flat_map(|piece| piece.split(|byte| class(*byte) == Class::Mark));
    let words: usize = pieces
        .filter(|piece| (many || piece.len() >= WORD_BYTES_MIN) && is_wordy(piece))
        .map(<[u8]>::len)
        .sum();
    words * 3 <= value.len() && hump_bytes(value) * 2 <= value.len()
}

/// How many bytes of a value belong to a capital and three small letters or more behind it.
fn hump_bytes(value: &[u8]) -> usize {
    const HUMP_BYTES_MIN: usize = 4;
    let capitals = (0..value.len()).filter(|at| value[*at].is_ascii_uppercase());
    let humps = capitals.map(|at| {
        let rest = value[at + 1..].iter();
        1 + rest.take_while(|byte| byte.is_ascii_lowercase()).count()
    });
    humps.filter(|length| *length >= HUMP_BYTES_MIN).sum()
}

/// The entropy of a value's bytes, in bits for each, as often as each stands in it.
fn bits(value: &[u8]) -> f64 {
    let mut counts = [0_u8; 128];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let length = value.len() as f64;
    let sum: f64 = counts
        .iter()
        .filter(|count| **count > 1)
        .map(|count| f64::from(*count) * f64::from(*count).log2())
        .sum();
    length.log2() - sum / length
}

/// The bits that all but one in a few hundred values drawn from 62 letters and digits have; those of a
/// name in camel case are fewer, and those of hexadecimal digits at most 4.
fn bits_min(length: usize) -> f64 {
    match length {
        ..36 => 4.15,
        36..48 => 4.3,
        48..64 => 4.5,
        _ => 4.75,
    }
}

/// Whether the way a value begins tells what it is: an id, a digest, a public key, an image, encoded text.
fn is_known(value: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 11] = [
        // Keys of SSH, and public ones of elliptic curves in DER.
        b"AAAA",
        b"MFkwEwYHKoZI",
        b"MCowBQYDK2V",
        // Images.
        b"iVBORw0KGgo",
        b"R0lGOD",
        b"UklGR",
        // Names that compilers mangle.
        b"_Z",
        b"__Z",
        b"_RNv",
        b"_RIN",
        b"ZN",
    ];
    BEGINNINGS.iter().any(|one| value.starts_with(one))
        || value.starts_with(b"Qm") && value.len() == 46
        || is_prefixed(value)
        || has_digest(value)
        || is_text(value)
}

/// `SOME_NAME_fce680ab2cc467b6`: a digest with something before or behind it.
fn has_digest(value: &[u8]) -> bool {
    const DIGEST_BYTES_MIN: usize = 16;
    let mut pieces = value.split(|byte| class(*byte) == Class::Mark);
    pieces.any(|piece| piece.len() >= DIGEST_BYTES_MIN && piece.iter().all(u8::is_ascii_hexdigit))
}

/// `toolu_…`, `chatcmpl-…`, `sha512-…`: a word says what kind of thing it is, and issuers of secrets that
/// write so are known by their marks.
fn is_prefixed(value: &[u8]) -> bool {
    let word = Alphabet::LowerDigit.run(value);
    let letters = value[..word]
        .iter()
        .filter(|byte| byte.is_ascii_lowercase());
    let letters = letters.count();
    let digits = word - letters;
    match value.get(word) {
        Some(b'_') => letters >= 2 && digits == 0,
        Some(b'-') => letters >= 3 && (digits == 0 || value.starts_with(b"sha")),
        _ => false,
    }
}

/// Whether base64 holds text.
fn is_text(value: &[u8]) -> bool {
    let (mut bits, mut count) = (0_u32, 0);
    for byte in value {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            if !matches!(bits >> count & 0xff, 0x09 | 0x0a | 0x0d | 0x20..=0x7e) {
                return false;
            }
        }
    }
    true
}

/// Whether a value is assigned, quoted, or stands alone, and no name before it says what else it is.
fn stands_apart(text: &[u8], range: &Range<usize>) -> bool {
    let opens = |byte: u8| {
        byte.is_ascii_whitespace()
            || !byte.is_ascii()
            || matches!(
                byte,
                b'"' | b'\'' | b'`' | b'=' | b':' | b'>' | b'(' | b'[' | b'{' | b',' | b'|'
            )
    };
    let closes = |byte: u8| {
        byte.is_ascii_whitespace()
            || matches!(
                byte,
                b'"' | b'\'' | b'`' | b'<' | b')' | b']' | b'}' | b',' | b'|' | b';' | b'\\'
            )
    };
    let before = &text[..range.start];
    let after = &text[range.end..];
    let opened = match before {
        [] | [b'+' | b'-'] | [.., b'\n', b'+' | b'-'] => true,
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., last] => opens(*last),
    };
    let closed = match after {
        [] | [b'.'] => true,
        [b'.', next, ..] => next.is_ascii_whitespace(),
        // A key of an object.
        [b'"', b':', ..] | [b'\\', b'"', b':', ..] => false,
        [next, ..] => closes(*next),
    };
    opened && closed && !is_named_public(before)
}

/// Whether what stands before a value names an id, a digest or another thing that is no secret, or is a
/// URL's query.
fn is_named_public(before: &[u8]) -> bool {
    if matches!(before, [.., b'\\', b'n' | b'r']) {
        return false;
    }
    let name = names::last(before);
    let query = matches!(before[..name.start].last(), Some(b'?' | b'&'));
    query || before.ends_with(b";base64,") || names::is_public(&before[name])
}

/// Whether a value is a line among lines of encoded data, as of a certificate, quoted or not.
fn is_in_block(text: &[u8], range: &Range<usize>) -> bool {
    let beside = line_above(&text[..range.start]).max(line_below(&text[range.end..]));
    beside >= VALUE_BYTES_MIN && beside.max(range.len()) >= LINE_BYTES_MIN
}

/// Encoders break lines at 60 and more; the last is shorter.
const LINE_BYTES_MIN: usize = 56;
/// Quotes, a line's end, and what a line begins with are no longer.
const BETWEEN_BYTES_MAX: usize = 24;

fn is_between(byte: &&u8) -> bool {
    !byte.is_ascii_alphanumeric()
}

/// The length of the encoded line that ends where `text` does, as far as it matters.
fn line_above(text: &[u8]) -> usize {
    let trimmed = |text: &[u8]| {
        let between = text.iter().rev().take(BETWEEN_BYTES_MAX);
        text.len() - between.take_while(is_between).count()
    };
    let mut line = &text[..trimmed(text)];
    for end in [b"\\n", b"\\r"] {
        if let Some(escaped) = line.strip_suffix(end) {
            line = &escaped[..trimmed(escaped)];
        }
    }
    Alphabet::Base64.run_back(line, LINE_BYTES_MIN)
}

/// The same of the line that begins where `text` does.
fn line_below(text: &[u8]) -> usize {
    let text = text.strip_prefix(b"\\r").unwrap_or(text);
    let text = text.strip_prefix(b"\\n").unwrap_or(text);
    let between = text.iter().take(BETWEEN_BYTES_MAX);
    let line = &text[between.take_while(is_between).count()..];
    Alphabet::Base64.run(&line[..line.len().min(LINE_BYTES_MIN)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_of_the_bytes_as_often_as_each_stands() {
        assert!((bits(b"abcdabcd") - 2.0).abs() < 1e-9);
        assert!((bits(b"0123456789abcdef") - 4.0).abs() < 1e-9);
        assert!(bits(b"aaaa").abs() < 1e-9);
    }

    #[test]
    fn base64_of_text_is_told_from_drawn_bytes() {
        assert!(is_text(b"SGVsbG8sIFdvcmxkIQ"));
        assert!(!is_text(b"gVsbG8sIFdvcmxkIQx7"));
    }
}
