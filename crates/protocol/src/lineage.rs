//! Epochs: the histories that a log has had, and what a replica of an older one keeps in common.

use syncline_model::planted::{Defect, is_planted};
use syncline_model::{Epoch, ServerSeq};

pub use syncline_model::{EpochMode, Lineage, Parent};

/// Whether a log is known to be the one that a replica has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinship {
    /// It is.
    Same,
    /// Its lineage doesn't know the replica's epoch: a lost server has begun it anew, or it is
    /// another server's. What both hold must tell.
    Unknown,
}

/// What a new epoch means for a replica of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochChange {
    /// The epoch that the server is in.
    pub epoch: Epoch,
    /// No place above this one can be common to both histories.
    pub common_at_most: ServerSeq,
    /// Ops of the replica's log above this place are not offered again.
    pub offer_up_to: ServerSeq,
    /// `Follow` where any step from the common epoch to the current one was meant to discard.
    pub mode: EpochMode,
    pub kinship: Kinship,
}

/// Past every place.
const END: ServerSeq = ServerSeq(u64::MAX);

impl EpochChange {
    /// Finds the nearest epoch that `own` and `current` both come from, and walks from it to
    /// `current`. The lineage may hold side branches: epochs that a restore has left behind.
    ///
    /// An epoch that the lineage doesn't know may be that of a lost server. The marks then say
    /// what is common, if anything is; whatever is above is offered again. One that it knows, and that
    /// shares nothing with the current one, was left behind when a copy from before a loss was put
    /// back: what a restore since then was meant to discard stays so.
    pub fn judge(own: Option<Epoch>, lineage: &[Lineage], current: Epoch) -> Self {
        let ours = own.map(|own| ancestors(own, lineage)).unwrap_or_default();
        let theirs = ancestors(current, lineage);
        let is_known = own.is_none_or(|own| lineage.iter().any(|step| step.epoch == own));
        let mut change = Self {
            epoch: current,
            common_at_most: END,
            offer_up_to: END,
            mode: EpochMode::Heal,
            kinship: if is_known {
                Kinship::Same
            } else {
                Kinship::Unknown
            },
        };
        let met = theirs.iter().enumerate().find_map(|(steps, ancestor)| {
            let ours = ours.iter().find(|own| own.epoch == ancestor.epoch)?;
            Some((steps, ours.left_at))
        });
        let Some((steps, left_at)) = met else {
            if discards_since(&ours, &theirs, lineage) {
                change.mode = EpochMode::Follow;
                change.offer_up_to = ServerSeq::ZERO;
            }
            return change;
        };
        change.common_at_most = left_at;
        for step in theirs[..steps].iter().rev().filter_map(|step| step.parent) {
            change.common_at_most = change.common_at_most.min(step.cursor.server_seq);
            if step.mode == EpochMode::Follow && !is_planted(Defect::OfferDiscarded) {
                change.mode = EpochMode::Follow;
                change.offer_up_to = change.offer_up_to.min(change.common_at_most);
            }
        }
        change
    }
}

/// Whether a step to the current epoch was meant to discard, of those taken since the lineage first
/// knew of `ours`: it goes by the order in which epochs were noted.
fn discards_since(ours: &[Ancestor], theirs: &[Ancestor], lineage: &[Lineage]) -> bool {
    let noted = |ancestor: &Ancestor| lineage.iter().position(|step| step.epoch == ancestor.epoch);
    let Some(left_behind) = ours.last().and_then(noted) else {
        return false;
    };
    let since = theirs.iter().filter(|step| noted(step) > Some(left_behind));
    let mut parents = since.filter_map(|step| step.parent);
    parents.any(|parent| parent.mode == EpochMode::Follow) && !is_planted(Defect::OfferDiscarded)
}

/// An epoch on the way up from another.
struct Ancestor {
    epoch: Epoch,
    parent: Option<Parent>,
    /// The highest place of this epoch that the one we come from can have.
    left_at: ServerSeq,
}

/// `epoch` and what it comes from, nearest first, as far as the lineage knows.
fn ancestors(epoch: Epoch, lineage: &[Lineage]) -> Vec<Ancestor> {
    let mut found: Vec<Ancestor> = Vec::new();
    let (mut next, mut left_at) = (Some(epoch), END);
    // A lineage that turns back on itself ends after as many steps as it has.
    while let Some(epoch) = next.take().filter(|_| found.len() <= lineage.len()) {
        let parent = lineage
            .iter()
            .find(|step| step.epoch == epoch)
            .and_then(|step| step.parent);
        found.push(Ancestor {
            epoch,
            parent,
            left_at,
        });
        if let Some(parent) = parent {
            left_at = left_at.min(parent.cursor.server_seq);
            next = Some(parent.epoch);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use EpochMode::{Follow, Heal};
    use syncline_model::{Cursor, Mark};

    use super::*;

    fn epoch(n: u32) -> Epoch {
        format!("{n:032x}").parse().unwrap()
    }

    /// Steps as (epoch, parent, place, mode); epoch 1 has no parent.
    fn judge(own: u32, steps: &[(u32, u32, u64, EpochMode)], current: u32) -> EpochChange {
        let mut lineage = vec![Lineage {
            epoch: epoch(1),
            parent: None,
        }];
        lineage.extend(steps.iter().map(|&(to, from, place, mode)| {
            let cursor = Cursor {
                server_seq: ServerSeq(place),
                mark: Mark::origin([0; 16]),
            };
            Lineage {
                epoch: epoch(to),
                parent: Some(Parent {
                    epoch: epoch(from),
                    cursor,
                    mode,
                }),
            }
        }));
        EpochChange::judge(Some(epoch(own)), &lineage, epoch(current))
    }

    fn check(change: EpochChange, common: u64, offer: u64, mode: EpochMode) {
        let found = (
            change.common_at_most.get(),
            change.offer_up_to.get(),
            change.mode,
        );
        assert_eq!(found, (common, offer, mode));
    }

    #[test]
    fn a_restore_is_healed_above_its_place() {
        check(judge(1, &[(2, 1, 100, Heal)], 2), 100, u64::MAX, Heal);
    }

    /// World 2336: a server was lost, its log seeded anew from replicas, and then an older copy was
    /// put back, to discard.
    #[test]
    fn what_shares_nothing_with_a_copy_put_back_to_discard_is_not_offered_again() {
        let parent = |place, mode| {
            let cursor = Cursor {
                server_seq: ServerSeq(place),
                mark: Mark::origin([0; 16]),
            };
            let epoch = epoch(1);
            Some(Parent {
                epoch,
                cursor,
                mode,
            })
        };
        let step = |n, parent| Lineage {
            epoch: epoch(n),
            parent,
        };
        let discarding = [step(1, None), step(7, None), step(2, parent(50, Follow))];
        let change = EpochChange::judge(Some(epoch(7)), &discarding, epoch(2));
        check(change, u64::MAX, 0, Follow);
        let discarded_before = [step(1, None), step(2, parent(50, Follow)), step(7, None)];
        let change = EpochChange::judge(Some(epoch(7)), &discarded_before, epoch(2));
        check(change, u64::MAX, u64::MAX, Heal);
        let unknown = EpochChange::judge(Some(epoch(9)), &discarding, epoch(2));
        check(unknown, u64::MAX, u64::MAX, Heal);
    }

    #[test]
    fn a_reset_offers_nothing_again() {
        check(judge(1, &[(2, 1, 0, Follow)], 2), 0, 0, Follow);
    }

    #[test]
    fn what_one_step_discards_no_later_one_brings_back() {
        check(
            judge(1, &[(2, 1, 50, Follow), (3, 2, 30, Heal)], 3),
            30,
            50,
            Follow,
        );
        check(
            judge(1, &[(2, 1, 100, Heal), (3, 2, 120, Follow)], 3),
            100,
            100,
            Follow,
        );
        check(
            judge(2, &[(2, 1, 50, Follow), (3, 2, 70, Heal)], 3),
            70,
            u64::MAX,
            Heal,
        );
    }

    #[test]
    fn an_epoch_left_behind_is_followed_from_where_it_branched() {
        let branches = [(2, 1, 100, Heal), (3, 1, 80, Follow)];
        check(judge(2, &branches, 3), 80, 80, Follow);
        check(
            judge(2, &[(2, 1, 60, Heal), (3, 1, 80, Follow)], 3),
            60,
            60,
            Follow,
        );
    }

    #[test]
    fn a_server_put_back_to_an_older_epoch_is_healed() {
        check(judge(2, &[(2, 1, 100, Follow)], 1), 100, u64::MAX, Heal);
    }

    #[test]
    fn an_unknown_epoch_leaves_it_to_the_marks() {
        check(
            judge(9, &[(2, 1, 100, Follow)], 2),
            u64::MAX,
            u64::MAX,
            Heal,
        );
        let none = EpochChange::judge(None, &[], epoch(2));
        check(none, u64::MAX, u64::MAX, Heal);
    }

    #[test]
    fn a_log_whose_lineage_does_not_know_the_replicas_epoch_may_be_anothers() {
        let kinship = |own, current| judge(own, &[(2, 1, 100, Follow)], current).kinship;
        assert_eq!(kinship(1, 2), Kinship::Same);
        assert_eq!(kinship(2, 1), Kinship::Same);
        assert_eq!(kinship(9, 2), Kinship::Unknown);
        let new = EpochChange::judge(None, &[], epoch(2));
        assert_eq!(new.kinship, Kinship::Same);
    }

    #[test]
    fn a_lineage_that_turns_back_on_itself_ends() {
        check(
            judge(9, &[(2, 3, 5, Heal), (3, 2, 5, Heal)], 2),
            u64::MAX,
            u64::MAX,
            Heal,
        );
    }
}
