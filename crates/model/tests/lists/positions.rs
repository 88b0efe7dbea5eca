//! Positions: strict order, and keys no longer than stated.

use std::cmp::Ordering;

use proptest::prelude::*;
use syncline_model::list::{GROWTH_BYTES_MAX, Position};

use super::chance::Chance;

const MANY: usize = 100_000;

/// The number of digits of `n` to base 62.
fn digits(n: usize) -> usize {
    let mut digits = 1;
    let mut rest = n / 62;
    while rest > 0 {
        digits += 1;
        rest /= 62;
    }
    digits
}

pub(crate) fn between(
    left: Option<&Position>,
    right: Option<&Position>,
    chance: &mut Chance,
) -> Position {
    let made = Position::between(left, right, chance.jitter()).expect("a gap");
    assert!(left.is_none_or(|left| *left < made), "{left:?} {made:?}");
    assert!(
        right.is_none_or(|right| made < *right),
        "{made:?} {right:?}"
    );
    assert_eq!(Position::parse(made.as_str()).as_ref(), Ok(&made));
    made
}

fn bytes(position: Option<&Position>) -> usize {
    position.map_or(0, Position::bytes)
}

/// Inserts many times between `left` and `right`, each less or greater than the last one; gives all.
pub(crate) fn insert_at_one_spot(
    left: Option<Position>,
    right: Option<Position>,
    turn: Ordering,
    seed: u64,
) -> Vec<Position> {
    let mut all = Vec::with_capacity(MANY);
    let mut chance = Chance(seed);
    let outer = bytes(left.as_ref()).max(bytes(right.as_ref()));
    let (mut left, mut right) = (left, right);
    for n in 1..=MANY {
        let made = between(left.as_ref(), right.as_ref(), &mut chance);
        assert!(made.bytes() <= outer + 5 + digits(n), "{n}: {made:?}");
        all.push(made.clone());
        if turn == Ordering::Greater {
            left = Some(made)
        } else {
            right = Some(made)
        }
    }
    all
}

#[test]
fn appends_keep_strict_order_and_short_keys() {
    insert_at_one_spot(None, None, Ordering::Greater, 1);
}

#[test]
fn prepends_keep_strict_order_and_short_keys() {
    insert_at_one_spot(None, None, Ordering::Less, 2);
}

#[test]
fn inserts_at_one_spot_keep_strict_order_and_short_keys() {
    let first = between(None, None, &mut Chance(3));
    let second = between(Some(&first), None, &mut Chance(4));
    for (turn, seed) in [(Ordering::Greater, 5), (Ordering::Less, 6)] {
        insert_at_one_spot(Some(first.clone()), Some(second.clone()), turn, seed);
    }
}

#[test]
fn two_hundred_appends_by_one_writer_are_two_hundred_positions() {
    // Keys of bounded depth run out after some sixty of these.
    let mut chance = Chance(7);
    let mut all: Vec<Position> = Vec::new();
    for _ in 0..200 {
        all.push(between(all.last(), None, &mut chance));
    }
    for pair in all.windows(2) {
        between(Some(&pair[0]), Some(&pair[1]), &mut chance);
    }
}

#[test]
fn equal_or_crossed_neighbours_have_nothing_between_them() {
    let mut chance = Chance(8);
    let first = between(None, None, &mut chance);
    let second = between(Some(&first), None, &mut chance);
    for (left, right) in [(&first, &first), (&second, &first)] {
        assert!(Position::between(Some(left), Some(right), [1; 4]).is_err());
    }
}

#[test]
fn what_is_no_position_is_told() {
    for text in ["", "0", "a0", "a-1", "é1", "a 1", "a1\0"] {
        assert!(Position::parse(text).is_err(), "{text:?}");
    }
    for text in ["1", "a01", "zzzzzzzzz", "A"] {
        assert!(Position::parse(text).is_ok(), "{text:?}");
    }
}

#[test]
fn positions_sort_alike_as_bytes_and_as_utf_16() {
    // The latter is how JavaScript compares.
    let mut chance = Chance(9);
    let mut all = vec![between(None, None, &mut chance)];
    for _ in 0..500 {
        let at = chance.below(all.len() + 1);
        let left = at.checked_sub(1).map(|left| &all[left]);
        let made = between(left, all.get(at), &mut chance);
        all.insert(at, made);
    }
    let utf16 = |position: &Position| position.as_str().encode_utf16().collect::<Vec<_>>();
    assert!(all.is_sorted() && all.is_sorted_by_key(utf16));
    assert!(all.iter().all(|position| position.as_str().is_ascii()));
}

#[test]
fn two_who_insert_at_one_place_make_two_keys() {
    let first = between(None, None, &mut Chance(10));
    let second = between(Some(&first), None, &mut Chance(11));
    let mine = between(Some(&first), Some(&second), &mut Chance(12));
    let theirs = between(Some(&first), Some(&second), &mut Chance(13));
    assert_ne!(mine, theirs);
    let (low, high) = (mine.clone().min(theirs.clone()), mine.max(theirs));
    between(Some(&low), Some(&high), &mut Chance(14));
}

fn path() -> impl Strategy<Value = Vec<(u16, String)>> {
    prop::collection::vec((0_u16..1024, "[a-c-]{0,3}|actor-[0-9a-f]{4}"), 1..5)
}

pub(crate) fn of_path(path: &[(u16, String)]) -> Position {
    let steps = path.iter().map(|(digit, actor)| (*digit, actor.as_str()));
    Position::of_path(steps).expect("small digits")
}

proptest! {
    #[test]
    fn paths_keep_their_order(one in path(), other in path()) {
        prop_assert_eq!(of_path(&one).cmp(&of_path(&other)), one.cmp(&other));
    }

    /// Whatever the neighbours are: made here, paths, or any text that is a position.
    #[test]
    fn between_any_two_positions_is_a_third(
        one in "[0-9A-Za-z]{0,12}[1-9A-Za-z]", other in "[0-9A-Za-z]{0,12}[1-9A-Za-z]",
        seed in any::<u64>(), path in path(),
    ) {
        let mut chance = Chance(seed);
        let mut all = [Position::parse(&one).unwrap(), Position::parse(&other).unwrap(), of_path(&path)];
        all.sort();
        for n in 0..=all.len() {
            let left = n.checked_sub(1).map(|left| &all[left]);
            if left != all.get(n) {
                let made = between(left, all.get(n), &mut chance);
                prop_assert!(made.bytes() <= bytes(left).max(bytes(all.get(n))) + GROWTH_BYTES_MAX);
            }
        }
    }

    #[test]
    fn inserts_anywhere_keep_strict_order(places in prop::collection::vec(any::<u16>(), 1..300), seed in any::<u64>()) {
        let mut chance = Chance(seed);
        let mut all: Vec<Position> = Vec::new();
        for place in places {
            let at = usize::from(place) % (all.len() + 1);
            let left = at.checked_sub(1).map(|left| &all[left]);
            let made = between(left, all.get(at), &mut chance);
            prop_assert!(made.bytes() <= bytes(left).max(bytes(all.get(at))) + GROWTH_BYTES_MAX);
            all.insert(at, made);
        }
        prop_assert!(all.is_sorted_by(|one, other| one < other));
    }
}

#[test]
fn between_keys_as_long_as_a_payload_the_next_one_is_found_at_once() {
    // By others: a million digits that two neighbours share. Each of their prefixes, looked at for
    // itself, would take minutes.
    let shared = "5".repeat(1_000_000);
    for (left, right) in [("1", "11"), ("1", "2"), ("1", "3"), ("01", "1")] {
        let [left, right] = [left, right].map(|end| format!("{shared}{end}"));
        let [left, right] = [left, right].map(|text| Position::parse(&text).unwrap());
        let made = between(Some(&left), Some(&right), &mut Chance(7));
        assert!(made.bytes() <= right.bytes() + GROWTH_BYTES_MAX);
    }
}
