//! JSON Web Tokens signed by keys that the operator has configured.

use std::fmt;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use syncline_model::{TenantId, Timestamp, UserId};
use syncline_store::control::Rights;

use super::{Credential, Denial, Identity};

/// The shortest secret that HS256 may have: that of the digest, as RFC 7518 asks.
const SECRET_BYTES_MIN: usize = 32;

/// Which JWTs are accepted as bearer tokens.
#[derive(Debug, Clone)]
pub struct JwtConfig {
    /// What a token's `aud` must name.
    pub audience: String,
    /// What a token's `iss` must be, if it must be anything.
    pub issuer: Option<String>,
    pub keys: Vec<JwtKey>,
}

/// A key and the one algorithm that it is for.
#[derive(Clone)]
pub struct JwtKey {
    /// The `kid` that picks this key; a token without one is tried with each key of its algorithm.
    pub id: Option<String>,
    pub algorithm: JwtAlgorithm,
    /// The secret for HS256, else the public key as PEM.
    pub material: Vec<u8>,
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// The signature algorithms that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    Hs256,
    Es256,
    EdDsa,
}

/// A word that names no accepted algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("algorithm must be HS256, ES256 or EdDSA")]
pub struct JwtAlgorithmError;

impl std::str::FromStr for JwtAlgorithm {
    type Err = JwtAlgorithmError;
    fn from_str(text: &str) -> Result<Self, JwtAlgorithmError> {
        [Self::Hs256, Self::Es256, Self::EdDsa]
            .into_iter()
            .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text))
            .ok_or(JwtAlgorithmError)
    }
}

impl JwtAlgorithm {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    const fn algorithm(self) -> Algorithm {
        match self {
            Self::Hs256 => Algorithm::HS256,
            Self::Es256 => Algorithm::ES256,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }
}

/// Why the configured keys can't be used.
#[derive(Debug, thiserror::Error)]
pub enum JwtConfigError {
    #[error("JWTs are on, and no key is configured")]
    NoKeys,
    #[error("JWTs are on, and no audience is configured")]
    NoAudience,
    #[error("an HS256 secret has {bytes} bytes, fewer than {SECRET_BYTES_MIN}")]
    ShortSecret { bytes: usize },
    #[error("could not read a {} public key as PEM", algorithm.as_str())]
    Key {
        algorithm: JwtAlgorithm,
        #[source]
        source: jsonwebtoken::errors::Error,
    },
}

/// Verifies JWTs.
pub(super) struct JwtVerifier {
    keys: Vec<VerifyingKey>,
}

struct VerifyingKey {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
    validation: Validation,
}

impl fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwtVerifier({} keys)", self.keys.len())
    }
}

/// All optional, so that a missing one is named; `aud` and `iss` are checked with the signature.
#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    tenant: Option<String>,
    /// Seconds since 1970, which may have a fraction.
    exp: Option<f64>,
    nbf: Option<f64>,
    rights: Option<Rights>,
}

impl JwtVerifier {
    pub(super) fn new(config: &JwtConfig) -> Result<Self, JwtConfigError> {
        if config.keys.is_empty() {
            return Err(JwtConfigError::NoKeys);
        }
        if config.audience.is_empty() {
            return Err(JwtConfigError::NoAudience);
        }
        let keys = config.keys.iter().map(|key| verifying_key(config, key));
        Ok(Self {
            keys: keys.collect::<Result<_, _>>()?,
        })
    }

    /// The identity that `text` states, if a configured key signed it and it is good at `now`.
    pub(super) fn verify(&self, text: &str, now: Timestamp) -> Result<Identity, Denial> {
        let header = decode_header(text).map_err(|_| Denial::Malformed)?;
        let candidates = self.keys.iter().filter(|key| {
            // The key says which algorithm it is for; the token's word is only compared with it.
            key.algorithm == header.alg
                && (header.kid.is_none() || key.id.is_none() || key.id == header.kid)
        });
        let mut denial = Denial::Unknown;
        for key in candidates {
            match decode::<Claims>(text, &key.key, &key.validation) {
                Ok(token) => return identity(token.claims, now),
                Err(error) => denial = denial_of(error.kind()),
            }
        }
        Err(denial)
    }
}

fn verifying_key(config: &JwtConfig, key: &JwtKey) -> Result<VerifyingKey, JwtConfigError> {
    let malformed = |source| JwtConfigError::Key {
        algorithm: key.algorithm,
        source,
    };
    let decoding = match key.algorithm {
        JwtAlgorithm::Hs256 if key.material.len() < SECRET_BYTES_MIN => {
            return Err(JwtConfigError::ShortSecret {
                bytes: key.material.len(),
            });
        }
        JwtAlgorithm::Hs256 => DecodingKey::from_secret(&key.material),
        JwtAlgorithm::Es256 => DecodingKey::from_ec_pem(&key.material).map_err(malformed)?,
        JwtAlgorithm::EdDsa => DecodingKey::from_ed_pem(&key.material).map_err(malformed)?,
    };
    let algorithm = key.algorithm.algorithm();
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[&config.audience]);
    validation.set_required_spec_claims(&["sub", "exp", "aud"]);
    if let Some(issuer) = &config.issuer {
        validation.set_issuer(&[issuer]);
        validation.required_spec_claims.insert("iss".to_owned());
    }
    // Checked against the clock that the caller gives, without leeway.
    validation.validate_exp = false;
    Ok(VerifyingKey {
        id: key.id.clone(),
        algorithm,
        key: decoding,
        validation,
    })
}

fn identity(claims: Claims, now: Timestamp) -> Result<Identity, Denial> {
    let expires_at = time("exp", claims.exp.ok_or(Denial::Claim("exp"))?)?;
    if expires_at <= now {
        return Err(Denial::Expired);
    }
    if let Some(seconds) = claims.nbf
        && time("nbf", seconds)? > now
    {
        return Err(Denial::Claim("nbf"));
    }
    let tenant = claims.tenant.and_then(|name| TenantId::new(name).ok());
    let user = claims.sub.and_then(|name| UserId::new(name).ok());
    Ok(Identity {
        tenant: tenant.ok_or(Denial::Claim("tenant"))?,
        user: user.ok_or(Denial::Claim("sub"))?,
        rights: claims.rights.unwrap_or_default(),
        credential: Credential::Jwt { expires_at },
    })
}

fn time(claim: &'static str, seconds: f64) -> Result<Timestamp, Denial> {
    // A float outside the range of an integer becomes its nearest, which is no time.
    Timestamp::from_millis((seconds * 1000.0) as i64).map_err(|_| Denial::Claim(claim))
}

fn denial_of(kind: &ErrorKind) -> Denial {
    match kind {
        ErrorKind::MissingRequiredClaim(claim) => Denial::Claim(match claim.as_str() {
            "sub" => "sub",
            "exp" => "exp",
            "iss" => "iss",
            _ => "aud",
        }),
        ErrorKind::InvalidAudience => Denial::Claim("aud"),
        ErrorKind::InvalidIssuer => Denial::Claim("iss"),
        // Signed, and of other types than ours: each claim by its type is told in the docs.
        ErrorKind::Json(_) => Denial::Claim("types"),
        _ => Denial::Unknown,
    }
}

#[cfg(test)]
mod tests;
