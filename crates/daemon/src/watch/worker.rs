//! The watching thread.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncline_capture::agent::Agent;
use syncline_capture::hook::{self, Spool};
use syncline_capture::import::{ImportError, Importer, Keeping, Problem, Source};
use syncline_capture::places::histories;
use syncline_capture::redact::RedactOptionsError;
use syncline_model::session::SessionId;
use syncline_replica::{Lease, Replica, ReplicaError};
use syncline_store::local::WriteError;

use super::due::Due;
use super::places::Places;
use super::state::{State, Trouble};
use super::{Pending, Shared, lock};
use crate::capture::CaptureSettings;
use crate::record::InForce;

/// How often it is looked whether places have come or gone, and whether events wait.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How often everything is looked at, where the system tells of changes, and where it does not.
const SWEEP_EVERY: Duration = Duration::from_secs(900);
const POLL_EVERY: Duration = Duration::from_secs(30);
/// A look at everything rests for so many times as long as it took.
const SWEEP_REST: u32 = 2_000;
/// How long another import is waited for before it is asked again.
const LEASE_EVERY: Duration = Duration::from_millis(500);
/// How long is waited after a failure: at first, and at most.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(300);
/// Places that can't be read which are logged by one look, each on a line.
const PROBLEMS_LOGGED_MAX: usize = 20;
/// Those that are remembered, so that each is said once; past this, all may be said again.
const PROBLEMS_TOLD_MAX: usize = 10_000;

/// The watching thread's own.
#[derive(Debug)]
pub(super) struct Worker {
    replica: Replica,
    spool: Spool,
    captured: InForce,
    settings: CaptureSettings,
    shared: Arc<Shared>,
    places: Places,
    due: Due,
    look_at: Instant,
    sweep_at: Instant,
    reading: Tries,
    taking: Tries,
    /// What could not be read, as far as it was said.
    problems_told: HashSet<String>,
}

/// How often something has failed on end, and until when it is not tried again.
#[derive(Debug)]
struct Tries {
    failures: u32,
    held_until: Instant,
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("another import is under way")]
    Busy,
    #[error("could not ask for the right to import")]
    Lease(#[source] ReplicaError),
    #[error("could not use the rules of redaction")]
    Privacy(#[source] RedactOptionsError),
    #[error("could not read what agents left")]
    Import(#[source] ImportError),
    #[error("could not write what agents left")]
    Write(#[source] WriteError),
    #[error("could not ask where sessions have worked")]
    Directories(#[source] ReplicaError),
    #[error("could not bound the memory of an import")]
    Memory(#[source] ReplicaError),
    #[error("could not use the events that wait")]
    Spool(#[source] hook::SpoolError),
    #[error("could not take the events that wait")]
    Take(#[source] hook::TakeError),
}

impl Worker {
    pub(super) fn new(
        replica: Replica,
        spool: Spool,
        captured: InForce,
        shared: Arc<Shared>,
    ) -> Self {
        let now = Instant::now();
        Self {
            replica,
            spool,
            captured,
            settings: CaptureSettings::off(),
            places: Places::new(Arc::clone(&shared)),
            shared,
            due: Due::default(),
            look_at: now,
            sweep_at: now,
            reading: Tries::new(now),
            taking: Tries::new(now),
            problems_told: HashSet::new(),
        }
    }

    /// Works until it is stopped.
    pub(super) fn run(mut self) {
        self.configure();
        loop {
            let pending = self.shared.wait(self.next());
            if pending.stop {
                return;
            }
            self.turn(pending);
        }
    }

    fn next(&self) -> Instant {
        let reading = self.due.next().unwrap_or(self.sweep_at).min(self.sweep_at);
        reading.max(self.reading.held_until).min(self.look_at)
    }

    fn turn(&mut self, pending: Pending) {
        if pending.configured {
            self.configure();
        }
        let now = Instant::now();
        for path in pending.changed {
            if let Some((agent, path)) = self.places.reading(&path) {
                self.due.changed(agent, path, now);
            }
        }
        if pending.lost {
            self.sweep_at = now;
        }
        let looking = now >= self.look_at;
        if looking {
            self.look_at = now + LOOK_EVERY;
            for Source { agent, root } in self.places.look() {
                self.due.changed(agent, root, now);
            }
            self.show_places();
        }
        if pending.spooled || (looking && now >= self.taking.held_until) {
            let taken = self.take_spool();
            self.taking.note(&taken);
            if let Err(ReadError::Busy) = taken {
                self.look_at = self.look_at.min(self.taking.held_until);
            }
            self.tell(taken, |state| &mut state.hook_error);
        }
        let is_due = now >= self.sweep_at || self.due.next().is_some_and(|at| at <= now);
        if is_due && now >= self.reading.held_until {
            let read = self.read_due(now);
            self.reading.note(&read);
            self.tell(read, |state| &mut state.error);
        }
    }

    /// Goes by the settings in force from here on.
    fn configure(&mut self) {
        let settings = lock(&self.captured).clone();
        if settings == self.settings {
            return;
        }
        self.settings = settings;
        self.places.set(self.settings.watched());
        self.places.look();
        self.due.clear();
        self.sweep_at = Instant::now();
        self.reading = Tries::new(self.sweep_at);
        self.show_places();
    }

    /// Reads what is due; everything, if that is.
    fn read_due(&mut self, now: Instant) -> Result<(), ReadError> {
        let sweeping = now >= self.sweep_at;
        let sources = match sweeping {
            true => self.places.sources(),
            false => self.due.take(now),
        };
        let began = Instant::now();
        if let Err(error) = self.read(&sources) {
            // They are read with everything else, once that can be.
            self.sweep_at = now;
            return Err(error);
        }
        let took = began.elapsed();
        if sweeping {
            let every = match self.places.is_any_polled() {
                true => POLL_EVERY,
                false => SWEEP_EVERY,
            };
            self.due.clear();
            self.watch_histories()?;
            self.sweep_at = Instant::now() + every.max(took * SWEEP_REST);
            lock(&self.shared.state).last_sweep_at = Some(self.replica.now());
        } else {
            self.due.took(&sources, took, Instant::now());
        }
        Ok(())
    }

    /// Watches Aider's histories in the repositories that sessions are known to have worked in.
    fn watch_histories(&mut self) -> Result<(), ReadError> {
        if self.settings.takes(Agent::Aider) {
            let known = self.replica.session_directories();
            let known = known.map_err(ReadError::Directories)?;
            self.places.add(histories(known));
            self.look_at = Instant::now();
        }
        Ok(())
    }

    fn read(&mut self, sources: &[Source]) -> Result<(), ReadError> {
        if sources.is_empty() {
            return Ok(());
        }
        let _lease = self.lease()?;
        // Each time, as another process may have put a new file in the place of the one at hand.
        self.replica
            .use_little_memory()
            .map_err(ReadError::Memory)?;
        let privacy = self.settings.privacy().map_err(ReadError::Privacy)?;
        let importer = Importer::new(sources, Keeping::Written, privacy, &mut self.replica);
        let mut importer = importer.map_err(ReadError::Import)?.in_small_batches();
        let mut problems = Vec::new();
        while !self.shared.is_stopped() {
            let batch = importer.next_batch(&self.replica);
            let Some(batch) = batch.map_err(ReadError::Import)? else {
                break;
            };
            let written = self.replica.write_imported(&batch.ops, &batch.notes);
            written.map_err(ReadError::Write)?;
            let now = self.replica.now();
            let mut state = lock(&self.shared.state);
            state.ops += batch.ops.len() as u64;
            state.redacted += batch.counts.redacted;
            for file in &batch.notes.files {
                let agent = state.agents.entry(file.agent.clone()).or_default();
                agent.reads += 1;
                agent.last_read_at = Some(now);
            }
            drop(state);
            self.tell_marked_late(&batch.marked_late);
            self.tell_unplaced(&batch.unplaced);
            problems.extend(batch.problems);
        }
        self.tell_problems(&problems);
        Ok(())
    }

    /// Says once what can't be read: some of it is found at every look, and of a line that is damaged
    /// nothing else tells where it is.
    fn tell_problems(&mut self, problems: &[Problem]) {
        let place = |problem: &Problem| {
            let path = problem.path.display();
            format!("{path}\0{:?}\0{}", problem.line, problem.cause)
        };
        let news: Vec<_> = problems
            .iter()
            .filter(|problem| self.problems_told.insert(place(problem)))
            .collect();
        for problem in news.iter().take(PROBLEMS_LOGGED_MAX) {
            tracing::warn!(
                path = %problem.path.display(), line = problem.line, cause = problem.cause,
                "some of what agents left could not be read"
            );
        }
        if news.len() > PROBLEMS_LOGGED_MAX {
            let more = news.len() - PROBLEMS_LOGGED_MAX;
            tracing::warn!(more, "and so could more places of the same files");
        }
        lock(&self.shared.state).problems += news.len() as u64;
        if self.problems_told.len() > PROBLEMS_TOLD_MAX {
            self.problems_told.clear();
        }
    }

    fn tell_marked_late(&mut self, sessions: &[SessionId]) {
        let is_news = |late: &&SessionId| self.problems_told.insert(format!("marked late {late}"));
        for session in sessions.iter().filter(is_news) {
            tracing::warn!(%session, "a session is not to be recorded, and some of it is");
        }
    }

    /// Says once of a session that rules by place can't leave it out.
    fn tell_unplaced(&mut self, sessions: &[SessionId]) {
        let is_news = |bare: &&SessionId| self.problems_told.insert(format!("unplaced {bare}"));
        for session in sessions.iter().filter(is_news) {
            tracing::warn!(
                %session, "exclude_paths can't be held to a session: nothing tells its directory"
            );
        }
    }

    /// Takes the events of hooks that wait, and reads what they name.
    fn take_spool(&mut self) -> Result<(), ReadError> {
        let found = self.spool.read().map_err(ReadError::Spool)?;
        if found.set_aside > 0 {
            tracing::warn!(files = found.set_aside, "events of hooks could not be read");
        }
        if found.left_out {
            // What was left out may have named any of them.
            self.sweep_at = Instant::now();
            self.spool.forget_left_out().map_err(ReadError::Spool)?;
        }
        if found.events.is_empty() {
            return Ok(());
        }
        let lease = self.lease()?;
        let events = found.events.iter().map(|spooled| spooled.event.clone());
        let taken_agent = |event: &hook::HookEvent| {
            let agent = event.agent().as_str();
            self.settings.captured.takes(agent)
        };
        let events: Vec<_> = events.filter(taken_agent).collect();
        let privacy = self.settings.privacy().map_err(ReadError::Privacy)?;
        let places = self.settings.watched();
        let taken = hook::take(&events, &places, privacy, &mut self.replica, &lease);
        let taken = taken.map_err(ReadError::Take)?;
        drop(lease);
        self.spool.remove(&found.events).map_err(ReadError::Spool)?;
        self.tell_marked_late(&taken.marked_late);
        self.tell_problems(&taken.problems);
        let mut state = lock(&self.shared.state);
        state.hooks += found.events.len() as u64;
        state.ops += taken.ops;
        state.redacted += taken.counts.redacted;
        Ok(())
    }

    fn lease(&self) -> Result<Lease, ReadError> {
        let lease = self.replica.try_import_lease().map_err(ReadError::Lease)?;
        lease.ok_or(ReadError::Busy)
    }

    /// Says how it went, in the log and in what the state says of it.
    fn tell(
        &self,
        outcome: Result<(), ReadError>,
        trouble: impl FnOnce(&mut State) -> &mut Option<Trouble>,
    ) {
        let told = match outcome {
            Ok(()) => None,
            Err(ReadError::Busy) => return,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "what agents left could not be taken; it is tried again"
                );
                Some(Trouble {
                    message: error.to_string(),
                    at: self.replica.now(),
                })
            }
        };
        *trouble(&mut lock(&self.shared.state)) = told;
    }

    fn show_places(&self) {
        let mut state = lock(&self.shared.state);
        let State { agents, .. } = &mut *state;
        agents.values_mut().for_each(|agent| agent.places.clear());
        for (agent, place) in self.places.states() {
            let agent = agents.entry(agent.as_str().to_owned()).or_default();
            agent.places.push(place);
        }
        agents.retain(|_, agent| !agent.places.is_empty());
    }
}

impl Tries {
    fn new(now: Instant) -> Self {
        Self {
            failures: 0,
            held_until: now,
        }
    }

    /// Notes how it went; what fails is tried again later and later.
    fn note(&mut self, outcome: &Result<(), ReadError>) {
        let now = Instant::now();
        match outcome {
            Ok(()) => *self = Self::new(now),
            Err(ReadError::Busy) => self.held_until = now + LEASE_EVERY,
            Err(_) => {
                let wait = RETRY * 2_u32.saturating_pow(self.failures.min(16));
                self.failures += 1;
                self.held_until = now + wait.min(RETRY_MAX);
            }
        }
    }
}
