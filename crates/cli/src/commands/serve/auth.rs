//! Who may talk to the server.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use syncline_server::{AuthMode, Exposure, JwtAlgorithm, JwtConfig, JwtKey};

use crate::context::Context;
use crate::environment::variable;
use crate::failure::Failure;

/// The flags by which a server is told whom to trust.
#[derive(Debug, Args)]
pub(super) struct AuthArgs {
    /// none: everybody on this machine, as user anonymous of tenant default; token: bearers of tokens
    /// [default: none, or $SYNCLINE_AUTH]
    #[arg(long, value_enum, value_name = "MODE")]
    auth: Option<Mode>,
    /// Allow --auth none on addresses that others reach
    #[arg(long)]
    allow_open: bool,
    /// Accept JWTs signed by this key: HS256 (a secret of 32 bytes or more), ES256 or EdDSA (a public
    /// key as PEM); KID picks it by a token's `kid`. May be given again
    #[arg(
        long = "jwt-key",
        value_name = "[KID=]ALGORITHM:FILE",
        requires = "jwt_audience"
    )]
    jwt_keys: Vec<KeyFile>,
    /// What a JWT's `aud` must name
    #[arg(long, value_name = "AUDIENCE", requires = "jwt_keys")]
    jwt_audience: Option<String>,
    /// What a JWT's `iss` must be [default: anything]
    #[arg(long, value_name = "ISSUER", requires = "jwt_keys")]
    jwt_issuer: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    None,
    Token,
}

/// A text that is no mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected none or token")]
struct ModeError;

impl FromStr for Mode {
    type Err = ModeError;
    fn from_str(text: &str) -> Result<Self, ModeError> {
        <Self as ValueEnum>::from_str(text, false).map_err(|_| ModeError)
    }
}

/// A key's file, and what the key is for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KeyFile {
    id: Option<String>,
    algorithm: JwtAlgorithm,
    path: PathBuf,
}

/// A text that names no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected [KID=]ALGORITHM:FILE, with algorithm HS256, ES256 or EdDSA")]
struct KeyFileError;

impl FromStr for KeyFile {
    type Err = KeyFileError;
    fn from_str(text: &str) -> Result<Self, KeyFileError> {
        let (head, path) = text.split_once(':').ok_or(KeyFileError)?;
        let (id, algorithm) = match head.rsplit_once('=') {
            Some((id, algorithm)) => (Some(id.to_owned()), algorithm),
            None => (None, head),
        };
        if path.is_empty() || id.as_deref() == Some("") {
            return Err(KeyFileError);
        }
        Ok(Self {
            id,
            algorithm: algorithm.parse().map_err(|_| KeyFileError)?,
            path: path.into(),
        })
    }
}

impl KeyFile {
    fn read(&self) -> Result<JwtKey, Failure> {
        let mut material = std::fs::read(&self.path).map_err(|error| {
            let message = format!("could not read the key in {}", self.path.display());
            Failure::new("key_unreadable", message).because(error)
        })?;
        if self.algorithm == JwtAlgorithm::Hs256 {
            // A text editor's last line break is not part of a secret.
            while material
                .last()
                .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
            {
                material.pop();
            }
        }
        Ok(JwtKey {
            id: self.id.clone(),
            algorithm: self.algorithm,
            material,
        })
    }
}

impl AuthArgs {
    pub(super) fn mode(&self, context: &Context) -> Result<AuthMode, Failure> {
        let mode = match self.auth {
            Some(mode) => Some(mode),
            None => context.environment.parsed(variable::AUTH)?,
        };
        match mode.unwrap_or(Mode::None) {
            Mode::None if !self.jwt_keys.is_empty() => Err(Failure::usage(
                "auth_invalid",
                "--jwt-key has no meaning with --auth none",
            )
            .fix("syncline serve --auth token …")),
            Mode::None => Ok(AuthMode::None {
                exposure: if self.allow_open {
                    Exposure::Anywhere
                } else {
                    Exposure::LoopbackOnly
                },
            }),
            Mode::Token => Ok(AuthMode::Token { jwt: self.jwt()? }),
        }
    }

    fn jwt(&self) -> Result<Option<JwtConfig>, Failure> {
        let Some(audience) = &self.jwt_audience else {
            return Ok(None);
        };
        let keys: Result<_, Failure> = self.jwt_keys.iter().map(KeyFile::read).collect();
        Ok(Some(JwtConfig {
            audience: audience.clone(),
            issuer: self.jwt_issuer.clone(),
            keys: keys?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_by_algorithm_and_file() {
        let key: KeyFile = "a=b=es256:C:\\keys\\x.pem".parse().unwrap();
        assert_eq!(key.id.as_deref(), Some("a=b"));
        assert_eq!(key.algorithm, JwtAlgorithm::Es256);
        assert_eq!(key.path, PathBuf::from("C:\\keys\\x.pem"));
        for text in [
            "",
            "HS256",
            "HS256:",
            "none:file",
            "=HS256:file",
            "RS256:file",
        ] {
            assert_eq!(text.parse::<KeyFile>(), Err(KeyFileError), "{text}");
        }
    }
}
