//! The index of a write-ahead log: memory that the connections to one file share, and its eight locks.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::lock::Busy;
use crate::state::HandleKey;

/// Memory at a fixed address. Atomic, because C code writes it behind shared references.
pub(crate) type Region = Arc<[AtomicU64]>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    Shared,
    Exclusive,
}

/// A handle that has the memory mapped, and the locks it holds as sets of bits.
struct User {
    handle: HandleKey,
    shared: u8,
    exclusive: u8,
}

/// The memory of one file. It goes with its last user, as does the file that a real one would be mapped from.
#[derive(Default)]
pub(crate) struct SharedMemory {
    regions: Vec<Region>,
    users: Vec<User>,
}

impl SharedMemory {
    /// The region at `index`, if there is one; `handle` is a user from now on.
    pub(crate) fn region(&mut self, handle: HandleKey, index: usize) -> Option<Region> {
        self.user(handle);
        self.regions.get(index).cloned()
    }

    /// The region at `index`, made of zeros along with those before it if there is none yet.
    pub(crate) fn region_or_new(
        &mut self,
        handle: HandleKey,
        index: usize,
        bytes: usize,
    ) -> Region {
        self.user(handle);
        while self.regions.len() <= index {
            let words = (0..bytes.div_ceil(8)).map(|_| AtomicU64::new(0));
            self.regions.push(words.collect());
        }
        self.regions[index].clone()
    }

    pub(crate) fn lock(
        &mut self,
        handle: HandleKey,
        slots: Range<u32>,
        sharing: Sharing,
    ) -> Result<(), Busy> {
        let mask = mask(slots);
        let taken = self.users.iter().any(|user| {
            let other = user.handle != handle;
            match sharing {
                Sharing::Shared => other && user.exclusive & mask != 0,
                Sharing::Exclusive => {
                    user.shared & mask != 0 || other && user.exclusive & mask != 0
                }
            }
        });
        if taken {
            return Err(Busy);
        }
        let user = self.user(handle);
        match sharing {
            Sharing::Shared => user.shared |= mask,
            Sharing::Exclusive => user.exclusive |= mask,
        }
        Ok(())
    }

    pub(crate) fn unlock(&mut self, handle: HandleKey, slots: Range<u32>) {
        let mask = mask(slots);
        let user = self.user(handle);
        user.shared &= !mask;
        user.exclusive &= !mask;
    }

    pub(crate) fn detach(&mut self, handle: HandleKey) {
        self.users.retain(|user| user.handle != handle);
    }

    pub(crate) fn is_unused(&self) -> bool {
        self.users.is_empty()
    }

    fn user(&mut self, handle: HandleKey) -> &mut User {
        let place = self.users.iter().position(|user| user.handle == handle);
        let place = place.unwrap_or_else(|| {
            self.users.push(User {
                handle,
                shared: 0,
                exclusive: 0,
            });
            self.users.len() - 1
        });
        &mut self.users[place]
    }
}

/// The bits of `slots`, each below eight.
fn mask(slots: Range<u32>) -> u8 {
    slots.fold(0, |mask, slot| mask | 1 << slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: HandleKey = HandleKey(1);
    const B: HandleKey = HandleKey(2);

    #[test]
    fn shared_locks_join_and_exclusive_ones_exclude() {
        let mut memory = SharedMemory::default();
        memory.lock(A, 3..4, Sharing::Shared).unwrap();
        memory.lock(B, 3..4, Sharing::Shared).unwrap();
        assert_eq!(memory.lock(A, 3..5, Sharing::Exclusive), Err(Busy));
        memory.unlock(A, 3..4);
        assert_eq!(memory.lock(A, 3..4, Sharing::Exclusive), Err(Busy));
        memory.detach(B);
        memory.lock(A, 3..4, Sharing::Exclusive).unwrap();
        assert_eq!(memory.lock(B, 3..4, Sharing::Shared), Err(Busy));
        memory.lock(B, 0..1, Sharing::Exclusive).unwrap();
    }

    #[test]
    fn users_of_one_file_map_the_same_memory() {
        let mut memory = SharedMemory::default();
        assert!(memory.region(A, 0).is_none());
        let first = memory.region_or_new(A, 1, 32_768);
        let second = memory.region(B, 1).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(first.len() * 8, 32_768);
    }
}
