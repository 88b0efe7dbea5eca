//! Reading a stream as it arrives, however it is cut.

use std::collections::VecDeque;

use syncline_model::Cursor;

use super::{HINT_EVENT, PAGE_EVENT};
use crate::parse_cursor_text;
use crate::scan::find_line_end;

/// One event of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamEvent {
    /// The event's type; empty where it names none.
    pub name: String,
    /// The last id that the stream named, with this event or before it; empty: none.
    pub id: String,
    pub data: Vec<u8>,
}

/// What an event means to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamMessage {
    /// A page of the log, to be decoded, and the place that it reaches, where the event says so.
    Page {
        body: Vec<u8>,
        reaches: Option<Cursor>,
    },
    /// There is a page to pull that the stream can't carry.
    Hint,
    /// An event that a newer server has come up with.
    Unknown,
}

impl From<StreamEvent> for StreamMessage {
    fn from(event: StreamEvent) -> Self {
        match event.name.as_str() {
            PAGE_EVENT => Self::Page {
                body: event.data,
                reaches: parse_cursor_text(&event.id).ok(),
            },
            HINT_EVENT => Self::Hint,
            _ => Self::Unknown,
        }
    }
}

/// Why a stream can't be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    #[error("an event of the stream has more than the {max} bytes allowed")]
    TooLarge { max: usize },
}

/// Turns the bytes of a stream, in pieces of any size, into its events.
#[derive(Debug)]
pub struct StreamParser {
    /// The line that is being received, without its end.
    line: Vec<u8>,
    /// The event that is being received.
    event: StreamEvent,
    has_data: bool,
    /// The last piece ended with a carriage return: a line feed that follows belongs to it.
    after_return: bool,
    /// Nothing but, perhaps, a byte order mark has been received.
    at_start: bool,
    ready: VecDeque<StreamEvent>,
    max: usize,
    failed: bool,
}

impl StreamParser {
    /// A parser for a new stream; no event may take more than `max` bytes.
    pub fn new(max: usize) -> Self {
        Self {
            line: Vec::new(),
            event: StreamEvent::default(),
            has_data: false,
            after_return: false,
            at_start: true,
            ready: VecDeque::new(),
            max,
            failed: false,
        }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.failed {
            if std::mem::take(&mut self.after_return) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = find_line_end(bytes, 0);
            self.line.extend_from_slice(&bytes[..end]);
            self.failed = self.line.len() + self.event.data.len() > self.max;
            let Some(ending) = bytes.get(end) else { return };
            self.after_return = *ending == b'\r';
            bytes = &bytes[end + 1..];
            self.end_line();
        }
    }

    /// The next whole event; none until more bytes come. After an error there is nothing more.
    pub fn next_event(&mut self) -> Option<Result<StreamEvent, StreamError>> {
        match self.ready.pop_front() {
            Some(event) => Some(Ok(event)),
            None if self.failed => Some(Err(StreamError::TooLarge { max: self.max })),
            None => None,
        }
    }

    fn end_line(&mut self) {
        if std::mem::take(&mut self.at_start) && self.line.starts_with(b"\xef\xbb\xbf") {
            self.line.drain(..3);
        }
        if self.line.is_empty() {
            self.end_event();
            return;
        }
        let colon = self
            .line
            .iter()
            .position(|byte| *byte == b':')
            .unwrap_or(self.line.len());
        let (name, value) = self.line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                if self.has_data {
                    self.event.data.push(b'\n');
                }
                self.has_data = true;
                self.event.data.extend_from_slice(value);
            }
            b"event" => self.event.name = String::from_utf8_lossy(value).into_owned(),
            // An id with a NUL is none, as the standard has it.
            b"id" if !value.contains(&0) => {
                self.event.id = String::from_utf8_lossy(value).into_owned();
            }
            // Comments, `retry`, and fields that are not known.
            _ => {}
        }
        self.line.clear();
    }

    fn end_event(&mut self) {
        let id = self.event.id.clone();
        let event = std::mem::replace(
            &mut self.event,
            StreamEvent {
                id,
                ..StreamEvent::default()
            },
        );
        if std::mem::take(&mut self.has_data) {
            self.ready.push_back(event);
        }
    }
}
