//! One op on the wire: `{scope, resourceId, actor, clock, payload, payloadHash?, erased?}`.

use syncline_model::{
    ActorId, Clock, LoggedOp, Op, OpKey, Payload, PayloadHash, ResourceId, Scope, ServerSeq,
};

use crate::json::{Kind, Reader, Token, Writer};
use crate::{DecodeError, ErrorCode};

/// An op as a row of the log holds it, for encoders that copy bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireOp<'a> {
    pub server_seq: ServerSeq,
    pub scope: &'a str,
    pub resource: &'a str,
    pub actor: &'a str,
    pub clock: u64,
    /// JSON text; none when the op was erased.
    pub payload: Option<&'a str>,
    /// That of the payload as first sent.
    pub payload_hash: PayloadHash,
}

impl<'a> From<&'a LoggedOp> for WireOp<'a> {
    fn from(op: &'a LoggedOp) -> Self {
        Self {
            server_seq: op.seq,
            scope: op.key.scope.as_str(),
            resource: op.key.resource.as_str(),
            actor: op.key.actor.as_str(),
            clock: op.key.clock.get(),
            payload: op.payload.as_ref().map(Payload::as_str),
            payload_hash: op.payload_hash,
        }
    }
}

/// An op that is offered to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedOp {
    pub key: OpKey,
    /// None when the op was erased; only an op offered again can be.
    pub payload: Option<Payload>,
    /// That of the payload as first sent.
    pub payload_hash: PayloadHash,
}

impl From<Op> for OfferedOp {
    fn from(op: Op) -> Self {
        let payload_hash = op.payload.hash();
        Self {
            key: op.key,
            payload: Some(op.payload),
            payload_hash,
        }
    }
}

impl From<LoggedOp> for OfferedOp {
    fn from(op: LoggedOp) -> Self {
        Self {
            key: op.key,
            payload: op.payload,
            payload_hash: op.payload_hash,
        }
    }
}

/// Why one op is refused for ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct OpError {
    pub code: ErrorCode,
    pub message: String,
    /// With `clock_behind` and `clock_lead`: a clock that is to be above when the op is written anew.
    pub above: Option<Clock>,
    /// What a program needs of it, as JSON text: of a record what is wrong with which field, and the
    /// values in conflict.
    pub details: Option<Box<str>>,
}

impl OpError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            above: None,
            details: None,
        }
    }

    /// The refusal of an op whose clock is not above those of tombstones that are collected.
    pub fn clock_behind(above: Clock) -> Self {
        let message = format!(
            "tombstones of this resource up to clock {above} are collected: \
             take a new actor and write the op anew, with a clock above that"
        );
        Self {
            above: Some(above),
            ..Self::new(ErrorCode::ClockBehind, message)
        }
    }

    /// The refusal of an op at `clock` that comes behind one so refused, of the same resource and in the same
    /// push: taken as it is, it would be undone by that one, which is to be written anew.
    pub fn behind_refused(clock: Clock) -> Self {
        let message = "an earlier op of this resource in the same push is to be written anew: \
             take a new actor and write this one anew behind it";
        Self {
            above: Some(clock),
            ..Self::new(ErrorCode::ClockBehind, message)
        }
    }

    /// The refusal of an op that its log lacks, behind younger ones of its actor that it has dropped, and behind
    /// a collected tombstone: nothing tells whether that had covered it, or a log that was put back has lost it.
    pub fn maybe_covered() -> Self {
        let message = "a tombstone of this resource that the log has collected may have covered this op, \
             or the log has lost it: look whether what it did is there, then drop the op or write it anew";
        Self::new(ErrorCode::MaybeCovered, message)
    }

    /// The refusal of an op whose clock leads `highest`, the log's, by more than the protocol allows. Who
    /// writes it anew may have lost the log from which to know how high that is.
    pub fn clock_lead(clock: Clock, highest: u64) -> Self {
        let message = format!(
            "clock {clock} leads the log's highest, {highest}, by more than 2^32: \
             take a new actor and write the op anew"
        );
        Self {
            above: Clock::new(highest).ok(),
            ..Self::new(ErrorCode::ClockLead, message)
        }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidOp, message)
    }
}

/// Whether an op says itself what its payload's hash was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashSource {
    /// In a page, and in a push with `heal`.
    OpItself,
    /// In any other push, where the field is one of the unknown ones.
    PayloadAlone,
}

/// The fields of an op as they stand in the text, each still to be judged.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OpTokens<'a> {
    pub(crate) server_seq: Option<Token<'a>>,
    pub(crate) scope: Option<Token<'a>>,
    pub(crate) resource: Option<Token<'a>>,
    pub(crate) actor: Option<Token<'a>>,
    pub(crate) clock: Option<Token<'a>>,
    payload: Option<Token<'a>>,
    payload_hash: Option<Token<'a>>,
    erased: Option<Token<'a>>,
    /// The first field that was given twice.
    twice: Option<&'static str>,
    not_an_object: bool,
}

impl<'a> OpTokens<'a> {
    /// Reads an op's fields. Only JSON that is broken is an error: a rule that the op breaks is its
    /// own affair.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut tokens = Self::default();
        if !reader.at_byte(b'{') {
            reader.value()?;
            tokens.not_an_object = true;
            return Ok(tokens);
        }
        reader.object::<DecodeError>(|reader, name| {
            let token = reader.value()?;
            let (place, name) = match &*name {
                "serverSeq" => (&mut tokens.server_seq, "serverSeq"),
                "scope" => (&mut tokens.scope, "scope"),
                "resourceId" => (&mut tokens.resource, "resourceId"),
                "actor" => (&mut tokens.actor, "actor"),
                "clock" => (&mut tokens.clock, "clock"),
                "payload" => (&mut tokens.payload, "payload"),
                "payloadHash" => (&mut tokens.payload_hash, "payloadHash"),
                "erased" => (&mut tokens.erased, "erased"),
                _ => return Ok(()),
            };
            if place.replace(token).is_some() {
                tokens.twice = tokens.twice.or(Some(name));
            }
            Ok(())
        })?;
        Ok(tokens)
    }
}

/// The bounds that an op's payload is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PayloadBounds {
    pub(crate) bytes: usize,
    pub(crate) depth: usize,
}

impl PayloadBounds {
    /// For pages: what a server has taken is not refused again.
    pub(crate) const NONE: Self = Self {
        bytes: usize::MAX,
        depth: usize::MAX,
    };
}

/// Judges ops one after another. Neighbours mostly share actor, scope and resource: those are then
/// checked and allocated once.
#[derive(Debug)]
pub(crate) struct OpReader {
    hash_source: HashSource,
    bounds: PayloadBounds,
    actor: Option<ActorId>,
    scope: Option<Scope>,
    resource: Option<ResourceId>,
}

impl OpReader {
    pub(crate) const fn new(hash_source: HashSource, bounds: PayloadBounds) -> Self {
        Self {
            hash_source,
            bounds,
            actor: None,
            scope: None,
            resource: None,
        }
    }

    pub(crate) fn judge(&mut self, tokens: &OpTokens<'_>) -> Result<OfferedOp, OpError> {
        if tokens.not_an_object {
            return Err(OpError::invalid("an op must be an object"));
        }
        if let Some(name) = tokens.twice {
            return Err(OpError::invalid(format!(
                "the op's field `{name}` is given twice"
            )));
        }
        let key = OpKey {
            scope: name(tokens.scope, "scope", &mut self.scope, Scope::as_str)?,
            resource: name(
                tokens.resource,
                "resourceId",
                &mut self.resource,
                ResourceId::as_str,
            )?,
            actor: name(tokens.actor, "actor", &mut self.actor, ActorId::as_str)?,
            clock: clock(tokens.clock)?,
        };
        let (payload, payload_hash) = self.payload(tokens)?;
        Ok(OfferedOp {
            key,
            payload,
            payload_hash,
        })
    }

    fn payload(&self, tokens: &OpTokens<'_>) -> Result<(Option<Payload>, PayloadHash), OpError> {
        let tells = self.hash_source == HashSource::OpItself;
        let told = match tokens
            .payload_hash
            .filter(|token| tells && !token.is_null())
        {
            None => None,
            Some(token) => Some(
                token
                    .as_str()
                    .and_then(|text| text.parse::<PayloadHash>().ok())
                    .ok_or_else(|| OpError::invalid("the op's `payloadHash` is no hash"))?,
            ),
        };
        if tells
            && tokens
                .erased
                .is_some_and(|token| token.as_bool() == Some(true))
        {
            let told = told.ok_or_else(|| OpError::invalid("an erased op needs `payloadHash`"))?;
            return Ok((None, told));
        }
        let token = tokens
            .payload
            .ok_or_else(|| OpError::invalid("the op's `payload` is missing"))?;
        self.check_bounds(token)?;
        let payload = Payload::stored(token.text);
        let hash = told.unwrap_or_else(|| payload.hash());
        Ok((Some(payload), hash))
    }

    fn check_bounds(&self, payload: Token<'_>) -> Result<(), OpError> {
        let PayloadBounds { bytes, depth } = self.bounds;
        let length = payload.text.len();
        let refusal = match payload.kind {
            _ if length > bytes => {
                format!("the payload has {length} bytes, more than the {bytes} allowed")
            }
            Kind::Nested(found) if found > depth => {
                format!("the payload nests {found} deep, deeper than the {depth} allowed")
            }
            Kind::Nested(_)
            | Kind::Null
            | Kind::False
            | Kind::True
            | Kind::Number
            | Kind::PlainString
            | Kind::EscapedString => return Ok(()),
        };
        Err(OpError::new(ErrorCode::TooLarge, refusal))
    }
}

/// Reads a name, or takes the last one where it is the same.
fn name<T: Clone + std::str::FromStr<Err: std::fmt::Display>>(
    token: Option<Token<'_>>,
    field: &'static str,
    last: &mut Option<T>,
    as_str: impl Fn(&T) -> &str,
) -> Result<T, OpError> {
    let token = token.ok_or_else(|| OpError::invalid(format!("the op's `{field}` is missing")))?;
    let text = token
        .as_str()
        .ok_or_else(|| OpError::invalid(format!("the op's `{field}` must be a string")))?;
    if let Some(last) = last.as_ref().filter(|last| as_str(last) == text) {
        return Ok(last.clone());
    }
    let name: T = text
        .parse()
        .map_err(|error| OpError::invalid(format!("the op's {error}")))?;
    *last = Some(name.clone());
    Ok(name)
}

fn clock(token: Option<Token<'_>>) -> Result<Clock, OpError> {
    let token = token.ok_or_else(|| OpError::invalid("the op's `clock` is missing"))?;
    match token.as_u64().map(Clock::new) {
        Some(Ok(clock)) => Ok(clock),
        Some(Err(_)) | None if token.is_whole() && token.text != "0" => Err(OpError::new(
            ErrorCode::ClockLead,
            "the op's `clock` is past the last one, 2^53-1: take a new actor and write the op anew",
        )),
        Some(Err(_)) | None => Err(OpError::invalid(
            "the op's `clock` must be a whole number from 1 to 2^53-1",
        )),
    }
}

/// Whether an op is written with the hash of what it held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteHash {
    /// Where its bytes are not those first sent.
    WhereItDiffers,
    Never,
}

/// Writes an op's fields from `scope` on, without the braces.
pub(crate) fn write_op(out: &mut Writer, op: &WireOp<'_>, write_hash: WriteHash) {
    out.raw("\"scope\":").string(op.scope);
    out.raw(",\"resourceId\":").string(op.resource);
    out.raw(",\"actor\":").string(op.actor);
    out.raw(",\"clock\":").number(op.clock);
    out.raw(",\"payload\":").raw(op.payload.unwrap_or("null"));
    if write_hash == WriteHash::Never {
        return;
    }
    let hash = op.payload.map(PayloadHash::of);
    if hash != Some(op.payload_hash) {
        out.raw(",\"payloadHash\":").quoted(op.payload_hash);
    }
    if op.payload.is_none() {
        out.raw(",\"erased\":true");
    }
}
