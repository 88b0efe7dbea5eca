//! Epochs: the histories that a log has had, and what a replica of an older one keeps in common.

use syncline_model::{Epoch, ServerSeq};

pub use syncline_model::{EpochMode, Lineage, Parent};

/// What a new epoch means for a replica of an older one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochChange {
    /// The epoch that the server is in.
    pub epoch: Epoch,
    /// No place above this one can be common to both histories.
    pub common_at_most: ServerSeq,
    /// Ops of the replica's log above this place are not offered again.
    pub offer_up_to: ServerSeq,
    /// `Follow` where any step from the replica's epoch to the current one was meant to discard.
    pub mode: EpochMode,
}

impl EpochChange {
    /// Walks `lineage` (oldest first) from the epoch `own` to its last.
    ///
    /// An epoch that the lineage doesn't know is that of a lost server: nothing is common, and
    /// everything is offered again.
    pub fn judge(own: Epoch, lineage: &[Lineage], current: Epoch) -> Self {
        const END: ServerSeq = ServerSeq(u64::MAX);
        let mut change = Self {
            epoch: current,
            common_at_most: END,
            offer_up_to: END,
            mode: EpochMode::Heal,
        };
        let mut at = current;
        let mut steps = Vec::new();
        while at != own {
            let parent = lineage
                .iter()
                .find(|step| step.epoch == at)
                .and_then(|step| step.parent);
            // A lineage as long as itself has turned back on itself.
            let Some(parent) = parent.filter(|_| steps.len() < lineage.len()) else {
                change.common_at_most = ServerSeq::ZERO;
                return change;
            };
            steps.push(parent);
            at = parent.epoch;
        }
        for step in steps.iter().rev() {
            change.common_at_most = change.common_at_most.min(step.cursor.server_seq);
            if step.mode == EpochMode::Follow {
                change.mode = EpochMode::Follow;
                change.offer_up_to = change.offer_up_to.min(change.common_at_most);
            }
        }
        change
    }
}
