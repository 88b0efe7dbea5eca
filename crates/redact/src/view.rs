//! Texts seen through what hides a secret: escapes undone, pieces joined.
//!
//! A view knows for each of its bytes where that byte stands in the text it was made of, so that a
//! secret found in a view is taken out of the text, with the escapes and breaks inside it.

use std::ops::Range;

use super::seam::{self, Seam};

/// A text, and where its bytes came from.
#[derive(Debug)]
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// In order; each reaches to the next.
    spans: Vec<Span>,
    /// Where pieces were joined, by place in `bytes`; none in a view that joins nothing.
    pub(super) seams: Vec<Joint>,
}

/// A part of a view, and what it was made of.
#[derive(Debug, Clone)]
struct Span {
    at: usize,
    length: usize,
    /// As long as the part, byte for byte; or an escape, that stands for the part as a whole.
    origin: Range<usize>,
}

impl Span {
    /// Where the bytes from `from` to `to` of the span come from.
    fn part(&self, from: usize, to: usize) -> Range<usize> {
        if self.length == self.origin.len() {
            self.origin.start + from..self.origin.start + to
        } else {
            self.origin.clone()
        }
    }
}

/// A place where two pieces were joined.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joint {
    /// The first byte of the second piece.
    pub(super) at: usize,
    pub(super) seam: Seam,
}

impl View {
    /// A part of a text as it is.
    pub(super) fn plain(text: &[u8], part: Range<usize>) -> Self {
        Self {
            bytes: text[part.clone()].to_vec(),
            spans: vec![Span {
                at: 0,
                length: part.len(),
                origin: part,
            }],
            seams: Vec::new(),
        }
    }

    /// Where a part of the view, which is not empty, stands in the text.
    pub(super) fn origin(&self, part: &Range<usize>) -> Range<usize> {
        let of = |at: usize| {
            let span = &self.spans[self.span_of(at)];
            span.part(at - span.at, at - span.at + 1)
        };
        of(part.start).start..of(part.end - 1).end
    }

    fn span_of(&self, at: usize) -> usize {
        self.spans.partition_point(|span| span.at <= at) - 1
    }

    fn empty(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
            spans: Vec::new(),
            seams: Vec::new(),
        }
    }

    fn copy(&mut self, from: &Self, part: Range<usize>) {
        if part.is_empty() {
            return;
        }
        let mut at = self.bytes.len();
        self.bytes.extend_from_slice(&from.bytes[part.clone()]);
        for span in &from.spans[from.span_of(part.start)..] {
            if span.at >= part.end {
                break;
            }
            let start = part.start.max(span.at);
            let end = part.end.min(span.at + span.length);
            self.spans.push(Span {
                at,
                length: end - start,
                origin: span.part(start - span.at, end - span.at),
            });
            at += end - start;
        }
    }

    /// The view with one layer of escapes undone; nothing if it has none.
    pub(super) fn decoded(&self) -> Option<Self> {
        let mut decoded = Self::empty(self.bytes.len());
        let mut copied = 0;
        let mut at = 0;
        while let Some(next) = self.bytes[at..]
            .iter()
            .position(|byte| matches!(byte, b'\\' | b'%' | b'&' | 0x1b))
        {
            at += next;
            let Some((length, meant)) = escape(&self.bytes[at..]) else {
                at += 1;
                continue;
            };
            decoded.copy(self, copied..at);
            let meant = meant.as_bytes();
            if !meant.is_empty() {
                decoded.spans.push(Span {
                    at: decoded.bytes.len(),
                    length: meant.len(),
                    origin: self.origin(&(at..at + length)),
                });
                decoded.bytes.extend_from_slice(meant);
            }
            at += length;
            copied = at;
        }
        if copied == 0 {
            return None;
        }
        decoded.copy(self, copied..self.bytes.len());
        Some(decoded)
    }

    /// The view with its broken tokens joined; nothing if none is broken.
    pub(super) fn joined(&self) -> Option<Self> {
        let mut joined = Self::empty(self.bytes.len());
        let mut copied = 0;
        while let Some((at, seam)) = seam::next(&self.bytes, copied) {
            joined.copy(self, copied..at);
            joined.seams.push(Joint {
                at: joined.bytes.len(),
                seam,
            });
            copied = seam.end;
        }
        if copied == 0 {
            return None;
        }
        joined.copy(self, copied..self.bytes.len());
        Some(joined)
    }
}

/// What an escape stands for: at most one character.
#[derive(Debug, PartialEq, Eq)]
struct Meant {
    bytes: [u8; 4],
    length: usize,
}

impl Meant {
    const NOTHING: Self = Self {
        bytes: [0; 4],
        length: 0,
    };

    fn byte(byte: u8) -> Self {
        Self {
            bytes: [byte, 0, 0, 0],
            length: 1,
        }
    }

    fn code(code: u32) -> Self {
        let mut bytes = [0; 4];
        let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        let length = character.encode_utf8(&mut bytes).len();
        Self { bytes, length }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The escape that `text` begins with: its length, and what it stands for.
fn escape(text: &[u8]) -> Option<(usize, Meant)> {
    match text[0] {
        b'\\' => backslash(text),
        b'%' => Some((3, Meant::byte(u8::try_from(hex(text, 1, 2)?).ok()?))),
        b'&' => entity(text),
        0x1b => Some((terminal(text), Meant::NOTHING)),
        _ => None,
    }
}

fn backslash(text: &[u8]) -> Option<(usize, Meant)> {
    let short = |byte| Some((2, Meant::byte(byte)));
    match *text.get(1)? {
        b'n' => short(b'\n'),
        b't' => short(b'\t'),
        b'r' => short(b'\r'),
        b'b' | b'f' => short(b' '),
        b'e' => short(0x1b),
        other @ (b'"' | b'\'' | b'/' | b'\\' | b'`' | b'$' | b'=' | b':' | b'&' | b'?') => {
            short(other)
        }
        b'x' => Some((4, Meant::byte(u8::try_from(hex(text, 2, 2)?).ok()?))),
        b'0' if text.starts_with(b"\\033") => Some((4, Meant::byte(0x1b))),
        b'u' if text.get(2) == Some(&b'{') => {
            let digits = text[3..].iter().take(7).position(|byte| *byte == b'}')?;
            Some((digits + 4, Meant::code(hex(text, 3, digits)?)))
        }
        b'u' => Some((6, Meant::code(hex(text, 2, 4)?))),
        _ => None,
    }
}

/// The number that `digits` hexadecimal digits make from `at`.
fn hex(text: &[u8], at: usize, digits: usize) -> Option<u32> {
    let digits = text.get(at..at + digits)?;
    let digits = std::str::from_utf8(digits).ok()?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

/// The entities of HTML that code may hold, and those by number.
fn entity(text: &[u8]) -> Option<(usize, Meant)> {
    const NAMED: [(&[u8], u8); 6] = [
        (b"&amp;", b'&'),
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&equals;", b'='),
    ];
    if let Some((name, byte)) = NAMED.iter().find(|(name, _)| text.starts_with(name)) {
        return Some((name.len(), Meant::byte(*byte)));
    }
    let number = text.strip_prefix(b"&#")?;
    let end = number.iter().take(8).position(|byte| *byte == b';')?;
    let number = std::str::from_utf8(&number[..end]).ok()?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    Some((end + 3, Meant::code(code)))
}

/// The length of the terminal's control sequence that `text` begins with.
fn terminal(text: &[u8]) -> usize {
    /// A title longer than this is not one.
    const TITLE_BYTES_MAX: usize = 256;
    match text.get(1) {
        Some(b'[') => {
            let parameters = text[2..]
                .iter()
                .take(TITLE_BYTES_MAX)
                .position(|byte| !matches!(byte, 0x20..=0x3f));
            match parameters {
                Some(end) => (end + 3).min(text.len()),
                None => 2,
            }
        }
        Some(b']') => {
            let end = text[2..]
                .iter()
                .take(TITLE_BYTES_MAX)
                .position(|byte| matches!(byte, 0x07 | 0x1b));
            match end {
                Some(end) if text[end + 2] == 0x07 => end + 3,
                Some(end) => (end + 4).min(text.len()),
                None => 2,
            }
        }
        Some(b'(' | b')') => 3.min(text.len()),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> String {
        let view = View::plain(text.as_bytes(), 0..text.len());
        let view = view.decoded().unwrap_or(view);
        String::from_utf8_lossy(&view.bytes).into_owned()
    }

    #[test]
    fn one_layer_of_escapes_is_undone() {
        assert_eq!(decoded(r#"a\n\"\/\u0041\x42\\n"#), "a\n\"/AB\\n");
        assert_eq!(decoded("a%3D%2f%zz%"), "a=/%zz%");
        assert_eq!(decoded("&quot;&#x41;&#66;&no;"), "\"AB&no;");
        assert_eq!(decoded("\u{1b}[1;32ma\u{1b}[0m\u{1b}]0;t\u{7}b"), "ab");
        assert_eq!(decoded(r"C:\dir \d \u{41}"), r"C:\dir \d A");
    }

    #[test]
    fn an_escape_cut_off_stays() {
        for text in ["\\", "\\u00", "%4", "\u{1b}", "&#x4", "\\u{41"] {
            let _ = decoded(text);
        }
        assert_eq!(decoded("a\\u00"), "a\\u00");
    }

    #[test]
    fn a_part_knows_where_it_came_from() {
        let text = r"xx\u0041B\n";
        let view = View::plain(text.as_bytes(), 2..text.len());
        let view = view.decoded().unwrap();
        assert_eq!(view.bytes, b"AB\n");
        assert_eq!(&text[view.origin(&(0..2))], r"\u0041B");
        assert_eq!(&text[view.origin(&(2..3))], r"\n");
    }
}
