//! Words as the full-text index knows them.
//!
//! The index's own tokenizer makes a word of each run of letters and digits. That leaves
//! `getUserName` one word, and a sentence of a script without spaces one too: so the text that is
//! indexed gains the parts of the former and the character pairs of the latter.

use std::collections::HashSet;

/// The longest identifier that is taken apart, in bytes. Longer runs are keys, hashes and encoded
/// blobs, whose parts would only dilute the index.
const IDENTIFIER_BYTES_MAX: usize = 64;
/// The most parts an identifier is taken apart into; a run that changes case more often is noise.
const IDENTIFIER_PARTS_MAX: usize = 8;

/// The text that the full-text index holds for `content`: itself, and what is to be found of it
/// besides its words.
pub(crate) fn indexed(mut content: String) -> String {
    let mut added = String::new();
    add_identifier_parts(&content, &mut added);
    add_pairs(&content, &mut added);
    if !added.is_empty() {
        content.reserve_exact(1 + added.len());
        content.push('\n');
        content.push_str(&added);
    }
    content
}

/// Adds the parts of each identifier once. Most words are none: only those in which a capital follows
/// a letter or digit at once are looked at.
fn add_identifier_parts<'a>(content: &'a str, added: &mut String) {
    let bytes = content.as_bytes();
    let mut seen: HashSet<&'a str> = HashSet::new();
    let mut from = 1;
    while let Some(at) = next_capital(bytes, from) {
        let (start, end) = (word_start(content, at), word_end(content, at));
        let word = &content[start..end];
        let cuts = identifier_cuts(word);
        if !cuts.is_empty() && seen.insert(word) {
            for part in pieces(word, &cuts) {
                added.push_str(part);
                added.push(' ');
            }
        }
        from = end + 1;
    }
}

/// How many bytes are looked at together where most are passed over: the compiler makes one step of them.
const STEP: usize = 32;

/// The first place from `from` on, which is not 0, where a capital follows a letter or digit at once.
fn next_capital(bytes: &[u8], mut from: usize) -> Option<usize> {
    let is_inside = |last: u8, this: u8| this.is_ascii_uppercase() & last.is_ascii_alphanumeric();
    while from + STEP <= bytes.len() {
        let mut any = false;
        for (last, this) in bytes[from - 1..][..STEP].iter().zip(&bytes[from..][..STEP]) {
            any |= is_inside(*last, *this);
        }
        if any {
            break;
        }
        from += STEP;
    }
    (from..bytes.len()).find(|at| is_inside(bytes[at - 1], bytes[*at]))
}

/// Where the word begins in which the byte at `at` stands, which begins a character.
fn word_start(content: &str, at: usize) -> usize {
    let bytes = content.as_bytes();
    let mut start = at;
    while start > 0 && bytes[start - 1].is_ascii_alphanumeric() {
        start -= 1;
    }
    if start == 0 || bytes[start - 1].is_ascii() {
        return start;
    }
    let behind = |found| found + content[found..].chars().next().map_or(1, char::len_utf8);
    let before = content[..start].rfind(|c| !is_word_char(c));
    before.map_or(0, behind)
}

/// Where the word ends in which the byte at `at` stands, which begins a character.
fn word_end(content: &str, at: usize) -> usize {
    let bytes = content.as_bytes();
    let mut end = at;
    while end < bytes.len() && bytes[end].is_ascii_alphanumeric() {
        end += 1;
    }
    if end == bytes.len() || bytes[end].is_ascii() {
        return end;
    }
    let behind = content[end..].find(|c| !is_word_char(c));
    behind.map_or(content.len(), |found| end + found)
}

/// Where the parts of an identifier begin, but for the first: `getHTTPServer` has cuts before `H`
/// and `S`. None for a word that is no identifier.
pub(super) fn identifier_cuts(word: &str) -> Vec<usize> {
    let bytes = word.as_bytes();
    if bytes.len() > IDENTIFIER_BYTES_MAX {
        return Vec::new();
    }
    let mut cuts = Vec::new();
    for at in 1..bytes.len() {
        let (last, this) = (bytes[at - 1], bytes[at]);
        if !this.is_ascii_uppercase() {
            continue;
        }
        // In a run of capitals only the last may begin a part, and only of two small letters or
        // more: `APIs` is one word.
        let ends_capitals = last.is_ascii_uppercase()
            && bytes[at + 1..].len() >= 2
            && bytes[at + 1..at + 3].iter().all(u8::is_ascii_lowercase);
        if last.is_ascii_lowercase() || last.is_ascii_digit() || ends_capitals {
            cuts.push(at);
        }
    }
    if cuts.len() >= IDENTIFIER_PARTS_MAX {
        cuts.clear();
    }
    cuts
}

/// The pieces of `word` between `cuts`.
pub(super) fn pieces<'a>(word: &'a str, cuts: &[usize]) -> impl Iterator<Item = &'a str> {
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain(std::iter::once(word.len()));
    let bounds: Vec<(usize, usize)> = starts.zip(ends).collect();
    bounds.into_iter().map(|(start, end)| &word[start..end])
}

/// Whether `c` belongs to a script that is written without spaces between words.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(
        u32::from(c),
        0x3005..=0x3007      // Han, marks of repetition and zero
        | 0x3041..=0x30ff    // Hiragana, Katakana
        | 0x3400..=0x4dbf    // Han, extension A
        | 0x4e00..=0x9fff    // Han
        | 0xac00..=0xd7a3    // Hangul
        | 0xf900..=0xfaff    // Han, compatibility
        | 0xff66..=0xff9d    // Katakana, half width
        | 0x20000..=0x3ffff  // Han, further extensions
    )
}

/// Adds, for each word that has unspaced characters, the pairs of neighbours in each run of them, in
/// order, so that a part of a run is a phrase of pairs; the last character of the run, so that it is
/// found alone too; and what else the word consists of.
fn add_pairs(content: &str, added: &mut String) {
    let mut from = 0;
    while let Some(at) = next_unspaced(content, from) {
        let (start, end) = (word_start(content, at), word_end(content, at));
        for segment in segments(&content[start..end]) {
            match segment {
                Segment::Spaced(text) => {
                    added.push_str(text);
                    added.push(' ');
                }
                Segment::Unspaced(run) => {
                    for pair in pairs(run) {
                        added.push_str(pair);
                        added.push(' ');
                    }
                    added.extend(run.chars().next_back());
                    added.push(' ');
                }
            }
        }
        from = end;
    }
}

/// Where the next character of an unspaced script stands that is part of a word. They all take three
/// bytes or more, from U+3000 on, so that most texts are passed over byte by byte.
fn next_unspaced(content: &str, mut from: usize) -> Option<usize> {
    const FIRST_BYTE: u8 = 0xe3;
    let bytes = content.as_bytes();
    loop {
        let steps = bytes[from..].chunks_exact(STEP);
        let low = |step: &&[u8]| step.iter().copied().fold(0, u8::max) < FIRST_BYTE;
        from += steps.take_while(low).count() * STEP;
        from += bytes[from..].iter().position(|byte| *byte >= FIRST_BYTE)?;
        let found = content[from..].chars().next()?;
        if is_unspaced(found) && is_word_char(found) {
            return Some(from);
        }
        from += found.len_utf8();
    }
}

/// A part of a word, of one kind of script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    Spaced(&'a str),
    Unspaced(&'a str),
}

/// The parts of a word where it changes between scripts with and without spaces.
pub(super) fn segments(word: &str) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let unspaced = is_unspaced(first);
        let end = rest
            .find(|c| is_unspaced(c) != unspaced)
            .unwrap_or(rest.len());
        let (segment, behind) = rest.split_at(end);
        segments.push(if unspaced {
            Segment::Unspaced(segment)
        } else {
            Segment::Spaced(segment)
        });
        rest = behind;
    }
    segments
}

/// Each two neighbours of a run.
pub(super) fn pairs(run: &str) -> impl Iterator<Item = &str> {
    let starts = run.char_indices().map(|(at, _)| at);
    let ends = run.char_indices().skip(1).map(|(at, c)| at + c.len_utf8());
    starts.zip(ends).map(|(start, end)| &run[start..end])
}

/// Whether the index's tokenizer takes `c` for a part of a word.
pub(super) fn is_word_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    let is_combining_accent = ('\u{300}'..='\u{36f}').contains(&c);
    c.is_alphanumeric() || is_combining_accent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(content: &str) -> String {
        let text = indexed(content.to_owned());
        let added = text.strip_prefix(content).expect("the content comes first");
        match added {
            "" => String::new(),
            added => added
                .strip_prefix('\n')
                .expect("a line of its own")
                .to_owned(),
        }
    }

    #[test]
    fn plain_text_gains_nothing() {
        for text in [
            "",
            "a plan for it",
            "snake_case and kebab-case",
            "APIs — ok ✅",
            "A B C",
        ] {
            assert_eq!(added(text), "", "{text}");
        }
    }

    #[test]
    fn identifiers_gain_their_parts_once() {
        assert_eq!(added("call getUserName, getUserName()"), "get User Name ");
        assert_eq!(added("HTTPServer utf8Parser"), "HTTP Server utf8 Parser ");
    }

    #[test]
    fn what_is_to_be_found_is_found_wherever_it_stands() {
        for before in 0..80 {
            for plain in ["-", "\u{e9}"] {
                let text = format!("{} getName ok 検索", plain.repeat(before));
                assert_eq!(added(&text), "get Name 検索 索 ", "{text}");
            }
        }
    }

    #[test]
    fn long_and_noisy_runs_are_left_alone() {
        let blob = "aB".repeat(40);
        assert_eq!(added(&blob), "");
        assert_eq!(added("aBcDeFgHiJkLmNoPqR"), "");
    }

    #[test]
    fn unspaced_scripts_gain_their_pairs() {
        assert_eq!(added("全文検索 ok 字"), "全文 文検 検索 索 字 ");
        assert_eq!(added("検索APIの"), "検索 索 API の ");
    }
}
