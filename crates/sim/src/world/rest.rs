//! The second phase: everything heals, and the world must come to rest, with all promises kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use syncline_model::planted::{Binary, play};
use syncline_model::thread::ThreadId;
use syncline_model::{Epoch, Mark, Scope, ServerSeq};
use syncline_protocol::session::State;
use syncline_store::local::LocalFile;
use syncline_store::threads::{ListFilter, ListStart, list_threads};
use syncline_store::{AppendError, FileOptions, OpenError, PageLimit, StoreError, TenantFile};
use uuid::Uuid;

use super::process::chain;
use super::{Doing, Event, Phase, Pid, World};
use crate::dials::Weather;
use crate::oracle::{
    Archive, Digest, EndState, FileEnd, Holdings, MachineEnd, Reference, Violation, difference,
    digest,
};
use crate::server::HOME;

/// Milliseconds in which a healed world must come to rest.
const REST_WITHIN_MS: u64 = 300_000;
/// Milliseconds between two looks.
const LOOK_MS: u64 = 1_000;
const WHOLE: PageLimit = PageLimit {
    ops: usize::MAX >> 1,
    bytes: usize::MAX >> 1,
};

impl World {
    pub(super) fn heal(&mut self) {
        self.note(format_args!("the world heals"));
        self.phase = Phase::Healing;
        self.healed_at = self.now();
        self.weather = Weather::FAIR;
        self.disk.disarm(HOME);
        self.disk.lift_quota(HOME);
        self.armed.clear();
        for machine in 0..self.machines.len() {
            let home = self.machines[machine].home.clone();
            self.disk.disarm(&home);
            self.disk.lift_quota(&home);
            self.machines[machine].cut_off_until = 0;
            self.schedule.set(1, Event::Login(machine));
        }
        if self.server_binary.age > 0 {
            self.upgrade_server();
        }
        if let Some(server) = &mut self.server {
            server.gate = crate::server::Gate::Open;
        }
        for pid in self.pids() {
            if self.process(pid).binary.age > 0 {
                self.stop(pid);
                self.upgrade(pid);
                self.start_later(pid, 1, 500);
            }
        }
        self.schedule.set(1_000, Event::Wake);
        self.schedule.set(LOOK_MS, Event::Look);
    }

    /// Whether everybody has everything; sets the next look if not.
    pub(super) fn is_at_rest(&mut self) -> Result<bool, Violation> {
        self.bury_the_dead();
        let restless = self.first_restless();
        let Some(why) = restless else {
            if self.last_words {
                return Ok(true);
            }
            // A healed world works: everybody writes once more.
            self.last_words = true;
            self.healed_at = self.now();
            for pid in self.pids() {
                self.write(pid)?;
            }
            self.schedule.set(LOOK_MS, Event::Look);
            return Ok(false);
        };
        if self.now() - self.healed_at > REST_WITHIN_MS {
            return Err(Violation(format!(
                "the healed world does not come to rest: {why}"
            )));
        }
        self.schedule.set(LOOK_MS, Event::Look);
        Ok(false)
    }

    /// What still moves, or should.
    fn first_restless(&mut self) -> Option<String> {
        let Some(head) = self.server_head() else {
            return Some("the server is down".to_owned());
        };
        if self.bare.is_busy() {
            return Some("a caller waits for its answer".to_owned());
        }
        for machine in 0..self.machines.len() {
            if !self.machines[machine].authorized {
                return Some(format!("r{machine} is logged out"));
            }
            let mut syncs = false;
            for pid in self.pids().into_iter().filter(|pid| pid.machine == machine) {
                self.enter(pid);
                let engine = match &mut self.process(pid).doing {
                    Doing::Nothing => return Some(format!("{pid} is down")),
                    Doing::Writing(_) => continue,
                    Doing::Syncing(engine) => engine,
                };
                syncs = true;
                let state = engine.state();
                if !matches!(state, State::Idle | State::Polling | State::Live) {
                    return Some(format!("{pid} is {}", state.name()));
                }
                let status = match engine.replica().status() {
                    Ok(status) => status,
                    Err(error) => return Some(format!("{pid}: {}", chain(&error))),
                };
                let at = (status.epoch, status.cursor);
                if at != (Some(head.epoch), head.cursor) {
                    return Some(format!("{pid} is at {at:?}, the server at {head:?}"));
                }
                if status.pending() + status.acknowledged() > 0 {
                    return Some(format!("{pid} has {:?} in its outbox", status.scopes));
                }
            }
            if !syncs {
                return Some(format!("nobody syncs r{machine}"));
            }
        }
        None
    }

    /// Closes everything, and looks at what is on the disks.
    pub(super) fn check_end(&mut self) -> Result<(), Violation> {
        let views = self.views_of_writers()?;
        for pid in self.pids() {
            self.stop(pid);
        }
        self.end_server();
        play(Binary::default());
        let end = self.end_state().map_err(|error| {
            Violation(format!(
                "a file can't be read at the end: {}",
                chain(&error)
            ))
        })?;
        self.oracle.check_end(&end)?;
        for (pid, view) in views {
            if let Some(lines) = difference(&view, &end.server.view) {
                return Err(Violation(format!(
                    "{pid} does not show the server's view: {lines}"
                )));
            }
        }
        Ok(())
    }

    /// What processes show that don't sync.
    fn views_of_writers(&mut self) -> Result<Vec<(Pid, String)>, Violation> {
        let mut views = Vec::new();
        for pid in self.pids() {
            self.enter(pid);
            let Doing::Writing(replica) = &mut self.process(pid).doing else {
                continue;
            };
            let view = replica.view().map_err(|error| chain(&error));
            let view = view.and_then(|file| file.dump_view().map_err(|error| chain(&error)));
            views.push((
                pid,
                view.map_err(|error| Violation(format!("{pid}: {error}")))?,
            ));
        }
        Ok(views)
    }

    fn end_state(&mut self) -> Result<EndState, EndError> {
        let options = FileOptions {
            vfs: Some(self.disk.vfs_name().to_owned()),
            ..FileOptions::default()
        };
        let mut log = TenantFile::open("server/tenant.db".as_ref(), &options)?;
        let (erased, names) = (erased(&log)?, names(&log)?);
        let server = file_end(&mut log, &mut self.archive, Again::Fold)?;
        let mut machines = Vec::new();
        // Equal views over equal logs need not each be folded again.
        let folded_again = self.chance.below(self.machines.len());
        for (number, machine) in self.machines.iter().enumerate() {
            let again = if number == folded_again {
                Again::Fold
            } else {
                Again::Trust
            };
            let archive = &mut self.archive;
            machines.push(machine_end(
                number,
                &machine.home,
                &options,
                archive,
                again,
            )?);
        }
        let missing = self.oracle.missing(&server.held.log).copied().collect();
        self.archive.count_passed_over(&log, &missing)?;
        let is_there = |digest: &Digest| {
            let mut files = machines.iter().map(|machine| &machine.file.held);
            self.oracle.is_excused(digest)
                || server.held.holds(digest)
                || files.any(|held| held.quarantine.contains(digest))
        };
        let dropped = self.archive.all_covered(is_there);
        Ok(EndState {
            reference: self.reference(&server.held, &machines)?,
            highest_floor: self.highest_floor,
            dropped,
            server,
            erased,
            names,
            machines,
            clocks_leapt: self.clocks_leapt,
        })
    }
}

impl World {
    /// The view of a log that holds everything that the server's has ever held, and behind it what
    /// was promised and dropped before a log was lost: if that was covered, it changes nothing.
    ///
    /// What covered it may itself be lost with a disk, discarded, or in quarantine: of such resources
    /// nothing is asked.
    fn reference(&self, server: &Holdings, machines: &[MachineEnd]) -> Result<Reference, EndError> {
        let is_away = |digest: &Digest| {
            let mut held = machines.iter().map(|machine| &machine.file.held.quarantine);
            self.oracle.is_excused(digest) || held.any(|quarantine| quarantine.contains(digest))
        };
        let unsure = self.archive.resources_of(is_away);
        let options = FileOptions {
            vfs: Some(self.disk.vfs_name().to_owned()),
            ..FileOptions::default()
        };
        let epoch = Epoch::new(Uuid::from_u128(1));
        let origin = Mark::origin([0; 16]);
        let path = Path::new("reference/tenant.db");
        let mut file = TenantFile::create(path, &options, epoch, origin)?;
        let missing = self.oracle.missing(&server.log);
        let missing = missing.filter_map(|digest| self.archive.dropped(digest));
        let missing = missing.filter(|op| {
            let resource = (op.key.scope.clone(), op.key.resource.clone());
            !self.archive.is_collected(&op.key) && !unsure.contains(&resource)
        });
        let missing: Vec<_> = missing.collect();
        let of_threads = missing
            .iter()
            .filter(|op| op.key.scope.as_str() == Scope::THREAD);
        let late = of_threads.map(|op| op.key.resource.as_str().to_owned());
        let late = late.collect();
        // Another life of a replica may have taken the key of an op that was dropped, with one that a row
        // needs: the dropped one was covered, and changes nothing.
        let ops = &server.whole.ops;
        let last_of: HashMap<_, _> = ops.iter().map(|(seq, op)| (&op.key, *seq)).collect();
        let last = ops.iter().filter(|(seq, op)| last_of[&op.key] == **seq);
        let mut batch = file.begin()?;
        for op in last.map(|(_, op)| op).chain(missing) {
            batch.append(&op.key, op.payload.as_ref(), op.payload_hash)?;
        }
        batch.commit()?;
        let view = file.dump_view()?;
        Ok(Reference { view, late })
    }
}

/// Why a file can't be read at the end.
#[derive(Debug, thiserror::Error)]
enum EndError {
    #[error("could not open a file")]
    Open(#[from] OpenError),
    #[error("could not read a file")]
    Store(#[from] StoreError),
    #[error("could not fold everything again")]
    Append(#[from] AppendError),
}

/// Whether a log is folded again, to be compared with its view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Fold,
    Trust,
}

fn machine_end(
    number: usize,
    home: &str,
    options: &FileOptions,
    archive: &mut Archive,
    again: Again,
) -> Result<MachineEnd, EndError> {
    let local = LocalFile::open(format!("{home}local.db").as_ref(), options)?;
    let identity = local.identity()?;
    let path = format!("{home}{}", identity.tenant_file);
    let mut file = file_end(
        &mut TenantFile::open(path.as_ref(), options)?,
        archive,
        again,
    )?;
    file.integrity.push(local.integrity()?);
    let vfs = options.vfs.as_deref().unwrap_or_default();
    let held = Holdings::of_replica(vfs, home, archive);
    file.held.outbox = held.outbox;
    file.held.quarantine = held.quarantine;
    let quarantined = local.quarantined()?;
    let quarantined = quarantined
        .iter()
        .map(|op| (digest(&op.payload_hash), op.code.clone()));
    Ok(MachineEnd {
        number,
        name: home.to_owned(),
        replica: identity.replica.to_string(),
        actor: identity.actor.to_string(),
        file,
        quarantined: quarantined.collect(),
    })
}

fn file_end(
    file: &mut TenantFile,
    archive: &mut Archive,
    again: Again,
) -> Result<FileEnd, EndError> {
    let held = Holdings::of_log(file, archive)?;
    let (head, view) = (file.head()?, file.dump_view()?);
    let integrity = vec![file.integrity()?];
    let folded_again = match again {
        Again::Trust => view.clone(),
        Again::Fold => {
            file.fold_again()?;
            file.dump_view()?
        }
    };
    Ok(FileEnd {
        head,
        held,
        view,
        folded_again,
        integrity,
    })
}

/// The ops of the log that have no payload any more.
fn erased(file: &TenantFile) -> Result<BTreeSet<Digest>, StoreError> {
    let mut erased = BTreeSet::new();
    file.visit_ops_after(ServerSeq::ZERO, WHOLE, |op| {
        if op.payload.is_none() {
            erased.insert(digest(&op.payload_hash));
        }
        Ok(())
    })?;
    Ok(erased)
}

/// The names of the live threads.
fn names(file: &TenantFile) -> Result<BTreeMap<ThreadId, String>, StoreError> {
    let filter = ListFilter::default();
    let page = list_threads(file.connection(), &filter, ListStart::Offset(0), 1_000)?;
    let threads = page.threads.into_iter();
    Ok(threads
        .map(|listed| (listed.thread.thread_id, listed.thread.name))
        .collect())
}
