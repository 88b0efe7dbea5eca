//! Answers that many readers ask for at once, read once; what readers have in common while they wait; and
//! where chunks of snapshots end.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use syncline_model::Cursor;
use syncline_store::shapes::After;
use tokio::sync::OnceCell;

use super::log::LogChunk;
use super::resolve::Resolved;

/// Answers kept: waiting readers ask for the newest of their shape.
const CHUNKS_MAX: usize = 64;
/// Bytes of answers kept.
const CHUNKS_BYTES_MAX: usize = 16 << 20;
/// Ends of snapshot chunks kept. One that is not kept is found again by reading the snapshot.
const ENDS_MAX: usize = 1_024;

/// What tells answers apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChunkKey {
    pub handle: String,
    pub after: After,
    /// The log's head when it was asked for.
    pub head: Option<Cursor>,
}

type Cell = Arc<OnceCell<Arc<LogChunk>>>;

/// Where a chunk of a snapshot ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChunkEnd {
    /// Behind the row with this key; there may be more.
    Behind(String),
    /// With the snapshot.
    Whole,
}

#[derive(Debug, Default)]
pub(super) struct Cache {
    chunks: Mutex<VecDeque<(ChunkKey, Cell)>>,
    ends: Mutex<VecDeque<(String, u64, ChunkEnd)>>,
    /// By the first byte of a definition's digest, the latest.
    resolved: Mutex<HashMap<u8, Arc<Resolved>>>,
}

impl Cache {
    /// What a request has come to, as those before it hold it where it is the same. A thousand readers of one
    /// shape then hold it once, and none has it to clear away when it is told something.
    pub(super) fn share(&self, resolved: Resolved) -> Arc<Resolved> {
        let digest = resolved.definition.digest.get(..2);
        let place = digest.and_then(|byte| u8::from_str_radix(byte, 16).ok());
        let mut shared = self.resolved.lock().expect(UNPOISONED);
        let place = place.unwrap_or_default();
        if let Some(known) = shared.get(&place).filter(|known| known.is_same(&resolved)) {
            return Arc::clone(known);
        }
        let resolved = Arc::new(resolved);
        shared.insert(place, Arc::clone(&resolved));
        resolved
    }

    /// The cell of an answer, which the first to ask fills while others wait.
    pub(super) fn cell(&self, key: &ChunkKey) -> Cell {
        let mut chunks = self.chunks.lock().expect(UNPOISONED);
        if let Some((_, cell)) = chunks.iter().rev().find(|(known, _)| known == key) {
            return Arc::clone(cell);
        }
        make_room(&mut chunks, CHUNKS_MAX - 1);
        let cell = Cell::default();
        chunks.push_back((key.clone(), Arc::clone(&cell)));
        cell
    }

    /// A cell was filled: what that is too much for goes.
    pub(super) fn filled(&self) {
        make_room(&mut self.chunks.lock().expect(UNPOISONED), CHUNKS_MAX);
    }

    /// Where a chunk ends, if that is known.
    pub(super) fn end(&self, handle: &str, chunk: u64) -> Option<ChunkEnd> {
        let ends = self.ends.lock().expect(UNPOISONED);
        let known = ends
            .iter()
            .find(|(known, n, _)| known == handle && *n == chunk);
        known.map(|(_, _, end)| end.clone())
    }

    /// The last chunk before this one whose end is known.
    pub(super) fn last_end_before(&self, handle: &str, chunk: u64) -> Option<(u64, ChunkEnd)> {
        let ends = self.ends.lock().expect(UNPOISONED);
        let before = ends
            .iter()
            .filter(|(known, n, _)| known == handle && *n < chunk);
        let last = before.max_by_key(|(_, n, _)| *n);
        last.map(|(_, n, end)| (*n, end.clone()))
    }

    pub(super) fn note_end(&self, handle: &str, chunk: u64, end: ChunkEnd) {
        if self.end(handle, chunk).is_some() {
            return;
        }
        let mut ends = self.ends.lock().expect(UNPOISONED);
        if ends.len() >= ENDS_MAX {
            ends.pop_front();
        }
        ends.push_back((handle.to_owned(), chunk, end));
    }

    /// Forgets everything: shapes may be gone.
    pub(super) fn clear(&self) {
        self.chunks.lock().expect(UNPOISONED).clear();
        self.ends.lock().expect(UNPOISONED).clear();
        self.resolved.lock().expect(UNPOISONED).clear();
    }
}

/// Drops the oldest answers until so many are left at most, of so many bytes as may be.
fn make_room(chunks: &mut VecDeque<(ChunkKey, Cell)>, chunks_max: usize) {
    let size = |cell: &Cell| cell.get().map_or(0, |chunk| chunk.list.len());
    let mut bytes: usize = chunks.iter().map(|(_, cell)| size(cell)).sum();
    while chunks.len() > chunks_max || bytes > CHUNKS_BYTES_MAX {
        let Some((_, oldest)) = chunks.pop_front() else {
            break;
        };
        bytes -= size(&oldest).min(bytes);
    }
}

const UNPOISONED: &str = "nothing panics under this lock";
