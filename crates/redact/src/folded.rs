//! Values that YAML writes below their name: `name: >-`, then lines farther in.

use std::ops::Range;

/// A value below its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Folded {
    /// From its first byte to its last, with line ends and indentation between.
    pub(super) range: Range<usize>,
    /// Its bytes without those.
    pub(super) joined: Vec<u8>,
}

/// Longer is a document.
const LINES_MAX: usize = 64;

/// The value whose mark, `|` or `>`, is at `at`.
pub(super) fn below(text: &[u8], at: usize) -> Option<Folded> {
    let mark = &text[at + 1..text.len().min(at + 4)];
    let signs = mark
        .iter()
        .take_while(|byte| matches!(byte, b'-' | b'+' | b'1'..=b'9'))
        .count();
    let mut next = at + 1 + signs;
    next += usize::from(text.get(next) == Some(&b'\r'));
    if text.get(next) != Some(&b'\n') {
        return None;
    }
    next += 1;
    let depth = indentation(&text[next..]);
    let mut folded = Folded {
        range: next + depth..next + depth,
        joined: Vec::new(),
    };
    for _ in 0..LINES_MAX {
        let line = &text[next.min(text.len())..];
        if depth == 0 || indentation(line) < depth {
            break;
        }
        let length = line
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(line.len());
        let kept = line[depth..length].trim_ascii_end();
        folded.joined.extend_from_slice(kept);
        folded.range.end = next + depth + kept.len();
        next += length + 1;
    }
    (!folded.joined.is_empty()).then_some(folded)
}

/// How far in a line begins; 0 for an empty one.
fn indentation(line: &[u8]) -> usize {
    let depth = line.iter().take_while(|byte| **byte == b' ').count();
    match line.get(depth) {
        None | Some(b'\n' | b'\r') => 0,
        Some(_) => depth,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_far_in_as_the_first_are_one_value() {
        let text = b"a: >-\n    one\n    two\n  b: 3\n";
        let folded = below(text, 3).unwrap();
        assert_eq!(folded.joined, b"onetwo");
        assert_eq!(&text[folded.range], b"one\n    two");
        assert_eq!(below(b"a: | b\n", 3), None);
        assert_eq!(below(b"a: |\nb: 1\n", 3), None);
        assert_eq!(below(b"a: |", 3), None);
    }
}
