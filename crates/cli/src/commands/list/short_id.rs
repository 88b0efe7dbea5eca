//! Ids of items as a person types them: as many first characters as tell one from the others.

/// Fewer characters are too easily another item's tomorrow, and too easily typed by mistake.
pub(super) const CHARS_MIN: usize = 4;

/// The short form of each id, in the same order; of ids that are equal, the whole.
pub(super) fn short_ids<'a>(ids: &[&'a str]) -> Vec<&'a str> {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    let mut short = vec![""; ids.len()];
    let mut numbers: Vec<usize> = (0..ids.len()).collect();
    numbers.sort_unstable_by_key(|number| ids[*number]);
    for (place, number) in numbers.into_iter().enumerate() {
        let id = ids[number];
        let before = place.checked_sub(1).map(|before| sorted[before]);
        let after = sorted.get(place + 1).copied();
        let neighbours = [before, after].into_iter().flatten();
        let same = neighbours.map(|other| chars_alike(id, other)).max();
        let chars = same.map_or(CHARS_MIN, |same| CHARS_MIN.max(same + 1));
        let end = id.char_indices().nth(chars);
        short[number] = end.map_or(id, |(end, _)| &id[..end]);
    }
    short
}

fn chars_alike(one: &str, other: &str) -> usize {
    let both = one.chars().zip(other.chars());
    both.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_are_as_long_as_they_must_be() {
        let ids = [
            "3b0f6c4e-x",
            "aé",
            "9d0e1111",
            "9d0e1122",
            "item-1",
            "item-10",
        ];
        assert_eq!(
            short_ids(&ids),
            ["3b0f", "aé", "9d0e111", "9d0e112", "item-1", "item-10"]
        );
        assert_eq!(short_ids(&["same-id", "same-id"]), ["same-id", "same-id"]);
        assert_eq!(short_ids(&["abcdefgh"]), ["abcd"]);
    }
}
