//! Ids as a person types them: as many last characters as tell one from the others. Ids begin
//! with the time that they were made at, and so alike.

/// Fewer characters are too easily another's tomorrow, and too easily typed by mistake.
pub(crate) const CHARS_MIN: usize = 4;

/// The short form of each id, in the same order; of ids that are equal, the whole.
pub(crate) fn short_ids<'a>(ids: &[&'a str]) -> Vec<&'a str> {
    let mut numbers: Vec<usize> = (0..ids.len()).collect();
    numbers.sort_unstable_by(|one, other| ids[*one].chars().rev().cmp(ids[*other].chars().rev()));
    let mut short = vec![""; ids.len()];
    for (place, number) in numbers.iter().enumerate() {
        let id = ids[*number];
        let before = place.checked_sub(1).map(|before| ids[numbers[before]]);
        let after = numbers.get(place + 1).map(|after| ids[*after]);
        let neighbours = [before, after].into_iter().flatten();
        let same = neighbours.map(|other| chars_alike(id, other)).max();
        let chars = same.map_or(CHARS_MIN, |same| CHARS_MIN.max(same + 1));
        let begin = id.char_indices().rev().nth(chars - 1);
        short[*number] = begin.map_or(id, |(begin, _)| &id[begin..]);
    }
    short
}

/// How many characters the two end with alike.
fn chars_alike(one: &str, other: &str) -> usize {
    let both = one.chars().rev().zip(other.chars().rev());
    both.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_are_as_long_as_they_must_be() {
        let ids = [
            "x-3b0f6c4e",
            "éa",
            "1111e0d9",
            "1122e0d9",
            "1-item",
            "01-item",
        ];
        assert_eq!(
            short_ids(&ids),
            ["6c4e", "éa", "1e0d9", "2e0d9", "1-item", "01-item"]
        );
        assert_eq!(short_ids(&["same-id", "same-id"]), ["same-id", "same-id"]);
        assert_eq!(short_ids(&["abcdefgh"]), ["efgh"]);
    }
}
