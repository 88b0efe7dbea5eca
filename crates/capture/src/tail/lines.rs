//! Lines of a file of any size, in bounded memory.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use syncline_redact::mend_surrogates;

use super::Mark;
use super::outline::Outline;
use super::shortened::Shortened;

/// The longest line that is read: one with a few large images in it. A longer one is never held: its
/// long texts are cut short, and where that is not enough no more is kept than whose it is.
pub const LINE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How much is read from the file at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// What some programs begin a file with, to say that it is UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// From 1.
    pub number: u64,
    /// The byte at which it begins.
    pub offset: u64,
    /// Without its end; no line is empty.
    pub text: &'a str,
    /// Whether bytes that are no UTF-8 were replaced in `text`, or zero bytes taken off.
    pub mended: bool,
}

/// A line that is too long to be given as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongLine {
    /// From 1.
    pub number: u64,
    /// How long it is.
    pub bytes: u64,
    /// The line without the ends of its long texts; or an object of those of its fields that say whose it
    /// is and when it was written, with its length and digest.
    pub stub: String,
    /// Whether `stub` is more than its ids.
    pub is_shortened: bool,
}

/// Reads whole lines, from a mark on.
#[derive(Debug)]
pub struct Lines<R> {
    reader: BufReader<R>,
    /// The bytes of the line at hand.
    pub(super) held: Vec<u8>,
    text: String,
    position: Mark,
    longest: usize,
}

impl<R: Read> Lines<R> {
    /// The lines of what `reader` gives, which stands at `mark`.
    pub fn new(reader: R, mark: &Mark) -> Self {
        Self::bounded(reader, mark, LINE_BYTES_MAX)
    }

    /// The same with another bound for the length of a line.
    pub(super) fn bounded(reader: R, mark: &Mark, longest: usize) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER_BYTES, reader),
            held: Vec::new(),
            text: String::new(),
            position: mark.clone(),
            longest,
        }
    }

    /// How far whole lines have been given.
    pub fn position(&self) -> Mark {
        self.position.clone()
    }

    /// The byte up to which lines have been given.
    pub fn offset(&self) -> u64 {
        self.position.offset
    }

    /// The next whole line that is not empty; none at the end.
    ///
    /// A last line without an end is given if it is a whole JSON value all the same: no value that
    /// ends in a bracket goes on. Any other waits until its writer has finished it.
    pub fn next_line(&mut self) -> io::Result<Option<Result<Line<'_>, LongLine>>> {
        loop {
            self.held.clear();
            self.hold_line()?;
            let read = self.held.len();
            if read == 0 {
                return Ok(None);
            }
            let ended = self.held.last() == Some(&b'\n');
            if !ended && self.held.len() > self.longest {
                return Ok(self.pass_over()?.map(Err));
            }
            if !ended && !is_whole_value(&self.held) {
                return Ok(None);
            }
            let offset = self.position.offset;
            let mended = self.take_text();
            let number = self.come_on(read as u64, ended.into());
            if !self.text.is_empty() {
                return Ok(Some(Ok(Line {
                    number,
                    offset,
                    text: &self.text,
                    mended,
                })));
            }
        }
    }

    /// Holds the bytes up to the next line's end, or one more than a line may have.
    fn hold_line(&mut self) -> io::Result<()> {
        while self.held.len() <= self.longest {
            let buffer = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                filled => filled?,
            };
            let room = self.longest + 1 - self.held.len();
            let part = &buffer[..buffer.len().min(room)];
            // Much faster than the standard library's own search.
            let end = memchr::memchr(b'\n', part);
            let used = end.map_or(part.len(), |end| end + 1);
            self.held.extend_from_slice(&part[..used]);
            self.reader.consume(used);
            if end.is_some() || used == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Passes over a line that is too long; none where its end has not been written yet: it is looked
    /// at again from its beginning then.
    fn pass_over(&mut self) -> io::Result<Option<LongLine>> {
        let mut outline = Outline::default();
        let mut shortened = Shortened::new(self.longest);
        let held = std::mem::take(&mut self.held);
        outline.read(&held);
        shortened.read(&held);
        drop(held);
        let mut ended = false;
        while !ended {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', buffer);
            let used = end.map_or(buffer.len(), |end| end + 1);
            outline.read(&buffer[..used]);
            shortened.read(&buffer[..used]);
            self.reader.consume(used);
            ended = end.is_some();
        }
        let bytes = outline.bytes();
        let shortened = shortened.finish();
        if !ended && !shortened.as_deref().is_some_and(is_whole_value) {
            return Ok(None);
        }
        Ok(Some(LongLine {
            number: self.come_on(bytes, ended.into()),
            bytes,
            is_shortened: shortened.is_some(),
            stub: match shortened {
                Some(line) => {
                    mend_surrogates(String::from_utf8_lossy(&line).trim_end()).into_owned()
                }
                None => outline.finish(),
            },
        }))
    }

    /// Comes on by a line's bytes, with its end or without; gives the number of that line.
    fn come_on(&mut self, bytes: u64, ends: u64) -> u64 {
        let number = self.position.lines + 1;
        self.position.offset += bytes;
        self.position.lines += ends;
        number
    }

    /// Makes text of the bytes at hand; whether something had to be mended for that.
    fn take_text(&mut self) -> bool {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0);
        let is_first = self.position.offset == 0;
        let encoding = match is_first && self.held.starts_with(BYTE_ORDER_MARK) {
            true => BYTE_ORDER_MARK.len(),
            false => 0,
        };
        let start = self.held[encoding..].iter().position(|byte| !blank(byte));
        let start = start.map(|start| start + encoding);
        let end = self.held.iter().rposition(|byte| !blank(byte));
        self.text.clear();
        let (Some(start), Some(end)) = (start, end) else {
            return false;
        };
        // A crash leaves zeros where a write was not finished.
        let zeros = self.held[..start].contains(&0) || self.held[end + 1..].contains(&0);
        let text = String::from_utf8_lossy(&self.held[start..=end]);
        self.text.push_str(&mend_surrogates(&text));
        zeros || matches!(text, Cow::Owned(_))
    }
}

/// Whether the bytes of a line without an end are one whole JSON object or array.
fn is_whole_value(bytes: &[u8]) -> bool {
    let last = bytes.iter().rev().find(|byte| !byte.is_ascii_whitespace());
    matches!(last, Some(b'}' | b']'))
        && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}
