//! Bearer tokens, which no log and no error shows.

use std::fmt;
use std::str::FromStr;

/// The longest token that is accepted, in bytes; one with many claims stays far below.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// A bearer token. Its `Debug` form hides it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a text is no token. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is empty")]
    Empty,
    #[error("the token is longer than {TOKEN_BYTES_MAX} bytes")]
    TooLong,
    #[error("the token holds a space or a character that is not printable ASCII")]
    Characters,
}

impl Token {
    /// The token's text, for the one place that stores it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The value of the `Authorization` header.
    pub(crate) fn authorization(&self) -> reqwest::header::HeaderValue {
        let text = format!("Bearer {}", self.0);
        let mut value = reqwest::header::HeaderValue::try_from(text)
            .expect("a token is printable ASCII since it was made");
        value.set_sensitive(true);
        value
    }
}

impl FromStr for Token {
    type Err = TokenError;

    /// Takes a token as it was pasted: space around it is not part of it.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        if text.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Characters);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_and_never_shown() {
        let token: Token = " slc_secret\n".parse().unwrap();
        assert_eq!(token.authorization(), "Bearer slc_secret");
        assert!(!format!("{token:?} {:?}", token.authorization()).contains("secret"));
    }

    #[test]
    fn what_would_break_a_header_is_no_token() {
        assert_eq!("".parse::<Token>(), Err(TokenError::Empty));
        assert_eq!("a b".parse::<Token>(), Err(TokenError::Characters));
        assert_eq!("a\r\nHost: x".parse::<Token>(), Err(TokenError::Characters));
        assert_eq!("é".parse::<Token>(), Err(TokenError::Characters));
        assert_eq!(
            "a".repeat(TOKEN_BYTES_MAX + 1).parse::<Token>(),
            Err(TokenError::TooLong)
        );
    }
}
