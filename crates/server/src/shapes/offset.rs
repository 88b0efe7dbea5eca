//! Places in a shape.

use std::fmt;
use std::num::NonZeroU32;

use syncline_model::{Cursor, Mark, ServerSeq};
use syncline_store::shapes::{After, MadeShape};

/// What a request asks to go on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offset {
    /// Before everything: `-1`.
    Start,
    /// Behind everything: `now`.
    Now,
    /// Behind a chunk of the snapshot: `0_3`.
    Chunk(u64),
    /// Behind an op's row, or with none, behind the whole op: `7_2`, `7_inf`. The snapshot is op 0.
    At(ServerSeq, Option<u64>, Option<Check>),
}

/// A part of a place's mark: a log that was put back and went on has another one there. It is the upper
/// half of what is written as the op's row, of which [`WHOLE`] then stands for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Check(NonZeroU32);

/// The lower half that stands for the whole of an op, where a check is the upper half.
const WHOLE: u64 = u32::MAX as u64;

impl Check {
    pub(super) fn of(mark: &Mark) -> Self {
        let [a, b, c, d, ..] = *mark.as_bytes();
        let number = NonZeroU32::new(u32::from_be_bytes([a, b, c, d]));
        Self(number.unwrap_or(NonZeroU32::MIN))
    }
}

impl Offset {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "-1" => return Some(Self::Start),
            "now" => return Some(Self::Now),
            _ => {}
        }
        let (seq, op) = text.split_once('_')?;
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<u64>().ok())?
        };
        let seq = number(seq)?;
        let op = if op == "inf" { None } else { Some(number(op)?) };
        Some(match op {
            Some(chunk) if seq == 0 => Self::Chunk(chunk),
            Some(op) => {
                let check = NonZeroU32::new((op >> 32) as u32).map(Check);
                let row = if check.is_some() { op & WHOLE } else { op };
                let is_whole = check.is_some() && row == WHOLE;
                Self::At(ServerSeq(seq), (!is_whole).then_some(row), check)
            }
            None => Self::At(ServerSeq(seq), None, None),
        })
    }

    /// Behind everything that a log held when it stood there.
    pub(super) fn behind_all(cursor: Cursor) -> Self {
        Self::At(cursor.server_seq, None, Some(Check::of(&cursor.mark)))
    }

    /// As the reader of a stream means it, who was up to date and goes on from `global_last_seen_lsn`: it
    /// writes `7_0`, and has the whole op.
    pub(super) fn of_stream(self) -> Self {
        match self {
            Self::At(seq, Some(0), None) => Self::At(seq, None, None),
            Self::Start | Self::Now | Self::Chunk(_) | Self::At(..) => self,
        }
    }

    /// What its log must have at its place, if it is behind the snapshot and says so.
    pub(super) fn check(self, shape: &MadeShape) -> Option<(ServerSeq, Check)> {
        match self {
            Self::At(seq, _, Some(check)) if seq > shape.start => Some((seq, check)),
            Self::Start | Self::Now | Self::Chunk(_) | Self::At(..) => None,
        }
    }

    /// The place in the history that it stands for. Everything up to the snapshot's place is in the
    /// snapshot.
    pub(super) fn after(self, shape: &MadeShape) -> After {
        let snapshot = After {
            seq: shape.start,
            rows: u64::MAX,
        };
        match self {
            Self::At(seq, op, _) if seq > shape.start => After {
                seq,
                rows: op.map_or(u64::MAX, |op| op / 2 + 1),
            },
            Self::Start | Self::Now | Self::Chunk(_) | Self::At(..) => snapshot,
        }
    }

    /// The offset behind an op's row.
    pub(super) fn behind(after: After, check: Option<Check>) -> Self {
        let op = (after.rows != u64::MAX).then(|| (after.rows.max(1) - 1) * 2);
        Self::At(after.seq, op, check)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => formatter.write_str("-1"),
            Self::Now => formatter.write_str("now"),
            Self::Chunk(chunk) => write!(formatter, "0_{chunk}"),
            Self::At(seq, op, Some(Check(check))) => {
                let op = u64::from(check.get()) << 32 | op.unwrap_or(WHOLE);
                write!(formatter, "{}_{op}", seq.get())
            }
            Self::At(seq, Some(op), None) => write!(formatter, "{}_{op}", seq.get()),
            Self::At(seq, None, None) => write!(formatter, "{}_inf", seq.get()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_holds_what_its_log_has_there_beside_the_row() {
        let cursor = Cursor {
            server_seq: ServerSeq(7),
            mark: Mark::origin([255; 16]),
        };
        let check = Some(Check::of(&cursor.mark));
        let whole = Offset::behind_all(cursor);
        assert_eq!(whole, Offset::At(ServerSeq(7), None, check));
        assert_eq!(whole.to_string(), "7_18446744073709551615");
        let second = After {
            seq: ServerSeq(7),
            rows: 2,
        };
        let second = Offset::behind(second, check);
        assert_eq!(second, Offset::At(ServerSeq(7), Some(2), check));
        for offset in [whole, second] {
            assert_eq!(Offset::parse(&offset.to_string()), Some(offset));
        }
        // A mark that begins with zeros checks too.
        let zeros = Check::of(&Mark::origin([0; 16]));
        let none = Offset::At(ServerSeq(7), Some(2), Some(zeros));
        assert_eq!(Offset::parse(&none.to_string()), Some(none));
    }

    #[test]
    fn offsets_are_read_strictly_and_written_as_they_were() {
        for text in [
            "-1",
            "now",
            "0_0",
            "0_inf",
            "7_2",
            "7_inf",
            "18446744073709551615_0",
            "7_4294967295",
            "7_4294967296",
            "7_18446744073709551614",
            "7_18446744073709551615",
        ] {
            let offset = Offset::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(offset.to_string(), text);
        }
        for text in [
            "10",
            "1_2_3",
            "1_2 ",
            "-1_0",
            "1_-2",
            "",
            "_",
            "1_",
            "_1",
            "inf_1",
            "+1_0",
            "99999999999999999999_0",
        ] {
            assert_eq!(Offset::parse(text), None, "{text}");
        }
    }
}
