//! Reading the log.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{OptionalExtension, Row};
use syncline_model::compaction::{Outdone, SaidSince, deletes_all, said_since};
use syncline_model::{
    ActorId, Clock, Cursor, LoggedOp, Mark, OpKey, Payload, PayloadHash, Place, ResourceId, Scope,
    ServerSeq, session, thread,
};

use super::{PendingOp, TenantFile, stored_mark};
use crate::file::StoreError;
use crate::sessions::session_totals;
use crate::view::{Layer, View};

/// The bound of one page of ops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit {
    pub ops: usize,
    /// A page ends with the op that reaches this many payload bytes, so that one op always fits.
    pub bytes: usize,
}

/// How many things of each kind a view shows; subagents are sessions here, and all that was told of as a
/// message is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewTotals {
    pub sessions: u64,
    pub messages: u64,
    pub threads: u64,
    pub entries: u64,
    pub lists: u64,
    pub items: u64,
}

/// An op as its row holds it, for encoders that copy bytes.
#[derive(Debug, Clone, Copy)]
pub struct RawOp<'a> {
    pub server_seq: u64,
    pub scope: &'a str,
    pub resource: &'a str,
    pub actor: &'a str,
    pub clock: u64,
    /// None when the op was erased.
    pub payload: Option<&'a str>,
    pub payload_hash: PayloadHash,
}

impl TenantFile {
    /// Runs `look` inside one read transaction: all that it reads is of one state of the file.
    pub fn snapshot<T, E: From<StoreError>>(
        &self,
        look: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.connection.unchecked_transaction();
        let transaction = transaction.map_err(StoreError::from)?;
        let found = look(self)?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(found)
    }

    /// The mark of exactly this place; none if it isn't kept.
    pub fn mark_at(&self, seq: ServerSeq) -> Result<Option<Mark>, StoreError> {
        let cursor = self.cursor_at_or_below(seq)?;
        Ok((cursor.server_seq == seq).then_some(cursor.mark))
    }

    /// The newest place at or below `seq` whose mark is kept; place 0 at least.
    pub fn cursor_at_or_below(&self, seq: ServerSeq) -> Result<Cursor, StoreError> {
        let head = self.head()?.cursor;
        if head.server_seq <= seq {
            return Ok(head);
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT server_seq, mark FROM ops WHERE server_seq <= ? AND mark IS NOT NULL \
             ORDER BY server_seq DESC LIMIT 1",
        )?;
        let found = statement
            .query_row([seq.get() as i64], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
            })
            .optional()?;
        match found {
            Some((seq, mark)) => Ok(Cursor {
                server_seq: ServerSeq(seq as u64),
                mark: stored_mark(&mark)?,
            }),
            None => Ok(Cursor {
                server_seq: ServerSeq::ZERO,
                mark: self.origin()?,
            }),
        }
    }

    /// The highest place that this log and another hold with the same mark: up to there they are
    /// one. Place 0 where there is none.
    pub fn last_common(&self, other: &Self) -> Result<Cursor, StoreError> {
        let mut common = Cursor::ORIGIN;
        let heads = (self.head()?.cursor, other.head()?.cursor);
        let (mut low, mut high) = (0, heads.0.server_seq.min(heads.1.server_seq).get());
        // The highest place first: mostly it is the one.
        let mut asked = high;
        while low < high {
            let shared = self.shared_at_or_below(other, ServerSeq(asked))?;
            match shared {
                Some((one, mark)) if one.mark != mark => high = one.server_seq.get() - 1,
                Some((one, _)) => {
                    common = one;
                    low = asked;
                }
                None => low = asked,
            }
            asked = low + (high - low).div_ceil(2);
        }
        Ok(common)
    }

    /// The highest place, not above `place`, of which both logs keep a mark, and both marks.
    fn shared_at_or_below(
        &self,
        other: &Self,
        place: ServerSeq,
    ) -> Result<Option<(Cursor, Mark)>, StoreError> {
        let mut ours = self.cursor_at_or_below(place)?;
        while ours.server_seq > ServerSeq::ZERO {
            let theirs = other.cursor_at_or_below(ours.server_seq)?;
            if theirs.server_seq == ours.server_seq {
                return Ok(Some((ours, theirs.mark)));
            }
            ours = self.cursor_at_or_below(theirs.server_seq)?;
        }
        Ok(None)
    }

    /// The mark of place 0.
    pub fn origin(&self) -> Result<Mark, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT origin FROM state")?;
        stored_mark(&statement.query_row([], |row| row.get::<_, Vec<u8>>(0))?)
    }

    /// Where the op with this key stands, and the hash of what it held.
    pub fn find(&self, key: &OpKey) -> Result<Option<(ServerSeq, PayloadHash)>, StoreError> {
        find(&self.connection, key)
    }

    /// What the view shows that was said since the op was written, where it is in no log and `actor` would write it
    /// anew. `waiting` is what the outbox holds of its resource.
    pub fn said_since(
        &self,
        key: &OpKey,
        payload: &Payload,
        actor: &ActorId,
        waiting: &[PendingOp],
    ) -> Result<SaidSince, StoreError> {
        let mut view = View::new(&self.connection, Layer::Confirmed);
        let place = Place::Confirmed(self.head()?.cursor.server_seq.next());
        let judge = AssertUnwindSafe(|| said_since(&mut view, key, payload, actor, place));
        // One at which this version panics is the server's to judge.
        let said = catch_unwind(judge).unwrap_or(Ok(SaidSince::NothingElse))?;
        let deletes = deletes_all(&key.scope, payload);
        let waits = || waiting.iter().any(|pending| answers(key, &pending.op.key));
        // It takes all that was said there with it, of which no cell tells.
        if said == SaidSince::NothingElse && deletes && (waits() || self.is_answered(key)?) {
            let table = match key.scope.as_str() {
                Scope::SESSION => session::SESSIONS.name,
                _ => thread::THREADS.name,
            };
            return Ok(SaidSince::Outdone(vec![Outdone {
                table,
                row: Vec::new(),
                column: "status",
                mine: thread::DELETED.into(),
                theirs: thread::Status::Active.as_str().into(),
            }]));
        }
        Ok(said)
    }

    /// Whether the log holds an op of this key's resource that was written later, or by another: clocks do not tell what
    /// the writer had seen of others by then.
    fn is_answered(&self, key: &OpKey) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM ops \
             WHERE resource_id = ? AND scope = ? AND (clock > ? OR actor <> ?))",
        )?;
        let columns = (
            key.resource.as_str(),
            key.scope.as_str(),
            key.clock.get() as i64,
            key.actor.as_str(),
        );
        Ok(statement.query_row(columns, |row| row.get(0))?)
    }

    /// Whether the log holds an op of this key's actor and resource with a later clock.
    pub fn is_followed(&self, key: &OpKey) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM ops \
             WHERE resource_id = ? AND actor = ? AND clock > ? AND scope = ?)",
        )?;
        let columns = (
            key.resource.as_str(),
            key.actor.as_str(),
            key.clock.get() as i64,
            key.scope.as_str(),
        );
        Ok(statement.query_row(columns, |row| row.get(0))?)
    }

    /// The ops after `since`, oldest first.
    pub fn ops_after(
        &self,
        since: ServerSeq,
        limit: PageLimit,
    ) -> Result<Vec<LoggedOp>, StoreError> {
        let mut ops = Vec::new();
        self.visit_ops_after(since, limit, |raw| {
            ops.push(logged(&raw)?);
            Ok(())
        })?;
        Ok(ops)
    }

    /// The op at this place; none where the log holds none, or none any more.
    pub fn op_at(&self, place: ServerSeq) -> Result<Option<LoggedOp>, StoreError> {
        let before = ServerSeq(place.get().saturating_sub(1));
        let limit = PageLimit { ops: 1, bytes: 0 };
        let found = self.ops_after(before, limit)?.pop();
        Ok(found.filter(|op| op.seq == place))
    }

    /// Shows `visit` the ops after `since`, oldest first, without copying them.
    pub fn visit_ops_after(
        &self,
        since: ServerSeq,
        limit: PageLimit,
        mut visit: impl FnMut(RawOp<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT server_seq, scope, resource_id, actor, clock, payload, payload_hash FROM ops \
             WHERE server_seq > ? ORDER BY server_seq LIMIT ?",
        )?;
        let mut rows = statement.query((since.get() as i64, limit.ops as i64))?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let op = raw(row)?;
            bytes += op.payload.map_or(0, str::len);
            visit(op)?;
            if bytes >= limit.bytes {
                break;
            }
        }
        Ok(())
    }

    /// How many ops the log holds after `since`.
    pub fn count_after(&self, since: ServerSeq) -> Result<u64, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT count(*) FROM ops WHERE server_seq > ?")?;
        let count: i64 = statement.query_row([since.get() as i64], |row| row.get(0))?;
        Ok(count as u64)
    }

    /// How much the view shows.
    pub fn view_totals(&self) -> Result<ViewTotals, StoreError> {
        let sessions = session_totals(&self.connection)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT (SELECT count(*) FROM threads WHERE status <> 'deleted'), \
             (SELECT count(*) FROM threads AS t JOIN entries AS e USING (thread_id) \
              WHERE t.status <> 'deleted'), \
             (SELECT count(*) FROM lists WHERE present = 1), \
             (SELECT count(*) FROM list_items WHERE present = 1), \
             (SELECT count(*) FROM session_messages)",
        )?;
        Ok(statement.query_row([], |row| {
            let count = |place| Ok::<_, rusqlite::Error>(row.get::<_, i64>(place)? as u64);
            Ok(ViewTotals {
                sessions: sessions.sessions,
                messages: count(4)?,
                threads: count(0)?,
                entries: count(1)?,
                lists: count(2)?,
                items: count(3)?,
            })
        })?)
    }

    /// Every row of every view table, in key order, as text: what equal replicas share.
    pub fn dump_view(&self) -> Result<String, StoreError> {
        crate::view::dump(&self.connection)
    }
}

/// What [`TenantFile::is_answered`] asks the log, of one op of the resource.
fn answers(key: &OpKey, other: &OpKey) -> bool {
    other.clock > key.clock || other.actor != key.actor
}

pub(super) fn find(
    connection: &rusqlite::Connection,
    key: &OpKey,
) -> Result<Option<(ServerSeq, PayloadHash)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT server_seq, payload_hash FROM ops \
         WHERE resource_id = ? AND actor = ? AND clock = ? AND scope = ?",
    )?;
    let found = statement
        .query_row(
            (
                key.resource.as_str(),
                key.actor.as_str(),
                key.clock.get() as i64,
                key.scope.as_str(),
            ),
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)),
        )
        .optional()?;
    found
        .map(|(seq, hash)| Ok((ServerSeq(seq as u64), stored_hash(&hash)?)))
        .transpose()
}

pub(super) fn stored_hash(bytes: &[u8]) -> Result<PayloadHash, StoreError> {
    PayloadHash::from_slice(bytes)
        .map_err(|_| StoreError::damaged("a payload hash is not 16 bytes"))
}

pub(super) fn raw<'a>(row: &'a Row<'_>) -> Result<RawOp<'a>, StoreError> {
    let text = |n: usize| -> Result<&'a str, StoreError> {
        row.get_ref(n)?
            .as_str()
            .map_err(|_| StoreError::damaged("an op's column is no text"))
    };
    let payload = row.get_ref(5)?.as_str_or_null();
    let payload = payload.map_err(|_| StoreError::damaged("a payload is no text"))?;
    let hash = row.get_ref(6)?.as_blob();
    let hash = hash.map_err(|_| StoreError::damaged("a payload hash is no blob"))?;
    Ok(RawOp {
        server_seq: row.get::<_, i64>(0)? as u64,
        scope: text(1)?,
        resource: text(2)?,
        actor: text(3)?,
        clock: row.get::<_, i64>(4)? as u64,
        payload,
        payload_hash: stored_hash(hash)?,
    })
}

fn damaged_key() -> StoreError {
    StoreError::damaged("an op's key is not one")
}

pub(super) fn logged(raw: &RawOp<'_>) -> Result<LoggedOp, StoreError> {
    let scope = Scope::new(raw.scope).map_err(|_| damaged_key())?;
    let actor = ActorId::new(raw.actor).map_err(|_| damaged_key())?;
    logged_as(raw, scope, actor)
}

/// An op whose scope and actor have been read already.
pub(super) fn logged_as(
    raw: &RawOp<'_>,
    scope: Scope,
    actor: ActorId,
) -> Result<LoggedOp, StoreError> {
    Ok(LoggedOp {
        seq: ServerSeq(raw.server_seq),
        key: OpKey {
            actor,
            clock: Clock::new(raw.clock).map_err(|_| damaged_key())?,
            scope,
            resource: ResourceId::new(raw.resource).map_err(|_| damaged_key())?,
        },
        payload: raw.payload.map(Payload::stored),
        payload_hash: raw.payload_hash,
    })
}
