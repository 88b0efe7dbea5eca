//! The answer to a push: what became of each op.

use syncline_model::{Clock, Epoch, OpKey, ServerSeq};

use crate::decode::{DecodeError, EPOCH, Field, parsed, place, utf8};
use crate::echo::KeyEcho;
use crate::json::{Reader, Token, Writer};
use crate::op::{OpError, OpTokens};
use crate::{ErrorCode, ReceivedOp};

/// What became of one op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Accepted(ServerSeq),
    /// It is in the log already: at this place, or at one that compaction has dropped.
    Duplicate(Option<ServerSeq>),
    /// For ever.
    Rejected(OpError),
}

/// What a server answers: one result per op, in the order of the ops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushAnswer {
    pub epoch: Epoch,
    /// The log's head, which says nothing about what this client has applied.
    pub server_seq: ServerSeq,
    pub results: Vec<OpResult>,
}

/// One op's result, beside the key that it was sent with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpResult {
    pub key: KeyEcho,
    pub verdict: Verdict,
}

impl PushAnswer {
    /// The answer that gives each of `ops` its verdict.
    pub fn new(
        epoch: Epoch,
        server_seq: ServerSeq,
        ops: &[ReceivedOp],
        verdicts: impl IntoIterator<Item = Verdict>,
    ) -> Self {
        let results = ops.iter().zip(verdicts);
        let results = results.map(|(op, verdict)| OpResult {
            key: op.echo(),
            verdict,
        });
        Self {
            epoch,
            server_seq,
            results: results.collect(),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(256 + self.results.len() * RESULT_BYTES_GUESS);
        out.raw("{\"epoch\":").quoted(self.epoch);
        out.raw(",\"serverSeq\":")
            .number(self.server_seq.get())
            .raw(",\"results\":[");
        for (n, result) in self.results.iter().enumerate() {
            out.raw(if n == 0 { "{" } else { ",{" });
            result.key.write(&mut out);
            write_verdict(&mut out, &result.verdict);
            out.raw("}");
        }
        out.raw("]}");
        out.finish()
    }
}

/// A guess at the bytes of a result.
const RESULT_BYTES_GUESS: usize = 192;

fn write_verdict(out: &mut Writer, verdict: &Verdict) {
    match verdict {
        Verdict::Accepted(seq) => {
            out.raw(",\"status\":\"accepted\",\"serverSeq\":")
                .number(seq.get());
        }
        Verdict::Duplicate(Some(seq)) => {
            out.raw(",\"status\":\"duplicate\",\"serverSeq\":")
                .number(seq.get());
        }
        Verdict::Duplicate(None) => {
            out.raw(",\"status\":\"duplicate\"");
        }
        Verdict::Rejected(OpError {
            code,
            message,
            above,
            details,
        }) => {
            out.raw(",\"status\":\"rejected\",\"error\":{\"code\":")
                .quoted(code);
            out.raw(",\"message\":").string(message);
            if let Some(above) = above {
                out.raw(",\"clock\":").number(above.get());
            }
            if let Some(details) = details {
                out.raw(",\"details\":").raw(details);
            }
            out.raw("}");
        }
    }
}

/// What a client has received: one verdict per op that it sent, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedAnswer {
    pub epoch: Epoch,
    /// The log's head. No cursor moves by it.
    pub server_seq: ServerSeq,
    pub verdicts: Vec<Verdict>,
}

impl ReceivedAnswer {
    /// Reads the answer to a push of the ops `sent`. One that hasn't a result for each of them, in
    /// their order, is not an answer to that push.
    pub fn decode(body: &[u8], sent: &[OpKey]) -> Result<Self, DecodeError> {
        let (mut epoch, mut server_seq) = (Field::new("epoch"), Field::new("serverSeq"));
        let mut verdicts = Field::new("results");
        let mut reader = Reader::new(utf8(body)?);
        reader.object::<DecodeError>(|reader, name| match &*name {
            "epoch" => epoch.set(parsed(reader.value()?, "epoch", EPOCH)?),
            "serverSeq" => server_seq.set(place(reader.value()?, "serverSeq")?),
            "results" => verdicts.set(read_verdicts(reader, sent)?),
            _ => {
                reader.value()?;
                Ok(())
            }
        })?;
        reader.end()?;
        Ok(Self {
            epoch: epoch.required()?,
            server_seq: server_seq.required()?,
            verdicts: verdicts.required()?,
        })
    }
}

const NOT_OURS: DecodeError = DecodeError::Field {
    field: "results",
    expected: "one result for each op sent, in order",
};
const VERDICT: DecodeError = DecodeError::Field {
    field: "status",
    expected: "`accepted`, `duplicate` or `rejected`",
};

fn read_verdicts(reader: &mut Reader<'_>, sent: &[OpKey]) -> Result<Vec<Verdict>, DecodeError> {
    if !reader.at_byte(b'[') {
        return Err(NOT_OURS);
    }
    let mut verdicts = Vec::with_capacity(sent.len());
    reader.array::<DecodeError>(|reader| {
        let key = sent.get(verdicts.len()).ok_or(NOT_OURS)?;
        let result = ResultTokens::read(reader)?;
        if !KeyEcho::fits(&result.key, key) {
            return Err(NOT_OURS);
        }
        verdicts.push(result.verdict()?);
        Ok(())
    })?;
    if verdicts.len() == sent.len() {
        Ok(verdicts)
    } else {
        Err(NOT_OURS)
    }
}

/// The fields of a result as they stand in the text.
#[derive(Default)]
struct ResultTokens<'a> {
    key: OpTokens<'a>,
    status: Option<Token<'a>>,
    error: Option<OpError>,
}

impl<'a> ResultTokens<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut result = Self::default();
        if !reader.at_byte(b'{') {
            return Err(NOT_OURS);
        }
        reader.object::<DecodeError>(|reader, name| {
            match &*name {
                "actor" => result.key.actor = Some(reader.value()?),
                "clock" => result.key.clock = Some(reader.value()?),
                "scope" => result.key.scope = Some(reader.value()?),
                "resourceId" => result.key.resource = Some(reader.value()?),
                "serverSeq" => result.key.server_seq = Some(reader.value()?),
                "status" => result.status = Some(reader.value()?),
                "error" if reader.at_byte(b'{') => result.error = Some(read_error(reader)?),
                _ => {
                    reader.value()?;
                }
            }
            Ok(())
        })?;
        Ok(result)
    }

    fn verdict(self) -> Result<Verdict, DecodeError> {
        let status = self
            .status
            .and_then(|token| token.as_str())
            .ok_or(VERDICT)?;
        let seq = self.key.server_seq.filter(|token| !token.is_null());
        let seq = seq.map(|token| place(token, "serverSeq")).transpose()?;
        match &*status {
            "accepted" => Ok(Verdict::Accepted(seq.ok_or(VERDICT)?)),
            "duplicate" => Ok(Verdict::Duplicate(seq)),
            "rejected" => Ok(Verdict::Rejected(self.error.ok_or(VERDICT)?)),
            _ => Err(VERDICT),
        }
    }
}

/// Reads why an op was rejected. A code that a newer server has come up with sends the op to
/// quarantine, with the code in its message.
fn read_error(reader: &mut Reader<'_>) -> Result<OpError, DecodeError> {
    let (mut code, mut message, mut above, mut details) = (None, None, None, None);
    reader.object::<DecodeError>(|reader, name| {
        let token = reader.value()?;
        match &*name {
            "code" => code = token.as_str(),
            "message" => message = token.as_str(),
            "clock" => above = token.as_u64(),
            "details" if !token.is_null() => details = Some(token.text.into()),
            _ => {}
        }
        Ok(())
    })?;
    let code = code.ok_or(VERDICT)?;
    let message = message.unwrap_or_default();
    Ok(match ErrorCode::parse(&code) {
        Some(code) => OpError {
            above: above.and_then(|clock| Clock::new(clock).ok()),
            details,
            ..OpError::new(code, message)
        },
        None => OpError {
            details,
            ..OpError::new(ErrorCode::InvalidOp, format!("{code}: {message}"))
        },
    })
}
