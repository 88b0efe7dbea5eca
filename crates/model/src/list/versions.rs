//! Who wrote the parts of a row last.
//!
//! In a row they are text, one line for all parts of one write: letters of parts, clock, actor. An
//! item that nobody has touched since it was made has one line. Actors have no line breaks.

use std::fmt::Write as _;

use crate::planted::{Defect, is_planted};
use crate::{ActorId, Clock, OpKey, OpVersion};

/// A set of parts of a row, each with a version of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Parts(u8);

impl Parts {
    pub(crate) const POSITION: Self = Self(1);
    pub(crate) const EXISTENCE: Self = Self(1 << 1);
    pub(crate) const HOME: Self = Self(1 << 2);
    pub(crate) const TEXT: Self = Self(1 << 3);
    pub(crate) const DONE: Self = Self(1 << 4);
    pub(crate) const NOTE: Self = Self(1 << 5);
    pub(crate) const TITLE: Self = Self(1 << 6);
    /// Those of an item.
    pub(crate) const ITEM: Self = Self((1 << 6) - 1);
    /// Those of a list in the registry.
    pub(crate) const LIST: Self = Self(Self::POSITION.0 | Self::EXISTENCE.0 | Self::TITLE.0);
    const FIELDS: Self = Self(Self::TEXT.0 | Self::DONE.0 | Self::NOTE.0);
    /// The letters of the parts, by bit.
    const LETTERS: &str = "pehtdnT";

    /// Those that are named with true.
    pub(crate) fn of<const N: usize>(named: [(Self, bool); N]) -> Self {
        let set = named.into_iter().filter(|(_, set)| *set);
        set.fold(Self::default(), |all, (part, _)| all.or(part))
    }

    pub(crate) const fn has(self, part: Self) -> bool {
        self.0 & part.0 != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn letters(self) -> impl Iterator<Item = char> {
        let letters = Self::LETTERS.chars().enumerate();
        letters.filter_map(move |(bit, letter)| (self.0 >> bit & 1 == 1).then_some(letter))
    }

    fn of_letters(letters: &str) -> Option<Self> {
        letters.chars().try_fold(Self::default(), |parts, letter| {
            let bit = Self::LETTERS.find(letter)?;
            Some(parts.or(Self(1 << bit)))
        })
    }
}

/// The last writer of each part of a row that was ever written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Versions(Vec<(Parts, OpVersion)>);

/// A guess at the bytes of a line: the actor is mostly a UUID.
const LINE_BYTES_GUESS: usize = 64;
const OURS: &str = "the fold alone writes this column";

impl Versions {
    /// Reads what [`Versions::to_text`] wrote.
    pub(crate) fn of_text(text: &str) -> Self {
        let lines = text.lines().map(|line| Self::line(line).expect(OURS));
        Self(lines.collect())
    }

    fn line(line: &str) -> Option<(Parts, OpVersion)> {
        let (letters, clock, actor) = Self::words(line)?;
        let parts = Parts::of_letters(letters)?;
        let clock = Clock::new(clock).ok()?;
        let actor = ActorId::new(actor).ok()?;
        Some((parts, OpVersion { clock, actor }))
    }

    /// The letters, the clock and the actor of a line.
    fn words(line: &str) -> Option<(&str, u64, &str)> {
        let (letters, rest) = line.split_once(' ')?;
        let (clock, actor) = rest.split_once(' ')?;
        Some((letters, clock.parse().ok()?, actor))
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.0.len() * LINE_BYTES_GUESS);
        for (parts, version) in &self.0 {
            text.extend(parts.letters());
            writeln!(text, " {} {}", version.clock, version.actor)
                .expect("writing to a string does not fail");
        }
        text.pop();
        text
    }

    /// Of `parts`, those that a write of this version wins: from now on they are its own.
    pub(crate) fn win(&mut self, parts: Parts, version: &OpVersion) -> Parts {
        let lost = self.0.iter().filter(|(_, last)| !later(version, last));
        let lost = lost.fold(Parts::default(), |all, (lost, _)| all.or(*lost));
        let won = planted_wins(parts, lost);
        if won.is_empty() {
            return won;
        }
        for (parts, _) in &mut self.0 {
            *parts = parts.without(won);
        }
        match self.0.iter_mut().find(|(_, last)| last == version) {
            Some((parts, _)) => *parts = parts.or(won),
            None => self.0.push((won, version.clone())),
        }
        self.0.retain(|(parts, _)| !parts.is_empty());
        // Each part stands in one line alone, so that its lowest part gives a line one place.
        self.0
            .sort_unstable_by_key(|(parts, _)| parts.0.trailing_zeros());
        won
    }

    /// Who wrote `part` last.
    pub(crate) fn of(&self, part: Parts) -> Option<&OpVersion> {
        let line = self.0.iter().find(|(parts, _)| parts.has(part));
        line.map(|(_, version)| version)
    }

    /// Whether a part of `parts` is of the op with this key, in what [`Versions::to_text`] wrote.
    pub(crate) fn text_holds(text: &str, parts: Parts, key: &OpKey) -> bool {
        text.lines().any(|line| {
            let (letters, clock, actor) = Self::words(line).expect(OURS);
            actor == key.actor.as_str()
                && clock == key.clock.get()
                && !Parts::of_letters(letters)
                    .expect(OURS)
                    .and(parts)
                    .is_empty()
        })
    }

    /// Whether all of `parts` were written.
    pub(crate) fn are_of(&self, parts: Parts) -> bool {
        let written = self.0.iter().map(|(parts, _)| *parts);
        written.fold(parts, Parts::without).is_empty()
    }

    /// The versions of all parts.
    pub(crate) fn into_stamps(self) -> Vec<OpVersion> {
        self.0.into_iter().map(|(_, version)| version).collect()
    }
}

/// The version of an op with this key.
pub(crate) fn version_of(key: &OpKey) -> OpVersion {
    OpVersion {
        clock: key.clock,
        actor: key.actor.clone(),
    }
}

fn later(version: &OpVersion, last: &OpVersion) -> bool {
    if is_planted(Defect::TieByArrival) {
        return version.clock >= last.clock;
    }
    version > last
}

/// What is won where `lost` isn't, with the defects that a test has planted.
fn planted_wins(parts: Parts, lost: Parts) -> Parts {
    let mut lost = lost;
    for (defect, unversioned) in [
        (Defect::PositionUnversioned, Parts::POSITION),
        (Defect::HomeUnversioned, Parts::HOME),
        (Defect::ExistenceUnversioned, Parts::EXISTENCE),
        (Defect::TitleUnversioned, Parts::TITLE),
    ] {
        if is_planted(defect) {
            lost = lost.without(unversioned);
        }
    }
    if is_planted(Defect::FieldsShareVersion) && !lost.and(Parts::FIELDS).is_empty() {
        lost = lost.or(Parts::FIELDS);
    }
    parts.without(lost)
}
