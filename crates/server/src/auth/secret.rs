//! The text of a token, which its owner alone keeps.

use std::fmt;

use syncline_store::control::TokenHash;

/// What every token starts with, so that scanners for leaked secrets can know one.
const PREFIX: &str = "sl_";
/// Prefix and 64 hexadecimal digits.
const TEXT_BYTES: usize = PREFIX.len() + 64;

/// A token's text. It is shown once, when it is made, and hashed from then on.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSecret(String);

impl TokenSecret {
    /// Makes a token's text from 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        let digits = random.iter().map(|byte| format!("{byte:02x}"));
        Self(std::iter::once(PREFIX.to_owned()).chain(digits).collect())
    }

    /// Takes `text` if it has a token's form.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let formed = text.len() == TEXT_BYTES
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        formed.then(|| Self(text.to_owned()))
    }

    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }

    /// The text itself, to be shown to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_token_reads_back_and_never_shows_in_debug_output() {
        let secret = TokenSecret::new([0xab; 32]);
        assert_eq!(secret.reveal(), format!("sl_{}", "ab".repeat(32)));
        assert_eq!(TokenSecret::parse(secret.reveal()), Some(secret.clone()));
        assert!(!format!("{secret:?}").contains("ab"));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let good = TokenSecret::new([1; 32]).reveal().to_owned();
        for text in [
            "",
            "sl_",
            &good[1..],
            &good[..good.len() - 1],
            &format!("{good}0"),
            &good.to_uppercase(),
            &good.replace("01", "é"),
        ] {
            assert_eq!(TokenSecret::parse(text), None, "{text}");
        }
    }
}
