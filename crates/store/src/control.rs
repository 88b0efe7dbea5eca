//! The server's control file: tokens, known tenants and orders, one SQLite file in the data directory.
//!
//! A running server and the command line work on it at the same time (WAL, a busy timeout), and every
//! question goes to the file: a token made or revoked by one process counts for the other at once.
//! The file keeps what it is told; whether a token is good is for its reader to decide.

mod changes;
mod directory;
mod members;
mod orders;
mod served;
mod server;
mod token;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use syncline_model::{TenantId, Timestamp};

pub use changes::ControlChanges;
pub(crate) use directory::TENANTS;
pub use directory::{DataDirectory, DataDirectoryError, ServeLock};
pub use members::Member;
pub use orders::{Order, OrderId, OrderNews, OrderedWork};
pub use served::ServedSchema;
pub use server::ServerNote;
pub(crate) use server::{forget_server, server_name};
pub use token::{Rights, RightsError, TokenHash, TokenId, TokenIdError, TokenRecord};

use token::token_from_row;

use crate::file::is_disk_full;

/// The name of the control file in the data directory.
pub const CONTROL_FILE_NAME: &str = "control.db";
/// What makes each format from the one before; the first, from an empty file. A change of the schema
/// is one more.
const FORMATS: [&str; 4] = [
    include_str!("control/schema.sql"),
    include_str!("control/schema_2.sql"),
    include_str!("control/schema_3.sql"),
    include_str!("control/schema_4.sql"),
];
/// The format that this version writes, kept in `PRAGMA user_version`.
const FORMAT: i64 = FORMATS.len() as i64;
/// Marks a SQLite file as a control file: "SLct" in ASCII.
const APPLICATION_ID: i64 = 0x534c_6374;
/// How long a statement waits for another process. A write there is one row, so a second is plenty;
/// five cover a slow disk's sync.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a control file can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum ControlOpenError {
    #[error(transparent)]
    Directory(#[from] DataDirectoryError),
    #[error(
        "{} has format {found}, this version knows formats up to {FORMAT}: use a newer syncline",
        path.display()
    )]
    NewerFormat { path: PathBuf, found: i64 },
    #[error("{} is a SQLite file of something else", path.display())]
    Foreign { path: PathBuf },
    #[error("could not open the control file {}", path.display())]
    Sqlite {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
}

/// The control file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("could not {attempt} in the control file")]
pub struct ControlError {
    attempt: &'static str,
    #[source]
    source: rusqlite::Error,
}

/// A tenant that this server has met: one with a token, or one whose log was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTenant {
    pub tenant: TenantId,
    pub created_at: Timestamp,
}

/// What became of a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    Done,
    /// It was revoked before; the first time stands.
    Repeated,
    /// There is no such token, or it is another tenant's.
    Unknown,
}

/// A connection to the control file.
#[derive(Debug)]
pub struct ControlFile {
    connection: Connection,
    changes: ControlChanges,
}

impl ControlError {
    /// Whether the disk has no room for what was to be written.
    pub fn is_disk_full(&self) -> bool {
        is_disk_full(&self.source)
    }
}

impl ControlOpenError {
    /// Whether the disk has no room for what an open makes beside the file.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Sqlite { source, .. } if is_disk_full(source))
    }
}

impl ControlFile {
    /// Opens the control file of `directory`, and makes it if it is not there.
    pub fn open(directory: &DataDirectory) -> Result<Self, ControlOpenError> {
        let path = directory.private_file(CONTROL_FILE_NAME)?;
        // SQLite refuses at once, whatever its busy timeout, where two turn a new file to WAL.
        let _opening = directory.opening()?;
        let connection = connect(&path).map_err(|source| ControlOpenError::Sqlite {
            path: path.clone(),
            source,
        })?;
        let changes = ControlChanges::open(directory)?;
        let mut control = Self {
            connection,
            changes,
        };
        control.prepare(&path)?;
        Ok(control)
    }

    fn prepare(&mut self, path: &Path) -> Result<(), ControlOpenError> {
        let sqlite = |source| ControlOpenError::Sqlite {
            path: path.to_owned(),
            source,
        };
        // In one write, so that a process that dies leaves all of the tables or none.
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sqlite)?;
        let found = integer_pragma(&transaction, "user_version").map_err(sqlite)?;
        let application = integer_pragma(&transaction, "application_id").map_err(sqlite)?;
        let tables = transaction
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(sqlite)?;
        match (found, application, tables) {
            (FORMAT, APPLICATION_ID, _) => return Ok(()),
            (0, 0, 0_i64) => {}
            (1..FORMAT, APPLICATION_ID, _) => {}
            (newer, APPLICATION_ID, _) if newer > FORMAT => {
                return Err(ControlOpenError::NewerFormat {
                    path: path.to_owned(),
                    found: newer,
                });
            }
            _ => {
                return Err(ControlOpenError::Foreign {
                    path: path.to_owned(),
                });
            }
        }
        let missing = FORMATS[found as usize..].concat();
        transaction
            .execute_batch(&format!(
                "{missing}
                 PRAGMA application_id = {APPLICATION_ID};
                 PRAGMA user_version = {FORMAT};"
            ))
            .and_then(|()| transaction.commit())
            .map_err(sqlite)?;
        // A write-ahead log whose pages are all in the file is used again from its beginning, also where
        // there is no room by then for a longer one. It is done later where somebody reads.
        let moved = "PRAGMA wal_checkpoint(PASSIVE)";
        self.connection
            .query_row(moved, [], |_| Ok(()))
            .map_err(sqlite)
    }

    /// Keeps a new token, and its tenant.
    pub fn insert_token(&self, hash: &TokenHash, token: &TokenRecord) -> Result<(), ControlError> {
        let attempt = failed("keep a token");
        let transaction = self.connection.unchecked_transaction().map_err(attempt)?;
        transaction
            .prepare_cached(
                "INSERT INTO tokens
                   (id, hash, tenant, user, rights, created_at, expires_at, revoked_at, last_used_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    token.id.to_string(),
                    hash.as_bytes(),
                    token.tenant.as_str(),
                    token.user.as_str(),
                    token.rights.as_str(),
                    token.created_at.as_millis(),
                    token.expires_at.map(Timestamp::as_millis),
                    token.revoked_at.map(Timestamp::as_millis),
                    token.last_used_at.map(Timestamp::as_millis),
                ])
            })
            .map_err(attempt)?;
        insert_tenant(&transaction, &token.tenant, token.created_at).map_err(attempt)?;
        transaction.commit().map_err(attempt)?;
        self.changes.note();
        Ok(())
    }

    /// The token whose secret has `hash`, whatever its state.
    pub fn token_by_hash(&self, hash: &TokenHash) -> Result<Option<TokenRecord>, ControlError> {
        self.connection
            .prepare_cached(
                "SELECT id, tenant, user, rights, created_at, expires_at, revoked_at, last_used_at, hash
                 FROM tokens WHERE hash = ?1",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([hash.as_bytes()], |row| {
                        let stored: [u8; 32] = row.get(8)?;
                        Ok((token_from_row(row)?, stored))
                    })
                    .optional()
            })
            .map(|found| {
                found
                    .filter(|(_, stored)| hash.matches(stored))
                    .map(|(token, _)| token)
            })
            .map_err(failed("look up a token"))
    }

    /// The token with `id`, whatever its state.
    pub fn token(&self, id: TokenId) -> Result<Option<TokenRecord>, ControlError> {
        self.connection
            .prepare_cached(
                "SELECT id, tenant, user, rights, created_at, expires_at, revoked_at, last_used_at
                 FROM tokens WHERE id = ?1",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([id.to_string()], token_from_row)
                    .optional()
            })
            .map_err(failed("look up a token"))
    }

    /// The tokens of one tenant or of all, oldest first, whatever their state.
    pub fn tokens(&self, tenant: Option<&TenantId>) -> Result<Vec<TokenRecord>, ControlError> {
        self.connection
            .prepare_cached(
                "SELECT id, tenant, user, rights, created_at, expires_at, revoked_at, last_used_at
                 FROM tokens WHERE ?1 IS NULL OR tenant = ?1 ORDER BY tenant, created_at, id",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([tenant.map(TenantId::as_str)], token_from_row)?
                    .collect()
            })
            .map_err(failed("list tokens"))
    }

    /// Revokes a token of `tenant` (none: of any).
    pub fn revoke_token(
        &self,
        tenant: Option<&TenantId>,
        id: TokenId,
        now: Timestamp,
    ) -> Result<Revocation, ControlError> {
        let attempt = failed("revoke a token");
        let known = self
            .token(id)?
            .filter(|token| tenant.is_none_or(|tenant| *tenant == token.tenant));
        if known.is_none() {
            return Ok(Revocation::Unknown);
        }
        let changed = self
            .connection
            .execute(
                "UPDATE tokens SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
                params![id.to_string(), now.as_millis()],
            )
            .map_err(attempt)?;
        self.changes.note();
        Ok(if changed == 1 {
            Revocation::Done
        } else {
            Revocation::Repeated
        })
    }

    /// Notes when tokens were last used; an older time never replaces a newer one.
    pub fn note_token_uses(
        &self,
        uses: impl IntoIterator<Item = (TokenId, Timestamp)>,
    ) -> Result<(), ControlError> {
        let attempt = failed("note the use of tokens");
        let transaction = self.connection.unchecked_transaction().map_err(attempt)?;
        for (id, at) in uses {
            transaction
                .prepare_cached(
                    "UPDATE tokens SET last_used_at = max(coalesce(last_used_at, ?2), ?2) WHERE id = ?1",
                )
                .and_then(|mut statement| {
                    statement.execute(params![id.to_string(), at.as_millis()])
                })
                .map_err(attempt)?;
        }
        transaction.commit().map_err(attempt)
    }

    /// Notes that `tenant` is known; the first time stands.
    pub fn note_tenant(&self, tenant: &TenantId, now: Timestamp) -> Result<(), ControlError> {
        insert_tenant(&self.connection, tenant, now).map_err(failed("note a tenant"))
    }

    /// All known tenants, by name.
    pub fn tenants(&self) -> Result<Vec<KnownTenant>, ControlError> {
        self.connection
            .prepare_cached("SELECT tenant, created_at FROM tenants ORDER BY tenant")
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        Ok(KnownTenant {
                            tenant: token::parsed(row, 0)?,
                            created_at: token::time(row, 1)?
                                .ok_or(rusqlite::Error::InvalidQuery)?,
                        })
                    })?
                    .collect()
            })
            .map_err(failed("list tenants"))
    }

    /// Tells of changes to tokens, to who keeps some in memory.
    pub fn changes(&self) -> ControlChanges {
        self.changes.clone()
    }

    /// A number that changes whenever another connection has changed the file: a cheap way to learn
    /// that tokens may have been made or revoked.
    pub fn data_version(&self) -> Result<i64, ControlError> {
        self.connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(failed("ask for changes"))
    }
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    set_up(&connection)?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "trusted_schema", "OFF")
}

fn integer_pragma(connection: &Connection, name: &str) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

fn insert_tenant(
    connection: &Connection,
    tenant: &TenantId,
    now: Timestamp,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO tenants (tenant, created_at) VALUES (?1, ?2)")?
        .execute(params![tenant.as_str(), now.as_millis()])
        .map(|_| ())
}

fn failed(attempt: &'static str) -> impl Fn(rusqlite::Error) -> ControlError + Copy {
    move |source| ControlError { attempt, source }
}

#[cfg(test)]
mod tests;
