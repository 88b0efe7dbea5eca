//! What compaction may let go of without anybody seeing it.

use syncline_model::compaction::{
    Coverage, coverage, folds_onto_seen, gives_back_collected, tombstones,
};
use syncline_model::{ActorId, Op};

use super::chance::Chance;
use super::memory::Memory;

/// fold(log) = fold(compacted log): without covered ops, then without some tombstones, with the same
/// appended to both.
pub(crate) fn compact(seed: u64, ops: &[Op], chance: &mut Chance) {
    let at = chance.below(ops.len());
    let (log, tail) = ops.split_at(at);
    let whole = Memory::of(log);
    let needed = |op: &&Op| {
        let answer = coverage(&mut whole.clone(), &op.key, Some(&op.payload));
        answer.expect("memory does not fail") == Coverage::Needed
    };
    let kept: Vec<&Op> = log.iter().filter(needed).collect();
    let compacted = Memory::of(kept.iter().copied());
    assert_eq!(compacted, whole, "seed {seed}: without covered ops");
    let (mut collected, mut whole) = (compacted, whole);
    let mut above = None;
    collected.rows.retain(|(table, _), (row, _)| {
        let of = tombstones().find(|of| of.table.name == *table);
        let Some(stamps) = of.and_then(|of| (of.stamps)(row)) else {
            return true;
        };
        let stays = chance.below(2) == 0;
        if !stays {
            above = above.max(stamps.into_iter().map(|stamp| stamp.clock).max());
        }
        stays
    });
    for op in tail {
        let rows = &mut collected.clone();
        let is_seen = folds_onto_seen(rows, &op.key, Some(&op.payload));
        if Some(op.key.clock) <= above && !is_seen.expect("memory does not fail") {
            continue;
        }
        let behind = |op: &Op| {
            let Some(above) = above else { return false };
            let rows = &mut collected.clone();
            let found = gives_back_collected(rows, &op.key, Some(&op.payload), above);
            found.expect("memory does not fail")
        };
        // It is refused, and another actor writes it anew.
        let mut op = op.clone();
        if behind(&op) {
            op.key.actor = ActorId::new("d").expect("a short name");
        }
        if behind(&op) {
            continue;
        }
        collected.fold(&op);
        whole.fold(&op);
    }
    assert_eq!(
        collected.seen(),
        whole.seen(),
        "seed {seed}: without tombstones"
    );
}
