//! What a server notes beside the log: who its clients and actors are, and what it has refused.

use rusqlite::OptionalExtension;
use syncline_model::{ActorId, ClientId, Cursor, OpKey, PayloadHash, ServerSeq, Timestamp, UserId};

use super::read::stored_hash;
use super::{Batch, TenantFile, stored_mark};
use crate::file::StoreError;

/// A client of this tenant, and the place that it says it has applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    pub client: ClientId,
    pub user: UserId,
    pub cursor: Option<Cursor>,
    /// When it last pushed, or moved its cursor; none: not since it was expired.
    pub moved_at: Option<Timestamp>,
    /// When it was last heard of.
    pub seen_at: Timestamp,
}

/// What stands for when a client last moved that was expired since: no client moved so long ago.
const EXPIRED: Timestamp = Timestamp::UNIX_EPOCH;
/// The most refusals that a log keeps, of all its actors together: who offers takes as many actors as they
/// like, so that one bound for each would be none. A replica asks again within seconds, not after so many.
pub const REFUSALS_MAX: usize = 10_000;
/// What is left where there are more, so that they are counted once in a thousand.
const REFUSALS_LEFT: usize = REFUSALS_MAX - 1_000;
/// The longest details that are kept with a refusal, in bytes: those of hundreds of fields are told once.
const DETAILS_BYTES_MAX: usize = 8 << 10;

/// An op that was refused for ever, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub payload_hash: PayloadHash,
    pub code: String,
    /// Without line breaks.
    pub message: String,
    /// JSON text, if the reason has any; kept in one column with the message, behind a line break.
    pub details: Option<Box<str>>,
}

impl Batch<'_> {
    /// Whose actor this is; none: nobody has used it.
    pub fn actor_owner(&self, actor: &ActorId) -> Result<Option<UserId>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT user_id FROM actors WHERE actor = ?")?;
        let owner: Option<String> = statement
            .query_row([actor.as_str()], |row| row.get(0))
            .optional()?;
        owner.map(|user| parse_user(&user)).transpose()
    }

    /// Gives the actor to the user, unless it is somebody's.
    pub fn claim_actor(&self, actor: &ActorId, user: &UserId) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("INSERT OR IGNORE INTO actors (actor, user_id) VALUES (?, ?)")?
            .execute((actor.as_str(), user.as_str()))?;
        Ok(())
    }

    /// Whose client this is; none: nobody has used it.
    pub fn client_owner(&self, client: &ClientId) -> Result<Option<UserId>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT user_id FROM clients WHERE client_id = ?")?;
        let owner: Option<String> = statement
            .query_row([client.as_str()], |row| row.get(0))
            .optional()?;
        owner.map(|user| parse_user(&user)).transpose()
    }

    /// Notes that the client was heard of, and where it says it is.
    ///
    /// `moved_at` changes only when `pushed` says so or the cursor is another one.
    pub fn record_client(
        &self,
        client: &ClientId,
        user: &UserId,
        cursor: Option<Cursor>,
        contact: Contact,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let pushed = i64::from(contact == Contact::Push);
        self.connection()
            .prepare_cached(
                "INSERT INTO clients (client_id, user_id, cursor_seq, cursor_mark, moved_at, seen_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (client_id) DO UPDATE SET \
                 seen_at = excluded.seen_at, \
                 moved_at = iif(?6 OR (?3 IS NOT NULL AND ?3 IS NOT cursor_seq), ?5, moved_at), \
                 cursor_seq = coalesce(?3, cursor_seq), cursor_mark = coalesce(?4, cursor_mark)",
            )?
            .execute((
                client.as_str(),
                user.as_str(),
                cursor.map(|cursor| cursor.server_seq.get() as i64),
                cursor.map(|cursor| *cursor.mark.as_bytes()),
                now.to_string(),
                pushed,
            ))?;
        Ok(())
    }

    /// Why the op with this key was refused, if it was.
    pub fn refusal(&self, key: &OpKey) -> Result<Option<Refusal>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT payload_hash, code, message FROM refusals \
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
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()?;
        found.map(refusal_of).transpose()
    }

    /// Whether any refusal is kept: a log without one needs no look per op.
    pub fn has_refusals(&self) -> Result<bool, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM refusals)")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// Lets go of the refusals with the lowest clocks where there are too many, and gives how many more may
    /// be kept before this is asked again: one at least.
    pub fn make_room_for_refusals(&self) -> Result<usize, StoreError> {
        let count = "SELECT count(*) FROM refusals";
        let count: i64 = self.connection().query_row(count, [], |row| row.get(0))?;
        let count = usize::try_from(count).unwrap_or(0);
        if count < REFUSALS_MAX {
            return Ok(REFUSALS_MAX - count);
        }
        self.connection().execute(
            "DELETE FROM refusals WHERE (resource_id, actor, clock, scope) IN \
             (SELECT resource_id, actor, clock, scope FROM refusals \
             ORDER BY clock, actor, resource_id LIMIT ?)",
            [(count - REFUSALS_LEFT) as i64],
        )?;
        Ok(REFUSALS_MAX - REFUSALS_LEFT)
    }

    /// Keeps the refusal of an op, so that offering it again gets the same answer; details that are long
    /// are left out of it.
    pub fn keep_refusal(&self, key: &OpKey, refusal: &Refusal) -> Result<(), StoreError> {
        let message = refusal.message.replace('\n', " ");
        let details = refusal.details.as_ref();
        let kept = match details.filter(|details| details.len() <= DETAILS_BYTES_MAX) {
            Some(details) => format!("{message}\n{details}"),
            None => message,
        };
        self.connection()
            .prepare_cached(
                "INSERT OR IGNORE INTO refusals \
                 (resource_id, actor, clock, scope, payload_hash, code, message) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                key.resource.as_str(),
                key.actor.as_str(),
                key.clock.get() as i64,
                key.scope.as_str(),
                refusal.payload_hash.as_bytes(),
                &refusal.code,
                kept,
            ))?;
        Ok(())
    }
}

/// A refusal from its row: the hash, the code, and the message with the details behind it.
pub(super) fn refusal_of(
    (hash, code, kept): (Vec<u8>, String, String),
) -> Result<Refusal, StoreError> {
    let (message, details) = match kept.split_once('\n') {
        Some((message, details)) => (message.to_owned(), Some(details.into())),
        None => (kept, None),
    };
    Ok(Refusal {
        payload_hash: stored_hash(&hash)?,
        code,
        message,
        details,
    })
}

/// How a client was heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    Push,
    Read,
}

impl TenantFile {
    /// The clients of this tenant, by id.
    pub fn clients(&self) -> Result<Vec<ClientRecord>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT client_id, user_id, cursor_seq, cursor_mark, moved_at, seen_at FROM clients \
             ORDER BY client_id",
        )?;
        let mut rows = statement.query([])?;
        let mut clients = Vec::new();
        while let Some(row) = rows.next()? {
            let cursor = match (
                row.get::<_, Option<i64>>(2)?,
                row.get::<_, Option<Vec<u8>>>(3)?,
            ) {
                (Some(seq), Some(mark)) => Some(Cursor {
                    server_seq: ServerSeq(seq as u64),
                    mark: stored_mark(&mark)?,
                }),
                _ => None,
            };
            clients.push(ClientRecord {
                client: ClientId::new(row.get::<_, String>(0)?)
                    .map_err(|_| StoreError::damaged("a client id is not one"))?,
                user: parse_user(&row.get::<_, String>(1)?)?,
                cursor,
                moved_at: Some(parse_time(&row.get::<_, String>(4)?)?)
                    .filter(|moved_at| *moved_at != EXPIRED),
                seen_at: parse_time(&row.get::<_, String>(5)?)?,
            });
        }
        Ok(clients)
    }
}

impl TenantFile {
    /// Forgets the places of clients that last pushed, or moved their cursor, by this time, and when
    /// that was; gives their number.
    pub fn expire_clients(&self, by: Timestamp) -> Result<usize, StoreError> {
        // Times are of one form, and sort as texts.
        Ok(self
            .connection
            .prepare_cached(
                "UPDATE clients SET cursor_seq = NULL, cursor_mark = NULL, moved_at = ?2 \
                 WHERE moved_at <= ?1 AND moved_at > ?2",
            )?
            .execute([by.to_string(), EXPIRED.to_string()])?)
    }
}

fn parse_user(text: &str) -> Result<UserId, StoreError> {
    UserId::new(text).map_err(|_| StoreError::damaged("a user is not one"))
}

fn parse_time(text: &str) -> Result<Timestamp, StoreError> {
    text.parse()
        .map_err(|_| StoreError::damaged("a time is not one"))
}
