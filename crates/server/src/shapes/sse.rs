//! A shape's changes as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::stream;
use syncline_model::ServerSeq;
use syncline_store::shapes::After;
use tokio::time::Instant;

use super::live::{Read, Reader, Woken};
use super::log::LogChunk;

const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// An open stream of one shape.
struct Events {
    reader: Reader,
    after: After,
    /// How far the log had come by what was sent last.
    told: ServerSeq,
    /// When it ends, and the silence after which it says that it is there.
    end: Instant,
    keep_alive: Duration,
    /// Whether more was there than was sent last.
    has_more: bool,
    /// Whether something was waiting: that is told in this form, and the answer ends.
    is_backlog: bool,
}

/// The body of a stream that goes on from `first`, for `lasts`. Its reader keeps changes back until it is
/// told that it is up to date, and forgets them where the stream ends before: so it never does.
pub(super) fn body(
    reader: Reader,
    first: &LogChunk,
    lasts: Duration,
    keep_alive: Duration,
) -> Body {
    let events = Events {
        reader,
        after: first.end,
        told: first.head,
        end: Instant::now() + lasts,
        keep_alive,
        has_more: !first.is_up_to_date,
        is_backlog: first.changes > 0,
    };
    let start = (events, Some(framed(first)));
    Body::from_stream(stream::unfold(start, |(mut events, first)| async move {
        let bytes = match first {
            Some(first) => first,
            None => events.next().await?,
        };
        Some((Ok::<_, Infallible>(bytes), (events, None)))
    }))
}

impl Events {
    /// What the stream sends next; none: it ends.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_backlog && !self.has_more {
            return None;
        }
        let mut alive_at = Instant::now() + self.keep_alive;
        let mut is_silent = false;
        loop {
            if !self.has_more {
                match self.reader.wait(alive_at.min(self.end)).await {
                    Woken::Ended => return None,
                    Woken::TimedOut if Instant::now() >= self.end => return None,
                    Woken::TimedOut => is_silent = true,
                    Woken::Moved => {}
                }
            }
            // The next request is told what has become of the shape.
            let Ok(Read::Chunk(chunk)) = self.reader.read(self.after).await else {
                return None;
            };
            let goes_on = std::mem::replace(&mut self.has_more, !chunk.is_up_to_date);
            if chunk.changes > 0 || goes_on {
                self.after = chunk.end;
                self.told = chunk.head;
                return Some(framed(&chunk));
            }
            if is_silent && chunk.head > self.told {
                // Other tables have moved: who reads several goes by how far each has come.
                self.told = chunk.head;
                return Some(framed(&chunk));
            }
            if is_silent {
                return Some(Bytes::from_static(KEEP_ALIVE));
            }
            alive_at = Instant::now() + self.keep_alive;
        }
    }
}

/// Messages as events, one each.
fn framed(chunk: &LogChunk) -> Bytes {
    let mut framed = BytesMut::with_capacity(chunk.list.len() + 64);
    for message in messages(&chunk.list) {
        framed.put_slice(b"data: ");
        framed.put_slice(message);
        framed.put_slice(b"\n\n");
    }
    framed.freeze()
}

/// The messages of a list. They are objects: one ends where its braces do.
fn messages(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|byte| *byte == b'{')?;
        let (mut depth, mut in_text, mut is_escaped) = (0, false, false);
        for (at, byte) in rest.iter().enumerate().skip(start) {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if in_text => is_escaped = true,
                b'"' => in_text = !in_text,
                b'{' if !in_text => depth += 1,
                b'}' if !in_text => {
                    depth -= 1;
                    if depth == 0 {
                        let message = &rest[start..=at];
                        rest = &rest[at + 1..];
                        return Some(message);
                    }
                }
                _ => {}
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_by_their_braces_and_not_by_those_in_texts() {
        let list = br#"{"a":"}{\"},{","b":{"c":1}},{"d":"\\"}"#;
        let found: Vec<_> = messages(list).collect();
        assert_eq!(found, [&list[..27], &list[28..]]);
    }
}
