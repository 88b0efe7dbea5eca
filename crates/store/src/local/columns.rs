//! Ops as the rows of the outbox and the quarantine hold them.

use rusqlite::Row;
use syncline_model::{
    ActorId, Clock, Cursor, IdError, Mark, MarkError, OpKey, Payload, PayloadHash, ResourceId,
    Scope, ServerSeq, Timestamp,
};

use crate::file::StoreError;

/// An op as a row holds it in columns 1 to 6: scope, resource id, actor, clock, payload, its hash.
pub(super) struct OpColumns {
    pub key: OpKey,
    pub payload: Option<Payload>,
    pub payload_hash: PayloadHash,
}

pub(super) fn op_columns(row: &Row<'_>) -> Result<OpColumns, StoreError> {
    Ok(OpColumns {
        key: OpKey {
            scope: Scope::new(row.get::<_, String>(1)?).map_err(no_key)?,
            resource: ResourceId::new(row.get::<_, String>(2)?).map_err(no_key)?,
            actor: ActorId::new(row.get::<_, String>(3)?).map_err(no_key)?,
            clock: clock(row.get(4)?)?,
        },
        payload: row.get::<_, Option<String>>(5)?.map(Payload::stored),
        payload_hash: PayloadHash::from_slice(&row.get::<_, Vec<u8>>(6)?).map_err(no_digest)?,
    })
}

pub(super) fn clock(number: i64) -> Result<Clock, StoreError> {
    Clock::new(number as u64).map_err(|_| StoreError::damaged("an op's clock is not one"))
}

pub(super) fn cursor(
    seq: Option<i64>,
    mark: Option<Vec<u8>>,
) -> Result<Option<Cursor>, StoreError> {
    let (Some(seq), Some(mark)) = (seq, mark) else {
        return Ok(None);
    };
    let mark = Mark::from_slice(&mark).map_err(no_digest)?;
    Ok(Some(Cursor {
        server_seq: ServerSeq(seq as u64),
        mark,
    }))
}

pub(super) fn timestamp(text: &str) -> Result<Timestamp, StoreError> {
    text.parse()
        .map_err(|_| StoreError::damaged("a time is not one"))
}

fn no_key(_: IdError) -> StoreError {
    StoreError::damaged("an op's key is not one")
}

fn no_digest(_: MarkError) -> StoreError {
    StoreError::damaged("a digest is not 16 bytes")
}
