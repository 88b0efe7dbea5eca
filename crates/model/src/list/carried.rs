//! What a restore carries beside its values: who wrote each of them.
//!
//! A part that is given back is worth what it was worth when its writer left it, so that what others
//! wrote later stays, though the restore's author did not know of it. What follows from a file, or from
//! nothing, nobody wrote: it is worth less than all that anybody writes.

use serde::{Deserialize, Serialize};

use super::versions::{Parts, Stamp, Version, Versions};
use crate::planted::{Defect, is_planted};
use crate::{ActorId, Clock, OpKey, OpVersion};

/// Whose is what nothing says: that there is no tick and no note in a file, a title that nobody knows.
const OF_NOTHING: &str = "(default)";
/// Whose is what a file says. It is the greater of the two: of two files the one that says more counts.
const OF_A_FILE: &str = "(import)";
/// The clock of both: whoever changes what was made so has seen a later one, and who has made the same
/// by hand, at this very clock, has a name of digits and letters, which are above brackets.
const CLOCK_FIRST: u64 = 1;

/// Who wrote the parts that a restore gives back. Parts that it does not name are the restore's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// The one actor for whom this counts; none: any. An op that has to be written anew, by another
    /// actor, keeps its payload, and then gives all back as its own.
    actor: Option<ActorId>,
    versions: Vec<(Parts, OpVersion)>,
}

/// What is carried, as a payload spells it. A field that is not known may mean anything: the op is
/// then not understood.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireCarried {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<ActorId>,
    written: Vec<WireVersion>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireVersion {
    parts: Vec<WirePart>,
    clock: Clock,
    actor: ActorId,
}

/// A part, by the name of the field that says it; that the thing is there is said by the op itself.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WirePart {
    Present,
    Pos,
    List,
    Text,
    Done,
    Note,
    Title,
}

impl WirePart {
    const ALL: [Self; 7] = [
        Self::Present,
        Self::Pos,
        Self::List,
        Self::Text,
        Self::Done,
        Self::Note,
        Self::Title,
    ];

    const fn part(self) -> Parts {
        match self {
            Self::Present => Parts::EXISTENCE,
            Self::Pos => Parts::POSITION,
            Self::List => Parts::HOME,
            Self::Text => Parts::TEXT,
            Self::Done => Parts::DONE,
            Self::Note => Parts::NOTE,
            Self::Title => Parts::TITLE,
        }
    }
}

impl Carried {
    /// What a restore by `actor` carries, where `writers` wrote the parts that it gives back. Its own
    /// is that the thing exists.
    pub(crate) fn new<'v>(
        writers: impl IntoIterator<Item = (Parts, Version<'v>)>,
        actor: Option<&ActorId>,
    ) -> Self {
        let writers = writers.into_iter();
        let writers = writers.map(|(parts, version)| (parts.without(Parts::EXISTENCE), version));
        let named = writers.filter(|(parts, _)| !parts.is_empty());
        let versions: Vec<_> = named.map(|(parts, by)| (parts, by.into_owned())).collect();
        Self {
            actor: actor.filter(|_| !versions.is_empty()).cloned(),
            versions,
        }
    }

    /// What an op by `actor` carries that makes something out of a file, where its id follows from the
    /// file: all who import it make the same. The file says `said` of it, and nothing of `left_out`.
    pub(crate) fn of_file(said: Parts, left_out: Parts, actor: Option<&ActorId>) -> Self {
        let versions = [(said, OF_A_FILE), (left_out, OF_NOTHING)].into_iter();
        let versions = versions.filter(|(parts, _)| !parts.is_empty());
        Self {
            actor: actor.cloned(),
            versions: versions.map(|(parts, by)| (parts, first(by))).collect(),
        }
    }

    /// The same of an op by `actor` that gives the parts `made_up` a value, too, because they need one.
    pub(crate) fn and_nothing(mut self, made_up: Parts, actor: Option<&ActorId>) -> Self {
        self.versions.push((made_up, first(OF_NOTHING)));
        self.actor = actor.cloned();
        self
    }

    pub(crate) fn read(wire: Option<WireCarried>) -> Self {
        let Some(WireCarried { actor, written }) = wire else {
            return Self::default();
        };
        let versions = written.into_iter().map(|wire| {
            let parts = wire.parts.into_iter().map(WirePart::part);
            let parts = parts.fold(Parts::default(), Parts::or);
            let WireVersion { clock, actor, .. } = wire;
            (parts, OpVersion { clock, actor })
        });
        Self {
            actor,
            versions: versions.collect(),
        }
    }

    /// The wire form; none, where nothing is carried.
    pub(crate) fn wire(&self) -> Option<WireCarried> {
        let written = self.versions.iter().map(|(parts, version)| {
            let named = WirePart::ALL.into_iter();
            WireVersion {
                parts: named.filter(|named| parts.has(named.part())).collect(),
                clock: version.clock,
                actor: version.actor.clone(),
            }
        });
        (!self.versions.is_empty()).then(|| WireCarried {
            actor: self.actor.clone(),
            written: written.collect(),
        })
    }

    /// Of `parts`, those that the op with this key wins: each by the version that is carried for it,
    /// where that is older than the op's own.
    pub(crate) fn win<'v>(
        &'v self,
        versions: &mut Versions<'v>,
        parts: Parts,
        key: &'v OpKey,
    ) -> Parts {
        let own = Version::of_key(key);
        let (mut won, mut rest) = (Parts::default(), parts);
        for (parts, version) in self.counted(key) {
            let parts = rest.and(parts);
            rest = rest.without(parts);
            let stamp = if version < own {
                Stamp {
                    version,
                    given_by: Some(own),
                }
            } else {
                Stamp::own(own)
            };
            won = won.or(versions.win(parts, stamp));
        }
        won.or(versions.win(rest, Stamp::own(own)))
    }

    /// Whether the op with this key gives back a part that the row with these versions lacks, and
    /// that a tombstone with clocks up to `collected` may have had from somebody later.
    pub(crate) fn is_behind(&self, versions: &Versions<'_>, key: &OpKey, collected: Clock) -> bool {
        self.counted(key).any(|(parts, version)| {
            version.clock <= collected && !versions.unwritten(parts).is_empty()
        })
    }

    fn counted(&self, key: &OpKey) -> impl Iterator<Item = (Parts, Version<'_>)> {
        let counts = self.actor.as_ref().is_none_or(|actor| *actor == key.actor)
            && !is_planted(Defect::RestoreOverwrites);
        let versions = if counts { &self.versions[..] } else { &[] };
        versions.iter().map(|(parts, version)| {
            let own = if is_planted(Defect::FileBringsBack) {
                Parts::EXISTENCE
            } else {
                Parts::default()
            };
            (parts.without(own), version.into())
        })
    }
}

fn first(actor: &str) -> OpVersion {
    OpVersion {
        clock: Clock::new(CLOCK_FIRST).expect("the lowest clock is one"),
        actor: ActorId::new(actor).expect("a short word"),
    }
}
