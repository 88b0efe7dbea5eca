//! The end of a world: everything written is where it must be, and all replicas are equal.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use syncline_model::ServerSeq;
use syncline_model::compaction::replaces;
use syncline_model::thread::ThreadId;
use syncline_store::Head;

use super::times::without_last_times;
use super::{Digest, Holdings, Oracle, Told, Violation, WholeLog, Written, digest};
use crate::workload::{Effect, Flavor, OPAQUE_SCOPE};

/// How a tenant file stands at the end.
#[derive(Debug)]
pub(crate) struct FileEnd {
    pub(crate) head: Head,
    pub(crate) held: Holdings,
    /// Every row of the view.
    pub(crate) view: String,
    /// The same after the log was folded again.
    pub(crate) folded_again: String,
    /// What SQLite's own check says of each file: `ok`.
    pub(crate) integrity: Vec<String>,
}

/// How a machine stands at the end.
#[derive(Debug)]
pub(crate) struct MachineEnd {
    /// The machine's, as writers have it.
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) replica: String,
    pub(crate) actor: String,
    pub(crate) file: FileEnd,
    /// What is in quarantine, and why.
    pub(crate) quarantined: Vec<(Digest, String)>,
}

/// How a world stands at the end.
#[derive(Debug)]
pub(crate) struct EndState {
    pub(crate) server: FileEnd,
    /// Ops of the log whose payloads are erased.
    pub(crate) erased: BTreeSet<Digest>,
    /// The name of each live thread.
    pub(crate) names: BTreeMap<ThreadId, String>,
    pub(crate) machines: Vec<MachineEnd>,
    /// Whether somebody has made clocks leap.
    pub(crate) clocks_leapt: bool,
    /// The highest floor that the server's log has had.
    pub(crate) highest_floor: ServerSeq,
    /// What some log has dropped as covered.
    pub(crate) dropped: BTreeSet<Digest>,
    pub(crate) reference: Reference,
}

/// The view of a log that never dropped anything.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) view: String,
    /// The threads of ops that the server's log counts as dropped, and that stand behind all others
    /// in this one.
    pub(crate) late: BTreeSet<String>,
}

impl Oracle {
    /// Checks everything that must hold once a healed world is at rest.
    pub(crate) fn check_end(&self, end: &EndState) -> Result<(), Violation> {
        self.check_tally()?;
        check_file("server", &end.server)?;
        self.check_acknowledged(&end.server.held.log)?;
        let Reference { view, late } = &end.reference;
        let shown = without_last_times(&end.server.view, late);
        if let Some(lines) = difference(&shown, &without_last_times(view, late)) {
            return violation(format!(
                "server: the view is not the fold of all that was ever written: {lines}"
            ));
        }
        check_replaced(&end.server.held.whole)?;
        check_floor("server", &end.server, end.highest_floor)?;
        if !holds_floor(&end.server) {
            return violation("the op at the floor, whose mark replicas show, is gone".to_owned());
        }
        for machine in &end.machines {
            check_file(&machine.name, &machine.file)?;
            check_equal(&machine.name, &machine.file, &end.server)?;
            check_floor(&machine.name, &machine.file, end.highest_floor)?;
            self.check_quarantine(machine, end)?;
        }
        check_identities(&end.machines)?;
        let mut in_log: BTreeMap<Digest, u32> = BTreeMap::new();
        for digest in end.server.held.log.values() {
            *in_log.entry(*digest).or_default() += 1;
        }
        for written in &self.written {
            let count = in_log.get(&written.digest).copied().unwrap_or_default();
            check_presence(written, count, end)?;
            let is_dropped = end.dropped.contains(&written.digest);
            if count > 0 && !is_dropped && !end.erased.contains(&written.digest) {
                check_view(written, &end.server.view)?;
            }
        }
        if let Some(stranger) = in_log.keys().find(|digest| self.find(digest).is_none()) {
            return violation(format!(
                "the log holds an op that nobody wrote: {stranger:?}"
            ));
        }
        self.check_names(&in_log, &end.names)
    }

    /// What was promised, and is not in this log.
    pub(crate) fn missing<'a>(
        &'a self,
        log: &BTreeMap<ServerSeq, Digest>,
    ) -> impl Iterator<Item = &'a Digest> {
        let in_log: BTreeSet<Digest> = log.values().copied().collect();
        let promised = self.written.iter().filter(|written| {
            let is_promised = written.told == Told::Done || written.acknowledged;
            is_promised && written.excuse.is_none()
        });
        promised
            .map(|written| &written.digest)
            .filter(move |digest| !in_log.contains(*digest))
    }

    fn check_quarantine(&self, machine: &MachineEnd, end: &EndState) -> Result<(), Violation> {
        for (digest, code) in &machine.quarantined {
            let written = self.find(digest);
            let flavor = written.map(|written| written.flavor);
            let is_right = match (code.as_str(), flavor) {
                ("too_large", Some(Flavor::Oversized)) => true,
                ("fold_failed", Some(Flavor::Panicking)) => true,
                ("clock_lead", _) => end.clocks_leapt,
                // Offered again: what others have seen is nobody's to stamp. Nor is what stands before
                // the writes of another life of its machine, which the log has given back.
                ("clock_behind", Some(_)) => written.is_some_and(|written| {
                    written.acknowledged
                        || written.writer.machine != Some(machine.number)
                        || self.holds_another_life(end, written)
                }),
                // Nobody can tell whether the log has dropped it: the user may.
                ("maybe_covered", Some(_)) => written.is_some_and(|written| written.maybe_covered),
                _ => false,
            };
            if !is_right {
                return violation(format!(
                    "{}: an op is in quarantine as {code}, for no reason: {flavor:?}",
                    machine.name
                ));
            }
        }
        Ok(())
    }

    /// Whether the log holds what the machine of an op wrote to the same resource before its disk was put
    /// back, or after that.
    fn holds_another_life(&self, end: &EndState, refused: &Written) -> bool {
        let logged = end.server.held.whole.ops.values();
        let of_machine = logged.filter_map(|op| {
            let writer = self.find(&digest(&op.payload_hash))?.writer;
            (writer.machine == refused.writer.machine).then_some((op, writer))
        });
        let mut others = of_machine.filter(|(_, writer)| writer.era != refused.writer.era);
        others.any(|(op, _)| refused.scope == op.key.scope && refused.resource == op.key.resource)
    }
}

fn violation<T>(text: String) -> Result<T, Violation> {
    Err(Violation(text))
}

fn check_file(name: &str, file: &FileEnd) -> Result<(), Violation> {
    if let Some(damage) = file.integrity.iter().find(|verdict| *verdict != "ok") {
        return violation(format!("{name}: a file is damaged: {damage}"));
    }
    if let Some(seq) = file.held.whole.gap {
        return violation(format!("{name}: no log has ever held the op at {seq}"));
    }
    let places = file.held.log.keys().map(|seq| seq.get());
    if !places.eq(1..=file.head.cursor.server_seq.get()) {
        return violation(format!("{name}: the log has a gap"));
    }
    match difference(&file.view, &file.folded_again) {
        None => Ok(()),
        Some(lines) => violation(format!(
            "{name}: the view is not the fold of the log: {lines}"
        )),
    }
}

fn check_equal(name: &str, file: &FileEnd, server: &FileEnd) -> Result<(), Violation> {
    if !file.held.outbox.is_empty() {
        let count = file.held.outbox.len();
        return violation(format!("{name}: {count} ops are left in the outbox"));
    }
    if (file.head.epoch, file.head.cursor) != (server.head.epoch, server.head.cursor) {
        return violation(format!(
            "{name} is at {:?}, the server at {:?}",
            file.head, server.head
        ));
    }
    if file.held.log != server.held.log {
        return violation(format!("{name}: the log is not the server's"));
    }
    match difference(&file.view, &server.view) {
        None => Ok(()),
        Some(lines) => violation(format!("{name}: the view is not the server's: {lines}")),
    }
}

fn check_identities(machines: &[MachineEnd]) -> Result<(), Violation> {
    let replicas: BTreeSet<_> = machines.iter().map(|machine| &machine.replica).collect();
    let actors: BTreeSet<_> = machines.iter().map(|machine| &machine.actor).collect();
    if replicas.len() < machines.len() || actors.len() < machines.len() {
        return violation("two machines are the same replica or actor".to_owned());
    }
    Ok(())
}

fn check_presence(written: &Written, count: u32, end: &EndState) -> Result<(), Violation> {
    let what = || format!("{:?} op {:?}", written.flavor, written.effect);
    if written.flavor == Flavor::Oversized && count > 0 {
        return violation(format!("the log holds an op over the bound: {}", what()));
    }
    if written.banned && count > 0 {
        return violation(format!("a discarded op has come back: {}", what()));
    }
    if count > written.copies && !written.may_double {
        let log = end.server.held.whole.ops.values();
        let held = log.filter(|op| digest(&op.payload_hash) == written.digest);
        let held: Vec<_> = held.map(|op| (op.seq, &op.key)).collect();
        return violation(format!(
            "the log holds an op {count} times: {}, {held:?}",
            what()
        ));
    }
    let quarantined = || {
        let mut machines = end.machines.iter();
        machines.any(|machine| machine.file.held.quarantine.contains(&written.digest))
    };
    let is_promised = written.told == Told::Done || written.acknowledged;
    // What was covered is not missed: the reference tells whether it was.
    let is_dropped = end.dropped.contains(&written.digest);
    let is_missed = count == 0 && !is_dropped && !quarantined();
    if is_missed && is_promised && written.excuse.is_none() {
        return violation(format!("an op is lost: {} of {:?}", what(), written.writer));
    }
    Ok(())
}

/// Nothing is dropped but below a floor that the server has had.
fn check_floor(name: &str, file: &FileEnd, highest: ServerSeq) -> Result<(), Violation> {
    let whole = &file.held.whole;
    let mut dropped = whole.ops.keys().filter(|seq| !whole.held.contains(seq));
    match dropped.find(|seq| **seq >= highest) {
        None => Ok(()),
        Some(seq) => violation(format!(
            "{name}: the op at {seq} was dropped above every floor"
        )),
    }
}

fn holds_floor(file: &FileEnd) -> bool {
    let floor = file.head.floor;
    floor == ServerSeq::ZERO || file.held.whole.held.contains(&floor)
}

/// An op that no fold knows is dropped only where a later one replaces it.
fn check_replaced(log: &WholeLog) -> Result<(), Violation> {
    let mut replaced = BTreeSet::new();
    for (seq, op) in log.ops.iter().rev() {
        if op.key.scope.as_str() != OPAQUE_SCOPE {
            continue;
        }
        if log.held.contains(seq) {
            if op.payload.as_ref().is_some_and(replaces) {
                replaced.insert(&op.key.resource);
            }
        } else if !replaced.contains(&op.key.resource) {
            return violation(format!("nothing replaces the opaque op dropped at {seq}"));
        }
    }
    Ok(())
}

/// What an op that is in the log, with its payload, must have left in the view.
fn check_view(written: &Written, view: &str) -> Result<(), Violation> {
    match &written.effect {
        Effect::Entry { text, .. } => {
            let shown = view.matches(text.as_str()).count();
            if shown == 1 {
                return Ok(());
            }
            violation(format!("the entry {text:?} is in the view {shown} times"))
        }
        Effect::Delete { thread } => {
            let start = format!("threads[\"{thread}\"");
            let row = view.lines().find(|line| line.starts_with(&start));
            if row.is_some_and(|row| row.contains("\"deleted\"")) {
                return Ok(());
            }
            violation(format!(
                "thread {thread} was deleted, and is shown as {row:?}"
            ))
        }
        Effect::Name { .. } | Effect::Other => Ok(()),
    }
}

/// Lines shown of a difference, and the characters of each.
const LINES_SHOWN: usize = 3;
const CHARS_SHOWN: usize = 240;

/// The first lines that one of two texts has and the other has not; none: they are equal.
pub(crate) fn difference(one: &str, other: &str) -> Option<String> {
    if one == other {
        return None;
    }
    let only = |own: &str, others: &str| -> Vec<String> {
        let others: BTreeSet<&str> = others.lines().collect();
        let lines = own.lines().filter(|line| !others.contains(line));
        let shown = lines.take(LINES_SHOWN);
        shown
            .map(|line| line.chars().take(CHARS_SHOWN).collect())
            .collect()
    };
    Some(format!(
        "here {:?}, there {:?}",
        only(one, other),
        only(other, one)
    ))
}
