//! Running digests: two logs with the same mark at a place hold the same ops up to it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::{OpKey, PayloadHash};

/// The digest of a log up to one place: the first 16 bytes of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark([u8; 16]);

/// A text or blob that is no mark or payload hash: those are 16 bytes, 32 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 lower-case hexadecimal digits")]
pub struct MarkError;

impl Mark {
    /// The mark of place 0 of a new epoch, from 16 random bytes.
    pub const fn origin(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// The mark of the place after this one, where an op with `key` and `hash` stands.
    ///
    /// Each part goes in behind its length, so that no two keys give the same bytes.
    #[must_use]
    pub fn next(self, key: &OpKey, hash: &PayloadHash) -> Self {
        let mut digest = Sha256::new_with_prefix(self.0);
        for part in [
            key.actor.as_str(),
            key.scope.as_str(),
            key.resource.as_str(),
        ] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.update(key.clock.get().to_be_bytes());
        digest.update(hash.as_bytes());
        Self(first_half(digest))
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub fn from_slice(bytes: &[u8]) -> Result<Self, MarkError> {
        bytes.try_into().map(Self).map_err(|_| MarkError)
    }
}

pub(crate) fn first_half(digest: Sha256) -> [u8; 16] {
    let whole: [u8; 32] = digest.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

pub(crate) fn hex(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

pub(crate) fn unhex(text: &str) -> Result<[u8; 16], MarkError> {
    let text = text.as_bytes();
    if text.len() != 32 {
        return Err(MarkError);
    }
    let digit = |c: u8| match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        _ => Err(MarkError),
    };
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(bytes)
}

macro_rules! hex_text {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $crate::mark::hex(&self.0, f)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $crate::mark::hex(&self.0, f)
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::MarkError;
            fn from_str(text: &str) -> Result<Self, $crate::MarkError> {
                $crate::mark::unhex(text).map(Self)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use hex_text;

hex_text!(Mark);
