//! The shapes of tokens: what may stand where, matched in one step forward without going back.

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    Digit,
    /// Lower-case hexadecimal.
    Hex,
    /// Hexadecimal of either case.
    AnyHex,
    UpperDigit,
    LowerDigit,
    Alnum,
    /// Letters, digits and `_`.
    Word,
    /// Letters, digits, `_` and `-`.
    Url64,
    /// [`Alphabet::Url64`] and `=`.
    Url64Padded,
    /// Letters, digits, `_`, `-` and `.`.
    Dotted,
    /// Letters, digits, `+`, `/` and `=`.
    Base64,
    /// What any token is made of: letters, digits and `_ - . + / = ~`.
    Any,
    /// [`Alphabet::Any`], and what joins the parts of a few tokens: `:` and `$`.
    Piece,
    /// Lower-case letters, digits, and what keys of Django have besides.
    Django,
    Blank,
    /// What may stand in the path and query of a URL.
    Path,
}

/// The sets that each byte is of, a bit for each: texts are looked at byte by byte.
static SETS_OF_BYTE: [u16; 256] = sets_of_byte();

const fn sets_of_byte() -> [u16; 256] {
    let mut sets = [0; 256];
    let mut byte = 0;
    while byte < sets.len() {
        let mut number = 0;
        while number < Alphabet::ALL.len() {
            let alphabet = Alphabet::ALL[number];
            if alphabet.holds(byte as u8) {
                sets[byte] |= alphabet.bit();
            }
            number += 1;
        }
        byte += 1;
    }
    sets
}

impl Alphabet {
    const ALL: [Self; 16] = [
        Self::Digit,
        Self::Hex,
        Self::AnyHex,
        Self::UpperDigit,
        Self::LowerDigit,
        Self::Alnum,
        Self::Word,
        Self::Url64,
        Self::Url64Padded,
        Self::Dotted,
        Self::Base64,
        Self::Any,
        Self::Piece,
        Self::Django,
        Self::Blank,
        Self::Path,
    ];

    const fn bit(self) -> u16 {
        1 << (self as u16)
    }

    pub(super) fn has(self, byte: u8) -> bool {
        SETS_OF_BYTE[usize::from(byte)] & self.bit() != 0
    }

    const fn holds(self, byte: u8) -> bool {
        let alnum = byte.is_ascii_alphanumeric();
        match self {
            Self::Digit => byte.is_ascii_digit(),
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::AnyHex => byte.is_ascii_hexdigit(),
            Self::UpperDigit => matches!(byte, b'0'..=b'9' | b'A'..=b'Z'),
            Self::LowerDigit => matches!(byte, b'0'..=b'9' | b'a'..=b'z'),
            Self::Alnum => alnum,
            Self::Word => alnum || byte == b'_',
            Self::Url64 => alnum || matches!(byte, b'_' | b'-'),
            Self::Url64Padded => alnum || matches!(byte, b'_' | b'-' | b'='),
            Self::Dotted => alnum || matches!(byte, b'_' | b'-' | b'.'),
            Self::Base64 => alnum || matches!(byte, b'+' | b'/' | b'='),
            Self::Any => alnum || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'=' | b'~'),
            Self::Piece => Self::Any.holds(byte) || matches!(byte, b':' | b'$'),
            Self::Django => {
                Self::LowerDigit.holds(byte)
                    || matches!(
                        byte,
                        b'!' | b'@'
                            | b'#'
                            | b'$'
                            | b'%'
                            | b'^'
                            | b'&'
                            | b'*'
                            | b'('
                            | b'-'
                            | b'_'
                            | b'='
                            | b'+'
                            | b')'
                    )
            }
            Self::Blank => matches!(byte, b' ' | b'\t'),
            Self::Path => {
                alnum
                    || matches!(
                        byte,
                        b'_' | b'-'
                            | b'.'
                            | b'+'
                            | b'/'
                            | b'='
                            | b'~'
                            | b'%'
                            | b'&'
                            | b'?'
                            | b'@'
                            | b':'
                    )
            }
        }
    }

    /// How many bytes of `text` from its start belong to the set.
    pub(super) fn run(self, text: &[u8]) -> usize {
        text.iter()
            .position(|byte| !self.has(*byte))
            .unwrap_or(text.len())
    }

    /// How many bytes of `text` up to its end belong to the set, at most `max`.
    pub(super) fn run_back(self, text: &[u8], max: usize) -> usize {
        text.iter()
            .rev()
            .take(max)
            .position(|byte| !self.has(*byte))
            .unwrap_or(text.len().min(max))
    }
}

/// A part of a token's shape.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece {
    /// Bytes of a set, at least and at most so many. What follows may not be of the set.
    Run(Alphabet, usize, usize),
    /// These very bytes.
    Text(&'static str),
    /// One of these, the first that fits.
    AnyOf(&'static [&'static str]),
    /// The rest, which may be missing: a token cut off is still a secret.
    Rest(&'static [Piece]),
}

/// What became of a shape at one place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// The end of the match.
    pub(super) matched: Option<usize>,
    /// Where reading stopped: an escape or a line's end there may hide the rest.
    pub(super) stop: usize,
}

/// Matches `pieces` in `text` from `at`.
pub(super) fn attempt(text: &[u8], at: usize, pieces: &[Piece]) -> Attempt {
    let mut stop = at;
    for piece in pieces {
        let rest = &text[stop..];
        let length = match piece {
            Piece::Run(alphabet, min, max) => {
                let length = alphabet.run(rest);
                if length < *min || length > *max {
                    let stop = stop + length;
                    return Attempt {
                        matched: None,
                        stop,
                    };
                }
                Some(length)
            }
            Piece::Text(wanted) => rest.starts_with(wanted.as_bytes()).then_some(wanted.len()),
            Piece::AnyOf(wanted) => wanted
                .iter()
                .find(|one| rest.starts_with(one.as_bytes()))
                .map(|one| one.len()),
            Piece::Rest(pieces) => {
                let attempt = attempt(text, stop, pieces);
                let end = attempt.matched.unwrap_or(stop);
                return Attempt {
                    matched: Some(end),
                    stop: attempt.stop,
                };
            }
        };
        match length {
            Some(length) => stop += length,
            None => {
                return Attempt {
                    matched: None,
                    stop,
                };
            }
        }
    }
    Attempt {
        matched: Some(stop),
        stop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str, pieces: &[Piece]) -> Option<usize> {
        attempt(text.as_bytes(), 0, pieces).matched
    }

    #[test]
    fn a_run_ends_with_its_set_and_keeps_its_bounds() {
        let pieces = [Piece::Text("k-"), Piece::Run(Alphabet::Hex, 4, 6)];
        assert_eq!(end("k-abcd!", &pieces), Some(6));
        assert_eq!(end("k-abc!", &pieces), None);
        assert_eq!(end("k-abcdabc", &pieces), None);
        assert_eq!(end("k_abcd", &pieces), None);
    }

    #[test]
    fn a_rest_may_be_missing_and_says_where_it_stopped() {
        const REST: [Piece; 2] = [Piece::Text("."), Piece::Run(Alphabet::Hex, 2, 9)];
        let pieces = [Piece::Run(Alphabet::UpperDigit, 1, 9), Piece::Rest(&REST)];
        assert_eq!(end("AB.ab", &pieces), Some(5));
        let cut = attempt(b"AB.a\\", 0, &pieces);
        assert_eq!((cut.matched, cut.stop), (Some(2), 4));
    }

    #[test]
    fn a_run_back_is_bounded() {
        assert_eq!(Alphabet::Digit.run_back(b"a1234", 10), 4);
        assert_eq!(Alphabet::Digit.run_back(b"a1234", 2), 2);
        assert_eq!(Alphabet::Digit.run_back(b"", 2), 0);
    }
}
