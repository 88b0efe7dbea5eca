//! One file: what its readers see, what the platter holds, and the changes between the two.

use rand::Rng;
use rand::rngs::StdRng;

use crate::content::Content;
use crate::lock::FileLocks;
use crate::process::FileId;
use crate::shared_memory::SharedMemory;

/// A disk writes a sector whole or not at all.
const SECTOR_BYTES: usize = 512;

/// A change that readers see and that no sync has covered yet.
enum Change {
    Write { offset: usize, data: Box<[u8]> },
    SetLen { bytes: usize },
}

/// What the changes since the last sync come to when the power goes.
enum Survival {
    All,
    Nothing,
    /// This many changes arrived, in order, and perhaps a part of the next.
    First(usize),
    /// Each change fared for itself.
    Scattered,
}

/// A file, whatever names it has.
pub(crate) struct Inode {
    pub(crate) id: FileId,
    seen: Content,
    durable: Content,
    changes: Vec<Change>,
    /// Without a name: its changes are not kept, and nothing of it outlives its handle.
    temporary: bool,
    pub(crate) open_handles: usize,
    pub(crate) locks: FileLocks,
    pub(crate) shared_memory: Option<SharedMemory>,
}

impl Inode {
    pub(crate) fn new(id: FileId) -> Self {
        Self::with_content(id, Content::default())
    }

    /// A file whose bytes are durable.
    pub(crate) fn with_content(id: FileId, content: Content) -> Self {
        Self {
            id,
            seen: content.clone(),
            durable: content,
            changes: Vec::new(),
            temporary: false,
            open_handles: 0,
            locks: FileLocks::default(),
            shared_memory: None,
        }
    }

    pub(crate) fn temporary(id: FileId) -> Self {
        Self {
            temporary: true,
            ..Self::new(id)
        }
    }

    pub(crate) fn seen(&self) -> &Content {
        &self.seen
    }

    pub(crate) fn write(&mut self, offset: usize, data: &[u8]) {
        self.seen.write(offset, data);
        if !self.temporary {
            self.changes.push(Change::Write {
                offset,
                data: data.into(),
            });
        }
    }

    pub(crate) fn set_len(&mut self, bytes: usize) {
        self.seen.set_len(bytes);
        if !self.temporary {
            self.changes.push(Change::SetLen { bytes });
        }
    }

    /// Makes what readers see durable, page by page.
    pub(crate) fn sync(&mut self) {
        self.durable.set_len(self.seen.len());
        for change in self.changes.drain(..) {
            let range = match change {
                Change::Write { offset, data } => offset..offset + data.len(),
                Change::SetLen { bytes } => bytes..usize::MAX,
            };
            self.durable.take_pages(&self.seen, range);
        }
    }

    /// A sync that failed: the changes reached the platter or not, and a later sync will not try them again.
    ///
    /// As on Linux, where pages whose write-back failed are taken for clean.
    pub(crate) fn fail_sync(&mut self, chance: &mut StdRng) {
        let changes = std::mem::take(&mut self.changes);
        apply_survivors(&mut self.durable, changes, chance);
    }

    /// The power goes: readers from now on see what the platter holds.
    pub(crate) fn lose_power(&mut self, chance: &mut StdRng) {
        self.fail_sync(chance);
        self.seen = self.durable.clone();
        self.locks = FileLocks::default();
        self.shared_memory = None;
    }
}

fn apply_survivors(durable: &mut Content, changes: Vec<Change>, chance: &mut StdRng) {
    if changes.is_empty() {
        return;
    }
    match choose(changes.len(), chance) {
        Survival::Nothing => {}
        Survival::All => {
            for change in &changes {
                apply(durable, change);
            }
        }
        Survival::First(count) => {
            for change in &changes[..count] {
                apply(durable, change);
            }
            if let Some(next) = changes.get(count) {
                apply_torn(durable, next, chance);
            }
        }
        Survival::Scattered => {
            for change in &changes {
                match chance.random_range(0..3) {
                    0 => {}
                    1 => apply(durable, change),
                    _ => apply_torn(durable, change, chance),
                }
            }
        }
    }
}

fn choose(changes: usize, chance: &mut StdRng) -> Survival {
    match chance.random_range(0..4) {
        0 => Survival::All,
        1 => Survival::Nothing,
        2 => Survival::First(chance.random_range(0..changes)),
        _ => Survival::Scattered,
    }
}

fn apply(content: &mut Content, change: &Change) {
    match change {
        Change::Write { offset, data } => content.write(*offset, data),
        Change::SetLen { bytes } => content.set_len(*bytes),
    }
}

/// Some sectors of a write arrive and some do not; a new length is one fact, and does not tear.
fn apply_torn(content: &mut Content, change: &Change, chance: &mut StdRng) {
    let Change::Write { offset, data } = change else {
        return;
    };
    let mut done = 0;
    while done < data.len() {
        let place = offset + done;
        let count = (SECTOR_BYTES - place % SECTOR_BYTES).min(data.len() - done);
        if chance.random() {
            content.write(place, &data[done..done + count]);
        }
        done += count;
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn after_power_loss(make: impl Fn(&mut Inode), number: u64) -> Vec<u8> {
        let mut inode = Inode::new(FileId(1));
        make(&mut inode);
        inode.lose_power(&mut StdRng::seed_from_u64(number));
        inode.seen().to_bytes()
    }

    #[test]
    fn what_was_synced_outlives_a_power_loss() {
        for number in 0..50 {
            let bytes = after_power_loss(
                |inode| {
                    inode.write(0, &[1; 9_000]);
                    inode.set_len(8_000);
                    inode.sync();
                },
                number,
            );
            assert_eq!(bytes, [1; 8_000]);
        }
    }

    #[test]
    fn what_was_not_synced_is_kept_dropped_or_torn_at_sectors() {
        let (mut kept, mut dropped, mut torn) = (0, 0, 0);
        for number in 0..200 {
            let bytes = after_power_loss(
                |inode| {
                    inode.write(0, &[1; 2_048]);
                    inode.sync();
                    inode.write(0, &[2; 2_048]);
                },
                number,
            );
            let sectors: Vec<u8> = bytes.chunks(SECTOR_BYTES).map(|s| s[0]).collect();
            for (sector, first) in bytes.chunks(SECTOR_BYTES).zip(&sectors) {
                assert!(sector.iter().all(|byte| byte == first), "a sector is whole");
            }
            match sectors.iter().filter(|byte| **byte == 2).count() {
                0 => dropped += 1,
                4 => kept += 1,
                _ => torn += 1,
            }
        }
        assert!(kept > 20 && dropped > 20 && torn > 20);
    }

    #[test]
    fn a_sync_after_a_failed_one_does_not_cover_what_that_one_lost() {
        let lost = (0..50).any(|number| {
            let mut chance = StdRng::seed_from_u64(number);
            let mut inode = Inode::new(FileId(1));
            inode.write(0, &[1; 4_096]);
            inode.sync();
            inode.write(0, &[2; 4_096]);
            inode.fail_sync(&mut chance);
            assert_eq!(inode.seen().to_bytes(), [2; 4_096], "readers see the write");
            inode.write(8_192, &[3; 4_096]);
            inode.sync();
            inode.lose_power(&mut chance);
            let bytes = inode.seen().to_bytes();
            assert_eq!(bytes[8_192..], [3; 4_096]);
            bytes[0] == 1
        });
        assert!(lost);
    }
}
