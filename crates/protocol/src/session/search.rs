//! The search for the last common place of two logs: marks chain, so the places that verify are
//! those up to one, and a binary search over the kept marks finds it.

use syncline_model::{Cursor, Epoch, ServerSeq};

use super::action::{Common, Plan};
use crate::{EpochChange, EpochMode, Kinship};

/// Why a search began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The same epoch, another log: a server put back from a copy, or regrown past our cursor.
    Diverged,
    /// Another epoch.
    Epoch(EpochChange),
}

/// How far a search has come. The place looked for is in `low..=high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    cause: Cause,
    /// This replica's cursor, once known.
    top: Option<Cursor>,
    /// The highest place that verified, if one has.
    common: Option<Cursor>,
    low: u64,
    high: u64,
    /// The place whose mark was asked for last.
    asked: u64,
    /// The place that the server was asked about last.
    probed: Option<Cursor>,
}

/// What a search does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    FindMark(Search, ServerSeq),
    Probe(Search, Cursor),
    Found(Found),
}

/// The last common place, and whether the replica stands on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) cause: Cause,
    pub(super) common: Cursor,
    pub(super) at_cursor: bool,
}

impl Search {
    /// Begins a search; no place above `head` can be common.
    pub(super) fn begin(cause: Cause, head: Option<ServerSeq>) -> Self {
        let most = match cause {
            Cause::Diverged => u64::MAX,
            Cause::Epoch(change) => change.common_at_most.get(),
        };
        Self {
            cause,
            top: None,
            common: None,
            low: 0,
            high: head.map_or(most, |head| head.get().min(most)),
            asked: u64::MAX,
            probed: None,
        }
    }

    /// The place whose mark is looked for; at first past every place, which finds the cursor.
    pub(super) fn asked(&self) -> ServerSeq {
        ServerSeq(self.asked)
    }

    /// The epoch that probes name.
    pub(super) fn epoch(&self) -> Option<Epoch> {
        match self.cause {
            Cause::Diverged => None,
            Cause::Epoch(change) => Some(change.epoch),
        }
    }

    /// Goes on with the newest kept mark at or below the place asked for.
    pub(super) fn mark_found(mut self, found: Cursor) -> Next {
        if self.top.is_none() {
            self.top = Some(found);
            self.high = self.high.min(found.server_seq.get());
            // The highest place first: where little was lost, it is the one.
            return self.ask(self.high);
        }
        if found.server_seq.get() <= self.low {
            // No mark is kept between `low` and the place asked for.
            self.low = self.asked;
            return self.halve();
        }
        self.probed = Some(found);
        Next::Probe(self, found)
    }

    /// The probed place is common.
    pub(super) fn verified(mut self) -> Next {
        self.common = self.probed;
        self.low = self.asked;
        self.halve()
    }

    /// The probed place is not common, nor is any above the server's head.
    pub(super) fn refuted(mut self, head: Option<ServerSeq>) -> Next {
        let place = self
            .probed
            .map_or(self.asked, |probed| probed.server_seq.get());
        let head = head.map_or(u64::MAX, ServerSeq::get);
        self.high = self.high.min(place.saturating_sub(1)).min(head);
        self.halve()
    }

    /// The probed place is below the server's floor: it can't be told, and counts as lower than the
    /// one looked for.
    pub(super) fn below_floor(mut self) -> Next {
        self.low = self.asked;
        self.halve()
    }

    fn halve(self) -> Next {
        if self.low >= self.high {
            let common = self.common.unwrap_or(Cursor::ORIGIN);
            // A file that is still empty knows no place of the server's, not even place 0.
            let at_cursor = self.common.is_some() && self.top == self.common;
            return Next::Found(Found {
                cause: self.cause,
                common,
                at_cursor,
            });
        }
        let middle = self.low + (self.high - self.low).div_ceil(2);
        self.ask(middle)
    }

    fn ask(mut self, place: u64) -> Next {
        if place <= self.low {
            return self.halve();
        }
        self.asked = place;
        Next::FindMark(self, ServerSeq(place))
    }
}

impl Found {
    /// The rebuild that this place calls for.
    pub(super) fn plan(self) -> Plan {
        match self.cause {
            Cause::Diverged => Plan {
                epoch: None,
                common: Common::At(self.common),
                offer_up_to: ServerSeq(u64::MAX),
                mode: EpochMode::Heal,
                kinship: Kinship::Same,
            },
            Cause::Epoch(change) => Plan {
                epoch: Some(change.epoch),
                common: Common::At(self.common),
                offer_up_to: change.offer_up_to,
                mode: change.mode,
                kinship: change.kinship,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use syncline_model::Mark;

    use super::*;

    fn at(place: u64) -> Cursor {
        Cursor {
            server_seq: ServerSeq(place),
            mark: Mark::origin([1; 16]),
        }
    }

    /// Runs a search against a server whose log is ours up to `common`, and counts the probes.
    fn run(
        kept: &BTreeSet<u64>,
        common: u64,
        server_head: u64,
        floor: u64,
        search: Search,
    ) -> (Found, u32) {
        let below = |place: u64| kept.range(..=place).next_back().copied().unwrap_or(0);
        let mut next = Next::FindMark(search, search.asked());
        let mut probes = 0;
        loop {
            next = match next {
                Next::FindMark(search, place) => search.mark_found(at(below(place.get()))),
                Next::Probe(search, place) => {
                    probes += 1;
                    let place = place.server_seq.get();
                    assert!(place > 0, "place 0 needs no probe");
                    if place > server_head || (place >= floor && place > common) {
                        search.refuted(Some(ServerSeq(server_head)))
                    } else if place < floor {
                        search.below_floor()
                    } else {
                        search.verified()
                    }
                }
                Next::Found(found) => return (found, probes),
            };
        }
    }

    proptest! {
        #[test]
        fn the_newest_kept_place_that_verifies_is_found(
            kept in prop::collection::btree_set(1_u64..2_000, 0..60),
            top in 0_u64..2_000,
            common in 0_u64..2_000,
            more in 0_u64..500,
            floor in 0_u64..1_000,
            hint in prop::option::of(0_u64..3_000),
        ) {
            let mut kept: BTreeSet<u64> = kept.into_iter().filter(|place| *place < top).collect();
            if top > 0 {
                kept.insert(top);
            }
            let server_head = common + more;
            // What the server says bounds the place from above, and is never below it.
            let hint = hint.map(|hint| ServerSeq(hint.max(common)));
            let search = Search::begin(Cause::Diverged, hint);
            let (found, probes) = run(&kept, common, server_head, floor, search);
            let expected = kept.iter().rev().find(|place| **place <= common && **place >= floor);
            prop_assert_eq!(found.common.server_seq.get(), expected.copied().unwrap_or(0));
            let at_top = expected.is_some_and(|place| *place == top);
            prop_assert_eq!(found.at_cursor, at_top);
            prop_assert!(probes <= 12, "{} probes", probes);
        }
    }

    #[test]
    fn a_place_that_the_lineage_names_takes_one_probe_and_its_neighbour() {
        let kept: BTreeSet<u64> = (1..=1_000_000).collect();
        let change = EpochChange {
            epoch: "00000000-0000-0000-0000-000000000001".parse().unwrap(),
            common_at_most: ServerSeq(999_000),
            offer_up_to: ServerSeq(u64::MAX),
            mode: EpochMode::Heal,
            kinship: Kinship::Same,
        };
        let search = Search::begin(Cause::Epoch(change), None);
        let (found, probes) = run(&kept, 999_000, 999_500, 0, search);
        assert_eq!((found.common.server_seq.get(), probes), (999_000, 1));
        let (found, probes) = run(&kept, 17, 20, 0, Search::begin(Cause::Diverged, None));
        assert_eq!(found.common.server_seq.get(), 17);
        assert!(probes <= 21, "{probes} probes");
    }

    #[test]
    fn after_a_reset_no_probe_is_needed() {
        let change = EpochChange {
            epoch: "00000000-0000-0000-0000-000000000001".parse().unwrap(),
            common_at_most: ServerSeq::ZERO,
            offer_up_to: ServerSeq::ZERO,
            mode: EpochMode::Follow,
            kinship: Kinship::Same,
        };
        let kept = BTreeSet::from([3, 9]);
        let (found, probes) = run(&kept, 0, 0, 0, Search::begin(Cause::Epoch(change), None));
        assert_eq!((found.common, probes), (Cursor::ORIGIN, 0));
        assert_eq!(found.plan().offer_up_to, ServerSeq::ZERO);
    }
}
