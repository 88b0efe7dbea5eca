//! The stream: server-sent events, written and read.
//!
//! A page is one event. Its lines are joined again with line feeds, so that a payload with line
//! feeds between its tokens arrives byte for byte; one with a carriage return can't, as that ends a
//! line too. Such a page is not sent: an event `pull` says that there is one to pull.

mod parser;

use syncline_model::Cursor;

use crate::cursor_text;
use crate::scan::find_line_end;

pub use parser::{StreamError, StreamEvent, StreamMessage, StreamParser};

/// The type of a stream's body.
pub const STREAM_TYPE: &str = "text/event-stream";

/// What a stream sends at its start, and after each silence: a comment, which no reader reports.
pub const HEARTBEAT: &[u8] = b":\n\n";

pub(crate) const PAGE_EVENT: &str = "ops";
pub(crate) const HINT_EVENT: &str = "pull";

/// Writes a page as an event whose id is the place that it reaches.
pub fn encode_event(cursor: &Cursor, page: &[u8]) -> Vec<u8> {
    if page.contains(&b'\r') {
        return format!("event: {HINT_EVENT}\ndata: {{}}\n\n").into_bytes();
    }
    let mut out = Vec::with_capacity(page.len() + 96);
    out.extend_from_slice(b"event: ops\nid: ");
    out.extend_from_slice(cursor_text(cursor).as_bytes());
    let mut rest = page;
    loop {
        let end = find_line_end(rest, 0);
        out.extend_from_slice(b"\ndata: ");
        out.extend_from_slice(&rest[..end]);
        match rest.get(end + 1..) {
            Some(next) => rest = next,
            None => break,
        }
    }
    out.extend_from_slice(b"\n\n");
    out
}
