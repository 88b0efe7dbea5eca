//! Where a token may have been broken in two: by a line's end, or by quotes around its chunks.

use std::ops::Range;

use super::shape::Alphabet;
use super::words::is_wordy;

/// What stands between two pieces of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seam {
    /// The end of what to leave out: where the second piece begins.
    pub(super) end: usize,
    pub(super) strength: Strength,
    /// Whether nothing but the piece stands on its line.
    pub(super) rest: Rest,
}

/// How sure it is that the pieces belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    /// A line's end and nothing more.
    Bare,
    /// The line is so long that a terminal or an encoder may have ended it.
    Wide,
    /// A continuation, or quotes that close and open again.
    Marked,
}

/// Whether something beside the line's end says that the next piece goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Given,
    None,
}

/// What follows the second piece on its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    More,
}

/// Pieces longer than this are counted as this long.
const PIECE_BYTES_MAX: usize = 128;
/// A token that goes on has a digit as near as this to the line's end.
const NEAR_BYTES: usize = 32;
/// How much of the line before is looked at for what it begins with.
const LINE_BYTES_MAX: usize = 512;
/// Base64 is broken at 64 or 76, terminals at 80 and more; a prefix may come off.
const WIDE_BYTES: usize = 60;
/// What bare line ends join is at least this long.
const BARE_BYTES_MIN: usize = 16;
/// As many capitals and digits may be the first piece of an id.
const CAPITALS_MIN: usize = 8;
/// What marked ends join is at least this long.
const MARKED_BYTES_MIN: usize = 6;

/// The first seam of a text from `from` on, and where it begins.
pub(super) fn next(text: &[u8], from: usize) -> Option<(usize, Seam)> {
    let mut at = from.max(1);
    while at < text.len() {
        if may_start(text[at])
            && may_end(text[at - 1])
            && let Some(seam) = starting(text, at)
        {
            return Some((at, seam));
        }
        at += 1;
    }
    None
}

fn may_start(byte: u8) -> bool {
    matches!(
        byte,
        b'\n' | b'\r' | b' ' | b'\t' | b'\\' | b'"' | b'\'' | b'`' | b'^'
    )
}

/// Whether the first piece of a broken token may end with a byte.
pub(super) fn may_end(byte: u8) -> bool {
    Alphabet::Any.has(byte) || byte == b'$'
}

/// The seam whose first byte is at `at`.
pub(super) fn starting(text: &[u8], at: usize) -> Option<Seam> {
    if at == 0 || !may_start(text[at]) || !may_end(text[at - 1]) {
        return None;
    }
    if matches!(text[at], b' ' | b'\t') {
        let mut next = at;
        spaces(text, &mut next);
        if !matches!(text.get(next), Some(b'\\' | b'^' | b'`' | b'\n' | b'\r')) {
            return None;
        }
    }
    between(text, at)
}

/// Whether a seam may run over the line's end at `newline`: cheap, and asked for every line.
pub(super) fn may_cross(text: &[u8], newline: usize) -> bool {
    let trimmed = |mut end: usize, of: fn(u8) -> bool| {
        let floor = end.saturating_sub(8);
        while end > floor && of(text[end - 1]) {
            end -= 1;
        }
        end
    };
    let end = trimmed(newline, |byte| {
        matches!(byte, b'\r' | b' ' | b'\t' | b'\\' | b'^' | b'`')
    });
    let operand = trimmed(end, |byte| {
        matches!(byte, b'+' | b'.' | b'&' | b'<' | b'>' | b'|' | b' ')
    });
    let quoted = |end: usize| end > 0 && matches!(text[end - 1], b'"' | b'\'' | b'`');
    let start = match (quoted(operand), quoted(end)) {
        (true, _) => operand - 1,
        (false, true) => end - 1,
        (false, false) => end,
    };
    starting(text, start).is_some()
}

fn between(text: &[u8], start: usize) -> Option<Seam> {
    let mut at = start;
    let quote = quote_at(text, &mut at);
    spaces(text, &mut at);
    let operator = quote.is_some() && operator(text, &mut at);
    spaces(text, &mut at);
    let continued = matches!(text.get(at), Some(b'\\' | b'^' | b'`')) && ends_line(text, at + 1);
    if continued {
        at += 1;
    }
    spaces(text, &mut at);
    let breaks = line_end(text, &mut at);
    if breaks {
        if quote.is_none() && !continued && !may_go_on(text, start, at) {
            return None;
        }
        line_prefix(text, start, &mut at);
    } else if quote.is_none() {
        return None;
    }
    if quote.is_some() {
        spaces(text, &mut at);
        if !operator {
            self::operator(text, &mut at);
            spaces(text, &mut at);
        }
        string_prefix(text, &mut at);
        if quote_at(text, &mut at) != quote {
            return None;
        }
    }
    let sign = match quote.is_some() || continued {
        true => Sign::Given,
        false => Sign::None,
    };
    judge(text, &(start..at), sign)
}

fn judge(text: &[u8], broken: &Range<usize>, sign: Sign) -> Option<Seam> {
    let (start, end) = (broken.start, broken.end);
    let left = &text[start - Alphabet::Piece.run_back(&text[..start], PIECE_BYTES_MAX)..start];
    let right = &text[end..text.len().min(end + PIECE_BYTES_MAX)];
    let right = &right[..Alphabet::Piece.run(right)];
    let length = left.len() + right.len();
    let rest = match text.get(end + right.len()) {
        None | Some(b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'\\' | b',' | b';') => Rest::Nothing,
        Some(_) => Rest::More,
    };
    // A name and its value begin anew.
    let named = right.ends_with(b":")
        && text
            .get(end + right.len())
            .is_none_or(u8::is_ascii_whitespace);
    if right.is_empty() || named {
        return None;
    }
    if sign == Sign::Given {
        let strength = Strength::Marked;
        return (length >= MARKED_BYTES_MIN).then_some(Seam {
            end,
            strength,
            rest,
        });
    }
    let wide = column(text, start) >= WIDE_BYTES;
    // Ids in capitals and digits sound like constants.
    let capitals = || {
        Alphabet::UpperDigit.run_back(left, CAPITALS_MIN) == CAPITALS_MIN
            && Alphabet::UpperDigit.run(&right[..right.len().min(CAPITALS_MIN)]) > 2
    };
    let plain = || is_wordy(left) && is_wordy(right) && !capitals();
    let indented = text[..start - left.len()].trim_ascii_end();
    let min = match text[indented.len()..start - left.len()].contains(&b'\n') {
        true => MARKED_BYTES_MIN,
        false => BARE_BYTES_MIN,
    };
    if length < min || !wide && plain() || assigns(right) {
        return None;
    }
    Some(Seam {
        end,
        strength: if wide { Strength::Wide } else { Strength::Bare },
        rest,
    })
}

/// Whether a line that ends with no sign may go on: cheap, as it is asked for every line.
fn may_go_on(text: &[u8], end: usize, next: usize) -> bool {
    let rest = &text[next..text.len().min(next + NEAR_BYTES)];
    let digit = |piece: &[u8]| piece.iter().any(u8::is_ascii_digit);
    if column(text, end) >= WIDE_BYTES || digit(rest) {
        return true;
    }
    let left = &text[end - Alphabet::Piece.run_back(&text[..end], NEAR_BYTES)..end];
    digit(left) || !is_wordy(left)
}

/// Whether a piece is itself `name=value`: then it continues nothing.
fn assigns(piece: &[u8]) -> bool {
    let Some(equals) = piece.iter().position(|byte| *byte == b'=') else {
        return false;
    };
    equals > 0
        && piece[equals..].iter().any(|byte| *byte != b'=')
        && Alphabet::Word.run(piece) == equals
        && !piece[0].is_ascii_digit()
}

/// How far `at` is from the start of its line.
fn column(text: &[u8], at: usize) -> usize {
    let line = &text[at.saturating_sub(WIDE_BYTES)..at];
    memchr::memrchr(b'\n', line).map_or(line.len(), |newline| line.len() - newline - 1)
}

fn quote_at(text: &[u8], at: &mut usize) -> Option<u8> {
    let quote = *text.get(*at)?;
    // A backquote at a line's end continues a line of PowerShell.
    if !matches!(quote, b'"' | b'\'' | b'`') || (quote == b'`' && ends_line(text, *at + 1)) {
        return None;
    }
    *at += 1;
    Some(quote)
}

fn ends_line(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), Some(b'\n' | b'\r'))
}

fn spaces(text: &[u8], at: &mut usize) {
    /// A deeper indentation than this is not one.
    const SPACES_MAX: usize = 64;
    let rest = &text[*at..text.len().min(*at + SPACES_MAX)];
    *at += rest
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t'))
        .unwrap_or(rest.len());
}

fn operator(text: &[u8], at: &mut usize) -> bool {
    const OPERATORS: [&[u8]; 7] = [b"++", b"+", b"..", b".", b"&", b"<>", b"||"];
    let rest = &text[*at..];
    let found = OPERATORS.iter().find(|one| rest.starts_with(one));
    *at += found.map_or(0, |one| one.len());
    found.is_some()
}

/// The letter before a string: `b"…"`.
fn string_prefix(text: &[u8], at: &mut usize) {
    if matches!(text.get(*at), Some(b'b' | b'f' | b'r' | b'u'))
        && matches!(text.get(*at + 1), Some(b'"' | b'\''))
    {
        *at += 1;
    }
}

fn line_end(text: &[u8], at: &mut usize) -> bool {
    if text.get(*at) == Some(&b'\r') {
        *at += 1;
    }
    let ends = text.get(*at) == Some(&b'\n');
    *at += usize::from(ends);
    ends
}

/// What may stand before a line's text: its number, a diff's sign, a quotation's or comment's mark,
/// the last three only if the line before has the same.
fn line_prefix(text: &[u8], before: usize, at: &mut usize) {
    let line = &text[before.saturating_sub(LINE_BYTES_MAX)..before];
    let line = &line[memchr::memrchr(b'\n', line).map_or(0, |newline| newline + 1)..];
    let mut above = 0;
    number(line, &mut above);
    // A number alone may be the token's own.
    let numbered = above > 0;
    if numbered {
        number(text, at);
    }
    let (line, next) = (
        line[above..].trim_ascii_start(),
        text[*at..].trim_ascii_start(),
    );
    let marks = [
        "+", "-", "> ", "| ", "│ ", "# ", "// ", "* ", "//! ", "/// ",
    ];
    let mut marks = marks.iter().map(|mark| mark.as_bytes());
    if let Some(mark) = marks.find(|mark| line.starts_with(mark) && next.starts_with(mark)) {
        spaces(text, at);
        *at += mark.len();
    }
    spaces(text, at);
}

/// A line's number, as `cat -n`, `grep -n` and readers of files write it.
fn number(text: &[u8], at: &mut usize) {
    /// A file of more than ten million lines is not shown.
    const DIGITS_MAX: usize = 7;
    let mut end = *at;
    spaces(text, &mut end);
    let digits = Alphabet::Digit.run(&text[end..text.len().min(end + DIGITS_MAX)]);
    if digits == 0 {
        return;
    }
    end += digits;
    let rest = &text[end..];
    for mark in ["\t", "→", " | ", " │ ", "│", "|", ": ", ":", "  "] {
        if rest.starts_with(mark.as_bytes()) {
            *at = end + mark.len();
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::View;

    fn joined(text: &str) -> String {
        let view = View::plain(text.as_bytes(), 0..text.len());
        let view = view.joined().unwrap_or(view);
        String::from_utf8_lossy(&view.bytes).into_owned()
    }

    #[test]
    fn pieces_are_joined_over_what_breaks_tokens() {
        for text in [
            "k = a1b2c3d4e5\nf6g7h8i9j0",
            "k = a1b2c3d4e5\\\nf6g7h8i9j0",
            "k = a1b2c3d4e5 \\\n    f6g7h8i9j0",
            "k = a1b2c3d4e5\r\n  f6g7h8i9j0",
            "   1\tk = a1b2c3d4e5\n   2\tf6g7h8i9j0",
            "     9→k = a1b2c3d4e5\n    10→f6g7h8i9j0",
            "+k = a1b2c3d4e5\n+f6g7h8i9j0",
            "> k = a1b2c3d4e5\n> f6g7h8i9j0",
            "12: k = a1b2c3d4e5\n13: f6g7h8i9j0",
            "k = a1b2c3d4e5`\nf6g7h8i9j0",
        ] {
            let found = joined(text);
            assert!(found.ends_with("k = a1b2c3d4e5f6g7h8i9j0"), "{found:?}");
        }
        for text in [
            r#"k = "a1b2c3" + "d4e5f6""#,
            r#"k = "a1b2c3" "d4e5f6""#,
            "k = \"a1b2c3\"\n    \"d4e5f6\"",
            "k = \"a1b2c3\" +\n    \"d4e5f6\"",
            "k = \"a1b2c3\" \\\n    \"d4e5f6\"",
            "k = \"a1b2c3\"\n    + \"d4e5f6\"",
            "k = \"a1b2c3\"\n    . \"d4e5f6\"",
        ] {
            assert_eq!(joined(text), "k = \"a1b2c3d4e5f6\"");
        }
    }

    #[test]
    fn lines_that_are_not_broken_stay() {
        for text in [
            "the first line\nand the second",
            "A=a1b2c3d4e5f6\nB=a1b2c3d4e5f6",
            "use std::fmt;\nuse std::io;",
            "src/main1.rs\nsrc/other.rs",
            "say \"a\" and \"b\"",
        ] {
            assert_eq!(joined(text), text);
        }
    }
}
