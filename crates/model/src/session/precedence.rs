//! What weighs how much, where two ops say different things of one field.

use super::order::order_after;
use crate::{OpKey, OpVersion, Timestamp};

/// A precedence as rows hold it.
pub(super) type Rank = i64;

/// How far grades are apart: no place in an order is as great, as times end with the year 9999.
const GRADE: Rank = 1 << 58;

/// Where an op has what it says from. What is greater stands, whenever and wherever it was written.
///
/// Several machines may read one transcript, each as far as its copy goes, and none knows of the others
/// while it writes. What the longest copy tells stands, and what was decided here stands over all that
/// is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precedence {
    /// From an agent, no matter how far it had come.
    #[default]
    Unknown,
    /// From an agent: the place in the order of its transcript up to which that had come, see
    /// [`order_after`].
    UpTo(i64),
    /// From a person, or from a replica that has compared sessions.
    Decided,
}

impl Precedence {
    /// Of what an agent tells at a time.
    pub fn at(time: Timestamp) -> Self {
        Self::UpTo(order_after(None, Some(time)))
    }

    /// Of what stands over all that is merely told up to a place: the higher grade, and of one grade the
    /// later place.
    pub fn graded(grade: u8, order: i64) -> Self {
        Self::UpTo(Rank::from(grade) * GRADE + order.clamp(0, GRADE - 1))
    }

    /// As rows hold it.
    pub(super) fn rank(self) -> Rank {
        match self {
            Self::Unknown => 0,
            // None of an agent's weighs as much as what was decided.
            Self::UpTo(order) => order.clamp(0, Rank::MAX - 1),
            Self::Decided => Rank::MAX,
        }
    }
}

/// Whether what weighs so much is told alone: there is nothing beside it of which something may be news.
pub(super) fn is_alone(rank: Rank) -> bool {
    rank >= GRADE
}

/// What orders all that ops say of one field: the greatest stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    pub(super) rank: Rank,
    pub(super) version: OpVersion,
}

impl Standing {
    pub(super) fn of(key: &OpKey, precedence: Precedence) -> Self {
        Self {
            rank: precedence.rank(),
            version: OpVersion {
                clock: key.clock,
                actor: key.actor.clone(),
            },
        }
    }
}
