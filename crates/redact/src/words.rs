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

/// The letters that often follow each letter, `a` to `z`, within the words of English texts and of programs.
#[rustfmt::skip]
const FOLLOWS: [&[u8]; 26] = [
    b"bcdefgiklmnprstuvwxy", b"aceilorsu", b"acefghiklmoprstu", b"adefgilorsu",
    b"abcdefgilmnopqrstvwxy", b"adefilorstu", b"aehilnorsu", b"aeiortu",
    b"abcdefglmnoprstvxz", b"", b"eis", b"adefilostuy",
    b"abdeilmopstu", b"acdefgiklnopstuv", b"abcdfgiklmnoprstuvw", b"aehikloprstuy",
    b"u", b"acdefgiklmnoprstuvy", b"aceghiklmnoprstuwy", b"acdefhilmnoprstuxy",
    b"abcdefgilmnprst", b"aeio", b"aehinors", b"cept",
    b"nps", b"e",
];

/// Whether the letters of a text follow each other as they do where they were drawn at random: a quarter of them
/// as they seldom do in words. What [`is_wordy`] goes by, cases, digits and vowels, does not tell small letters
/// that were drawn from words.
pub(super) fn is_drawn(text: &[u8]) -> bool {
    const SELDOM_MIN: usize = 3;
    let (mut pairs, mut seldom) = (0, 0);
    for pair in text.windows(2) {
        // A capital behind a small letter begins a word.
        let begins = pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
        if begins || !pair.iter().all(u8::is_ascii_alphabetic) {
            continue;
        }
        let [first, next] = [pair[0], pair[1]].map(|byte| byte.to_ascii_lowercase());
        pairs += 1;
        seldom += usize::from(!FOLLOWS[usize::from(first - b'a')].contains(&next));
    }
    seldom >= SELDOM_MIN && seldom * 4 >= pairs
}

/// Whether a value is letters about some digits, as people make passwords of words: `hunter22xyz`; not the name
/// of an algorithm.
pub(super) fn is_word_and_digits(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let ends = [value.first(), value.last()].map(|byte| byte.is_some_and(u8::is_ascii_alphabetic));
    value.len() >= 8
        && digits >= 2
        && ends == [true, true]
        && value.iter().all(u8::is_ascii_alphanumeric)
        && !is_algorithm(value)
}

/// Whether a value is a word and a number behind it, as in `hunter2`; not the name of an algorithm.
pub(super) fn is_word_and_number(value: &[u8]) -> bool {
    const LETTERS_MIN: usize = 4;
    let digits = Alphabet::Digit.run_back(value, value.len());
    let letters = &value[..value.len() - digits];
    digits > 0
        && letters.len() >= LETTERS_MIN
        && letters.iter().all(u8::is_ascii_alphabetic)
        && !is_algorithm(value)
}

fn is_algorithm(value: &[u8]) -> bool {
    const ALGORITHMS: [&[u8]; 17] = [
        b"sha", b"md", b"utf", b"base", b"aes", b"rs", b"hs", b"es", b"x509", b"ed25519", b"curve",
        b"argon", b"pbkdf", b"ipv", b"oauth", b"bcrypt", b"scrypt",
    ];
    let lower = value.to_ascii_lowercase();
    ALGORITHMS.iter().any(|name| lower.starts_with(name))
}

/// Whether words between quotes are a password: some of small letters alone, none of which a sentence about
/// passwords has, or a few of which one has letters and digits mixed.
pub(super) fn is_phrase(value: &[u8]) -> bool {
    let is_plain =
        |word: &&[u8]| (3..=9).contains(&word.len()) && word.iter().all(u8::is_ascii_lowercase);
    let is_mixed = |word: &&[u8]| {
        let has = |test: fn(&u8) -> bool| word.iter().any(test);
        let run = word.iter().all(u8::is_ascii_alphanumeric);
        run && has(u8::is_ascii_alphabetic) && has(u8::is_ascii_digit) && !is_wordy(word)
    };
    let Some(words) = unsaid(value) else {
        return false;
    };
    words.len() >= 4 && words.iter().all(is_plain) || words.len() <= 4 && words.iter().any(is_mixed)
}

/// Whether words that are one argument of a command, where it takes a password, are one: none of which a
/// sentence about passwords has, and none an option. What begins or ends with a blank is code between two strings.
pub(super) fn is_argument(value: &[u8]) -> bool {
    let is_part = |word: &&[u8]| !word.is_empty() && !word.starts_with(b"-");
    unsaid(value).is_some_and(|words| words.iter().all(is_part))
}

/// Whether an argument is an option of its own: `--name`, `--name=value`.
pub(super) fn is_option(argument: &[u8]) -> bool {
    let name = argument.strip_prefix(b"--");
    let name = name.and_then(|name| name.split(|byte| *byte == b'=').next());
    name.is_some_and(is_wordy)
}

/// The words of a value, if they are few, and none of a sentence about passwords.
fn unsaid(value: &[u8]) -> Option<Vec<&[u8]>> {
    #[rustfmt::skip]
    const OF_SENTENCES: &[&[u8]] = &[
        b"a", b"an", b"and", b"are", b"as", b"at", b"be", b"by", b"can", b"cannot", b"does", b"for",
        b"from", b"has", b"have", b"if", b"in", b"is", b"it", b"its", b"least", b"may", b"more", b"must",
        b"my", b"new", b"no", b"not", b"of", b"on", b"or", b"please", b"same", b"should", b"so", b"than",
        b"that", b"the", b"this", b"to", b"too", b"use", b"was", b"when", b"will", b"with", b"without",
        b"you", b"your", b"password", b"passwords", b"passphrase", b"pass", b"secret", b"token", b"user",
        b"username", b"email", b"login", b"account", b"wrong", b"incorrect", b"invalid", b"missing",
        b"required", b"optional", b"enter", b"confirm", b"change", b"reset", b"forgot", b"failed",
        b"error", b"test", b"some", b"any", b"all", b"set", b"get", b"string", b"value", b"characters",
        b"hash", b"field", b"input", b"text", b"key", b"keys", b"data", b"name", b"description",
    ];
    const WORDS_MAX: usize = 10;
    let words: Vec<&[u8]> = value.split(|byte| *byte == b' ').collect();
    let is_of_sentence = |word: &&[u8]| {
        OF_SENTENCES
            .iter()
            .any(|one| word.eq_ignore_ascii_case(one))
    };
    let is_said = words.len() > WORDS_MAX || words.iter().any(is_of_sentence);
    (!is_said).then_some(words)
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
    fn letters_that_were_drawn_are_told_from_words() {
        for text in [
            "qxvbtrplkw",
            "mkzjwhqtbvdxarpl",
            "ZkqWbXvTrPjhGfdL",
            "kdpwqzuvhy7xjw",
        ] {
            assert!(is_drawn(text.as_bytes()), "{text}");
        }
        for text in [
            "acknowledged",
            "getUserPasswordHash",
            "MAX_RETRIES",
            "password_confirmation",
            "kubernetes",
            "qwertyuiop",
            "XMLHttpRequest",
        ] {
            assert!(!is_drawn(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn turns_and_kinds_of_bytes_are_counted() {
        assert_eq!(turns(b"aaBB11aa"), 3);
        assert_eq!(turns(b""), 0);
        assert_eq!(distinct(b"abcabc"), 3);
    }
}
