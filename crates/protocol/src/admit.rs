//! The server's side of the protocol: whether a request goes on from a place of this log.
//!
//! `push`, `pull` and `stream` are judged alike, in the transaction that does their work. What a
//! request leaves out is not checked.

use syncline_model::{Cursor, Epoch, Mark, ServerSeq};

/// What a request says of the log that its client has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claims {
    pub epoch: Option<Epoch>,
    /// The place up to which the client has applied the log; 0: it has nothing.
    pub since: ServerSeq,
    pub mark: Option<Mark>,
    /// The floor that the first page of a fetch from place 0 named.
    pub floor: Option<ServerSeq>,
    /// The last common place of a client that offers ops again.
    pub heal: Option<Cursor>,
}

/// What the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogFacts {
    pub epoch: Epoch,
    pub head: ServerSeq,
    pub floor: ServerSeq,
}

/// What a server does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is served.
    Serve,
    /// 409 `epoch_changed`, with the lineage.
    EpochChanged,
    /// 409 `log_diverged`, with the head.
    LogDiverged,
    /// 410 `rebuild_required`, with the floor.
    RebuildRequired,
}

/// How the epoch named stands to the log's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochClaim {
    Unnamed,
    Current,
    Other,
}

/// How the place named stands to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceClaim {
    /// Place 0, where nothing is to be checked.
    Start,
    /// Below the floor, where marks are not checked.
    BelowFloor(FetchClaim),
    /// At or above the floor; the floor that is named, if any, is another one.
    FloorMoved,
    /// At or above the floor, with the log's mark, or with none.
    Ours,
    /// At or above the floor, with another mark.
    Foreign,
    AboveHead,
}

/// Whether a request is a later page of a fetch from place 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchClaim {
    None,
    /// Of one whose first page named this very floor.
    SameFloor,
    /// Of one whose first page named another floor: compaction has run since.
    OtherFloor,
}

/// How the last common place that is named stands to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealClaim {
    Unnamed,
    /// Place 0, which is common to all logs.
    Start,
    /// Below the floor, where its mark is not kept.
    Unkept,
    Ours,
    Foreign,
    AboveHead,
}

/// Judges a request. `mark_at` says the log's mark at exactly a place, where it is kept.
pub fn admit<E>(
    claims: &Claims,
    log: &LogFacts,
    mut mark_at: impl FnMut(ServerSeq) -> Result<Option<Mark>, E>,
) -> Result<Admission, E> {
    let epoch = match claims.epoch {
        None => EpochClaim::Unnamed,
        Some(epoch) if epoch == log.epoch => EpochClaim::Current,
        Some(_) => EpochClaim::Other,
    };
    if epoch == EpochClaim::Other {
        return Ok(Admission::EpochChanged);
    }
    let place = place_claim(claims, log, &mut mark_at)?;
    let heal = heal_claim(claims, log, &mut mark_at)?;
    Ok(decide(epoch, place, heal))
}

/// The table: what is done with each combination of claims.
pub const fn decide(epoch: EpochClaim, place: PlaceClaim, heal: HealClaim) -> Admission {
    match (epoch, place, heal) {
        (EpochClaim::Other, _, _) => Admission::EpochChanged,
        (
            EpochClaim::Unnamed | EpochClaim::Current,
            PlaceClaim::Foreign | PlaceClaim::AboveHead,
            _,
        )
        | (
            EpochClaim::Unnamed | EpochClaim::Current,
            PlaceClaim::Start
            | PlaceClaim::BelowFloor(_)
            | PlaceClaim::FloorMoved
            | PlaceClaim::Ours,
            HealClaim::Foreign | HealClaim::AboveHead,
        ) => Admission::LogDiverged,
        (
            EpochClaim::Unnamed | EpochClaim::Current,
            PlaceClaim::BelowFloor(FetchClaim::None | FetchClaim::OtherFloor)
            | PlaceClaim::FloorMoved,
            HealClaim::Unnamed | HealClaim::Start | HealClaim::Unkept | HealClaim::Ours,
        ) => Admission::RebuildRequired,
        (
            EpochClaim::Unnamed | EpochClaim::Current,
            PlaceClaim::Start | PlaceClaim::BelowFloor(FetchClaim::SameFloor) | PlaceClaim::Ours,
            HealClaim::Unnamed | HealClaim::Start | HealClaim::Unkept | HealClaim::Ours,
        ) => Admission::Serve,
    }
}

fn place_claim<E>(
    claims: &Claims,
    log: &LogFacts,
    mark_at: &mut impl FnMut(ServerSeq) -> Result<Option<Mark>, E>,
) -> Result<PlaceClaim, E> {
    let since = claims.since;
    if since == ServerSeq::ZERO {
        return Ok(PlaceClaim::Start);
    }
    if since > log.head {
        return Ok(PlaceClaim::AboveHead);
    }
    let fetch = match claims.floor {
        None => FetchClaim::None,
        Some(floor) if floor == log.floor => FetchClaim::SameFloor,
        Some(_) => FetchClaim::OtherFloor,
    };
    if since < log.floor {
        return Ok(PlaceClaim::BelowFloor(fetch));
    }
    if fetch == FetchClaim::OtherFloor {
        return Ok(PlaceClaim::FloorMoved);
    }
    let Some(claimed) = claims.mark else {
        return Ok(PlaceClaim::Ours);
    };
    let kept = mark_at(since)?;
    Ok(if kept == Some(claimed) {
        PlaceClaim::Ours
    } else {
        PlaceClaim::Foreign
    })
}

fn heal_claim<E>(
    claims: &Claims,
    log: &LogFacts,
    mark_at: &mut impl FnMut(ServerSeq) -> Result<Option<Mark>, E>,
) -> Result<HealClaim, E> {
    let Some(heal) = claims.heal else {
        return Ok(HealClaim::Unnamed);
    };
    if heal.server_seq == ServerSeq::ZERO {
        return Ok(HealClaim::Start);
    }
    if heal.server_seq > log.head {
        return Ok(HealClaim::AboveHead);
    }
    Ok(match mark_at(heal.server_seq)? {
        Some(mark) if mark == heal.mark => HealClaim::Ours,
        None if heal.server_seq < log.floor => HealClaim::Unkept,
        Some(_) | None => HealClaim::Foreign,
    })
}
