//! A line of JSON that is too long to be held, without the ends of its long texts.

use crate::privacy::MARK_LINE;

/// Of one text at most this part of the longest line is kept: with many long texts it can be held all the same.
const TEXTS_IN_LINE: usize = 64;

/// Copies a line piece by piece, in little memory, and cuts each long text short: what else it tells,
/// as ids and counts, is read as that of any line.
#[derive(Debug)]
pub(super) struct Shortened {
    line: Vec<u8>,
    /// The longest line that may be made, in bytes.
    longest: usize,
    /// The text that the next byte is of.
    text: Option<Text>,
}

#[derive(Debug, Default)]
struct Text {
    kept: usize,
    left_out: u64,
    /// How many bytes of an escape are to come.
    escaped: u8,
    /// The line of the text that the next byte is of, as far as it may be a mark.
    line: Vec<u8>,
    /// Whether a line that is left out, or the end of one, is a mark: it counts for all that is said from there on.
    is_marked: bool,
}

impl Shortened {
    pub(super) fn new(longest: usize) -> Self {
        Self {
            line: Vec::new(),
            longest,
            text: None,
        }
    }

    pub(super) fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            // What is longer all the same is of no use.
            if self.line.len() > self.longest {
                return;
            }
            self.step(*byte);
        }
    }

    fn step(&mut self, byte: u8) {
        let Some(text) = &mut self.text else {
            self.text = (byte == b'"').then(Text::default);
            return self.line.push(byte);
        };
        let begins_character = text.escaped == 0 && byte & 0b1100_0000 != 0b1000_0000;
        if begins_character && byte == b'"' {
            self.end_text();
            return self.line.push(byte);
        }
        let is_full = text.kept >= self.longest / TEXTS_IN_LINE && begins_character;
        if text.left_out > 0 || is_full {
            text.left_out += 1;
        } else {
            text.kept += 1;
            self.line.push(byte);
        }
        text.read(byte);
    }

    /// Says what is left out of the text at hand, which ends here.
    fn end_text(&mut self) {
        let Some(mut text) = self.text.take().filter(|text| text.left_out > 0) else {
            return;
        };
        text.end_line();
        let mark = match text.is_marked {
            true => ["\\n", MARK_LINE].concat(),
            false => String::new(),
        };
        let told = format!(" … {} bytes left out{mark}", text.left_out);
        self.line.extend_from_slice(told.as_bytes());
    }

    /// The line that stands for this one; none where it is too long without the ends of its texts, too.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        self.end_text();
        (self.line.len() <= self.longest).then_some(self.line)
    }
}

impl Text {
    /// A line of more bytes is no mark.
    const MARK_BYTES_MAX: usize = 256;

    fn read(&mut self, byte: u8) {
        match (self.escaped, byte) {
            (0, b'\\') => {}
            (1, b'n') => self.end_line(),
            (1, b't' | b'r') => self.hold(b' '),
            _ => self.hold(byte),
        }
        self.escaped = match (self.escaped, byte) {
            (0, b'\\') => 1,
            (1, b'u') => 4,
            (left, _) => left.saturating_sub(1),
        };
    }

    fn hold(&mut self, byte: u8) {
        if self.line.len() <= Self::MARK_BYTES_MAX {
            self.line.push(byte);
        }
    }

    fn end_line(&mut self) {
        let is_mark = self.line.trim_ascii() == MARK_LINE.as_bytes();
        self.is_marked |= is_mark && self.left_out > 0 && self.line.len() <= Self::MARK_BYTES_MAX;
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn shortened(line: &str, size: usize, longest: usize) -> Option<Vec<u8>> {
        let mut shortened = Shortened::new(longest);
        line.as_bytes()
            .chunks(size)
            .for_each(|part| shortened.read(part));
        shortened.finish()
    }

    #[test]
    fn long_texts_are_cut_between_characters_and_all_else_stays() {
        for character in ["x", "é", "😀", "\\n", "\\\"", "\\u00e9", "\\\\"] {
            let long = character.repeat(500);
            let line = format!(
                r#"{{"uuid":"u\"1","n":[1,-2.5e3,null,true],"text":"{long}","usage":{{"{long}":7}},"last":"é"}}"#
            );
            for size in [1, 7, line.len()] {
                let cut = shortened(&line, size, 640).unwrap();
                let cut: Value = serde_json::from_slice(&cut).unwrap();
                let whole: Value = serde_json::from_str(&line).unwrap();
                for field in ["uuid", "n", "last"] {
                    assert_eq!(cut[field], whole[field]);
                }
                let (kept, told) = cut["text"].as_str().unwrap().split_once(" … ").unwrap();
                assert!(whole["text"].as_str().unwrap().starts_with(kept), "{kept}");
                let written = kept.chars().count() * character.len();
                assert!((10..16).contains(&written), "{kept}");
                let bytes = long.len() - written;
                assert_eq!(told, format!("{bytes} bytes left out"));
                assert_eq!(
                    cut["usage"].as_object().unwrap().values().next().unwrap(),
                    7
                );
            }
        }
    }

    #[test]
    fn a_mark_in_what_is_left_out_of_a_text_stays() {
        let is_marked = |text: &str, size: usize| {
            let line = serde_json::json!({ "text": text }).to_string();
            let cut = shortened(&line, size, 640).unwrap();
            let cut: Value = serde_json::from_slice(&cut).unwrap();
            assert_ne!(cut["text"], text);
            crate::privacy::is_marked(cut["text"].as_str().unwrap())
        };
        // Ten bytes of a text are kept: some of these end within the mark, or before the end of its line.
        for kept in 0..30 {
            let before = "x".repeat(kept);
            for size in [1, 7, 1_000] {
                for marked in [
                    format!("{before}\n#do-not-record\nmore"),
                    format!("{before}\r\n\t#do-not-record \r\n"),
                    format!("{before}\n#do-not-record"),
                ] {
                    assert!(is_marked(&marked, size), "{marked:?}");
                }
                for plain in [
                    format!("{before}\n#do-not-record it"),
                    format!("{before}\n#do-not-record{}it", " ".repeat(300)),
                    format!("{before}\n##do-not-record"),
                    format!("{before}\n\\n#do-not-record"),
                ] {
                    assert!(!is_marked(&plain, size), "{plain:?}");
                }
            }
        }
    }

    #[test]
    fn a_mark_in_what_is_left_out_of_a_text_without_an_end_stays() {
        for (end, marked) in [("\n", true), ("", true), (" it\n", false)] {
            let torn = format!(r##"{{"text":"{}\n#do-not-record{end}"##, "x".repeat(500));
            let cut = String::from_utf8(shortened(&torn, 7, 640).unwrap()).unwrap();
            assert!(cut.contains(" bytes left out"), "{cut}");
            assert_eq!(crate::privacy::is_marked_within(&cut), marked, "{cut}");
        }
    }

    #[test]
    fn what_is_long_without_its_texts_is_not_given() {
        let line = format!("[{}1]", "1,".repeat(1_000));
        assert_eq!(shortened(&line, 100, 1_000), None);
        assert_eq!(shortened(&line, 100, line.len()).unwrap(), line.as_bytes());
    }

    #[test]
    fn junk_stays_as_it_is_up_to_a_long_text() {
        let mut shortened = Shortened::new(640);
        shortened.read(b"]]}}{{,:\"\\\xff\x00,\"uuid\":1,");
        let junk = b"]]}}{{,:\"\\\xff\x00,\"uuid\":1,";
        assert_eq!(shortened.finish().unwrap(), junk);
    }
}
