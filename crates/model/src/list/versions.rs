//! Who wrote the parts of a row last.
//!
//! In a row they are text, one line for all parts of one write: letters of parts, clock, actor. An
//! item that nobody has touched since it was made has one line. Where another op has given the parts
//! back, a second line names it: `<`, clock, actor. Actors have no line breaks.

use std::fmt::Write as _;

use crate::planted::{Defect, is_planted};
use crate::{ActorId, Clock, OpKey, OpVersion};

/// An [`OpVersion`] that is read where it stands: folds compare many, and keep none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version<'a> {
    pub(crate) clock: Clock,
    pub(crate) actor: &'a str,
}

impl<'a> Version<'a> {
    /// That of the op with this key.
    pub(crate) fn of_key(key: &'a OpKey) -> Self {
        Self {
            clock: key.clock,
            actor: key.actor.as_str(),
        }
    }

    pub(crate) fn into_owned(self) -> OpVersion {
        OpVersion {
            clock: self.clock,
            actor: ActorId::new(self.actor).expect(OURS),
        }
    }
}

impl<'a> From<&'a OpVersion> for Version<'a> {
    fn from(version: &'a OpVersion) -> Self {
        Self {
            clock: version.clock,
            actor: version.actor.as_str(),
        }
    }
}

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
    const LETTERS: &[u8; 7] = b"pehtdnT";

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

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn letters(self) -> impl Iterator<Item = char> {
        let letters = Self::LETTERS.iter().enumerate();
        let letters = letters.filter(move |(bit, _)| self.0 >> bit & 1 == 1);
        letters.map(|(_, letter)| char::from(*letter))
    }

    fn of_letters(letters: &str) -> Option<Self> {
        letters.bytes().try_fold(Self::default(), |parts, letter| {
            let bit = Self::LETTERS.iter().position(|known| *known == letter)?;
            Some(parts.or(Self(1 << bit)))
        })
    }
}

/// What a part is worth: the greater stamp wins it.
///
/// Of the ops that give a part back as one write has left it, the last counts, so that each part is of
/// one op of the log, though the write itself be dropped from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp<'a> {
    /// Who wrote what the part says.
    pub(crate) version: Version<'a>,
    /// The later op that has given it back; none: it is of the write itself.
    pub(crate) given_by: Option<Version<'a>>,
}

impl<'a> Stamp<'a> {
    /// That of what an op writes itself.
    pub(crate) fn own(version: Version<'a>) -> Self {
        Self {
            version,
            given_by: None,
        }
    }

    /// The op of the log that the part is of.
    fn holder(self) -> Version<'a> {
        self.given_by.unwrap_or(self.version)
    }
}

/// The stamp of each part of a row that was ever written, as the row's text says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Versions<'a>(Vec<(Parts, Stamp<'a>)>);

/// A guess at the bytes of a line: the actor is mostly a UUID.
const LINE_BYTES_GUESS: usize = 64;
const OURS: &str = "the fold alone writes this column";
/// Begins the line of the op that has given back the parts of the line before.
const GIVEN: char = '<';

impl<'a> Versions<'a> {
    /// Reads what [`Versions::to_text`] wrote.
    pub(crate) fn of_text(text: &'a str) -> Self {
        let mut all = Vec::new();
        for line in text.lines() {
            match line.strip_prefix(GIVEN) {
                Some(given) => Self::note_giver(&mut all, given),
                None => Self::line(line).map(|line| all.push(line)),
            }
            .expect(OURS);
        }
        Self(all)
    }

    fn line(line: &'a str) -> Option<(Parts, Stamp<'a>)> {
        let (letters, rest) = line.split_once(' ')?;
        Some((
            Parts::of_letters(letters)?,
            Stamp::own(Self::version(rest)?),
        ))
    }

    fn note_giver(all: &mut [(Parts, Stamp<'a>)], given: &'a str) -> Option<()> {
        let (_, stamp) = all.last_mut()?;
        stamp.given_by = Some(Self::version(given)?);
        Some(())
    }

    fn version(words: &'a str) -> Option<Version<'a>> {
        let (clock, actor) = Self::words(words)?;
        Some(Version {
            clock: Clock::new(clock).ok()?,
            actor,
        })
    }

    /// The clock and the actor of an op.
    fn words(words: &str) -> Option<(u64, &str)> {
        let (clock, actor) = words.split_once(' ')?;
        Some((clock.parse().ok()?, actor))
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.0.len() * LINE_BYTES_GUESS);
        for (parts, Stamp { version, given_by }) in &self.0 {
            text.extend(parts.letters());
            text.push(' ');
            Self::write_version(&mut text, version);
            if let Some(by) = given_by {
                text.push(GIVEN);
                Self::write_version(&mut text, by);
            }
        }
        text.pop();
        text
    }

    fn write_version(text: &mut String, version: &Version<'_>) {
        write!(text, "{} ", version.clock).expect("writing to a string does not fail");
        text.push_str(version.actor);
        text.push('\n');
    }

    /// Of `parts`, those that a write with this stamp wins: from now on they are its own.
    pub(crate) fn win(&mut self, parts: Parts, stamp: Stamp<'a>) -> Parts {
        let lost = self.0.iter().filter(|(_, last)| !later(&stamp, last));
        let lost = lost.fold(Parts::default(), |all, (lost, _)| all.or(*lost));
        let won = planted_wins(parts, lost);
        if won.is_empty() {
            return won;
        }
        for (parts, _) in &mut self.0 {
            *parts = parts.without(won);
        }
        match self.0.iter_mut().find(|(_, last)| *last == stamp) {
            Some((parts, _)) => *parts = parts.or(won),
            None => self.0.push((won, stamp)),
        }
        self.0.retain(|(parts, _)| !parts.is_empty());
        // Each part stands in one line alone, so that its lowest part gives a line one place.
        self.0
            .sort_unstable_by_key(|(parts, _)| parts.0.trailing_zeros());
        won
    }

    /// Who wrote what `part` says.
    pub(crate) fn of(&self, part: Parts) -> Option<Version<'a>> {
        let line = self.0.iter().find(|(parts, _)| parts.has(part));
        line.map(|(_, stamp)| stamp.version)
    }

    /// Who wrote what each of `parts` says, as far as they were ever written.
    pub(crate) fn of_each(&self, parts: Parts) -> impl Iterator<Item = (Parts, Version<'a>)> {
        let lines = self.0.iter();
        lines.filter_map(move |(known, stamp)| {
            let known = known.and(parts);
            (!known.is_empty()).then_some((known, stamp.version))
        })
    }

    /// Whether a part of `parts` is of the op with this key, in what [`Versions::to_text`] wrote.
    pub(crate) fn text_holds(text: &str, parts: Parts, key: &OpKey) -> bool {
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let (letters, writer) = line.split_once(' ').expect(OURS);
            let giver = lines.next_if(|next| next.starts_with(GIVEN));
            let giver = giver.filter(|_| !is_planted(Defect::CoverageForgetsGivenBack));
            let holder = giver.map_or(writer, |giver| &giver[GIVEN.len_utf8()..]);
            let (clock, actor) = Self::words(holder).expect(OURS);
            // Most lines are of others: their letters are not read.
            if clock == key.clock.get()
                && actor == key.actor.as_str()
                && !Parts::of_letters(letters)
                    .expect(OURS)
                    .and(parts)
                    .is_empty()
            {
                return true;
            }
        }
        false
    }

    /// Whether all of `parts` were written.
    pub(crate) fn are_of(&self, parts: Parts) -> bool {
        self.unwritten(parts).is_empty()
    }

    /// Those of `parts` that were never written.
    pub(crate) fn unwritten(&self, parts: Parts) -> Parts {
        let written = self.0.iter().map(|(parts, _)| *parts);
        written.fold(parts, Parts::without)
    }

    /// The ops of the log that the parts are of.
    pub(crate) fn into_holders(self) -> Vec<OpVersion> {
        let stamps = self.0.into_iter();
        let holders = stamps.map(|(_, stamp)| stamp.holder());
        holders.map(Version::into_owned).collect()
    }
}

fn later(stamp: &Stamp<'_>, last: &Stamp<'_>) -> bool {
    if is_planted(Defect::TieByArrival) {
        return stamp.version.clock >= last.version.clock;
    }
    stamp > last
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
