//! One pass over a text: every mark of every rule at once, each looked at where it stands.

use std::ops::Range;
use std::sync::LazyLock;

use super::marked::{self, Mark};
use super::marks::Marks;
use super::rules::{self, Proof, TokenRule};
use super::shape::{self, Alphabet};
use super::values;
use super::words::{self, is_wordy};
use super::{Hit, Kind, assignments, blocks, entropy, jwk, names, seam};

/// What a scan brought.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) hits: Vec<Hit<'static>>,
    /// Where escapes or breaks may hide more.
    pub(super) suspects: Vec<Range<usize>>,
    /// Names before this have been looked at.
    named: usize,
    /// Blocks before this have been looked at.
    blocked: usize,
}

#[derive(Debug, Clone, Copy)]
enum Trigger {
    Token(&'static TokenRule),
    Name,
    Marked(Mark),
    Block,
    /// A member of a JSON Web Key.
    Jwk,
    /// An escape of a character that tokens are made of.
    Escape,
    /// An escaped line's end.
    Break,
    /// Quotes that close and open again.
    Chunk,
    /// `://`, escaped.
    EscapedUrl,
}

const ESCAPES: &[&str] = &[
    "\\u00", "\\x", "%2D", "%2d", "%5F", "%5f", "%30", "%31", "%32", "%33", "%34", "%35", "%36",
    "%37", "%38", "%39", "%4", "%50", "%51", "%52", "%53", "%54", "%55", "%56", "%57", "%58",
    "%59", "%5A", "%5a", "%6", "%70", "%71", "%72", "%73", "%74", "%75", "%76", "%77", "%78",
    "%79", "%7A", "%7a", "\u{1b}[", "&#", "%20", "%24", "%7E", "%7e", "%2E", "%2e", "%2F", "%2f",
    "%3A", "%3a", "%2B", "%2b", "\\/",
];
const BREAKS: &[&str] = &["\\n", "\\r", "%0A", "%0a"];
const CHUNKS: &[&str] = &[
    "\" + \"",
    "\"+\"",
    "' + '",
    "'+'",
    "\" . \"",
    "' . '",
    "\" \"",
    "' '",
    "\"\"",
    "''",
    "\" & \"",
    "\" .. \"",
    "\\\" + \\\"",
    "\\\"+\\\"",
    "\\\" \\\"",
];
const ESCAPED_URLS: &[&str] = &["%3A%2F%2F", "%3a%2f%2f", ":\\/\\/"];

/// How far around a suspicious place a text is looked at again.
const BEFORE_BYTES: usize = 160;
const AFTER_BYTES: usize = 256;

#[derive(Debug)]
pub(super) struct Scanner {
    marks: Marks<Trigger>,
}

/// The scanner of the standard rules, built at its first use.
pub(super) static STANDARD: LazyLock<Scanner> = LazyLock::new(Scanner::new);

impl Scanner {
    fn new() -> Self {
        let mut marks = Vec::new();
        let mut add = |all: &[&'static str], trigger: Trigger| {
            marks.extend(all.iter().map(|mark| (mark.as_bytes(), trigger)));
        };
        for rule in rules::all() {
            add(rule.marks, Trigger::Token(rule));
        }
        add(names::TRIGGERS, Trigger::Name);
        for (text, mark) in marked::MARKS {
            add(&[text], Trigger::Marked(*mark));
        }
        add(blocks::MARKS, Trigger::Block);
        add(jwk::MARKS, Trigger::Jwk);
        add(ESCAPES, Trigger::Escape);
        add(BREAKS, Trigger::Break);
        add(CHUNKS, Trigger::Chunk);
        add(ESCAPED_URLS, Trigger::EscapedUrl);
        Self {
            marks: Marks::new(marks),
        }
    }

    /// Scans a text, and says where to look closer.
    pub(super) fn scan(&self, text: &[u8]) -> Scan {
        let mut scan = self.pass(text);
        entropy::each(text, |hit| scan.hits.push(hit));
        for newline in memchr::memchr_iter(b'\n', text) {
            if seam::may_cross(text, newline) {
                scan.suspect(text, newline);
            }
        }
        scan
    }

    /// One pass over the marks.
    pub(super) fn pass(&self, text: &[u8]) -> Scan {
        let mut scan = Scan::default();
        self.marks.each(text, |start, end, trigger| {
            scan.trigger(text, &(start..end), trigger);
        });
        scan
    }

    /// What headers, URLs and command lines give away from `from` on.
    pub(super) fn marked(&self, text: &[u8], from: usize) -> Vec<Hit<'static>> {
        let mut hits = Vec::new();
        self.marks.each(&text[from..], |start, end, trigger| {
            if let Trigger::Marked(mark) = trigger {
                hits.extend(marked::look(text, mark, &(from + start..from + end)));
            }
        });
        hits
    }
}

impl Scan {
    fn trigger(&mut self, text: &[u8], at: &Range<usize>, trigger: Trigger) {
        match trigger {
            Trigger::Token(rule) => self.token(text, at, rule),
            Trigger::Name => self.name(text, at),
            Trigger::Marked(mark) => self.marked(text, at, mark),
            Trigger::Block => self.block(text, at),
            Trigger::Jwk => self.hits.extend(jwk::look(text, at)),
            Trigger::Escape => self.escape(text, at),
            Trigger::Break => self.escaped_break(text, at),
            Trigger::Chunk => {
                if at.start > 0 && seam::may_end(text[at.start - 1]) {
                    self.chunk(text, at);
                }
            }
            Trigger::EscapedUrl => {
                let rest = &text[at.end..text.len().min(at.end + 300)];
                if memchr::memchr(b'@', rest).is_some()
                    || memchr::memmem::find(rest, b"%40").is_some()
                {
                    self.suspect(text, at.start);
                }
            }
        }
    }

    fn block(&mut self, text: &[u8], at: &Range<usize>) {
        if at.start < self.blocked {
            return;
        }
        if let Some(hit) = blocks::look(text, at) {
            self.blocked = hit.range.end;
            self.hits.push(hit);
        }
    }

    fn suspect(&mut self, text: &[u8], at: usize) {
        let part = at.saturating_sub(BEFORE_BYTES)..text.len().min(at + AFTER_BYTES);
        match self.suspects.last_mut() {
            Some(last) if last.start <= part.start && part.start <= last.end => {
                last.end = last.end.max(part.end);
            }
            _ => self.suspects.push(part),
        }
    }

    fn token(&mut self, text: &[u8], at: &Range<usize>, rule: &'static TokenRule) {
        let mut start = at.start;
        let mut body = at.end;
        if let Some((alphabet, min, max)) = rule.before {
            let length = alphabet.run_back(&text[..start], max.saturating_add(1));
            if length < min || length > max {
                return;
            }
            start -= length;
            body = start;
        } else if at.start > 0 {
            let before = text[at.start - 1];
            let joined = before.is_ascii_alphanumeric()
                || rule.proof == Proof::Random && matches!(before, b'_' | b'-' | b'/' | b'+');
            if joined {
                if follows_escape(&text[..at.start]) {
                    self.suspect(text, at.start);
                }
                return;
            }
        }
        let attempt = shape::attempt(text, at.end, rule.pieces);
        if let Some(end) = attempt.matched {
            let range = start..marked::trimmed(text, &(start..end));
            if proven(&text[body..range.end], rule.proof) {
                self.hits.push(Hit {
                    rule: rule.id,
                    kind: Kind::Token,
                    range: range.clone(),
                });
                self.hits.extend(aws_secret(text, rule, &range));
            }
        }
        let hides = match text.get(attempt.stop) {
            Some(b'\\' | b'%' | b'&' | 0x1b) => true,
            Some(_) if attempt.stop > 0 => seam::starting(text, attempt.stop).is_some(),
            _ => false,
        };
        if hides {
            self.suspect(text, attempt.stop);
        }
    }

    fn name(&mut self, text: &[u8], at: &Range<usize>) {
        if at.start < self.named {
            return;
        }
        let look = assignments::look(text, at);
        self.named = look.name_end;
        self.hits.extend(look.hit);
        if look.hides {
            self.suspect(text, at.end);
        }
    }

    fn marked(&mut self, text: &[u8], at: &Range<usize>, mark: Mark) {
        let Some(hit) = marked::look(text, mark, at) else {
            return;
        };
        let rest = &text[hit.range.end..];
        if matches!(rest.first(), Some(b'\\' | b'%' | b'&' | 0x1b))
            || !rest.is_empty() && seam::starting(text, hit.range.end).is_some()
        {
            self.suspect(text, hit.range.end);
        }
        self.hits.push(hit);
    }

    fn escape(&mut self, text: &[u8], at: &Range<usize>) {
        let end = match text[at.start] {
            0x1b => {
                at.end
                    + text[at.end..]
                        .iter()
                        .take(12)
                        .take_while(|byte| !byte.is_ascii_alphabetic())
                        .count()
                    + 1
            }
            b'%' => at.start + 3,
            b'\\' if text[at.start + 1] == b'u' => at.start + 6,
            b'\\' => at.start + 4,
            b'&' => {
                at.end
                    + text[at.end..]
                        .iter()
                        .take(8)
                        .take_while(|byte| **byte != b';')
                        .count()
                    + 1
            }
            _ => at.end,
        };
        self.pieces(text, at.start, end, 12);
    }

    fn escaped_break(&mut self, text: &[u8], at: &Range<usize>) {
        let skipped = text[at.end.min(text.len())..]
            .iter()
            .take(24)
            .take_while(|byte| matches!(byte, b' ' | b'\\' | b'"' | b'\'' | b'+' | b'>'))
            .count();
        self.pieces(text, at.start, at.end + skipped, 16);
    }

    fn chunk(&mut self, text: &[u8], at: &Range<usize>) {
        self.pieces(text, at.start, at.end, 8);
    }

    /// Suspects the place between two pieces that may be of one token.
    fn pieces(&mut self, text: &[u8], left: usize, right: usize, min: usize) {
        /// More of a piece says nothing more.
        const PIECE_BYTES: usize = 64;
        let right = right.min(text.len());
        let left = &text[left - Alphabet::Piece.run_back(&text[..left], PIECE_BYTES)..left];
        let rest = &text[right..text.len().min(right + PIECE_BYTES)];
        let rest = &rest[..Alphabet::Piece.run(rest)];
        let plain = is_wordy(left) && is_wordy(rest);
        if left.len() + rest.len() >= min && !plain {
            self.suspect(text, right);
        }
    }
}

/// Whether a text ends with an escape, whose last letter is no part of what follows.
fn follows_escape(before: &[u8]) -> bool {
    let back = |length: usize| before.len().checked_sub(length).map(|at| before[at]);
    back(2) == Some(b'\\')
        || back(3) == Some(b'%')
        || back(4) == Some(b'\\')
        || back(6) == Some(b'\\')
        || before[before.len().saturating_sub(12)..].contains(&0x1b)
}

fn proven(value: &[u8], proof: Proof) -> bool {
    match proof {
        Proof::Shape => words::distinct(value) >= 6 && !values::is_masked(value),
        Proof::Random => {
            value.iter().any(u8::is_ascii_digit)
                && words::distinct(value) >= 8
                && !values::is_masked(value)
                && (words::turns(value) * 4 >= value.len() || !is_wordy(value))
        }
    }
}

/// The secret that stands beside the id of an AWS access key, as in files of credentials.
fn aws_secret(text: &[u8], rule: &'static TokenRule, id: &Range<usize>) -> Option<Hit<'static>> {
    /// Farther away it is another's.
    const NEAR_BYTES: usize = 160;
    if rule.id != "aws-access-key-id" {
        return None;
    }
    let end = text.len().min(id.end + NEAR_BYTES);
    let mut at = id.end;
    while at < end {
        let run = Alphabet::Base64.run(&text[at..text.len().min(at + 64)]);
        let equals = text[at..at + run]
            .iter()
            .take_while(|byte| **byte == b'=')
            .count();
        let range = at + equals..at + run;
        let value = &text[range.clone()];
        let mixed =
            value.iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_lowercase);
        if value.len() == 40 && mixed && values::is_random(value, 40) && !values::is_masked(value) {
            return Some(Hit {
                rule: "aws-secret-access-key",
                kind: Kind::Token,
                range,
            });
        }
        at += run.max(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_looked_for_from_a_place_on() {
        let command = b"curl -u a:Zk4Qp9LmT2x -u a:x9!kQ2vLp password=x9!kQ2vLp";
        let starts = |from| {
            let hits = STANDARD.marked(command, from).into_iter();
            hits.map(|hit| hit.range.start).collect::<Vec<_>>()
        };
        assert_eq!(starts(0), [10, 27]);
        assert_eq!(starts(5), [27]);
    }
}
