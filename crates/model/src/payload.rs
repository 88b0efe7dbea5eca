//! Payloads: JSON text that the log never looks into.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::limits::{PAYLOAD_BYTES_MAX, PAYLOAD_DEPTH_MAX};
use crate::mark::{first_half, hex_text};

/// One JSON value as its writer spelled it: stored and delivered byte for byte.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Payload(Arc<str>);

/// Why a text is no payload.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    #[error("payload has {bytes} bytes, more than the {PAYLOAD_BYTES_MAX} allowed")]
    TooLarge { bytes: usize },
    #[error("payload nests deeper than {PAYLOAD_DEPTH_MAX}")]
    TooDeep,
    #[error("payload is not one JSON value")]
    Syntax(#[source] serde_json::Error),
}

impl Payload {
    /// Checks that `text` is one JSON value within the limits.
    pub fn parse(text: &str) -> Result<Self, PayloadError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(PayloadError::Syntax)?;
        Self::from_raw(raw)
    }

    /// Checks the limits of a value whose syntax the reader of its envelope has checked.
    pub fn from_raw(raw: &RawValue) -> Result<Self, PayloadError> {
        Self::within_limits(raw.get())
    }

    /// Writes a payload type of ours as JSON.
    pub fn from_value(value: &impl Serialize) -> Result<Self, PayloadError> {
        let text = serde_json::to_string(value).map_err(PayloadError::Syntax)?;
        Self::within_limits(&text)
    }

    /// Takes a text that is one JSON value, as it was put together of such.
    pub(crate) fn within_limits(text: &str) -> Result<Self, PayloadError> {
        if text.len() > PAYLOAD_BYTES_MAX {
            return Err(PayloadError::TooLarge { bytes: text.len() });
        }
        if exceeds_depth(text, PAYLOAD_DEPTH_MAX) {
            return Err(PayloadError::TooDeep);
        }
        Ok(Self(text.into()))
    }

    /// Takes a text that a store has kept since it was checked.
    pub fn stored(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn hash(&self) -> PayloadHash {
        PayloadHash::of(&self.0)
    }

    /// Reads the payload as `T`; a fold skips what it can't read.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

fn exceeds_depth(text: &str, max: usize) -> bool {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = string_end(bytes, at),
            b'[' | b'{' => {
                depth += 1;
                if depth > max {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    false
}

/// Where the string ends that begins at `start`: most of a payload is strings.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(next) = memchr::memchr2(b'"', b'\\', &bytes[at..]) {
        at += next;
        if bytes[at] == b'"' {
            return at;
        }
        at = (at + 2).min(bytes.len());
    }
    bytes.len()
}

impl fmt::Debug for Payload {
    /// Shows the length alone: payloads are users' data and don't belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_raw(&raw).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// The digest of a payload's bytes as first sent: the first 16 bytes of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PayloadHash([u8; 16]);

impl PayloadHash {
    /// The hash of a payload's text.
    pub fn of(text: &str) -> Self {
        Self(first_half(Sha256::new_with_prefix(text.as_bytes())))
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub fn from_slice(bytes: &[u8]) -> Result<Self, crate::MarkError> {
        bytes.try_into().map(Self).map_err(|_| crate::MarkError)
    }
}

hex_text!(PayloadHash);

/// Random bytes that are hashed together with what was offered, where the log is also read by who may
/// not see all of it: without them they could find what is hidden by trying values until the hash fits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 16]);

impl Salt {
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// The hash under which the log holds what has this hash by itself.
    pub fn over(&self, hash: PayloadHash) -> PayloadHash {
        PayloadHash::of(&format!("{self}.{hash}"))
    }
}

hex_text!(Salt);
