//! The token of who runs the server, which reads what is counted over all tenants.

use std::fmt;
use std::str::FromStr;

use syncline_store::control::TokenHash;

use super::{AuthMode, bearer};

/// The fewest bytes of such a token: as many as 16 random bytes have in hexadecimal digits.
const BYTES_MIN: usize = 32;

/// A bearer token that belongs to no tenant. Its text is hashed at once, and can't be had back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OperatorToken(TokenHash);

/// Why a text is no such token. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OperatorTokenError {
    #[error("the token has fewer than {BYTES_MIN} characters")]
    TooShort,
    #[error("the token holds a space or a character that is not printable ASCII")]
    Characters,
}

/// Why the metrics are not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetricsRefusal {
    /// The server knows no token that reads them.
    NotSetUp,
    /// None was shown, or another.
    Denied,
}

impl FromStr for OperatorToken {
    type Err = OperatorTokenError;

    /// Takes a text whose spaces and line breaks around it are an editor's, and not the token's.
    fn from_str(text: &str) -> Result<Self, OperatorTokenError> {
        let text = text.trim();
        if text.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(OperatorTokenError::Characters);
        }
        if text.len() < BYTES_MIN {
            return Err(OperatorTokenError::TooShort);
        }
        Ok(Self(TokenHash::of(text)))
    }
}

impl fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorToken(..)")
    }
}

/// Whether the bearer of `authorization` may read what is counted over all tenants: with the token
/// that was set, or where none was and nobody is asked for one.
pub(crate) fn may_read_metrics(
    mode: &AuthMode,
    set: Option<OperatorToken>,
    authorization: Option<&[u8]>,
) -> Result<(), MetricsRefusal> {
    match (set, mode) {
        (None, AuthMode::None { .. }) => Ok(()),
        (None, AuthMode::Token { .. }) => Err(MetricsRefusal::NotSetUp),
        (Some(OperatorToken(hash)), _) => {
            let shown = bearer(authorization).map_err(|_| MetricsRefusal::Denied)?;
            // Hashes are compared, so that the time it takes tells nothing of the token.
            if TokenHash::of(shown) == hash {
                Ok(())
            } else {
                Err(MetricsRefusal::Denied)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_printable_and_without_its_line_break() {
        let text = "0123456789abcdef0123456789abcdef";
        let token: OperatorToken = text.parse().unwrap();
        assert_eq!(format!(" {text}\r\n").parse(), Ok(token));
        assert!(!format!("{token:?}").contains("abcdef"));
        assert_eq!(
            text[1..].parse::<OperatorToken>(),
            Err(OperatorTokenError::TooShort)
        );
        let spaced = text.replace('8', " ");
        assert_eq!(
            spaced.parse::<OperatorToken>(),
            Err(OperatorTokenError::Characters)
        );
    }
}
