//! The search for the last common place of two logs: marks chain, so the places that verify are
//! those up to one, and a binary search over the kept marks finds it.

use syncline_model::{Cursor, Epoch, ServerSeq};

use super::action::Plan;
use crate::{EpochChange, EpochMode};

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
                common: self.common,
                offer_up_to: ServerSeq(u64::MAX),
                mode: EpochMode::Heal,
            },
            Cause::Epoch(change) => Plan {
                epoch: Some(change.epoch),
                common: self.common,
                offer_up_to: change.offer_up_to,
                mode: change.mode,
            },
        }
    }
}
