//! A file of lines, each an entry in JSON.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use syncline_model::Timestamp;

use super::{
    EntryIdentity, EntryItem, ImportError, ImportProblem, Item, ProblemCause, Progress, Source,
    SourcePlace, ThreadName,
};

/// The longest line, in bytes: an entry of the most characters, each written as an escaped pair, and
/// room for the rest. A longer one is passed over without being held in memory.
pub const LINE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Who wrote an entry that doesn't say.
const AUTHOR: &str = "user";
/// Some editors begin a file of UTF-8 with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    project: Option<Cow<'a, str>>,
    #[serde(borrow)]
    thread: Cow<'a, str>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    author: Option<Cow<'a, str>>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    content: Cow<'a, str>,
}

/// Lines, as they are read.
pub(super) struct JsonlSource {
    reader: BufReader<Box<dyn Read + Send>>,
    project: String,
    line: u64,
    buffer: Vec<u8>,
    progress: Progress,
}

impl std::fmt::Debug for JsonlSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonlSource")
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

impl JsonlSource {
    pub(super) fn open(path: &Path, project: &str) -> Result<Self, ImportError> {
        let open = |source| ImportError::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(open)?;
        let size = file.metadata().map_err(open)?.len();
        Ok(Self::new(file, project, Some(size)))
    }

    pub(super) fn new(
        reader: impl Read + Send + 'static,
        project: &str,
        size: Option<u64>,
    ) -> Self {
        Self {
            reader: BufReader::with_capacity(64 * 1024, Box::new(reader)),
            project: project.to_owned(),
            line: 0,
            buffer: Vec::new(),
            progress: Progress {
                done: 0,
                whole: size,
            },
        }
    }

    /// Reads a line into the buffer, up to the bound, and the rest of it nowhere.
    fn read_line(&mut self) -> std::io::Result<LineRead> {
        self.buffer.clear();
        let mut length = 0;
        loop {
            let bytes = self.reader.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(bytes.len(), |end| end + 1);
            if length + taken <= LINE_BYTES_MAX {
                self.buffer.extend_from_slice(&bytes[..taken]);
            }
            length += taken;
            self.reader.consume(taken);
            if end.is_some() {
                break;
            }
        }
        self.progress.done += length as u64;
        Ok(match length {
            0 => LineRead::End,
            1..=LINE_BYTES_MAX => LineRead::Whole,
            _ => LineRead::TooLong,
        })
    }

    fn read_item(&self) -> Result<EntryItem, ProblemCause> {
        let bytes = match self.line {
            1 => self
                .buffer
                .strip_prefix(BYTE_ORDER_MARK)
                .unwrap_or(&self.buffer),
            _ => &self.buffer,
        };
        let line: Line<'_> = serde_json::from_slice(bytes).map_err(ProblemCause::Syntax)?;
        let at: Option<Timestamp> = line.timestamp.and_then(|text| text.parse().ok());
        Ok(EntryItem {
            thread: ThreadName {
                project: line
                    .project
                    .map_or_else(|| self.project.clone(), Cow::into_owned),
                key: line.thread.into_owned(),
            },
            name: line.name.map(Cow::into_owned),
            identity: EntryIdentity::Place,
            author: line
                .author
                .map_or_else(|| AUTHOR.to_owned(), Cow::into_owned),
            content: line.content.into_owned(),
            at: at.ok_or(ProblemCause::Time)?,
            source: SourcePlace::Line(self.line),
        })
    }
}

enum LineRead {
    End,
    Whole,
    TooLong,
}

impl Source for JsonlSource {
    fn next_item(&mut self) -> Result<Option<Item>, ImportError> {
        loop {
            let read = self.read_line().map_err(ImportError::Read)?;
            self.line += 1;
            let item = match read {
                LineRead::End => return Ok(None),
                LineRead::Whole if self.buffer.trim_ascii().is_empty() => continue,
                LineRead::Whole => self.read_item(),
                LineRead::TooLong => Err(ProblemCause::TooLong),
            };
            return Ok(Some(match item {
                Ok(entry) => Item::Entry(entry),
                Err(cause) => Item::Problem(ImportProblem {
                    place: SourcePlace::Line(self.line),
                    cause,
                }),
            }));
        }
    }

    fn progress(&self) -> Progress {
        self.progress
    }
}
