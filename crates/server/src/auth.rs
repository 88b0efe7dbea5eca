//! Who asks: bearer tokens and JWTs to identities, and what an identity may do.
//!
//! Tenant and user come from the credential, never from the request.

mod issue;
mod jwt;
mod known;
mod operator_token;
mod origin;
mod rate;
mod secret;

use std::collections::HashMap;
use std::sync::Mutex;

use syncline_model::schema::Role;
use syncline_model::{TenantId, Timestamp, UserId};
use syncline_store::control::{
    ControlError, ControlFile, ControlOpenError, DataDirectory, Rights, TokenId, TokenRecord,
};

pub use issue::{NewToken, TokenRandom, issue_token};
pub use jwt::{JwtAlgorithm, JwtAlgorithmError, JwtConfig, JwtConfigError, JwtKey};
use known::KnownTokens;
pub(crate) use operator_token::{MetricsRefusal, may_read_metrics};
pub use operator_token::{OperatorToken, OperatorTokenError};
pub(crate) use origin::{HostPolicy, Misdirection};
pub(crate) use rate::RateLimiter;
pub use rate::{Allowance, Rate};
pub use secret::TokenSecret;

/// The tenant of a server without authentication.
const TENANT_OPEN: &str = "default";
/// Everybody, on a server without authentication.
const USER_OPEN: &str = "anonymous";
/// The longest credential that is looked at, in bytes: JWTs with large claims stay under it.
const CREDENTIAL_BYTES_MAX: usize = 8 * 1024;
/// How many tokens' last uses wait in memory for the next batch that notes them.
const USES_MAX: usize = 10_000;

/// Who may talk to the server.
#[derive(Debug, Clone)]
pub enum AuthMode {
    /// Everybody, as user `anonymous` of tenant `default`, with all rights.
    None { exposure: Exposure },
    /// Bearers of tokens made by `token create`, and of JWTs if any are configured.
    Token { jwt: Option<JwtConfig> },
}

impl AuthMode {
    /// The name that `/health` shows.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None { .. } => "none",
            Self::Token { .. } => "token",
        }
    }
}

/// Where a server without authentication may listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// On this machine alone.
    LoopbackOnly,
    /// Anywhere: the operator has said that the network is safe.
    Anywhere,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub tenant: TenantId,
    pub user: UserId,
    pub rights: Rights,
    pub credential: Credential,
}

/// How an identity was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// Nothing was asked for.
    Open,
    Token {
        id: TokenId,
        expires_at: Option<Timestamp>,
    },
    Jwt {
        expires_at: Timestamp,
    },
}

impl Credential {
    /// From when on the credential is no good.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match *self {
            Self::Open => None,
            Self::Token { expires_at, .. } => expires_at,
            Self::Jwt { expires_at } => Some(expires_at),
        }
    }
}

impl Identity {
    /// The identity of everybody where nothing is asked for.
    pub fn open() -> Self {
        Self {
            tenant: TenantId::new(TENANT_OPEN).expect("the name is well formed"),
            user: UserId::new(USER_OPEN).expect("the name is well formed"),
            rights: Rights::Admin,
            credential: Credential::Open,
        }
    }
}

/// Why a credential is no good. What is told apart is told only to who holds the secret or a
/// signature that verifies, the claims excepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    Missing,
    Malformed,
    Unknown,
    Expired,
    Revoked,
    /// A JWT's claim is missing or wrong.
    Claim(&'static str),
}

impl Denial {
    pub(crate) fn message(self) -> String {
        match self {
            Self::Missing => {
                "no credential: send Authorization: Bearer with a token (syncline login)".into()
            }
            Self::Malformed => "the credential is not a bearer token of a known form".into(),
            Self::Unknown => "the token is not known here: log in again (syncline login)".into(),
            Self::Expired => "the token has expired: log in again (syncline login)".into(),
            Self::Revoked => "the token was revoked: log in again (syncline login)".into(),
            Self::Claim(claim) => format!("the token's claim {claim} is missing or not accepted"),
        }
    }
}

/// An authentication that did not come to an identity.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthError {
    #[error("the credential was refused")]
    Denied(Denial),
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// Turns credentials into identities.
#[derive(Debug)]
pub(crate) struct Authenticator {
    policy: Policy,
    /// For look-ups alone: a write's sync, on the other connection, never holds up a request.
    control: Mutex<ControlFile>,
    known: KnownTokens,
    uses: Mutex<HashMap<TokenId, Timestamp>>,
}

#[derive(Debug)]
enum Policy {
    Open,
    Bearer { jwt: Option<jwt::JwtVerifier> },
}

impl Authenticator {
    pub(crate) fn new(mode: &AuthMode, directory: &DataDirectory) -> Result<Self, AuthSetupError> {
        let policy = match mode {
            AuthMode::None { .. } => Policy::Open,
            AuthMode::Token { jwt } => Policy::Bearer {
                jwt: jwt.as_ref().map(jwt::JwtVerifier::new).transpose()?,
            },
        };
        let control = ControlFile::open(directory)?;
        Ok(Self {
            policy,
            known: KnownTokens::new(control.changes()),
            control: Mutex::new(control),
            uses: Mutex::default(),
        })
    }

    /// The identity behind the value of an `Authorization` header.
    pub(crate) fn authenticate(
        &self,
        authorization: Option<&[u8]>,
        now: Timestamp,
    ) -> Result<Identity, AuthError> {
        let Policy::Bearer { jwt } = &self.policy else {
            return Ok(Identity::open());
        };
        let text = bearer(authorization).map_err(AuthError::Denied)?;
        if let Some(secret) = TokenSecret::parse(text) {
            return self.identity_of_token(&secret, now);
        }
        let Some(verifier) = jwt.as_ref().filter(|_| text.split('.').count() == 3) else {
            return Err(AuthError::Denied(Denial::Unknown));
        };
        verifier.verify(text, now).map_err(AuthError::Denied)
    }

    fn identity_of_token(
        &self,
        secret: &TokenSecret,
        now: Timestamp,
    ) -> Result<Identity, AuthError> {
        let hash = secret.hash();
        let look_up = || self.control().token_by_hash(&hash);
        let found = self.known.get_or_look_up(&hash, now, look_up)?;
        let token = found.ok_or(AuthError::Denied(Denial::Unknown))?;
        check(&token, now).map_err(AuthError::Denied)?;
        self.note_use(token.id, now);
        Ok(Identity {
            tenant: token.tenant,
            user: token.user,
            rights: token.rights,
            credential: Credential::Token {
                id: token.id,
                expires_at: token.expires_at,
            },
        })
    }

    /// The role of who asks in their tenant.
    pub(crate) fn role(&self, identity: &Identity) -> Result<Role, ControlError> {
        if identity.credential == Credential::Open {
            return Ok(Role::Owner);
        }
        let role = self.control().role(&identity.tenant, &identity.user)?;
        Ok(role.unwrap_or_default())
    }

    /// Whether a credential that was good before still is.
    pub(crate) fn recheck(&self, credential: &Credential, now: Timestamp) -> Result<(), AuthError> {
        let denied = |denial| Err(AuthError::Denied(denial));
        match *credential {
            Credential::Open => Ok(()),
            Credential::Jwt { expires_at } if expires_at <= now => denied(Denial::Expired),
            Credential::Jwt { .. } => Ok(()),
            Credential::Token { id, .. } => match self.control().token(id)? {
                Some(token) => check(&token, now).map_err(AuthError::Denied),
                None => denied(Denial::Unknown),
            },
        }
    }

    /// Looks whether tokens can be looked up.
    pub(crate) fn check_readable(&self) -> Result<(), ControlError> {
        self.control().data_version().map(drop)
    }

    /// The uses that no batch has noted yet.
    pub(crate) fn take_uses(&self) -> HashMap<TokenId, Timestamp> {
        std::mem::take(&mut self.uses.lock().expect(UNPOISONED))
    }

    fn note_use(&self, id: TokenId, now: Timestamp) {
        let mut uses = self.uses.lock().expect(UNPOISONED);
        if uses.len() < USES_MAX || uses.contains_key(&id) {
            uses.insert(id, now);
        }
    }

    fn control(&self) -> std::sync::MutexGuard<'_, ControlFile> {
        self.control.lock().expect(UNPOISONED)
    }
}

const UNPOISONED: &str = "nothing panics under this lock";

/// Why authentication can't start.
#[derive(Debug, thiserror::Error)]
pub enum AuthSetupError {
    #[error(transparent)]
    Control(#[from] ControlOpenError),
    #[error(transparent)]
    Jwt(#[from] JwtConfigError),
}

fn bearer(authorization: Option<&[u8]>) -> Result<&str, Denial> {
    let value = authorization.ok_or(Denial::Missing)?;
    if value.len() > CREDENTIAL_BYTES_MAX {
        return Err(Denial::Malformed);
    }
    let value = std::str::from_utf8(value).map_err(|_| Denial::Malformed)?;
    let (scheme, text) = value.split_once(' ').ok_or(Denial::Malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Denial::Malformed);
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(Denial::Missing);
    }
    Ok(text)
}

fn check(token: &TokenRecord, now: Timestamp) -> Result<(), Denial> {
    if token.revoked_at.is_some() {
        return Err(Denial::Revoked);
    }
    if token.expires_at.is_some_and(|expiry| expiry <= now) {
        return Err(Denial::Expired);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
