//! Who holds a database file, and how firmly: SQLite's five levels, between the handles of one file.

use crate::state::HandleKey;

/// SQLite's lock levels, each holding what the one before it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Unlocked,
    /// Reads; any number may.
    Shared,
    /// Means to write; readers may still come.
    Reserved,
    /// Waits for the readers to go; none may come.
    Pending,
    /// Writes; nobody else holds anything.
    Exclusive,
}

/// Another handle holds what was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Busy;

/// The levels held on one file. A handle that is not listed holds nothing.
#[derive(Default)]
pub(crate) struct FileLocks {
    held: Vec<(HandleKey, Level)>,
}

impl FileLocks {
    /// Raises `handle` to `wanted`; a writer that must wait for readers is left pending.
    pub(crate) fn raise(&mut self, handle: HandleKey, wanted: Level) -> Result<(), Busy> {
        let own = self.level(handle);
        if own >= wanted {
            return Ok(());
        }
        let others = self.highest_of_others(handle);
        let free = match wanted {
            Level::Unlocked | Level::Shared => others < Level::Pending,
            Level::Reserved => others < Level::Reserved,
            Level::Pending | Level::Exclusive => others < Level::Shared,
        };
        if free {
            self.set(handle, wanted);
            return Ok(());
        }
        // A hot journal is rolled back straight from `Shared`: two who try must both be free to go on.
        if wanted == Level::Exclusive && own == Level::Reserved && others == Level::Shared {
            self.set(handle, Level::Pending);
        }
        Err(Busy)
    }

    pub(crate) fn lower(&mut self, handle: HandleKey, level: Level) {
        if self.level(handle) > level {
            self.set(handle, level);
        }
    }

    pub(crate) fn is_reserved(&self) -> bool {
        self.held.iter().any(|(_, level)| *level >= Level::Reserved)
    }

    fn level(&self, handle: HandleKey) -> Level {
        let found = self.held.iter().find(|(holder, _)| *holder == handle);
        found.map_or(Level::Unlocked, |(_, level)| *level)
    }

    fn highest_of_others(&self, handle: HandleKey) -> Level {
        let others = self.held.iter().filter(|(holder, _)| *holder != handle);
        others
            .map(|(_, level)| *level)
            .max()
            .unwrap_or(Level::Unlocked)
    }

    fn set(&mut self, handle: HandleKey, level: Level) {
        self.held.retain(|(holder, _)| *holder != handle);
        if level > Level::Unlocked {
            self.held.push((handle, level));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: HandleKey = HandleKey(1);
    const B: HandleKey = HandleKey(2);

    #[test]
    fn a_pending_writer_keeps_new_readers_out_until_the_old_have_gone() {
        let mut locks = FileLocks::default();
        locks.raise(A, Level::Shared).unwrap();
        locks.raise(B, Level::Shared).unwrap();
        locks.raise(A, Level::Reserved).unwrap();
        assert_eq!(locks.raise(B, Level::Reserved), Err(Busy));
        assert_eq!(locks.raise(A, Level::Exclusive), Err(Busy));
        locks.lower(B, Level::Unlocked);
        assert_eq!(locks.raise(B, Level::Shared), Err(Busy));
        locks.raise(A, Level::Exclusive).unwrap();
        locks.lower(A, Level::Unlocked);
        assert!(!locks.is_reserved());
        locks.raise(B, Level::Shared).unwrap();
    }

    #[test]
    fn a_reader_that_is_refused_exclusive_stays_a_reader() {
        let mut locks = FileLocks::default();
        locks.raise(A, Level::Shared).unwrap();
        locks.raise(B, Level::Shared).unwrap();
        assert_eq!(locks.raise(A, Level::Exclusive), Err(Busy));
        assert_eq!(locks.raise(B, Level::Reserved), Ok(()));
    }
}
