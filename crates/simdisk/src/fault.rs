//! Faults set to strike at the n-th read, write or sync from now, or now and then.

use rand::Rng;
use rand::rngs::StdRng;

use crate::state::ProcessKey;

/// What a process does to the disk, as far as faults tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Read,
    /// A write or a truncation.
    Write,
    Sync,
    /// Whatever changes what a power loss leaves: a write, a sync, a removal, a renaming.
    Change,
}

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Once, at the n-th of its verb from now; the first is 1.
    Nth(u64),
    /// At each with the chance of one in so many, until disarmed.
    OneIn(u32),
}

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The call fails with an I/O error, and the process goes on. What a failed sync should have covered may
    /// be lost, whatever later syncs say.
    Fail,
    /// The process is killed in the call. Of a prefix: all that [`Disk::kill`](crate::Disk::kill) kills there.
    Kill,
    /// The machine loses power in the call. Of a process: that which its home stands for.
    PowerLoss,
}

/// A fault to arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub verb: Verb,
    pub when: When,
    pub effect: Effect,
}

impl Fault {
    /// Power loss in the n-th change from now: the change is made, and is then as little synced as any other.
    pub const fn power_loss_at(change: u64) -> Self {
        Self {
            verb: Verb::Change,
            when: When::Nth(change),
            effect: Effect::PowerLoss,
        }
    }

    /// Death of the process in the n-th change from now.
    pub const fn kill_at(change: u64) -> Self {
        Self {
            verb: Verb::Change,
            when: When::Nth(change),
            effect: Effect::Kill,
        }
    }

    /// An I/O error at the n-th `verb` from now.
    pub const fn failure_at(verb: Verb, nth: u64) -> Self {
        Self {
            verb,
            when: When::Nth(nth),
            effect: Effect::Fail,
        }
    }
}

/// What a call is, of which several verbs may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Write,
    Sync,
    Name,
}

impl Call {
    fn is(self, verb: Verb) -> bool {
        match verb {
            Verb::Read => self == Self::Read,
            Verb::Write => self == Self::Write,
            Verb::Sync => self == Self::Sync,
            Verb::Change => self != Self::Read,
        }
    }
}

/// Whose calls a fault counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Realm {
    Process(ProcessKey),
    Prefix(String),
}

impl Realm {
    fn holds(&self, process: ProcessKey, path: &str) -> bool {
        match self {
            Self::Process(own) => *own == process,
            Self::Prefix(prefix) => path.starts_with(prefix.as_str()),
        }
    }
}

struct Armed {
    realm: Realm,
    fault: Fault,
    /// Calls still to go, for a fault that counts.
    left: u64,
}

/// The armed faults of a disk.
#[derive(Default)]
pub(crate) struct Faults {
    armed: Vec<Armed>,
}

impl Faults {
    pub(crate) fn arm(&mut self, realm: Realm, fault: Fault) {
        let left = match fault.when {
            When::Nth(nth) => {
                assert!(nth > 0, "the first call is 1");
                nth
            }
            When::OneIn(calls) => u64::from(calls),
        };
        self.armed.push(Armed { realm, fault, left });
    }

    pub(crate) fn disarm(&mut self, realm: &Realm) {
        self.armed.retain(|armed| armed.realm != *realm);
    }

    pub(crate) fn is_armed(&self, realm: &Realm) -> bool {
        self.armed.iter().any(|armed| armed.realm == *realm)
    }

    /// Counts a call, and says what strikes in it, if anything: of several faults the one armed first.
    pub(crate) fn count(
        &mut self,
        process: ProcessKey,
        path: &str,
        call: Call,
        chance: &mut StdRng,
    ) -> Option<(Effect, Realm)> {
        let mut struck = None;
        self.armed.retain_mut(|armed| {
            if !call.is(armed.fault.verb) || !armed.realm.holds(process, path) {
                return true;
            }
            let (strikes, stays) = match armed.fault.when {
                When::Nth(_) => {
                    armed.left -= 1;
                    (armed.left == 0, armed.left > 0)
                }
                When::OneIn(calls) => (chance.random_ratio(1, calls), true),
            };
            if strikes && struck.is_none() {
                struck = Some((armed.fault.effect, armed.realm.clone()));
            }
            stays
        });
        struck
    }
}
