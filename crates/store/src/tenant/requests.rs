//! What became of requests that may come again: each has an actor of its own, made of its name.

use rusqlite::{Connection, OptionalExtension};
use syncline_model::{ActorId, Payload, PayloadHash, ResourceId, ServerSeq};

use super::TenantFile;
use super::members::{Refusal, refusal_of};
use super::read::stored_hash;
use crate::file::StoreError;

/// What the actors of such requests begin with: no op of another actor is looked for by its actor alone.
pub const REQUEST_ACTOR: &str = "request-";

/// How many dropped writes to lists are found again by their requests, beside all that the log holds: those
/// that came last. Each has an actor of its own, so that nothing merges what is remembered of them.
pub const DROPPED_REQUESTS_MAX: usize = 1_000;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownRequest {
    Written {
        seq: ServerSeq,
        /// That of what was asked for.
        payload_hash: PayloadHash,
        /// What the log holds of it; none: it was erased.
        payload: Option<Payload>,
    },
    /// It was written, and compaction has dropped the op.
    Dropped,
    Refused(Refusal),
}

/// A resource that a request has written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTrace {
    pub actor: ActorId,
    pub resource: ResourceId,
}

/// The indexes that requests are found by, as `(name, SQL)`: of their actors alone.
pub(crate) fn indexes(prefix: &str) -> [(String, String); 2] {
    ["ops", "refusals"].map(|table| {
        let name = format!("{prefix}request_in_{table}");
        let sql =
            format!("CREATE INDEX IF NOT EXISTS {name} ON {table} (actor) WHERE {IS_REQUEST}");
        (name, sql)
    })
}

/// The one condition under which the indexes are used. A dot is what follows a hyphen.
const IS_REQUEST: &str = "actor >= 'request-' AND actor < 'request.'";

impl TenantFile {
    /// What became of the request whose actor this is; none: nothing is known of it.
    pub fn request(&self, actor: &ActorId) -> Result<Option<KnownRequest>, StoreError> {
        if let Some(written) = written(&self.connection, actor)? {
            return Ok(Some(written));
        }
        if let Some(refusal) = refused(&self.connection, actor)? {
            return Ok(Some(KnownRequest::Refused(refusal)));
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM pruned WHERE actor = ?)")?;
        let is_dropped: bool = statement.query_row([actor.as_str()], |row| row.get(0))?;
        Ok(is_dropped.then_some(KnownRequest::Dropped))
    }

    /// What requests have written whose actors begin so and go on in ASCII, though it be dropped since.
    pub fn request_traces(&self, begin: &str) -> Result<Vec<RequestTrace>, StoreError> {
        let sql = format!(
            "SELECT actor, resource_id FROM ops \
             WHERE actor >= ?1 AND actor < ?1 || '~' AND {IS_REQUEST} \
             UNION SELECT actor, resource_id FROM pruned WHERE actor >= ?1 AND actor < ?1 || '~'"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let traces = statement.query_map([begin], |row| Ok((row.get(0)?, row.get(1)?)))?;
        traces
            .map(|trace| {
                let (actor, resource): (String, String) = trace?;
                let damaged = |_| StoreError::damaged("a name of an op is none");
                Ok(RequestTrace {
                    actor: ActorId::new(actor).map_err(damaged)?,
                    resource: ResourceId::new(resource).map_err(damaged)?,
                })
            })
            .collect()
    }
}

/// The dropped writes of requests of which the last are told apart. The others are [`REQUEST_ACTOR`]'s, as one: no request
/// has that name. Of a list that is enough, since its rows tell which of its ops was covered. Writes to records stay apart:
/// browsers send theirs again after any time, and one done twice would undo what others have done since.
const OF_LISTS: &str =
    "FROM pruned WHERE actor > 'request-' AND actor < 'request.' AND scope IN ('list', 'registry')";

/// What a run of compaction is to forget of requests whose ops were dropped.
#[derive(Debug, Default)]
pub(super) struct OldRequests {
    /// Those with a lower clock go; none: it is not known yet which.
    below: Option<i64>,
}

impl OldRequests {
    /// Forgets up to `count` of them, and gives what is left; none: nothing is.
    pub(super) fn forget(
        &self,
        connection: &Connection,
        count: usize,
    ) -> Result<Option<Self>, StoreError> {
        let below = match self.below {
            None => oldest_kept(connection)?,
            known => known,
        };
        let Some(below) = below else {
            return Ok(None);
        };
        let sql = format!(
            "DELETE FROM pruned WHERE (actor, scope, resource_id) IN \
             (SELECT actor, scope, resource_id {OF_LISTS} AND clock < ? LIMIT ?) \
             RETURNING scope, resource_id, clock"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let gone = statement.query_map([below, count as i64], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        let gone: Vec<(String, String, i64)> = gone.collect::<Result<_, _>>()?;
        let mut join = connection.prepare_cached(
            "INSERT INTO pruned (actor, scope, resource_id, clock) VALUES (?, ?, ?, ?) \
             ON CONFLICT (actor, scope, resource_id) DO UPDATE SET clock = max(clock, excluded.clock)",
        )?;
        for (scope, resource, clock) in &gone {
            join.execute((REQUEST_ACTOR, scope, resource, clock))?;
        }
        Ok((gone.len() == count).then_some(Self { below: Some(below) }))
    }
}

/// The lowest clock among the newest; none: there are no more than those.
fn oldest_kept(connection: &Connection) -> Result<Option<i64>, StoreError> {
    let sql = format!("SELECT clock {OF_LISTS} ORDER BY clock DESC LIMIT 1 OFFSET ?");
    let mut statement = connection.prepare_cached(&sql)?;
    let clock = statement.query_row([DROPPED_REQUESTS_MAX as i64 - 1], |row| row.get(0));
    Ok(clock.optional()?)
}

fn written(connection: &Connection, actor: &ActorId) -> Result<Option<KnownRequest>, StoreError> {
    let sql = format!(
        "SELECT server_seq, payload_hash, payload FROM ops \
         WHERE actor = ? AND {IS_REQUEST} ORDER BY server_seq LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_row([actor.as_str()], |row| {
        Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?))
    });
    let found: Option<(i64, Vec<u8>, Option<String>)> = found.optional()?;
    found
        .map(|(seq, hash, payload)| {
            Ok(KnownRequest::Written {
                seq: ServerSeq(seq as u64),
                payload_hash: stored_hash(&hash)?,
                payload: payload.map(Payload::stored),
            })
        })
        .transpose()
}

fn refused(connection: &Connection, actor: &ActorId) -> Result<Option<Refusal>, StoreError> {
    let sql = format!(
        "SELECT payload_hash, code, message FROM refusals \
         WHERE actor = ? AND {IS_REQUEST} LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_row([actor.as_str()], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    });
    found.optional()?.map(refusal_of).transpose()
}
