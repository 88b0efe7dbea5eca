//! Who wrote what stands in the fields of a row.
//!
//! In a row they are text, one line for all fields of one write: a set of fields as hexadecimal bits,
//! rank, clock, actor. Actors have no line breaks.

use std::fmt::Write as _;

use super::precedence::{Rank, Standing};
use crate::planted::{Defect, is_planted};
use crate::{ActorId, Clock, OpVersion};

/// A set of fields of a row, by their places.
pub(super) type Fields = u64;

/// The writer of each field that was ever written.
#[derive(Debug, Default)]
pub(super) struct Stamps(Vec<(Fields, Standing)>);

const OURS: &str = "the fold alone writes this column";

impl Stamps {
    /// Reads what [`Stamps::to_text`] wrote.
    pub(super) fn of_text(text: &str) -> Self {
        Self(text.lines().map(|l| Self::line(l).expect(OURS)).collect())
    }

    fn line(line: &str) -> Option<(Fields, Standing)> {
        let mut words = line.splitn(4, ' ');
        let fields = Fields::from_str_radix(words.next()?, 16).ok()?;
        let rank = words.next()?.parse().ok()?;
        let clock = Clock::new(words.next()?.parse().ok()?).ok()?;
        let actor = ActorId::new(words.next()?).ok()?;
        let version = OpVersion { clock, actor };
        Some((fields, Standing { rank, version }))
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        for (fields, Standing { rank, version }) in &self.0 {
            writeln!(
                text,
                "{fields:x} {rank} {} {}",
                version.clock, version.actor
            )
            .expect("writing to a string does not fail");
        }
        text.pop();
        text
    }

    /// Of `fields`, those that a write of this standing wins: from now on they are its own. What an op
    /// has written itself it may write again.
    pub(super) fn win(&mut self, fields: Fields, standing: &Standing) -> Fields {
        let lost = self.0.iter().filter(|(_, last)| is_over(last, standing));
        let mut lost = lost.fold(0, |all, (lost, _)| all | lost);
        if is_planted(Defect::SessionFieldsShareVersion) && lost & fields != 0 {
            lost = Fields::MAX;
        }
        let won = fields & !lost;
        if won == 0 {
            return 0;
        }
        for (fields, _) in &mut self.0 {
            *fields &= !won;
        }
        match self.0.iter_mut().find(|(_, last)| last == standing) {
            Some((fields, _)) => *fields |= won,
            None => self.0.push((won, standing.clone())),
        }
        self.0.retain(|(fields, _)| *fields != 0);
        // Each field stands in one line alone, so that its lowest field gives a line one place.
        self.0
            .sort_unstable_by_key(|(fields, _)| fields.trailing_zeros());
        won
    }

    /// Whether one of `fields` is of this version.
    pub(super) fn holds(&self, fields: Fields, version: &OpVersion) -> bool {
        let mut lines = self.0.iter();
        lines.any(|(held, last)| held & fields != 0 && last.version == *version)
    }

    /// The fields that stand by less than this rank.
    pub(super) fn below(&self, rank: Rank) -> Fields {
        let below = self.0.iter().filter(|(_, last)| last.rank < rank);
        below.fold(0, |all, (fields, _)| all | fields)
    }

    /// The fields that stand by this rank.
    pub(super) fn at(&self, rank: Rank) -> Fields {
        let at = self.0.iter().filter(|(_, last)| last.rank == rank);
        at.fold(0, |all, (fields, _)| all | fields)
    }

    /// The fields that a write of a lower rank than theirs can't win.
    pub(super) fn above(&self, rank: Rank) -> Fields {
        let above = self.0.iter().filter(|(_, last)| last.rank > rank);
        above.fold(0, |all, (fields, _)| all | fields)
    }
}

fn is_over(last: &Standing, standing: &Standing) -> bool {
    if is_planted(Defect::SessionTieByArrival) {
        return (last.rank, last.version.clock) > (standing.rank, standing.version.clock);
    }
    if is_planted(Defect::PrecedenceIgnored) {
        return last.version > standing.version;
    }
    last > standing
}
