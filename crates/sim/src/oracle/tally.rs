//! How much a world has proved: one in which little was acknowledged holds every promise.

use std::ops::AddAssign;

use super::{Oracle, Told, Violation};

/// Ops that each world has acknowledged, or it proves nothing.
const ACKNOWLEDGED_MIN: u64 = 10;

/// How many ops were written, and how many of them had to be there in the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Ops whose writer was told that they are written.
    pub reported: u64,
    /// Ops that an answer of the server has said to be in its log.
    pub acknowledged: u64,
    /// Of all these, those that need not have been there: their disks were lost, the log was cut on
    /// purpose, or their user dropped them.
    pub excused: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.reported += other.reported;
        self.acknowledged += other.acknowledged;
        self.excused += other.excused;
    }
}

impl Oracle {
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for written in &self.written {
            let is_reported = written.told == Told::Done;
            tally.reported += u64::from(is_reported);
            tally.acknowledged += u64::from(written.acknowledged);
            let is_promised = is_reported || written.acknowledged;
            tally.excused += u64::from(is_promised && written.excuse.is_some());
        }
        tally
    }

    /// Holds a world to having put something to the proof.
    pub(super) fn check_tally(&self) -> Result<(), Violation> {
        let acknowledged = self.tally().acknowledged;
        if acknowledged < ACKNOWLEDGED_MIN {
            return Err(Violation(format!(
                "the world proves nothing: the server has acknowledged {acknowledged} ops"
            )));
        }
        Ok(())
    }
}
