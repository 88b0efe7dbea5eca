//! Which ops each disk holds, and what is lost with a disk.

use std::collections::{BTreeMap, BTreeSet};

use syncline_model::ServerSeq;
use syncline_model::planted::{Binary, play};
use syncline_store::{FileOptions, TenantFile};

use super::World;
use crate::oracle::{Digest, Excuse, Holdings, Told, Violation};
use crate::server::HOME;

/// Where copies of disks are looked at.
const ASIDE: &str = "aside/";
/// The server's place among the holdings of all disks.
const SERVER: usize = usize::MAX;

impl World {
    /// The ops on every disk; the server's stand behind those of the machines.
    pub(super) fn all_holdings(&mut self) -> BTreeMap<usize, Holdings> {
        let machines = 0..self.machines.len();
        let mut all: BTreeMap<usize, Holdings> = machines
            .map(|machine| (machine, self.holdings_of(machine)))
            .collect();
        all.insert(SERVER, self.server_holdings());
        all
    }

    /// The ops on a machine's disk, read from a copy, so that nothing there is touched.
    pub(super) fn holdings_of(&mut self, machine: usize) -> Holdings {
        let prefix = self.copy_aside(&self.machines[machine].home.clone());
        let binary = play(Binary::default());
        let held = Holdings::of_replica(self.disk.vfs_name(), &prefix, &mut self.archive);
        play(binary);
        self.forget_aside(&prefix);
        held
    }

    /// The ops on the server's disk.
    pub(super) fn server_holdings(&mut self) -> Holdings {
        let prefix = self.copy_aside(HOME);
        let options = FileOptions {
            vfs: Some(self.disk.vfs_name().to_owned()),
            ..FileOptions::default()
        };
        let before = play(Binary::default());
        let file = TenantFile::open(format!("{prefix}tenant.db").as_ref(), &options);
        let archive = &mut self.archive;
        let held = file
            .ok()
            .and_then(|file| Holdings::of_log(&file, archive).ok());
        play(before);
        self.forget_aside(&prefix);
        held.unwrap_or_default()
    }

    /// After a start, what the machine had reported as written is still held, here or elsewhere.
    pub(super) fn check_survived(&mut self, machine: usize) -> Result<(), Violation> {
        let held = self.holdings_of(machine);
        let lacking = self.oracle.lacking(self.writer(machine), &held);
        if lacking.is_empty() {
            return Ok(());
        }
        let everywhere = self.all_holdings();
        let is_held = |digest: &Digest| everywhere.values().any(|held| held.holds(digest));
        // What some log held and has dropped as covered may go with a server that is lost, as it is in no
        // log that heals the next one: the end tells by the view whether it was covered.
        let mut lost = lacking.iter().filter(|digest| {
            let is_there = |by: &Digest| is_held(by) || self.oracle.is_excused(by);
            let dropped = self.archive.dropped(digest);
            let was_covered = dropped.is_some_and(|op| op.seq > ServerSeq::ZERO)
                && self.archive.is_covered(digest, is_there);
            !was_covered && !is_held(digest)
        });
        match lost.next().and_then(|digest| self.oracle.find(digest)) {
            None => Ok(()),
            Some(written) => Err(Violation(format!(
                "r{machine} has lost an op that it reported as written: {:?}",
                written.effect
            ))),
        }
    }

    /// What the server has acknowledged is in its log.
    pub(super) fn check_server(&mut self) -> Result<(), Violation> {
        let held = self.server_holdings();
        self.oracle.check_acknowledged(&held.log)
    }

    /// Excuses what some disk held before, and no disk holds now.
    pub(super) fn excuse_lost(&mut self, before: &BTreeMap<usize, Holdings>) {
        let after = self.all_holdings();
        let held: BTreeSet<Digest> = after.values().flat_map(Holdings::all).copied().collect();
        let lost: BTreeSet<Digest> = before
            .values()
            .flat_map(Holdings::all)
            .filter(|digest| !held.contains(*digest))
            .copied()
            .collect();
        self.note(format_args!("{} ops are lost with a disk", lost.len()));
        self.excuse_unheld(lost);
        let server = &after[&SERVER].log;
        let server: BTreeSet<Digest> = server.values().copied().collect();
        self.orphans = held.difference(&server).copied().collect();
    }

    /// After a machine's death: excuses what its log alone may have held, not yet on its disk.
    pub(super) fn excuse_orphans(&mut self) {
        if self.orphans.is_empty() {
            return;
        }
        let now = self.all_holdings();
        let held: BTreeSet<Digest> = now.values().flat_map(Holdings::all).copied().collect();
        let (kept, lost) = self
            .orphans
            .iter()
            .partition(|digest| held.contains(*digest));
        self.orphans = kept;
        self.excuse_unheld(lost);
    }

    /// Excuses ops that no disk holds; but a machine whose disk was never put back holds its own.
    pub(super) fn excuse_unheld(&mut self, lost: BTreeSet<Digest>) {
        let may_lack = |digest: &Digest| {
            let written = self.oracle.find(digest);
            written.is_none_or(|written| match written.writer.machine {
                Some(machine) => {
                    let put_back = written.order <= self.machines[machine].holds_since;
                    // Whose writing failed may be held, and is not promised to be.
                    put_back || written.told == Told::Nothing
                }
                None => true,
            })
        };
        let lost: Vec<Digest> = lost.into_iter().filter(may_lack).collect();
        self.oracle.excuse(lost, Excuse::LostWithDisk);
    }

    /// Copies a machine's disk, to be looked at; gives the copy's prefix.
    pub(super) fn copy_aside(&mut self, prefix: &str) -> String {
        self.disk.copy(prefix, ASIDE);
        ASIDE.to_owned()
    }

    pub(super) fn forget_aside(&mut self, prefix: &str) {
        self.disk.copy("nothing/", prefix);
    }
}
