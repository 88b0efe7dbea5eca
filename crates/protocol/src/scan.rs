//! Finding the bytes that end a string or a line, eight bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Where the first quote, backslash or control character is, from `at`; the length if there is none.
pub(crate) fn find_special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let found = (zero_bytes(word ^ (ONES * 0x22)))
            | (zero_bytes(word ^ (ONES * 0x5c)))
            | (word.wrapping_sub(ONES * 0x20) & !word & HIGHS);
        // A borrow can only mark bytes above the first true one, so the lowest mark is exact.
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            return at;
        }
        at += 1;
    }
    at
}

/// Where the first line feed or carriage return is, from `at`; the length if there is none.
pub(crate) fn find_line_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let found = zero_bytes(word ^ (ONES * 0x0a)) | zero_bytes(word ^ (ONES * 0x0d));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes
        .get(at)
        .is_some_and(|byte| *byte != b'\n' && *byte != b'\r')
    {
        at += 1;
    }
    at
}

/// Marks the bytes of `word` that are zero; exact up to and including the lowest.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// Where the first byte that is not whitespace is, from `at`.
pub(crate) fn skip_whitespace(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn special_bytes_are_found_at_every_offset(
            bytes in proptest::collection::vec(
                prop_oneof![5 => 0x20_u8..=0xff, 1 => 0_u8..0x20, 1 => prop_oneof![Just(b'\n'), Just(b'\r')], 1 => Just(b'"'), 1 => Just(b'\\')],
                0..80,
            ),
            from in 0_usize..80,
        ) {
            let from = from.min(bytes.len());
            let special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
            let expected = bytes[from..].iter().position(special).map_or(bytes.len(), |n| n + from);
            prop_assert_eq!(find_special(&bytes, from), expected);
            let ends = |byte: &u8| *byte == b'\n' || *byte == b'\r';
            let expected = bytes[from..].iter().position(ends).map_or(bytes.len(), |n| n + from);
            prop_assert_eq!(find_line_end(&bytes, from), expected);
        }
    }
}
