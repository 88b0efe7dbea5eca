//! All there is on one disk, and who uses it. No pointer and no `unsafe`: `vfs` brings SQLite's calls here.

mod open_files;
mod power;
mod verbs;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use crate::directory::Directory;
use crate::fault::{Call, Effect, Faults, Realm};
use crate::inode::Inode;
use crate::process::FileId;
use crate::shared_memory::Region;

pub(crate) use open_files::{Filled, Opening};

/// Milliseconds since 1970 at which a disk's clock stands unless it is set: 2026-01-01T00:00:00Z.
const START_UNIX_MS: i64 = 1_767_225_600_000;

const KEPT: &str = "a file is kept while anything leads to it";

/// A file of this disk; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct InodeKey(pub(crate) usize);

/// An open file of this disk; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HandleKey(pub(crate) usize);

/// A process of this disk, dead or alive; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ProcessKey(pub(crate) usize);

/// Why a call was not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The process, or the handle, is dead.
    Dead,
    /// A fault struck this call alone.
    Failed,
    Full,
    Missing,
    Busy,
    /// The path is not under the process's home.
    Outside,
}

/// Calls so far: of one process, or of a disk in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub reads: u64,
    /// Writes and truncations.
    pub writes: u64,
    pub syncs: u64,
    /// Removals and renamings.
    pub name_changes: u64,
    pub sleeps: u64,
}

impl Counters {
    /// Every call that changes what a power loss leaves: the points at which a test may cut the power.
    pub fn changes(&self) -> u64 {
        self.writes + self.syncs + self.name_changes
    }

    fn count(&mut self, call: Call) {
        match call {
            Call::Read => self.reads += 1,
            Call::Write => self.writes += 1,
            Call::Sync => self.syncs += 1,
            Call::Name => self.name_changes += 1,
        }
    }

    fn add(self, other: &Self) -> Self {
        Self {
            reads: self.reads + other.reads,
            writes: self.writes + other.writes,
            syncs: self.syncs + other.syncs,
            name_changes: self.name_changes + other.name_changes,
            sleeps: self.sleeps + other.sleeps,
        }
    }
}

/// One who opens files: alive, or dead until revived.
struct Owner {
    home: String,
    alive: bool,
    open_handles: usize,
    counters: Counters,
}

struct Handle {
    process: ProcessKey,
    inode: InodeKey,
    /// None: a temporary file.
    path: Option<Arc<str>>,
    dead: bool,
    removed_on_close: bool,
    keeps_log: bool,
    /// What SQLite has pointers into: kept until the handle unmaps it, even when dead.
    mapped: Vec<Region>,
}

/// What a call runs into, once it is done.
pub(crate) type Blow = Option<(Effect, Realm)>;

pub(crate) struct State {
    chance: StdRng,
    pub(crate) now_unix_ms: i64,
    pub(crate) directory: Directory,
    inodes: Vec<Option<Inode>>,
    handles: Vec<Option<Handle>>,
    processes: Vec<Owner>,
    pub(crate) faults: Faults,
    /// Bytes that all files under a prefix may have together.
    pub(crate) quotas: BTreeMap<String, u64>,
    /// Prefixes under which a sync does nothing and says that it did.
    pub(crate) liars: Vec<String>,
    file_locks: BTreeMap<String, (ProcessKey, u64)>,
    /// Numbers given to files and to file locks.
    numbers: u64,
}

/// The state of a disk, shared by the disk, its processes and its open files.
pub(crate) struct Shared(Mutex<State>);

impl Shared {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State::new(seed))))
    }

    /// A panic of one caller leaves the others the state: the test that panicked has failed anyway.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(seed: u64) -> Self {
        Self {
            chance: StdRng::seed_from_u64(seed),
            now_unix_ms: START_UNIX_MS,
            directory: Directory::default(),
            inodes: Vec::new(),
            handles: Vec::new(),
            processes: Vec::new(),
            faults: Faults::default(),
            quotas: BTreeMap::new(),
            liars: Vec::new(),
            file_locks: BTreeMap::new(),
            numbers: 0,
        }
    }

    pub(crate) fn add_process(&mut self, home: &str) -> ProcessKey {
        self.processes.push(Owner {
            home: home.to_owned(),
            alive: true,
            open_handles: 0,
            counters: Counters::default(),
        });
        ProcessKey(self.processes.len() - 1)
    }

    pub(crate) fn is_alive(&self, process: ProcessKey) -> bool {
        self.owner(process).alive
    }

    pub(crate) fn home(&self, process: ProcessKey) -> &str {
        &self.owner(process).home
    }

    pub(crate) fn open_handles(&self, process: ProcessKey) -> usize {
        self.owner(process).open_handles
    }

    pub(crate) fn counters(&self, process: ProcessKey) -> Counters {
        self.owner(process).counters
    }

    pub(crate) fn all_counters(&self) -> Counters {
        let each = self.processes.iter().map(|owner| &owner.counters);
        each.fold(Counters::default(), Counters::add)
    }

    pub(crate) fn count_sleep(&mut self, process: ProcessKey) {
        self.owner_mut(process).counters.sleeps += 1;
    }

    pub(crate) fn fill_random(&mut self, buffer: &mut [u8]) {
        self.chance.fill_bytes(buffer);
    }

    /// Lets a call by name begin: the process lives, the path is its own, and no failure was armed for it.
    fn begin(&mut self, process: ProcessKey, path: &str, call: Call) -> Result<Blow, Trouble> {
        self.check_reach(process, path)?;
        self.count(process, path, call)
    }

    fn check_reach(&self, process: ProcessKey, path: &str) -> Result<(), Trouble> {
        let owner = self.owner(process);
        if !owner.alive {
            Err(Trouble::Dead)
        } else if !path.starts_with(&owner.home) {
            Err(Trouble::Outside)
        } else {
            Ok(())
        }
    }

    fn count(&mut self, process: ProcessKey, path: &str, call: Call) -> Result<Blow, Trouble> {
        self.processes[process.0].counters.count(call);
        let blow = self.faults.count(process, path, call, &mut self.chance);
        match blow {
            Some((Effect::Fail, _)) => Err(Trouble::Failed),
            Some((Effect::Kill | Effect::PowerLoss, _)) | None => Ok(blow),
        }
    }

    /// Ends a call: what struck it takes effect, and the caller does not learn how far it came.
    fn end(&mut self, blow: Blow) -> Result<(), Trouble> {
        let Some((effect, realm)) = blow else {
            return Ok(());
        };
        match (effect, realm) {
            (Effect::PowerLoss, Realm::Prefix(prefix)) => self.cut_power(&prefix),
            (Effect::PowerLoss, Realm::Process(process)) => {
                let home = self.home(process).to_owned();
                self.cut_power(&home);
            }
            (Effect::Kill, Realm::Prefix(prefix)) => self.kill_under(&prefix),
            (Effect::Kill, Realm::Process(process)) => self.kill_process(process),
            (Effect::Fail, _) => unreachable!("a failure is told before the call begins"),
        }
        Err(Trouble::Dead)
    }

    /// Bytes by which files may still grow under each quota that `path` falls under; None: no bound.
    fn room(&self, path: &str) -> Option<u64> {
        let bounds = self.quotas.iter();
        bounds
            .filter(|(prefix, _)| path.starts_with(prefix.as_str()))
            .map(|(prefix, bytes)| bytes.saturating_sub(self.used(prefix)))
            .min()
    }

    pub(crate) fn used(&self, prefix: &str) -> u64 {
        let files = self.directory.under(prefix);
        files
            .map(|(_, inode)| self.inode(inode).seen().len() as u64)
            .sum()
    }

    fn is_lied_to(&self, path: &str) -> bool {
        self.liars
            .iter()
            .any(|prefix| path.starts_with(prefix.as_str()))
    }

    fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn next_file_id(&mut self) -> FileId {
        FileId(self.next_number())
    }

    fn add_inode(&mut self, inode: Inode) -> InodeKey {
        self.inodes.push(Some(inode));
        InodeKey(self.inodes.len() - 1)
    }

    /// Frees those of `keys` that no name and no handle leads to any more.
    fn forget_unreachable(&mut self, keys: impl IntoIterator<Item = InodeKey>) {
        for key in keys {
            let inode = self.inodes[key.0].as_ref();
            let closed = inode.is_some_and(|inode| inode.open_handles == 0);
            if closed && !self.directory.knows(key) {
                self.inodes[key.0] = None;
            }
        }
    }

    pub(crate) fn inode(&self, key: InodeKey) -> &Inode {
        self.inodes[key.0].as_ref().expect(KEPT)
    }

    fn inode_mut(&mut self, key: InodeKey) -> &mut Inode {
        self.inodes[key.0].as_mut().expect(KEPT)
    }

    fn handle(&self, key: HandleKey) -> &Handle {
        self.handles[key.0].as_ref().expect("the handle is open")
    }

    fn handle_mut(&mut self, key: HandleKey) -> &mut Handle {
        self.handles[key.0].as_mut().expect("the handle is open")
    }

    fn owner(&self, process: ProcessKey) -> &Owner {
        &self.processes[process.0]
    }

    fn owner_mut(&mut self, process: ProcessKey) -> &mut Owner {
        &mut self.processes[process.0]
    }
}
