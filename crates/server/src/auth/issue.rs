//! Making a token.

use syncline_model::{TenantId, Timestamp, UserId};
use syncline_store::control::{ControlError, ControlFile, Rights, TokenId, TokenRecord};

use super::TokenSecret;

/// Whom a token is for, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// The tenant need not exist yet.
    pub tenant: TenantId,
    pub user: UserId,
    pub rights: Rights,
    /// None: it does not expire.
    pub expires_at: Option<Timestamp>,
}

/// Random bytes for a token.
#[derive(Clone, Copy)]
pub struct TokenRandom {
    pub secret: [u8; 32],
    pub id: [u8; 16],
}

impl std::fmt::Debug for TokenRandom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenRandom(..)")
    }
}

/// Makes a token and keeps its hash. Its text is in the secret alone: show it once.
pub fn issue_token(
    control: &ControlFile,
    token: NewToken,
    random: TokenRandom,
    now: Timestamp,
) -> Result<(TokenSecret, TokenRecord), ControlError> {
    let secret = TokenSecret::new(random.secret);
    let record = TokenRecord {
        id: TokenId::new(syncline_model::mint(now, random.id)),
        tenant: token.tenant,
        user: token.user,
        rights: token.rights,
        created_at: now,
        expires_at: token.expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    control.insert_token(&secret.hash(), &record)?;
    Ok((secret, record))
}
