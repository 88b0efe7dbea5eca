//! Places in a shape.

use std::fmt;

use syncline_model::ServerSeq;
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
    At(ServerSeq, Option<u64>),
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
            op => Self::At(ServerSeq(seq), op),
        })
    }

    /// The place in the history that it stands for. Everything up to the snapshot's place is in the
    /// snapshot.
    pub(super) fn after(self, shape: &MadeShape) -> After {
        let snapshot = After {
            seq: shape.start,
            rows: u64::MAX,
        };
        match self {
            Self::At(seq, op) if seq > shape.start => After {
                seq,
                rows: op.map_or(u64::MAX, |op| op / 2 + 1),
            },
            Self::Start | Self::Now | Self::Chunk(_) | Self::At(..) => snapshot,
        }
    }

    /// The offset behind an op's row.
    pub(super) fn behind(after: After) -> Self {
        let op = (after.rows != u64::MAX).then(|| (after.rows.max(1) - 1) * 2);
        Self::At(after.seq, op)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => formatter.write_str("-1"),
            Self::Now => formatter.write_str("now"),
            Self::Chunk(chunk) => write!(formatter, "0_{chunk}"),
            Self::At(seq, Some(op)) => write!(formatter, "{}_{op}", seq.get()),
            Self::At(seq, None) => write!(formatter, "{}_inf", seq.get()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
