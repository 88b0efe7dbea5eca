//! Positions: keys between any two of which there is always another.
//!
//! A position is a text of the digits `0-9A-Za-z` that doesn't end in `0`. Positions sort as bytes,
//! which is how Rust, SQLite's `BINARY`, Postgres' `"C"` and JavaScript's `<` sort ASCII. A position
//! that another begins with sorts before it, and depth has no bound.
//!
//! Those that are made here are sequences of *components*: an integer whose first letter says its
//! length (`a0` is 0, `az` 61, `b00` 62, `Zz` -1), and four digits of jitter. At an end the integer
//! there goes up or down by one; in a gap without a free integer, one more component counts within
//! it. So the keys of `n` inserts at an end, or at one spot in one direction, are no longer than
//! `max(left, right) + 5 + digits(n)` bytes, where `digits(n)` is the number of digits of `n` to base
//! 62; a single insert adds [`GROWTH_BYTES_MAX`] at most. Only inserts that turn around all the time
//! dig deeper and deeper; a plan gives short keys to such a stretch, see [`super::POSITION_BYTES_LONG`].
//!
//! Jitter keeps two replicas that insert at the same place from making the same key: items with equal
//! keys sort by id, but nothing fits between them. Two such inserts are equal once in 14 million.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LOWEST: u8 = b'0';
const HIGHEST: u8 = b'z';
const JITTER_DIGITS: usize = 4;
/// The integer 0.
const ZERO: &[u8] = b"a0";

/// What one insert adds at most to the longer of its neighbours' positions, in bytes.
pub const GROWTH_BYTES_MAX: usize = ZERO.len() + JITTER_DIGITS;

/// Random bytes, drawn anew for each position.
pub type Jitter = [u8; JITTER_DIGITS];

/// A place in an order.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Position(String);

/// Why a text is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a position is one or more of 0-9, A-Z and a-z, and does not end in 0")]
pub struct PositionError;

/// There is nothing between two positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the left position is not below the right one")]
pub struct GapError;

impl Position {
    /// Checks that `text` is a position.
    pub fn parse(text: &str) -> Result<Self, PositionError> {
        Self::new(text.to_owned())
    }

    pub(crate) fn new(text: String) -> Result<Self, PositionError> {
        let ends_well = text.bytes().last().is_some_and(|last| last != LOWEST);
        if ends_well && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(text))
        } else {
            Err(PositionError)
        }
    }

    /// A position above `left` and below `right`, as short as this scheme makes it; an absent one is
    /// the end of the list.
    pub fn between(
        left: Option<&Self>,
        right: Option<&Self>,
        jitter: Jitter,
    ) -> Result<Self, GapError> {
        let gap = Gap {
            left: left.map_or(&[], |position| position.0.as_bytes()),
            right: right.map(|position| position.0.as_bytes()),
            jitter: jitter_digits(jitter),
        };
        if gap.right.is_some_and(|right| gap.left >= right) {
            return Err(GapError);
        }
        let key = gap.shortest();
        let text = String::from_utf8(key).expect("digits are ASCII");
        Ok(Self::new(text).expect("jitter doesn't end in 0"))
    }

    /// The position of a list whose positions are paths of digits, each with the actor who chose it;
    /// none for an empty path or a digit beyond 3843. Paths are compared step by step, digit before
    /// actor, and a path that another begins with comes before it: their positions sort alike.
    pub fn of_path<'a>(path: impl IntoIterator<Item = (u16, &'a str)>) -> Option<Self> {
        let mut text = String::new();
        for (digit, actor) in path {
            let (high, low) = (usize::from(digit) / 62, usize::from(digit) % 62);
            text.push(char::from(*DIGITS.get(high)?));
            text.push(char::from(DIGITS[low]));
            // Half a byte per digit, all of them above the one that ends the name.
            for byte in actor.bytes() {
                text.push(char::from(DIGITS[2 + usize::from(byte >> 4)]));
                text.push(char::from(DIGITS[2 + usize::from(byte & 15)]));
            }
            text.push(char::from(DIGITS[1]));
        }
        Self::new(text).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }

    pub fn bytes(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Two neighbours, the left one below the right one.
struct Gap<'a> {
    left: &'a [u8],
    right: Option<&'a [u8]>,
    jitter: [u8; JITTER_DIGITS],
}

impl Gap<'_> {
    /// The first of the shortest keys of all kinds that fit.
    ///
    /// What differs from a neighbour within the prefix that both have lies on the wrong side of the
    /// other one: keys made by others may be long, and nothing is tried there.
    fn shortest(&self) -> Vec<u8> {
        let right = self.right.unwrap_or_default();
        let shared = shared_bytes(self.left, right);
        let beyond = |part: &Component| part.1.end > shared;
        let (left_parts, left_whole) = components(self.left);
        let (right_parts, right_whole) = components(right);
        let mut shortest = None;
        for (start, integer) in left_parts.into_iter().filter(beyond) {
            if let Some(next) = increment(&self.left[integer]) {
                self.offer(&mut shortest, &self.left[..start], &next);
            }
        }
        for (start, integer) in right_parts.into_iter().filter(beyond) {
            if let Some(next) = decrement(&right[integer]) {
                self.offer(&mut shortest, &right[..start], &next);
            }
        }
        self.offer(&mut shortest, self.left, ZERO);
        if shortest.is_none() || !left_whole || !right_whole {
            // Beside a key that isn't made of components, or at the last integer, single digits count.
            self.offer_single_digits(&mut shortest, shared);
        }
        shortest.expect("a key that doesn't end in the lowest digit leaves room below it")
    }

    /// Offers keys that differ from a neighbour in one digit behind those that they share, and end there
    /// but for jitter.
    fn offer_single_digits(&self, shortest: &mut Option<Vec<u8>>, shared: usize) {
        for (n, digit) in self.left.iter().enumerate().skip(shared) {
            if let Some(after) = digit_after(*digit) {
                self.offer(shortest, &self.left[..n], &[after]);
            }
        }
        let right = self.right.unwrap_or_default();
        for (n, digit) in right.iter().enumerate().skip(shared) {
            if let Some(before) = digit_before(*digit) {
                self.offer(shortest, &right[..n], &[before]);
            }
        }
    }

    /// Takes the key of these parts and jitter, if it is shorter than all before and lies in the gap.
    fn offer(&self, shortest: &mut Option<Vec<u8>>, prefix: &[u8], digits: &[u8]) {
        let bytes = prefix.len() + digits.len() + JITTER_DIGITS;
        if shortest.as_ref().is_some_and(|known| known.len() <= bytes) {
            return;
        }
        let key = [prefix, digits, &self.jitter].concat();
        if *key > *self.left && self.right.is_none_or(|right| *key < *right) {
            *shortest = Some(key);
        }
    }
}

type Component = (usize, std::ops::Range<usize>);

/// How many bytes both begin with.
fn shared_bytes(left: &[u8], right: &[u8]) -> usize {
    let pairs = left.iter().zip(right);
    pairs.take_while(|(left, right)| left == right).count()
}

/// Where the components of a key start, with their integers, and whether they are all of it.
fn components(key: &[u8]) -> (Vec<Component>, bool) {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(head) = key.get(start) {
        let digits = match head {
            b'a'..=b'z' => usize::from(head - b'a') + 1,
            b'A'..=b'Z' => usize::from(b'Z' - head) + 1,
            _ => break,
        };
        let end = start + 1 + digits;
        if key.len() < end + JITTER_DIGITS {
            break;
        }
        found.push((start, start..end));
        start = end + JITTER_DIGITS;
    }
    (found, start == key.len())
}

/// The next integer; none after the last.
fn increment(integer: &[u8]) -> Option<Vec<u8>> {
    let mut next = integer.to_vec();
    for digit in next.iter_mut().skip(1).rev() {
        if let Some(after) = digit_after(*digit) {
            *digit = after;
            return Some(next);
        }
        *digit = LOWEST;
    }
    match next[0] {
        b'z' => return None,
        b'Z' => return Some(ZERO.to_vec()),
        b'a'..=b'y' => next.push(LOWEST),
        _ => _ = next.pop(),
    }
    next[0] += 1;
    Some(next)
}

/// The integer before; none before the first.
fn decrement(integer: &[u8]) -> Option<Vec<u8>> {
    let mut next = integer.to_vec();
    for digit in next.iter_mut().skip(1).rev() {
        if let Some(before) = digit_before(*digit) {
            *digit = before;
            return Some(next);
        }
        *digit = HIGHEST;
    }
    match next[0] {
        b'A' => return None,
        b'a' => return Some(b"Zz".to_vec()),
        b'B'..=b'Z' => next.push(HIGHEST),
        _ => _ = next.pop(),
    }
    next[0] -= 1;
    Some(next)
}

fn digit_after(digit: u8) -> Option<u8> {
    match digit {
        b'9' => Some(b'A'),
        b'Z' => Some(b'a'),
        b'0'..=b'8' | b'A'..=b'Y' | b'a'..=b'y' => Some(digit + 1),
        _ => None,
    }
}

fn digit_before(digit: u8) -> Option<u8> {
    match digit {
        b'A' => Some(b'9'),
        b'a' => Some(b'Z'),
        b'1'..=b'9' | b'B'..=b'Z' | b'b'..=b'z' => Some(digit - 1),
        _ => None,
    }
}

/// Jitter as digits, the last of them not the lowest.
fn jitter_digits(jitter: Jitter) -> [u8; JITTER_DIGITS] {
    let mut digits = jitter.map(|byte| DIGITS[usize::from(byte) % DIGITS.len()]);
    let last = usize::from(jitter[JITTER_DIGITS - 1]) % (DIGITS.len() - 1);
    digits[JITTER_DIGITS - 1] = DIGITS[1 + last];
    digits
}
