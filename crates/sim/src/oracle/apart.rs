//! Whether a replica may keep away from a log: only from one that has nothing of its own.

use std::collections::BTreeSet;

use syncline_model::OpKey;

use super::Holdings;

/// Whether a log was ever in a replica's epoch, or took the place of one that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kin {
    Known,
    Unknown,
}

/// A replica and the server's log, of which it has fetched all.
pub(crate) struct Meeting<'a> {
    pub(crate) own: &'a Holdings,
    /// The server's log as it was before the first of it was fetched.
    pub(crate) met: &'a Holdings,
    /// The server's log after the last of it was fetched.
    pub(crate) now: &'a Holdings,
    pub(crate) kin: Kin,
}

impl Meeting<'_> {
    /// Why the replica should not keep away; none: it should, or nobody can tell.
    pub(crate) fn objection(&self) -> Option<String> {
        if !self.is_one_log() {
            return None;
        }
        if self.kin == Kin::Known {
            return Some("the log was in the replica's epoch".to_owned());
        }
        if self.own.log.is_empty() {
            return Some("its own is empty".to_owned());
        }
        if self.now.log.is_empty() {
            return Some("the log is empty".to_owned());
        }
        let own: BTreeSet<&OpKey> = keys(self.own).collect();
        let common = keys(self.met).find(|key| own.contains(key));
        common.map(|key| format!("both hold {key:?}"))
    }

    /// Whether the log was not put back while it was fetched.
    fn is_one_log(&self) -> bool {
        let places = self.now.log.iter().take(self.met.log.len());
        self.now.epoch == self.met.epoch && places.eq(&self.met.log)
    }
}

/// The keys of all ops of a log, also of those that it has dropped.
fn keys(held: &Holdings) -> impl Iterator<Item = &OpKey> {
    held.whole.ops.values().map(|op| &op.key)
}

#[cfg(test)]
mod tests {
    use syncline_model::{ActorId, Clock, Epoch, LoggedOp, Payload, ResourceId, Scope, ServerSeq};
    use uuid::Uuid;

    use super::*;
    use crate::oracle::digest;
    use crate::workload::OPAQUE_SCOPE;

    fn log(epoch: u128, clocks: &[u64]) -> Holdings {
        let mut held = Holdings {
            epoch: Some(Epoch::new(Uuid::from_u128(epoch))),
            ..Holdings::default()
        };
        for (seq, clock) in (1..).map(ServerSeq).zip(clocks) {
            let payload = Payload::parse(&format!("{{\"n\":{clock}}}")).unwrap();
            let op = LoggedOp {
                seq,
                key: OpKey {
                    actor: ActorId::new("a").unwrap(),
                    clock: Clock::new(*clock).unwrap(),
                    scope: Scope::new(OPAQUE_SCOPE).unwrap(),
                    resource: ResourceId::new("one").unwrap(),
                },
                payload_hash: payload.hash(),
                payload: Some(payload),
            };
            held.log.insert(seq, digest(&op.payload_hash));
            held.whole.ops.insert(seq, op);
        }
        held
    }

    #[test]
    fn a_replica_keeps_away_only_from_a_log_that_has_nothing_of_its_own() {
        let own = log(1, &[1, 2]);
        let why = |own: &Holdings, met: &Holdings, now: &Holdings, kin| {
            let meeting = Meeting { own, met, now, kin };
            meeting.objection().is_some()
        };
        let (other, common, empty) = (log(2, &[3]), log(2, &[3, 2]), log(2, &[]));
        assert!(!why(&own, &other, &other, Kin::Unknown));
        assert!(why(&own, &other, &other, Kin::Known));
        assert!(why(&own, &common, &common, Kin::Unknown));
        assert!(why(&own, &empty, &empty, Kin::Unknown));
        assert!(why(&log(1, &[]), &other, &other, Kin::Unknown));
        // Healed by another, or written to, after the first of it was fetched.
        assert!(!why(&own, &other, &common, Kin::Unknown));
        assert!(!why(&own, &empty, &other, Kin::Unknown));
        // Put back after that.
        assert!(!why(&own, &common, &other, Kin::Unknown));
        assert!(!why(&own, &common, &log(3, &[3, 2]), Kin::Unknown));
    }
}
