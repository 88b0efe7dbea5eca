//! The server's side: every combination of claims, against a small log.

use std::convert::Infallible;

use proptest::prelude::*;
use syncline_model::{Clock, Cursor, Epoch, Mark, PayloadHash, ServerSeq};
use syncline_protocol::{
    ActorOwner, Admission, Claims, ErrorCode, KeyFacts, LogFacts, Offer, OfferedOp, OpError,
    Verdict, admit, judge_envelope, judge_key,
};

use crate::generators::own_ops;

/// A log of ten places whose floor is 4; below it the marks of places 2 and 4 are kept.
const HEAD: u64 = 10;
const FLOOR: u64 = 4;

fn mark(place: u64) -> Mark {
    Mark::origin([place as u8; 16])
}

fn epoch(n: u32) -> Epoch {
    format!("{n:032x}").parse().unwrap()
}

fn judged(claims: &Claims) -> Admission {
    let log = LogFacts {
        epoch: epoch(1),
        head: ServerSeq(HEAD),
        floor: ServerSeq(FLOOR),
    };
    let kept = |place: ServerSeq| {
        let place = place.get();
        Ok::<_, Infallible>((place >= FLOOR || place == 2).then(|| mark(place)))
    };
    match admit(claims, &log, kept) {
        Ok(admission) => admission,
    }
}

fn at(since: u64, claimed: Option<u64>) -> Claims {
    Claims {
        since: ServerSeq(since),
        mark: claimed.map(mark),
        ..Claims::default()
    }
}

#[test]
fn place_0_is_always_served_whatever_its_mark() {
    for mark in [None, Some(0), Some(99)] {
        assert_eq!(judged(&at(0, mark)), Admission::Serve);
        let stale = Claims {
            floor: Some(ServerSeq(1)),
            ..at(0, mark)
        };
        assert_eq!(judged(&stale), Admission::Serve);
    }
}

#[test]
fn a_mark_is_checked_at_and_above_the_floor() {
    for place in FLOOR..=HEAD {
        assert_eq!(judged(&at(place, Some(place))), Admission::Serve, "{place}");
        assert_eq!(judged(&at(place, None)), Admission::Serve, "{place}");
        assert_eq!(
            judged(&at(place, Some(99))),
            Admission::LogDiverged,
            "{place}"
        );
    }
    assert_eq!(judged(&at(HEAD + 1, None)), Admission::LogDiverged);
    assert_eq!(
        judged(&at(HEAD + 1, Some(HEAD + 1))),
        Admission::LogDiverged
    );
}

#[test]
fn below_the_floor_only_a_fetch_that_began_under_it_goes_on() {
    for place in 1..FLOOR {
        let named = |floor| Claims {
            floor: Some(ServerSeq(floor)),
            ..at(place, Some(99))
        };
        assert_eq!(judged(&at(place, Some(place))), Admission::RebuildRequired);
        assert_eq!(judged(&named(FLOOR)), Admission::Serve);
        assert_eq!(judged(&named(FLOOR - 1)), Admission::RebuildRequired);
    }
    let moved = Claims {
        floor: Some(ServerSeq(1)),
        ..at(6, Some(6))
    };
    assert_eq!(judged(&moved), Admission::RebuildRequired);
}

#[test]
fn another_epoch_comes_before_everything() {
    for since in [0, 2, 6, 99] {
        let claims = Claims {
            epoch: Some(epoch(2)),
            ..at(since, Some(99))
        };
        assert_eq!(judged(&claims), Admission::EpochChanged);
    }
    assert_eq!(
        judged(&Claims {
            epoch: Some(epoch(1)),
            ..at(6, Some(6))
        }),
        Admission::Serve
    );
}

#[test]
fn the_place_to_heal_from_must_verify() {
    let heal = |place: u64, claimed: u64| {
        let heal = Cursor {
            server_seq: ServerSeq(place),
            mark: mark(claimed),
        };
        judged(&Claims {
            heal: Some(heal),
            ..at(6, Some(6))
        })
    };
    assert_eq!(heal(0, 99), Admission::Serve);
    assert_eq!(heal(5, 5), Admission::Serve);
    assert_eq!(heal(5, 6), Admission::LogDiverged);
    assert_eq!(heal(HEAD + 1, 99), Admission::LogDiverged);
    // Below the floor: what is kept is checked, what is not is taken.
    assert_eq!(heal(2, 2), Admission::Serve);
    assert_eq!(heal(2, 3), Admission::LogDiverged);
    assert_eq!(heal(3, 99), Admission::Serve);
}

proptest! {
    /// A client that has applied this very log, above its floor, is never told to recover; one
    /// whose mark is another's always is.
    #[test]
    fn who_has_this_log_is_served(place in FLOOR..=HEAD, other in any::<[u8; 16]>()) {
        prop_assert_eq!(judged(&at(place, Some(place))), Admission::Serve);
        let foreign = Claims { mark: Some(Mark::origin(other)), ..at(place, None) };
        let expected = if other == [place as u8; 16] {
            Admission::Serve
        } else {
            Admission::LogDiverged
        };
        prop_assert_eq!(judged(&foreign), expected);
    }
}

#[test]
fn clocks_are_counted_op_by_op() {
    let judge = |clock: u64, highest| {
        judge_envelope(
            Clock::new(clock).unwrap(),
            highest,
            ActorOwner::Asker,
            Offer::Own,
        )
        .map_err(|error| error.code)
    };
    let lead = 1_u64 << 32;
    assert_eq!(judge(lead, 0), Ok(()));
    assert_eq!(judge(lead + 1, 0), Err(ErrorCode::ClockLead));
    // Once the first is accepted, the second may lead it.
    assert_eq!(judge(lead + 1, lead), Ok(()));
    assert_eq!(judge(1, u64::MAX), Ok(()));
    assert_eq!(judge((1 << 53) - 1, (1 << 53) - 1), Ok(()));
}

#[test]
fn anothers_actor_is_taken_only_when_offered_again() {
    let judge = |owner, offer| {
        judge_envelope(Clock::new(1).unwrap(), 0, owner, offer).map_err(|error| error.code)
    };
    for offer in [Offer::Own, Offer::Again] {
        assert_eq!(judge(ActorOwner::Nobody, offer), Ok(()));
        assert_eq!(judge(ActorOwner::Asker, offer), Ok(()));
    }
    assert_eq!(
        judge(ActorOwner::Another, Offer::Own),
        Err(ErrorCode::ForeignActor)
    );
    assert_eq!(judge(ActorOwner::Another, Offer::Again), Ok(()));
}

proptest! {
    #[test]
    fn a_key_is_accepted_once(op in own_ops(), other in any::<[u8; 16]>(), seq in 1_u64..99) {
        let seq = ServerSeq(seq);
        let hash = op.payload_hash;
        let other = PayloadHash::from_slice(&other).unwrap();
        prop_assume!(hash != other);
        let code = |verdict| match verdict {
            Some(Verdict::Rejected(error)) => Some(error.code),
            Some(Verdict::Accepted(_) | Verdict::Duplicate(_)) | None => None,
        };
        let error = OpError::new(ErrorCode::FoldFailed, "because");
        let refused = |hash| KeyFacts::Refused { hash, error: error.clone() };
        let judge = |facts: &KeyFacts| judge_key(&op, facts);
        let erased = OfferedOp { payload: None, ..op.clone() };
        let logged = KeyFacts::Logged { seq, hash };
        prop_assert_eq!(judge(&KeyFacts::Free), None);
        prop_assert_eq!(judge(&logged), Some(Verdict::Duplicate(Some(seq))));
        prop_assert_eq!(judge_key(&erased, &logged), Some(Verdict::Duplicate(Some(seq))));
        let conflict = judge(&KeyFacts::Logged { seq, hash: other });
        prop_assert_eq!(code(conflict), Some(ErrorCode::KeyConflict));
        prop_assert_eq!(judge(&refused(hash)), Some(Verdict::Rejected(error.clone())));
        prop_assert_eq!(code(judge(&refused(other))), Some(ErrorCode::KeyConflict));
        prop_assert_eq!(judge(&KeyFacts::Pruned), Some(Verdict::Duplicate(None)));
    }
}
