//! Percent-encoding, read strictly.

/// The bytes that a part of a URL means; none: an escape in it is none.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            other => other,
        });
    }
    Some(plain)
}

/// The text that a part of a URL means; none: it is not percent-encoded UTF-8.
pub(crate) fn decoded_text(text: &str) -> Option<String> {
    String::from_utf8(decoded(text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_escapes_of_utf8_are_text() {
        assert_eq!(decoded_text("a%2Fb+%C3%A9").as_deref(), Some("a/b+\u{e9}"));
        for bad in ["%", "%F", "%zz", "%ff", "x%C3"] {
            assert_eq!(decoded_text(bad), None, "{bad}");
        }
    }
}
