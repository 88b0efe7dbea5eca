//! A writer that appends to a buffer.

use std::fmt::{Display, Write as _};

use crate::scan::find_special;

/// JSON text being written. Commas and colons are the caller's: the shapes are fixed.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
}

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
        }
    }

    /// Appends text that is JSON already.
    pub(crate) fn raw(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub(crate) fn string(&mut self, text: &str) -> &mut Self {
        self.text.push('"');
        self.escaped(text);
        self.text.push('"');
        self
    }

    /// Appends a value whose text needs no escape: an id in hexadecimal, a UUID.
    pub(crate) fn quoted(&mut self, value: impl Display) -> &mut Self {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "\"{value}\"");
        self
    }

    /// Appends a whole number; `write!` would take five times as long.
    pub(crate) fn number(&mut self, mut value: u64) -> &mut Self {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.text
            .extend(digits[at..].iter().map(|digit| char::from(*digit)));
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    fn escaped(&mut self, mut text: &str) {
        loop {
            let at = find_special(text.as_bytes(), 0);
            self.text.push_str(&text[..at]);
            let Some(&special) = text.as_bytes().get(at) else {
                return;
            };
            match special {
                b'"' => self.text.push_str("\\\""),
                b'\\' => self.text.push_str("\\\\"),
                b'\n' => self.text.push_str("\\n"),
                b'\r' => self.text.push_str("\\r"),
                b'\t' => self.text.push_str("\\t"),
                control => {
                    let _ = write!(self.text, "\\u{control:04x}");
                }
            }
            text = &text[at + 1..];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strings_and_numbers_read_back(text in any::<String>(), number in any::<u64>()) {
            let mut writer = Writer::default();
            writer.raw("[").string(&text).raw(",").number(number).raw("]");
            let read: (String, u64) = serde_json::from_slice(&writer.finish()).unwrap();
            prop_assert_eq!(read, (text, number));
        }
    }
}
