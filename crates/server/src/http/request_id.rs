//! The id under which a request is found in the log.

use std::fmt;

use crate::random::random;

/// 16 hexadecimal digits, random.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) fn random() -> Self {
        Self(format!("{:016x}", u64::from_ne_bytes(random())))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
