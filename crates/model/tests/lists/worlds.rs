//! That the fuzzer's worlds are worth something: what happens in them, and what they would find.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use syncline_model::Op;

use super::fuzz::run;

#[test]
fn worlds_do_what_they_are_for() {
    let kinds = [
        "insert",
        "update",
        "move",
        "remove",
        "restore",
        "renameList",
        "createList",
    ];
    let kinds = kinds
        .into_iter()
        .chain(["removeList", "restoreList", "reorderList"]);
    let worlds: Vec<_> = (0..50).map(|seed| run(seed).ops).collect();
    for kind in kinds {
        let mark = format!(r#""type":"{kind}""#);
        let ops = worlds.iter().flatten();
        let found = ops.filter(|op| op.payload.as_str().contains(&mark));
        assert!(found.count() > 20, "{kind}");
    }
    let ops = worlds.iter().flatten();
    let across = ops.filter(|op| op.payload.as_str().contains(r#""touches":["#));
    let across = across.count();
    let kept: usize = worlds.iter().map(|ops| texts_kept(ops)).sum();
    let again: usize = worlds.iter().map(|ops| made_again(ops)).sum();
    assert!(
        across > 50 && kept > 50 && again > 50,
        "{across} moves between lists, {kept} texts kept, {again} made again out of a file"
    );
}

/// How often a file has made what somebody else had made of it before.
fn made_again(ops: &[Op]) -> usize {
    let mut made = BTreeMap::new();
    let by_file = ops
        .iter()
        .filter(|op| op.payload.as_str().contains(r#"["present","pos""#));
    for op in by_file {
        let json: Json = serde_json::from_str(op.payload.as_str()).expect("JSON");
        let what = (json["listId"].to_string(), json["itemId"].to_string());
        let by: &mut BTreeSet<_> = made.entry((op.key.resource.clone(), what)).or_default();
        by.insert(op.key.actor.clone());
    }
    made.values().map(|by| by.len() - 1).sum()
}

/// The restores to which somebody else's text was not known that was written before them.
fn texts_kept(ops: &[Op]) -> usize {
    let json = |op: &Op| serde_json::from_str::<Json>(op.payload.as_str()).ok();
    let read: Vec<_> = ops.iter().filter_map(|op| Some((op, json(op)?))).collect();
    let restores = read.iter().filter(|(op, restore)| {
        let writers = restore["payload"]["versions"]["written"].as_array();
        let mut writers = writers.into_iter().flatten();
        let of_text = writers.find(|by| {
            by["parts"]
                .as_array()
                .is_some_and(|parts| parts.contains(&"text".into()))
        });
        let Some(known) = of_text.and_then(|by| by["clock"].as_u64()) else {
            return false;
        };
        read.iter().any(|(edit, said)| {
            let clock = edit.key.clock;
            said["type"] == "update"
                && said["itemId"] == restore["itemId"]
                && said["payload"]["text"].is_string()
                && edit.key.resource == op.key.resource
                && known < clock.get()
                && clock < op.key.clock
        })
    });
    restores.count()
}

/// Seeds within which a planted defect must be found.
#[cfg(feature = "planted")]
const SEEDS_MAX: u64 = 500;

#[cfg(feature = "planted")]
#[test]
fn every_planted_defect_is_found() {
    use std::panic::catch_unwind;

    use syncline_model::planted::{Defect, plant};

    use super::fuzz::check;

    std::panic::set_hook(Box::new(|_| ()));
    let missed: Vec<_> = Defect::OF_LISTS
        .into_iter()
        .filter(|defect| {
            plant(Some(*defect));
            let found = (0..SEEDS_MAX).find(|seed| catch_unwind(|| check(*seed)).is_err());
            println!("{defect:?}: {found:?}");
            plant(None);
            // It is the defect that was found.
            found.is_none_or(|seed| catch_unwind(|| check(seed)).is_err())
        })
        .collect();
    drop(std::panic::take_hook());
    assert!(missed.is_empty(), "never found: {missed:?}");
}
