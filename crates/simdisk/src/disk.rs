//! The disk, from the side of who runs the world: power, faults, copies, time.

use std::fmt;
use std::sync::Arc;

use crate::fault::{Fault, Realm};
use crate::process::Process;
use crate::snapshot::Snapshot;
use crate::state::{Counters, Shared};

/// Files in memory, with the processes that use them; see the crate's own text for what it promises.
///
/// Prefixes are the machines on it. A connection may outlive its disk and its process, and gets errors then.
pub struct Disk {
    shared: Arc<Shared>,
    operator: Process,
}

impl Disk {
    /// An empty disk; `seed` decides everything that chance decides on it.
    pub fn new(seed: u64) -> Self {
        let shared = Shared::new(seed);
        let operator = Process::new(&shared, "");
        Self { shared, operator }
    }

    /// A process at home under `home`: it opens no path that does not begin so, and dies with that machine.
    pub fn process(&self, home: &str) -> Process {
        Process::new(&self.shared, home)
    }

    /// The process that is at home everywhere, and dies only when the power goes under the empty prefix.
    pub fn operator(&self) -> &Process {
        &self.operator
    }

    /// The name of the operator's VFS.
    pub fn vfs_name(&self) -> &str {
        self.operator.vfs_name()
    }

    /// Cuts the power under `prefix`: its processes die, and of what they had not synced some is lost.
    ///
    /// They stay dead until [`revive`](Self::revive), and so do the handles that others had open there.
    pub fn crash(&self, prefix: &str) {
        self.shared.lock().cut_power(prefix);
    }

    /// Kills every process at home under `prefix`; the files are as they left them.
    ///
    /// Drop a killed process's connections before another process's turn: until then SQLite still holds
    /// pointers into the memory that both shared.
    pub fn kill(&self, prefix: &str) {
        self.shared.lock().kill_under(prefix);
    }

    /// Starts the dead processes at home under `prefix` again.
    ///
    /// # Panics
    /// If a connection of such a process is still open: drop what died first.
    pub fn revive(&self, prefix: &str) {
        self.shared.lock().revive_under(prefix);
    }

    /// Arms a fault for calls on files under `prefix`, whoever makes them.
    pub fn arm(&self, prefix: &str, fault: Fault) {
        let realm = Realm::Prefix(prefix.to_owned());
        self.shared.lock().faults.arm(realm, fault);
    }

    /// Takes back the faults armed for `prefix`.
    pub fn disarm(&self, prefix: &str) {
        let realm = Realm::Prefix(prefix.to_owned());
        self.shared.lock().faults.disarm(&realm);
    }

    /// Whether a fault that was armed for `prefix` is still to strike.
    pub fn is_armed(&self, prefix: &str) -> bool {
        let realm = Realm::Prefix(prefix.to_owned());
        self.shared.lock().faults.is_armed(&realm)
    }

    /// Bounds the bytes that the files under `prefix` may have together; those that are there stay.
    pub fn set_quota(&self, prefix: &str, bytes: u64) {
        let mut state = self.shared.lock();
        state.quotas.insert(prefix.to_owned(), bytes);
    }

    pub fn lift_quota(&self, prefix: &str) {
        self.shared.lock().quotas.remove(prefix);
    }

    /// Bytes of all files under `prefix`.
    pub fn used(&self, prefix: &str) -> u64 {
        self.shared.lock().used(prefix)
    }

    /// From now on a sync under `prefix` does nothing and says that it did: a defect to plant.
    pub fn lie_about_sync(&self, prefix: &str) {
        self.shared.lock().liars.push(prefix.to_owned());
    }

    /// The calls of all processes so far.
    pub fn counters(&self) -> Counters {
        self.shared.lock().all_counters()
    }

    /// Sets the clock that SQL's `now` reads, in milliseconds since 1970. It stands until set again.
    pub fn set_clock(&self, unix_ms: i64) {
        self.shared.lock().now_unix_ms = unix_ms;
    }

    /// The files under `prefix` as they are seen now.
    pub fn snapshot(&self, prefix: &str) -> Snapshot {
        self.shared.lock().snapshot(prefix)
    }

    /// Puts the machine under `prefix` back to `snapshot`: the same files, with the identity they had.
    ///
    /// All else under `prefix` goes, and its processes die as by [`kill`](Self::kill). The result is durable.
    pub fn roll_back(&self, prefix: &str, snapshot: &Snapshot) {
        self.shared.lock().roll_back(prefix, snapshot);
    }

    /// Puts copies of the files of `snapshot` under `prefix`, otherwise as [`roll_back`](Self::roll_back).
    pub fn put_copy(&self, prefix: &str, snapshot: &Snapshot) {
        self.shared.lock().put_copy(prefix, snapshot);
    }

    /// Copies all files under `from` to `to`, in the place of what is there.
    pub fn copy(&self, from: &str, to: &str) {
        let mut state = self.shared.lock();
        let snapshot = state.snapshot(from);
        state.put_copy(to, &snapshot);
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk")
            .field("vfs_name", &self.vfs_name())
            .finish_non_exhaustive()
    }
}
