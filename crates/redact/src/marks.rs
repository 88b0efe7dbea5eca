//! Where any of several hundred short texts stand, in one pass.
//!
//! A filter of three bytes, small enough for the fastest cache, tells at nearly every place that nothing
//! begins there; no step waits for the one before, as it would in an automaton.

/// Short texts, each with what it means.
#[derive(Debug)]
pub(super) struct Marks<T> {
    /// In order.
    marks: Vec<(&'static [u8], T)>,
    /// For each pair of bytes, the first mark that doesn't begin with less.
    pairs: Vec<u16>,
    /// For each value of [`hash`], the [`bit`]s of the marks that have it: at nearly every place there is none,
    /// and two beginnings of one value seldom have one bit.
    filter: Box<[u8; 1 << FILTER_BITS]>,
}

const FILTER_BITS: u32 = 16;

impl<T: Copy> Marks<T> {
    /// Marks of two bytes or more.
    pub(super) fn new(mut marks: Vec<(&'static [u8], T)>) -> Self {
        marks.sort_by_key(|(mark, _)| *mark);
        let mut filter = Box::new([0; 1 << FILTER_BITS]);
        for (mark, _) in &marks {
            let thirds = match mark.get(2) {
                Some(third) => *third..=*third,
                None => 0..=u8::MAX,
            };
            for third in thirds {
                filter[hash([mark[0], mark[1], third, 0])] |= bit(mark[0]);
            }
        }
        let mut pairs = vec![0; (1 << 16) + 1];
        for (before, (mark, _)) in (1..).zip(&marks) {
            pairs[pair(mark) + 1] = before;
        }
        for pair in 1..pairs.len() {
            pairs[pair] = pairs[pair].max(pairs[pair - 1]);
        }
        Self {
            marks,
            pairs,
            filter,
        }
    }

    /// Calls `found` with the start and end of each mark in `text`, by start, and what it means.
    pub(super) fn each(&self, text: &[u8], mut found: impl FnMut(usize, usize, T)) {
        // Four bytes are read at once, and three looked at.
        for (at, bytes) in text.array_windows().enumerate() {
            let firsts = self.filter[hash(*bytes)];
            if firsts != 0 && firsts & bit(bytes[0]) != 0 {
                self.at(text, at, &mut found);
            }
        }
        for at in text.len().saturating_sub(3)..text.len().saturating_sub(1) {
            self.at(text, at, &mut found);
        }
    }

    #[inline(never)]
    fn at(&self, text: &[u8], at: usize, found: &mut impl FnMut(usize, usize, T)) {
        let rest = &text[at..];
        let pair = pair(rest);
        let marks = usize::from(self.pairs[pair])..usize::from(self.pairs[pair + 1]);
        for (mark, meaning) in &self.marks[marks] {
            // Most differ here already, which spares a call.
            let third = mark.get(2).is_none_or(|third| rest.get(2) == Some(third));
            if third && rest.starts_with(mark) {
                found(at, at + mark.len(), *meaning);
            }
        }
    }
}

/// A number for the first three bytes.
fn hash(bytes: [u8; 4]) -> usize {
    let three = u32::from_le_bytes(bytes) << 8;
    (three.wrapping_mul(0x9e37_79b1) >> (32 - FILTER_BITS)) as usize
}

/// One of eight bits for a byte.
fn bit(byte: u8) -> u8 {
    1 << (byte % 8)
}

fn pair(text: &[u8]) -> usize {
    usize::from(text[0]) << 8 | usize::from(text[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_found_wherever_it_stands() {
        let all: [&[u8]; 7] = [b"ab", b"abc", b"abcd", b"bc", b"c\xff", b"\0\0", b"zz"];
        let marks = Marks::new(all.iter().copied().zip(0..).collect());
        let text = b"abcd--abab c\xffzzz\0\0";
        let mut found = Vec::new();
        marks.each(text, |start, end, mark: usize| {
            found.push((start, end, mark))
        });
        let expected: Vec<_> = (0..text.len())
            .flat_map(|at| {
                let begins = move |mark: &usize| text[at..].starts_with(all[*mark]);
                (0..all.len())
                    .filter(begins)
                    .map(move |mark| (at, at + all[mark].len(), mark))
            })
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_text_too_short_holds_nothing() {
        let marks = Marks::new(vec![(&b"ab"[..], ())]);
        marks.each(b"", |_, _, ()| panic!());
        marks.each(b"a", |_, _, ()| panic!());
    }
}
