//! Words as people and programs write them, told from what was drawn at random.

use super::shape::Alphabet;

/// Whether a text is made of words as people and programs write them: `some-name`, `getUserToken`,
/// `sha256`, `v1.2`.
pub(super) fn is_wordy(text: &[u8]) -> bool {
    let mut plain = 0;
    let mut odd = 0;
    for part in text.split(|byte| !byte.is_ascii_alphanumeric()) {
        let (words, rest) = word_bytes(part);
        plain += words;
        odd += rest;
    }
    odd == 0 || plain >= 4 * odd
}

/// How many bytes of an alphanumeric part belong to words, and how many don't.
fn word_bytes(part: &[u8]) -> (usize, usize) {
    let (mut plain, mut odd) = (0, 0);
    let mut segments = 0;
    let mut rest = part;
    while !rest.is_empty() {
        segments += 1;
        let letters = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let digits = rest[letters..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let length = letters + digits;
        // `v2`, `sha256`, `X509`, a year; in the middle of a part only behind a word.
        let whole = length == part.len();
        let fits = digits <= 4 && (letters >= 3 || whole && letters != 2 || whole && digits < 2);
        if fits && is_word(&rest[..letters]) {
            plain += length;
        } else {
            odd += length;
        }
        rest = &rest[length..];
    }
    // Letters and digits by turns are no words, however they sound.
    if segments > 2 {
        (0, plain + odd)
    } else {
        (plain, odd)
    }
}

/// Whether letters make a word, or some in camel case.
fn is_word(letters: &[u8]) -> bool {
    // `GeminiCLI`: an acronym may end it.
    let acronym = Alphabet::UpperDigit.run_back(letters, 4);
    let letters = match letters.len() - acronym {
        0..=3 => letters,
        rest => &letters[..rest],
    };
    let count = letters.len();
    let vowels = letters
        .iter()
        .filter(|byte| {
            matches!(
                byte.to_ascii_lowercase(),
                b'a' | b'e' | b'i' | b'o' | b'u' | b'y'
            )
        })
        .count();
    if count >= 6 && vowels * 8 < count {
        return false;
    }
    let capitals = letters
        .iter()
        .filter(|byte| byte.is_ascii_uppercase())
        .count();
    let humps = letters
        .windows(2)
        .filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
        .count();
    // All of one case, an acronym and a word, or a capital for each word.
    capitals == count || humps == 0 || (capitals * 3 <= count + 2 && (humps + 1) * 3 <= count)
}

/// How many different bytes a value has.
pub(super) fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    value
        .iter()
        .filter(|byte| !std::mem::replace(&mut seen[usize::from(**byte)], true))
        .count()
}

/// How often a value goes from lower case to upper case or digit, and back.
pub(super) fn turns(value: &[u8]) -> usize {
    let class = |byte: &u8| match byte {
        b'0'..=b'9' => 0,
        b'A'..=b'Z' => 1,
        b'a'..=b'z' => 2,
        _ => 3,
    };
    value
        .windows(2)
        .filter(|pair| class(&pair[0]) != class(&pair[1]))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_drawn_texts_are_not() {
        for text in [
            "some-name",
            "getUserToken",
            "sha256",
            "v1.2",
            "X509_V_FLAG",
            "Fts3PhraseToken",
            "PANToken",
            "src/main1.rs",
            "2024",
            "TestContract_GeminiCLI_BeforeAgent",
        ] {
            assert!(is_wordy(text.as_bytes()), "{text}");
        }
        for text in [
            "a8f3e1",
            "xK9mP2vL5nQ8",
            "BIAA46TNGEA5FMQ3K96",
            "qZkWbXvTrP",
            "4f2e8d1c0b",
        ] {
            assert!(!is_wordy(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn turns_and_kinds_of_bytes_are_counted() {
        assert_eq!(turns(b"aaBB11aa"), 3);
        assert_eq!(turns(b""), 0);
        assert_eq!(distinct(b"abcabc"), 3);
    }
}
