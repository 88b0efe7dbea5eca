//! Texts as hexadecimal digits: safe in a URL and in a header, whatever they hold.

use std::fmt;

/// Shows the bytes of a text as lower-case digits.
pub(crate) struct Hex<'a>(pub(crate) &'a str);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text that such digits show; none: they show none.
pub(crate) fn unhex(digits: &str) -> Option<String> {
    let digits = digits.bytes().map(|digit| char::from(digit).to_digit(16));
    let digits: Vec<u32> = digits.collect::<Option<_>>()?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let bytes = digits
        .chunks_exact(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8);
    String::from_utf8(bytes.collect()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_back_and_nothing_else_is_read() {
        for text in ["", "a", "\u{1f980} = 'x'"] {
            assert_eq!(unhex(&Hex(text).to_string()).as_deref(), Some(text));
        }
        for bad in ["0", "zz", "ff", "+1", "\u{e9}\u{e9}"] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
