//! Tokens as the control file keeps them: by the hash of their secret, never the secret.

use std::fmt;
use std::str::FromStr;

use rusqlite::Row;
use rusqlite::types::Type;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use syncline_model::{TenantId, Timestamp, UserId};
use uuid::Uuid;

/// What a token lets its bearer do; each includes those before it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Rights {
    /// Read everything of the tenant.
    Read,
    /// Also write data.
    #[default]
    Sync,
    /// Also manage tokens and reset the log.
    Admin,
}

/// A word that names no rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("rights must be read, sync or admin")]
pub struct RightsError;

impl Rights {
    /// All of them, fewest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Sync, Self::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Sync => "sync",
            Self::Admin => "admin",
        }
    }

    /// Whether these rights let their bearer do what asks for `needed`.
    pub fn include(self, needed: Self) -> bool {
        self >= needed
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Rights {
    type Err = RightsError;
    fn from_str(text: &str) -> Result<Self, RightsError> {
        Self::ALL
            .into_iter()
            .find(|rights| rights.as_str() == text)
            .ok_or(RightsError)
    }
}

/// The name of a token, which may be shown: it is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(Uuid);

/// A text that is no token id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("token id is not a UUID")]
pub struct TokenIdError;

impl TokenId {
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for TokenId {
    type Err = TokenIdError;
    fn from_str(text: &str) -> Result<Self, TokenIdError> {
        Uuid::try_parse(text).map(Self).map_err(|_| TokenIdError)
    }
}

/// The SHA-256 of a token's text. The text holds 32 random bytes, so a plain digest can't be guessed
/// back, and no salt or slow hash is needed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Hashes a token's whole text, prefix included.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares without telling by its duration how much is equal.
    pub(super) fn matches(&self, stored: &[u8; 32]) -> bool {
        let difference = self
            .0
            .iter()
            .zip(stored)
            .fold(0_u8, |difference, (ours, theirs)| {
                difference | (ours ^ theirs)
            });
        std::hint::black_box(difference) == 0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    pub id: TokenId,
    pub tenant: TenantId,
    pub user: UserId,
    pub rights: Rights,
    pub created_at: Timestamp,
    /// From this moment on the token is no good; none: it does not expire.
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// To the minute or so: uses are noted in batches.
    pub last_used_at: Option<Timestamp>,
}

/// Reads id, tenant, user, rights and the four times from the first eight columns.
pub(super) fn token_from_row(row: &Row<'_>) -> Result<TokenRecord, rusqlite::Error> {
    Ok(TokenRecord {
        id: parsed(row, 0)?,
        tenant: parsed(row, 1)?,
        user: parsed(row, 2)?,
        rights: parsed(row, 3)?,
        created_at: time(row, 4)?.ok_or(rusqlite::Error::InvalidQuery)?,
        expires_at: time(row, 5)?,
        revoked_at: time(row, 6)?,
        last_used_at: time(row, 7)?,
    })
}

pub(super) fn parsed<T>(row: &Row<'_>, column: usize) -> Result<T, rusqlite::Error>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get_ref(column)?
        .as_str()?
        .parse()
        .map_err(|error: T::Err| {
            rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
        })
}

pub(super) fn time(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, rusqlite::Error> {
    row.get::<_, Option<i64>>(column)?
        .map(|millis| {
            Timestamp::from_millis(millis).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error))
            })
        })
        .transpose()
}
