//! Private keys in armour: over lines, in one escaped line, or cut off.

use std::ops::Range;

use super::shape::Alphabet;
use super::{Hit, Kind};

/// What stands in the first or last line of every armoured private key.
pub(super) const MARKS: &[&str] = &[
    "PRIVATE KEY",
    "PuTTY-User-Key-File",
    "Private-Lines:",
    "ENCRYPTED SECRET KEY",
];

/// RSA of 16,384 bits is 12 KB; escapes and prefixes come on top.
const BLOCK_BYTES_MAX: usize = 24 << 10;
/// A line that holds no more of the alphabet at once is not of a key.
const RUN_BYTES_MIN: usize = 12;

/// The key of whose first or last line `mark` is a part.
pub(super) fn look(text: &[u8], mark: &Range<usize>) -> Option<Hit<'static>> {
    let range = match &text[mark.clone()] {
        b"PRIVATE KEY" | b"ENCRYPTED SECRET KEY" => armoured(text, mark)?,
        _ => body(text, mark.end)?,
    };
    Some(Hit {
        rule: "private-key",
        kind: Kind::PrivateKey,
        range,
    })
}

fn armoured(text: &[u8], mark: &Range<usize>) -> Option<Range<usize>> {
    let before = &text[mark.start.saturating_sub(40)..mark.start];
    let after = &text[mark.end..text.len().min(mark.end + 16)];
    let dashes = memchr::memmem::find(after, b"--");
    let begins = memchr::memmem::rfind(before, b"BEGIN");
    if begins.is_some() {
        let start = mark.end + dashes?;
        let start = start
            + text[start..]
                .iter()
                .take_while(|byte| **byte == b'-')
                .count();
        return body(text, start);
    }
    memchr::memmem::rfind(before, b"END")?;
    tail(text, mark.start)
}

/// From a key's first line on: to its last, or as far as its lines go.
fn body(text: &[u8], start: usize) -> Option<Range<usize>> {
    let rest = &text[start..text.len().min(start + BLOCK_BYTES_MAX)];
    let last = memchr::memmem::find(rest, b"-----END")
        .or_else(|| memchr::memmem::find(rest, b"Private-MAC"))
        .unwrap_or(rest.len());
    let mut end = 0;
    let mut at = 0;
    let mut strangers = 0;
    // Runs of the alphabet, and between them what breaks lines; a header line is a stranger or two.
    while at < last && strangers < 40 {
        let run = Alphabet::Base64.run(&rest[at..last]);
        if run >= RUN_BYTES_MIN || (run > 0 && end > 0 && strangers <= 14) {
            at += run;
            end = if run >= RUN_BYTES_MIN || ends_armour(&rest[at..]) {
                at
            } else {
                end
            };
            strangers = if end == at { 0 } else { strangers + run };
        } else {
            at += run.max(1);
            strangers += run.max(1);
        }
    }
    let whole = last < rest.len() && last.saturating_sub(end) < 64 && end > 0;
    let end = if whole { last } else { end };
    (end >= RUN_BYTES_MIN).then(|| start..start + end)
}

/// Whether what follows can end a cut key: nothing, a line's end, a quote.
fn ends_armour(rest: &[u8]) -> bool {
    matches!(
        rest.first(),
        None | Some(b'\n' | b'\r' | b'\\' | b'"' | b'\'')
    )
}

/// Back from a key's last line: as far as its lines go, or to its first.
fn tail(text: &[u8], end: usize) -> Option<Range<usize>> {
    let floor = end.saturating_sub(BLOCK_BYTES_MAX);
    let dashes = memchr::memmem::rfind(&text[floor..end], b"-----END")? + floor;
    let mut start = dashes;
    let mut at = dashes;
    let mut strangers = 0;
    while at > floor && strangers < 14 {
        let run = Alphabet::Base64.run_back(&text[floor..at], BLOCK_BYTES_MAX);
        at -= run.max(1);
        if run >= RUN_BYTES_MIN {
            start = at;
            strangers = 0;
        } else {
            strangers += run.max(1);
        }
    }
    (dashes - start >= RUN_BYTES_MIN).then_some(start..dashes)
}
