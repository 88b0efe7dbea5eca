//! Events of hooks that no daemon has taken.

use syncline_capture::hook::{self, HookEvent, Spool, SpoolError, Spooled, TakeError};
use syncline_capture::import::Source;
use syncline_replica::Replica;

use crate::context::Context;
use crate::failure::Failure;

/// What waits beside the replica.
pub(super) struct Waiting {
    spool: Spool,
    spooled: Vec<Spooled>,
    /// Whether events were left out, as there was no room.
    left_out: bool,
    /// How many could not be read, and were set aside.
    pub(super) set_aside: u64,
}

impl Waiting {
    /// What waits now.
    pub(super) fn read(context: &Context) -> Result<Self, Failure> {
        let spool = Spool::beside(&context.replica_dir()?);
        let found = spool.read()?;
        Ok(Self {
            spool,
            spooled: found.events,
            left_out: found.left_out,
            set_aside: found.set_aside,
        })
    }

    /// The usual places, with those that only an event names. Where no agent has left anything, what waits
    /// is still taken: it names nothing that is there, and would wait for ever.
    pub(super) fn with(&self, usual: Result<Vec<Source>, Failure>) -> Result<Vec<Source>, Failure> {
        let named = hook::sources(&self.events(), &[]);
        let mut sources = match usual {
            Err(_) if self.left_out || !self.spooled.is_empty() => Vec::new(),
            usual => usual?,
        };
        let is_covered = |source: &Source| {
            let mut usual = sources.iter().filter(|usual| usual.agent == source.agent);
            usual.any(|usual| source.root.starts_with(&usual.root))
        };
        let further: Vec<Source> = named
            .into_iter()
            .filter(|named| !is_covered(named))
            .collect();
        sources.extend(further);
        Ok(sources)
    }

    /// Notes what the events say, now that what they name is read, and lets go of them. Gives how many
    /// ops that took.
    pub(super) fn finish(self, replica: &mut Replica) -> Result<u64, Failure> {
        let ops = hook::note_turns(&self.events(), replica)?;
        self.spool.remove(&self.spooled)?;
        self.spool.forget_left_out()?;
        Ok(ops)
    }

    fn events(&self) -> Vec<HookEvent> {
        let events = self.spooled.iter();
        events.map(|spooled| spooled.event.clone()).collect()
    }
}

impl From<SpoolError> for Failure {
    fn from(error: SpoolError) -> Self {
        Self::new("spool_failed", "could not take the events of hooks")
            .because(error)
            .state("they wait where they are")
            .fix("syncline doctor")
    }
}

impl From<TakeError> for Failure {
    fn from(error: TakeError) -> Self {
        Self::new("import_failed", "could not note what hooks have told")
            .because(error)
            .state("what was imported stays, and the events wait for the next import")
            .fix("syncline doctor")
    }
}
