//! A part of a shape's log: what has become of its rows after a place.

use bytes::Bytes;
use syncline_model::ServerSeq;
use syncline_store::TenantFile;
use syncline_store::shapes::{After, Flow};

use super::encode::{Encoder, PlaceInOp, up_to_date};
use super::offset::Check;
use super::resolve::Resolved;
use super::sight::is_unchanged;
use crate::tenant::Refused;

/// Messages, and where they lead.
#[derive(Debug)]
pub(super) struct LogChunk {
    /// The messages as a JSON array.
    pub list: Bytes,
    /// How many of them are changes.
    pub changes: usize,
    /// Where the last change stands; where there is none, where the reader stood.
    pub end: After,
    /// What the log has there, if that is another place than where the reader stood.
    pub check: Option<Check>,
    /// Whether nothing is left after it: then the last message says so.
    pub is_up_to_date: bool,
    /// Where the log stood.
    pub head: ServerSeq,
}

/// What of a shape's log is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogPart {
    /// The place that the reader goes on from.
    pub after: After,
    /// Up to here it was looked at before, and held nothing for the shape.
    pub unseen: After,
    /// The bytes at which it ends.
    pub bytes_max: usize,
}

/// What reading a shape's log came to.
#[derive(Debug)]
pub(super) enum LogRead {
    Chunk(LogChunk),
    /// The shape, or this part of its log, is gone.
    Gone,
}

/// Places that a reader may be behind the head without being told so. Who is further behind goes on
/// from the head, so that history that holds nothing for it need not be kept.
const LAG_MAX: u64 = 1_000;

impl LogChunk {
    /// What is told where nothing has come after a place up to `head`; none where its reader is to go on
    /// from another place.
    pub(super) fn nothing(after: After, head: ServerSeq) -> Option<Self> {
        let behind = head.get().checked_sub(after.seq.get())?;
        (behind <= LAG_MAX).then(|| Self {
            list: format!("[{}]", up_to_date(head)).into(),
            changes: 0,
            end: after,
            check: None,
            is_up_to_date: true,
            head,
        })
    }
}

/// Reads what comes after a place, up to so many bytes.
pub(super) fn read_log(
    file: &TenantFile,
    resolved: &Resolved,
    part: LogPart,
) -> Result<LogRead, Refused> {
    let (definition, shape) = (&*resolved.definition, &resolved.shape);
    let after = part.after;
    file.snapshot(|file| {
        let current = file.shape(&shape.handle)?;
        if current.is_none_or(|current| after.seq < current.trimmed)
            || !is_unchanged(file, definition)?
        {
            return Ok(LogRead::Gone);
        }
        let head = file.head()?.cursor;
        let encoder = Encoder::new(definition);
        let mut chunk = Writer {
            body: vec![b'['],
            open: None,
            changes: 0,
            end: after,
            is_full: false,
        };
        file.visit_shape_changes(shape.relation, after.max(part.unseen), |change| {
            chunk.close_before(change.seq);
            if chunk.is_full && chunk.open.is_none() {
                return Ok(Flow::Enough);
            }
            let at = chunk.body.len();
            if chunk.is_full {
                // Only whether the open one is the last of its op is still to be known.
                let mut aside = Vec::new();
                if encoder.change(change, &mut aside)? {
                    chunk.close(PlaceInOp::Inner);
                    return Ok(Flow::Enough);
                }
                return Ok(Flow::On);
            }
            if chunk.open.is_some() {
                let mut next = Vec::new();
                if encoder.change(change, &mut next)? {
                    chunk.close(PlaceInOp::Inner);
                    chunk.begin(&next);
                    chunk.opened(change.seq, change.ordinal);
                }
            } else {
                chunk.begin(b"");
                if encoder.change(change, &mut chunk.body)? {
                    chunk.opened(change.seq, change.ordinal);
                } else {
                    chunk.body.truncate(at);
                }
            }
            chunk.is_full = chunk.body.len() >= part.bytes_max;
            Ok(Flow::On)
        })?;
        chunk.close(PlaceInOp::Last);
        let mut chunk = chunk.finish(head.server_seq);
        if chunk.end != after {
            chunk.check = file.mark_at(chunk.end.seq)?.as_ref().map(Check::of);
        }
        Ok(LogRead::Chunk(chunk))
    })
}

/// Messages as they are written. The last one stays open until it is known whether the shape holds
/// another change of its op.
struct Writer {
    body: Vec<u8>,
    open: Option<ServerSeq>,
    changes: usize,
    end: After,
    is_full: bool,
}

impl Writer {
    fn begin(&mut self, message: &[u8]) {
        if self.body.len() > 1 {
            self.body.push(b',');
        }
        self.body.extend_from_slice(message);
    }

    fn opened(&mut self, seq: ServerSeq, ordinal: u64) {
        self.open = Some(seq);
        self.changes += 1;
        self.end = After {
            seq,
            rows: ordinal + 1,
        };
    }

    fn close(&mut self, place: PlaceInOp) {
        if self.open.take().is_some() {
            Encoder::end_change(place, &mut self.body);
        }
    }

    /// Ends the open message where the next change is of another op.
    fn close_before(&mut self, next: ServerSeq) {
        if self.open.is_some_and(|seq| seq != next) {
            self.close(PlaceInOp::Last);
        }
    }

    fn finish(mut self, head: ServerSeq) -> LogChunk {
        let is_up_to_date = !self.is_full;
        if is_up_to_date {
            self.begin(up_to_date(head).as_bytes());
            if self.changes == 0 && head.get().saturating_sub(self.end.seq.get()) > LAG_MAX {
                self.end = After {
                    seq: head,
                    rows: u64::MAX,
                };
            }
        }
        self.body.push(b']');
        LogChunk {
            list: self.body.into(),
            changes: self.changes,
            end: self.end,
            check: None,
            is_up_to_date,
            head,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_far_behind_or_ahead_of_what_was_told_is_not_told_that_nothing_came() {
        let after = After {
            seq: ServerSeq(7),
            rows: 1,
        };
        let head = |seq| {
            let nothing = LogChunk::nothing(after, ServerSeq(seq))?;
            assert_eq!((nothing.changes, nothing.end), (0, after));
            Some(nothing.head.get())
        };
        assert_eq!(head(6), None);
        assert_eq!(head(7), Some(7));
        assert_eq!(head(7 + LAG_MAX), Some(7 + LAG_MAX));
        assert_eq!(head(8 + LAG_MAX), None);
    }
}
