//! Random bytes from the operating system.

use rand::TryRngCore;
use rand::rngs::OsRng;

/// So many random bytes.
pub(crate) fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    OsRng
        .try_fill_bytes(&mut bytes)
        .expect("every system that has TCP has random bytes");
    bytes
}

/// A random UUID.
pub(crate) fn random_uuid() -> uuid::Uuid {
    uuid::Builder::from_random_bytes(random()).into_uuid()
}
