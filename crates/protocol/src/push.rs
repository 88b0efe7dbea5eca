//! The request of `POST /sync/push`: ops offered to the log.

use syncline_model::{ClientId, Cursor, Epoch, ServerSeq};

use crate::cursor::{read_cursor, write_cursor};
use crate::decode::{DecodeError, EPOCH, Field, parsed, utf8};
use crate::echo::KeyEcho;
use crate::json::{Reader, Writer};
use crate::limits::Limits;
use crate::op::{
    HashSource, OfferedOp, OpError, OpReader, OpTokens, PayloadBounds, WireOp, WriteHash, write_op,
};

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushRequest {
    pub client_id: ClientId,
    /// The epoch that the client has the log of; none: not checked.
    pub epoch: Option<Epoch>,
    /// The place up to which the client has applied the log.
    pub cursor: Option<Cursor>,
    /// The last common place of a client that offers ops again, whoever wrote them. At place 0 any
    /// mark stands.
    pub heal: Option<Cursor>,
    pub ops: Vec<OfferedOp>,
}

impl PushRequest {
    pub fn encode(&self) -> Vec<u8> {
        let payloads = self
            .ops
            .iter()
            .map(|op| op.payload.as_ref().map_or(4, |p| p.as_str().len()));
        let keys = self.ops.len() * KEY_BYTES_GUESS;
        let mut out = Writer::with_capacity(payloads.sum::<usize>() + keys + 512);
        out.raw("{\"clientId\":").string(self.client_id.as_str());
        if let Some(epoch) = self.epoch {
            out.raw(",\"epoch\":").quoted(epoch);
        }
        if let Some(cursor) = &self.cursor {
            out.raw(",\"cursor\":");
            write_cursor(&mut out, cursor);
        }
        let mut write_hash = WriteHash::Never;
        if let Some(heal) = &self.heal {
            out.raw(",\"heal\":");
            write_cursor(&mut out, heal);
            write_hash = WriteHash::WhereItDiffers;
        }
        out.raw(",\"ops\":[");
        for (n, op) in self.ops.iter().enumerate() {
            out.raw(if n == 0 { "{" } else { ",{" });
            write_op(&mut out, &wire(op), write_hash);
            out.raw("}");
        }
        out.raw("]}");
        out.finish()
    }
}

/// A guess at the bytes of an op beside its payload.
const KEY_BYTES_GUESS: usize = 192;

fn wire(op: &OfferedOp) -> WireOp<'_> {
    WireOp {
        server_seq: ServerSeq::ZERO,
        scope: op.key.scope.as_str(),
        resource: op.key.resource.as_str(),
        actor: op.key.actor.as_str(),
        clock: op.key.clock.get(),
        payload: op.payload.as_ref().map(|payload| payload.as_str()),
        payload_hash: op.payload_hash,
    }
}

/// What a server has received: each op readable, or refused alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedPush {
    pub client_id: ClientId,
    pub epoch: Option<Epoch>,
    pub cursor: Option<Cursor>,
    pub heal: Option<Cursor>,
    pub ops: Vec<ReceivedOp>,
}

/// An op of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceivedOp {
    Readable(OfferedOp),
    /// Its envelope breaks a rule. The others of its push are judged all the same.
    Refused {
        echo: KeyEcho,
        error: OpError,
    },
}

impl ReceivedOp {
    /// The key that the op's result repeats.
    pub fn echo(&self) -> KeyEcho {
        match self {
            Self::Readable(op) => KeyEcho::of_key(&op.key),
            Self::Refused { echo, .. } => echo.clone(),
        }
    }
}

impl ReceivedPush {
    /// Reads a push. What is wrong with one op refuses that op; what is wrong around the ops, or
    /// isn't JSON, refuses the push.
    pub fn decode(body: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        let (mut client_id, mut epoch) = (Field::new("clientId"), Field::new("epoch"));
        let (mut cursor, mut heal) = (Field::new("cursor"), Field::new("heal"));
        let mut ops = Field::new("ops");
        let mut reader = Reader::new(utf8(body)?);
        reader.object::<DecodeError>(|reader, name| match &*name {
            "clientId" => client_id.set(parsed(reader.value()?, "clientId", CLIENT_ID)?),
            "epoch" => {
                let token = reader.value()?;
                let value = if token.is_null() {
                    None
                } else {
                    Some(parsed(token, "epoch", EPOCH)?)
                };
                epoch.set(value)
            }
            "cursor" => cursor.set(read_cursor(reader, "cursor")?),
            "heal" => heal.set(read_cursor(reader, "heal")?),
            "ops" => ops.set(read_ops(reader, limits.push_ops)?),
            _ => {
                reader.value()?;
                Ok(())
            }
        })?;
        reader.end()?;
        let heal = heal.optional().flatten();
        Ok(Self {
            client_id: client_id.required()?,
            epoch: epoch.optional().flatten(),
            cursor: cursor.optional().flatten(),
            heal,
            ops: judge_ops(&ops.required()?, heal, limits),
        })
    }
}

const CLIENT_ID: &str = "a string of 1 to 256 bytes without control characters";

fn read_ops<'a>(reader: &mut Reader<'a>, max: usize) -> Result<Vec<OpTokens<'a>>, DecodeError> {
    if !reader.at_byte(b'[') {
        return Err(DecodeError::Field {
            field: "ops",
            expected: "an array",
        });
    }
    let mut ops = Vec::new();
    reader.array::<DecodeError>(|reader| {
        if ops.len() == max {
            return Err(DecodeError::TooManyOps { max });
        }
        ops.push(OpTokens::read(reader)?);
        Ok(())
    })?;
    Ok(ops)
}

fn judge_ops(ops: &[OpTokens<'_>], heal: Option<Cursor>, limits: &Limits) -> Vec<ReceivedOp> {
    let hash_source = match heal {
        Some(_) => HashSource::OpItself,
        None => HashSource::PayloadAlone,
    };
    let bounds = PayloadBounds {
        bytes: limits.payload_bytes,
        depth: limits.payload_depth,
    };
    let mut reader = OpReader::new(hash_source, bounds);
    let judge = |tokens| match reader.judge(tokens) {
        Ok(op) => ReceivedOp::Readable(op),
        Err(error) => ReceivedOp::Refused {
            echo: KeyEcho::of_tokens(tokens),
            error,
        },
    };
    ops.iter().map(judge).collect()
}
