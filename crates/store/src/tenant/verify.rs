//! Walking a whole log to see that it is what its marks say.

use syncline_model::record::RecordPayload;
use syncline_model::{Cursor, Mark, Payload, PayloadHash, Scope, ServerSeq};

use super::read::{RawOp, logged, raw};
use super::{Head, TenantFile, stored_mark};
use crate::file::StoreError;

/// What a walk of a whole log found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCensus {
    pub head: Head,
    /// The ops that are in the log, erased ones too.
    pub ops: u64,
}

/// Why a log is not what it says.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("SQLite finds a fault: {0}")]
    Integrity(String),
    #[error("the log has a gap after place {0}, above its floor")]
    Gap(ServerSeq),
    #[error("the mark of place {0} does not follow from the ops up to it")]
    Mark(ServerSeq),
    /// Of records the log holds the decision under the hash of what was offered: there only what is no
    /// decision is found.
    #[error("the op at place {0} is not the one that its hash says")]
    Payload(ServerSeq),
    #[error("the log ends at place {found}, its head says {expected}")]
    Head {
        found: ServerSeq,
        expected: ServerSeq,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TenantFile {
    /// Reads the whole file: SQLite's own check, the chain of marks above the floor, and each payload
    /// against its hash. `walked` hears the place that was reached, now and then.
    pub fn verify(&self, walked: impl FnMut(ServerSeq)) -> Result<LogCensus, VerifyError> {
        self.snapshot(|file| {
            let verdict = file.integrity()?;
            if verdict != "ok" {
                return Err(VerifyError::Integrity(verdict));
            }
            Walk::new(file)?.run(walked)
        })
    }
}

/// Places between two tellings of how far a walk is.
const TELL_EVERY: u64 = 10_000;

struct Walk<'a> {
    file: &'a TenantFile,
    head: Head,
    ops: u64,
    /// The place reached.
    at: ServerSeq,
    /// Its mark, where it is known.
    mark: Option<Mark>,
}

impl<'a> Walk<'a> {
    fn new(file: &'a TenantFile) -> Result<Self, StoreError> {
        // A replica that has begun before it met its server knows no mark of place 0.
        let known = |origin: &Mark| *origin != Cursor::ORIGIN.mark;
        Ok(Self {
            file,
            head: file.head()?,
            ops: 0,
            at: ServerSeq::ZERO,
            mark: Some(file.origin()?).filter(known),
        })
    }

    fn run(mut self, mut walked: impl FnMut(ServerSeq)) -> Result<LogCensus, VerifyError> {
        let mut statement = self
            .file
            .connection
            .prepare(
                "SELECT server_seq, scope, resource_id, actor, clock, payload, payload_hash, mark \
             FROM ops ORDER BY server_seq",
            )
            .map_err(StoreError::from)?;
        let mut rows = statement.query([]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            let stored = row.get::<_, Option<Vec<u8>>>(7).map_err(StoreError::from)?;
            let stored = stored.as_deref().map(stored_mark).transpose()?;
            self.step(&raw(row)?, stored)?;
            if self.ops.is_multiple_of(TELL_EVERY) {
                walked(self.at);
            }
        }
        self.end()
    }

    fn step(&mut self, op: &RawOp<'_>, stored: Option<Mark>) -> Result<(), VerifyError> {
        let seq = ServerSeq(op.server_seq);
        let follows = seq == self.at.next();
        if !follows && self.at >= self.head.floor {
            return Err(VerifyError::Gap(self.at));
        }
        if op.payload.is_some_and(|text| !is_of_hash(op, text)) {
            return Err(VerifyError::Payload(seq));
        }
        let before = self.mark.filter(|_| follows);
        let computed = match before {
            Some(mark) => Some(mark.next(&logged(op)?.key, &op.payload_hash)),
            None => None,
        };
        if let (Some(computed), Some(stored)) = (computed, stored)
            && computed != stored
        {
            return Err(VerifyError::Mark(seq));
        }
        self.mark = stored.or(computed);
        self.at = seq;
        self.ops += 1;
        Ok(())
    }

    fn end(self) -> Result<LogCensus, VerifyError> {
        let Cursor { server_seq, mark } = self.head.cursor;
        // What stood last may be gone where everything is below the floor.
        if self.at != server_seq && (self.at > server_seq || self.head.floor < server_seq) {
            return Err(VerifyError::Head {
                found: self.at,
                expected: server_seq,
            });
        }
        if self.at == server_seq && self.mark.is_some_and(|reached| reached != mark) {
            return Err(VerifyError::Mark(server_seq));
        }
        Ok(LogCensus {
            head: self.head,
            ops: self.ops,
        })
    }
}

/// Whether this may be the payload of an op with its hash.
fn is_of_hash(op: &RawOp<'_>, text: &str) -> bool {
    let is_decision = || {
        let payload = Payload::stored(text.to_owned());
        op.scope == Scope::RECORD
            && matches!(
                RecordPayload::read(&payload),
                Some(RecordPayload::Decided(_))
            )
    };
    PayloadHash::of(text) == op.payload_hash || is_decision()
}
