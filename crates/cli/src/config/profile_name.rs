//! What a profile may be called.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// The profile that is always there.
pub(crate) const DEFAULT_PROFILE: &str = "default";
/// Longer names would make paths that some systems refuse.
const PROFILE_BYTES_MAX: usize = 64;

/// The name of a profile: it becomes a directory's name, so its alphabet is small.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct ProfileName(String);

/// A text that names no profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a profile's name is 1 to {PROFILE_BYTES_MAX} lower-case letters, digits, '-' and '_', first a letter or digit"
)]
pub(crate) struct ProfileNameError;

impl ProfileName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ProfileName {
    fn default() -> Self {
        Self(DEFAULT_PROFILE.to_owned())
    }
}

impl FromStr for ProfileName {
    type Err = ProfileNameError;
    fn from_str(text: &str) -> Result<Self, ProfileNameError> {
        // Lower case alone: two names that differ in case would be one directory on some systems.
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let first = text.bytes().next().is_some_and(plain);
        let rest = text.bytes().all(|b| plain(b) || matches!(b, b'-' | b'_'));
        if first && rest && text.len() <= PROFILE_BYTES_MAX {
            Ok(Self(text.to_owned()))
        } else {
            Err(ProfileNameError)
        }
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_the_directory_are_none() {
        for text in ["", ".", "..", "a/b", "a\\b", "A", "-x", "é", "a b", "con:"] {
            assert_eq!(text.parse::<ProfileName>(), Err(ProfileNameError), "{text}");
        }
        assert!("x".repeat(65).parse::<ProfileName>().is_err());
        assert!("work-2_x".parse::<ProfileName>().is_ok());
    }
}
