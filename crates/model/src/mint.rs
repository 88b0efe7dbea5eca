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

/// The last bits of a version 7 UUID, behind those that say its variant: one random number.
const RANDOM_BITS: u32 = 62;

/// Makes version 7 UUIDs that rise, all of one moment: the first as [`mint`] does, each after it
/// by a random step above the one before, so that none can be guessed from its neighbours.
pub fn mint_rising(
    at: Timestamp,
    random: [u8; 16],
    mut step: impl FnMut() -> u32,
) -> impl Iterator<Item = Uuid> {
    // With its first bit taken out, the number has room for more steps than anybody takes.
    let room = 1_u128 << (RANDOM_BITS - 1);
    let first = mint(at, random).as_u128() & !room;
    std::iter::successors(Some(first), move |last| Some(last + 1 + u128::from(step())))
        .map(Uuid::from_u128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_moment_rise_and_stay_ids() {
        let at = Timestamp::from_millis(1_700_000_000_000).unwrap();
        let ids: Vec<_> = mint_rising(at, [0xff; 16], || u32::MAX)
            .take(10_000)
            .collect();
        assert!(ids.windows(2).all(|two| two[0] < two[1]));
        for id in &ids {
            assert_eq!(
                (id.get_version_num(), id.get_variant()),
                (7, uuid::Variant::RFC4122)
            );
            assert!(id.to_string().starts_with("018bcfe5-6800-7fff-"), "{id}");
        }
    }

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
