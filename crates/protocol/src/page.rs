//! Pages of the log: what `pull`, `bootstrap` and the stream answer.

use syncline_model::{Cursor, Epoch, LoggedOp, ServerSeq};

use crate::cursor::{read_cursor, write_cursor};
use crate::decode::{DecodeError, EPOCH, Field, parsed, place, utf8};
use crate::json::{Reader, Writer};
use crate::op::{HashSource, OpReader, OpTokens, PayloadBounds, WireOp, WriteHash, write_op};

/// A part of the log, from the place that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullPage {
    pub epoch: Epoch,
    /// At or below it places may be missing.
    pub floor: ServerSeq,
    /// Rising; without gaps above the floor.
    pub ops: Vec<LoggedOp>,
    /// The log's head when the page was made.
    pub server_seq: ServerSeq,
    /// The place that the page reaches, and its mark.
    pub cursor: Cursor,
    /// Whether the log goes on after the page.
    pub has_more: bool,
    /// What who pulls sees of the log: their role, and a digest where they don't see all. Pages of
    /// two sights don't belong in one view.
    pub sight: Option<String>,
    /// How many tombstones the log has ever collected; named where the page begins below the floor, and
    /// any was. Pages of a fetch that name different numbers don't belong in one view.
    pub collections: Option<u64>,
}

/// Where a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageEnd {
    /// The log's head.
    pub head: ServerSeq,
    /// The place that the page reaches, and its mark.
    pub cursor: Cursor,
}

impl PageEnd {
    /// Whether the log goes on after the page.
    pub fn has_more(&self) -> bool {
        self.cursor.server_seq < self.head
    }
}

/// Writes a page op by op, straight from the rows of the log.
#[derive(Debug)]
pub struct PageEncoder {
    out: Writer,
    ops: usize,
    collections: Option<u64>,
}

impl PageEncoder {
    pub fn new(epoch: Epoch, floor: ServerSeq) -> Self {
        Self::with_capacity(epoch, floor, 4_096)
    }

    /// As [`PageEncoder::new`], with room for a page of so many bytes.
    pub fn with_capacity(epoch: Epoch, floor: ServerSeq, bytes: usize) -> Self {
        let mut out = Writer::with_capacity(bytes);
        out.raw("{\"epoch\":").quoted(epoch);
        out.raw(",\"floor\":").number(floor.get()).raw(",\"ops\":[");
        Self {
            out,
            ops: 0,
            collections: None,
        }
    }

    /// Appends an op.
    pub fn op(&mut self, op: &WireOp<'_>) {
        self.out.raw(if self.ops == 0 {
            "{\"serverSeq\":"
        } else {
            ",{\"serverSeq\":"
        });
        self.out.number(op.server_seq.get()).raw(",");
        write_op(&mut self.out, op, WriteHash::WhereItDiffers);
        self.out.raw("}");
        self.ops += 1;
    }

    /// Names how many tombstones the log has ever collected; nothing, where it has none.
    pub fn collections(&mut self, made: u64) {
        self.collections = Some(made).filter(|made| *made > 0);
    }

    /// The ops so far.
    pub const fn ops(&self) -> usize {
        self.ops
    }

    /// The bytes so far.
    pub fn bytes(&self) -> usize {
        self.out.len()
    }

    pub fn finish(self, end: PageEnd) -> Vec<u8> {
        self.finish_for(end, None)
    }

    /// As [`PageEncoder::finish`], of a page that is for one sight of the log.
    pub fn finish_for(mut self, end: PageEnd, sight: Option<&str>) -> Vec<u8> {
        self.out
            .raw("],\"serverSeq\":")
            .number(end.head.get())
            .raw(",\"cursor\":");
        write_cursor(&mut self.out, &end.cursor);
        if let Some(sight) = sight {
            self.out.raw(",\"sight\":").string(sight);
        }
        if let Some(made) = self.collections {
            self.out.raw(",\"collections\":").number(made);
        }
        self.out
            .raw(",\"hasMore\":")
            .raw(if end.has_more() { "true}" } else { "false}" });
        self.out.finish()
    }
}

impl PullPage {
    pub fn encode(&self) -> Vec<u8> {
        let payloads = self
            .ops
            .iter()
            .map(|op| op.payload.as_ref().map_or(4, |p| p.as_str().len()));
        let bytes = payloads.sum::<usize>() + self.ops.len() * OP_BYTES_GUESS + 512;
        let mut encoder = PageEncoder::with_capacity(self.epoch, self.floor, bytes);
        for op in &self.ops {
            encoder.op(&WireOp::from(op));
        }
        let end = PageEnd {
            head: self.server_seq,
            cursor: self.cursor,
        };
        encoder.collections(self.collections.unwrap_or_default());
        encoder.finish_for(end, self.sight.as_deref())
    }

    /// Reads a page. A client applies a page as a whole or not at all, so that one op that can't be
    /// read refuses it. Whether its places and marks are right is for who applies it to check.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let (mut epoch, mut floor) = (Field::new("epoch"), Field::new("floor"));
        let (mut server_seq, mut cursor) = (Field::new("serverSeq"), Field::new("cursor"));
        let (mut ops, mut has_more) = (Field::new("ops"), Field::new("hasMore"));
        let (mut sight, mut collections) = (Field::new("sight"), Field::new("collections"));
        let mut reader = Reader::new(utf8(body)?);
        reader.object::<DecodeError>(|reader, name| match &*name {
            "epoch" => epoch.set(parsed(reader.value()?, "epoch", EPOCH)?),
            "floor" => floor.set(place(reader.value()?, "floor")?),
            "serverSeq" => server_seq.set(place(reader.value()?, "serverSeq")?),
            "cursor" => cursor.set(read_cursor(reader, "cursor")?),
            "ops" => ops.set(read_ops(reader)?),
            "sight" => sight.set(reader.value()?.as_str().map(String::from)),
            "collections" => collections.set(place(reader.value()?, "collections")?),
            "hasMore" => has_more.set(reader.value()?.as_bool().ok_or(HAS_MORE)?),
            _ => {
                reader.value()?;
                Ok(())
            }
        })?;
        reader.end()?;
        Ok(Self {
            epoch: epoch.required()?,
            floor: floor.required()?,
            ops: ops.required()?,
            server_seq: server_seq.required()?,
            cursor: cursor
                .required()?
                .ok_or(DecodeError::Missing { field: "cursor" })?,
            has_more: has_more.required()?,
            sight: sight.optional().flatten(),
            collections: collections.optional().map(ServerSeq::get),
        })
    }
}

/// A guess at the bytes of an op beside its payload.
const OP_BYTES_GUESS: usize = 192;

const HAS_MORE: DecodeError = DecodeError::Field {
    field: "hasMore",
    expected: "true or false",
};
const OPS: DecodeError = DecodeError::Field {
    field: "ops",
    expected: "an array of ops",
};

fn read_ops(reader: &mut Reader<'_>) -> Result<Vec<LoggedOp>, DecodeError> {
    if !reader.at_byte(b'[') {
        return Err(OPS);
    }
    let mut ops = Vec::with_capacity(reader.left() / OP_BYTES_GUESS);
    let mut op_reader = OpReader::new(HashSource::OpItself, PayloadBounds::NONE);
    reader.array::<DecodeError>(|reader| {
        let tokens = OpTokens::read(reader)?;
        let op = op_reader.judge(&tokens).map_err(DecodeError::Op)?;
        let seq = tokens
            .server_seq
            .ok_or(DecodeError::Missing { field: "serverSeq" })?;
        ops.push(LoggedOp {
            seq: place(seq, "serverSeq")?,
            key: op.key,
            payload: op.payload,
            payload_hash: op.payload_hash,
        });
        Ok(())
    })?;
    Ok(ops)
}
