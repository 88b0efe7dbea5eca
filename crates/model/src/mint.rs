//! New ids.

use uuid::{Builder, Uuid};

use crate::Timestamp;

/// A new id: a UUID of version 7, of this moment and ten of these random bytes. Ids made later sort
/// after those made before, as far as the clocks agree. A moment before 1970 counts as its begin.
pub fn mint(at: Timestamp, random: [u8; 16]) -> Uuid {
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    let [bytes @ .., _, _, _, _, _, _] = random;
    Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_its_moment_and_of_its_random_bytes() {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        let id = mint(at(1_700_000_000_000), [0xab; 16]);
        assert_eq!(id.to_string(), "018bcfe5-6800-7bab-abab-abababababab");
        assert_eq!(id.get_version_num(), 7);
        assert!(id < mint(at(1_700_000_000_001), [0; 16]));
        assert_ne!(id, mint(at(1_700_000_000_000), [0xac; 16]));
    }
}
