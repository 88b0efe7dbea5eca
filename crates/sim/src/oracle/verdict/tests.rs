//! What the end of a world excuses, told in a few lines.

use syncline_model::{
    ActorId, Clock, Cursor, Epoch, LoggedOp, OpKey, Payload, ResourceId, Scope, ServerSeq,
};
use syncline_replica::NewOp;
use uuid::Uuid;

use super::*;
use crate::oracle::Writer;
use crate::workload::Wish;

const REFUSED: &str = "{\"n\":1}";
const OTHER: &str = "{\"n\":2}";

fn wish(resource: &str, payload: &str) -> Wish {
    Wish {
        op: NewOp {
            scope: Scope::new(OPAQUE_SCOPE).unwrap(),
            resource: ResourceId::new(resource).unwrap(),
            payload: Payload::parse(payload).unwrap(),
        },
        effect: Effect::Other,
        flavor: Flavor::Opaque,
    }
}

/// A log that holds this op alone.
fn log_of(wish: &Wish) -> FileEnd {
    let seq = ServerSeq(1);
    let NewOp {
        scope,
        resource,
        payload,
    } = wish.op.clone();
    let op = LoggedOp {
        seq,
        key: OpKey {
            actor: ActorId::new("a").unwrap(),
            clock: Clock::new(1).unwrap(),
            scope,
            resource,
        },
        payload_hash: payload.hash(),
        payload: Some(payload),
    };
    let mut held = Holdings::default();
    held.whole.ops.insert(seq, op);
    FileEnd {
        head: Head {
            epoch: Epoch::new(Uuid::nil()),
            cursor: Cursor::ORIGIN,
            floor: ServerSeq::ZERO,
            clock_max: 0,
        },
        held,
        view: String::new(),
        folded_again: String::new(),
        integrity: Vec::new(),
    }
}

/// World 309: a machine was put back and wrote on; the log gave it back what its other life had written to
/// the same resource, and refused what it wrote as behind that.
#[test]
fn a_write_may_be_behind_another_life_of_its_machine_at_the_same_resource_alone() {
    for (machine, era, resource, is_excused) in [
        (0, 1, "one", true),
        (0, 1, "other", false),
        (0, 0, "one", false),
        (1, 1, "one", false),
    ] {
        let mut oracle = Oracle::default();
        let writer = |machine, era| Writer {
            machine: Some(machine),
            era,
        };
        let (refused, logged) = (wish("one", REFUSED), wish(resource, OTHER));
        oracle.begin(&refused, writer(0, 0));
        oracle.begin(&logged, writer(machine, era));
        let machine = MachineEnd {
            number: 0,
            name: "r0/".to_owned(),
            replica: String::new(),
            actor: String::new(),
            file: log_of(&logged),
            quarantined: vec![(
                digest(&refused.op.payload.hash()),
                "clock_behind".to_owned(),
            )],
        };
        let end = EndState {
            server: log_of(&logged),
            erased: BTreeSet::new(),
            names: BTreeMap::new(),
            machines: Vec::new(),
            clocks_leapt: false,
            highest_floor: ServerSeq::ZERO,
            dropped: BTreeSet::new(),
            reference: Reference {
                view: String::new(),
                late: BTreeSet::new(),
            },
        };
        let verdict = oracle.check_quarantine(&machine, &end);
        assert_eq!(verdict.is_ok(), is_excused, "{verdict:?}");
    }
}
