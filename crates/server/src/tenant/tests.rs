use syncline_model::{
    ClientId, Clock, Cursor, Op, OpKey, Payload, ResourceId, Scope, ServerSeq, UserId,
};
use syncline_protocol::{OfferedOp, PullPage, ReceivedOp, ReceivedPush, Verdict};
use syncline_simdisk::{Disk, Process};
use syncline_store::{Durability, StoreError};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

mod collected;
mod decisions;
mod faults;
mod forged;
mod memberships;
mod places;
mod pushes;
mod records;
mod requests;
mod schemas;

struct Fixture {
    _root: TempDir,
    log: TenantLog,
}

fn birth() -> Birth {
    Birth {
        epoch: Epoch::new(Uuid::from_u128(1)),
        origin: Mark::origin([1; 16]),
        actor: ActorId::new("server").unwrap(),
    }
}

fn fixture() -> Fixture {
    let root = TempDir::new().unwrap();
    let options = FileOptions::default();
    let log = TenantLog::open(&root.path().join("t.db"), &options, birth()).unwrap();
    Fixture { _root: root, log }
}

fn now() -> syncline_model::Timestamp {
    syncline_model::Timestamp::from_millis(1_700_000_000_000).unwrap()
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn formed(scope: &str, actor: &str, clock: u64, payload: &str) -> OfferedOp {
    OfferedOp::from(Op {
        key: OpKey {
            actor: ActorId::new(actor).unwrap(),
            clock: Clock::new(clock).unwrap(),
            scope: Scope::new(scope).unwrap(),
            resource: ResourceId::new("r").unwrap(),
        },
        payload: Payload::parse(payload).unwrap(),
    })
}

/// An op of a scope that nothing folds.
fn op(actor: &str, clock: u64) -> ReceivedOp {
    let payload = format!(r#"{{"n":{clock}}}"#);
    ReceivedOp::Readable(formed("notes", actor, clock, &payload))
}

/// A push of ada's, from her laptop.
fn push(ops: impl IntoIterator<Item = ReceivedOp>) -> Push {
    Push {
        user: user("ada"),
        standing: Standing::OWNER,
        received: ReceivedPush {
            client_id: ClientId::new("laptop").unwrap(),
            epoch: None,
            cursor: None,
            heal: None,
            ops: ops.into_iter().collect(),
        },
    }
}

/// A push of eve's, from a client of hers.
fn push_of_eve(heal: Option<Cursor>, ops: impl IntoIterator<Item = ReceivedOp>) -> Push {
    let mut push = push(ops);
    push.user = user("eve");
    push.received.client_id = ClientId::new("desktop").unwrap();
    push.received.heal = heal;
    push
}

fn run(
    log: &mut TenantLog,
    pushes: impl IntoIterator<Item = Push>,
) -> Vec<Result<Pushed, Refused>> {
    let mut writes: Vec<_> = pushes.into_iter().map(Write::Push).collect();
    let committed = log.commit(&mut writes, now());
    let pushed = |outcome| match outcome {
        Outcome::Pushed(pushed) => pushed,
        Outcome::Decided(_) | Outcome::Recorded(_) => {
            panic!("a push was answered as a decision")
        }
    };
    let outcomes = committed.outcomes.into_iter();
    outcomes.map(|outcome| outcome.map(pushed)).collect()
}

fn run_one(log: &mut TenantLog, push: Push) -> Result<Pushed, Refused> {
    run(log, [push]).pop().unwrap()
}

fn verdicts(log: &mut TenantLog, ops: impl IntoIterator<Item = ReceivedOp>) -> Vec<Verdict> {
    run_one(log, push(ops)).unwrap().verdicts
}

fn accepted(place: u64) -> Verdict {
    Verdict::Accepted(ServerSeq(place))
}

fn duplicate(place: u64) -> Verdict {
    Verdict::Duplicate(Some(ServerSeq(place)))
}

fn code(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Rejected(error) => error.code.as_str(),
        Verdict::Accepted(_) | Verdict::Duplicate(_) => panic!("{verdict:?} is no refusal"),
    }
}

fn places(log: &mut TenantLog) -> Vec<u64> {
    let limit = PageLimit {
        ops: 10_000,
        bytes: 1 << 30,
    };
    page(log, Claims::default(), limit).unwrap().1
}

/// A page, and the places of its ops.
fn page(log: &mut TenantLog, place: Claims, limit: PageLimit) -> Result<(Page, Vec<u64>), Refused> {
    let (page, json) = log.pull(&place, None, limit)?;
    let sent = PullPage::decode(&json).unwrap();
    assert_eq!((sent.cursor, sent.has_more), (page.cursor, page.has_more()));
    Ok((page, sent.ops.iter().map(|op| op.seq.get()).collect()))
}

/// The claims of a client that stands at `cursor`.
fn at(cursor: Cursor) -> Claims {
    Claims {
        since: cursor.server_seq,
        mark: Some(cursor.mark),
        ..Claims::default()
    }
}
