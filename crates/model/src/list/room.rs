//! Room for one more position, also where the keys around it have grown long.
//!
//! Inserts that turn around all the time, each between the two before it, make every second key one
//! component longer. Where a new key would have more than [`POSITION_BYTES_LONG`] bytes, the items
//! around it with long keys get short ones, which are ordinary moves; so do items with equal keys,
//! which only two writers that knew nothing of each other can have made.
//!
//! A stretch of items is spread between its two neighbours, which stay: the items left of the gap at
//! hand get keys below all of the stretch's old keys, those right of it keys above them. What others
//! insert meanwhile has a key within the old ones, or beside them, so
//!
//! - it keeps its order to everything that was not moved, and to other such inserts;
//! - at the gap, where the keys have grown and the next insert is likely, it keeps its order to
//!   everything;
//! - elsewhere within the stretch it may land at the gap instead.
//!
//! New keys follow from the old ones and the items' ids: two replicas that spread the same stretch
//! write the same keys. A move that a person makes meanwhile wins or loses against this one as
//! against any other.

use super::{GROWTH_BYTES_MAX, GapError, Jitter, Position};

/// The longest key that an insert makes before the stretch around it is spread, in bytes.
pub const POSITION_BYTES_LONG: usize = 384;
/// Keys up to this length are never made shorter, in bytes.
const BYTES_SHORT: usize = 64;
/// What spreading must leave free below [`POSITION_BYTES_LONG`], in bytes.
const BYTES_GAINED_MIN: usize = 4 * GROWTH_BYTES_MAX;

/// Something with a place in an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot<K> {
    pub position: Position,
    /// Orders slots with equal positions.
    pub key: K,
}

/// A free position, and what must move for it to be free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Room<K> {
    pub(super) position: Position,
    /// What the position is below; none at the end.
    pub(super) right: Option<Position>,
    pub(super) moved: Vec<Slot<K>>,
}

/// An order in which there is to be room.
pub(super) trait Order {
    type Key: Clone;
    type Error;

    /// What tells a slot from others of the same order.
    fn name(key: &Self::Key) -> &str;

    /// The slot before `slot`.
    fn before(&self, slot: &Slot<Self::Key>) -> Found<Self>;

    /// The slot after `slot`.
    fn after(&self, slot: &Slot<Self::Key>) -> Found<Self>;
}

/// A neighbour; none at the end.
pub(super) type Found<O> = Result<Option<Slot<<O as Order>::Key>>, <O as Order>::Error>;

/// Makes room in the gap between `left` and `right`, which are neighbours; none is the end.
pub(super) fn make_room<O: Order>(
    order: &O,
    left: Option<Slot<O::Key>>,
    right: Option<Slot<O::Key>>,
    jitter: Jitter,
) -> Result<Room<O::Key>, O::Error> {
    match between(left.as_ref(), right.as_ref(), jitter) {
        Ok(position) if position.bytes() <= POSITION_BYTES_LONG => {
            return Ok(Room {
                position,
                right: right.map(|slot| slot.position),
                moved: Vec::new(),
            });
        }
        Ok(_) | Err(GapError) => {}
    }
    let mut stretch = Stretch::find(order, left, right)?;
    stretch.spread::<O>();
    let left = stretch.left.first().or(stretch.outer_left.as_ref());
    let right = stretch.right.first().or(stretch.outer_right.as_ref());
    Ok(Room {
        position: between(left, right, jitter)
            .expect("a stretch is spread to both sides of the gap"),
        right: right.map(|slot| slot.position.clone()),
        moved: stretch.into_slots(),
    })
}

/// Jitter that follows from a name.
pub(super) fn jitter_of(name: &str, jitter: Jitter) -> Jitter {
    // FNV-1a: the names differ, so should the digits; nobody gains from two that don't.
    let seed = u32::from_le_bytes(jitter) ^ 0x811c_9dc5;
    let mix = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    name.bytes().fold(seed, mix).to_le_bytes()
}

fn between<K>(
    left: Option<&Slot<K>>,
    right: Option<&Slot<K>>,
    jitter: Jitter,
) -> Result<Position, GapError> {
    let position = |slot: Option<&Slot<K>>| slot.map(|slot| slot.position.clone());
    Position::between(position(left).as_ref(), position(right).as_ref(), jitter)
}

fn bytes<K>(slot: &Option<Slot<K>>) -> usize {
    slot.as_ref().map_or(0, |slot| slot.position.bytes())
}

/// The slots around a gap that are to get new keys, and their neighbours.
struct Stretch<K> {
    outer_left: Option<Slot<K>>,
    /// Nearest to the gap first.
    left: Vec<Slot<K>>,
    /// Nearest to the gap first.
    right: Vec<Slot<K>>,
    outer_right: Option<Slot<K>>,
}

/// How far a stretch reaches to both sides, in slots.
#[derive(Debug, Clone, Copy)]
struct Reach {
    left: usize,
    right: usize,
    /// What is then free for keys to grow, in bytes.
    gained: usize,
}

impl Reach {
    /// Whether it moves less for each byte that it gains.
    fn is_better_than(&self, other: &Self) -> bool {
        let (moves, others) = (self.left + self.right, other.left + other.right);
        moves * other.gained <= others * self.gained
    }
}

impl<K: Clone> Stretch<K> {
    /// The stretch around a gap whose spreading moves least for what it gains.
    ///
    /// Keys that were spread before lie close together at one length, so that a stretch is best where
    /// it ends at such a level, and reaches beyond it only when nothing else is left to gain.
    fn find<O: Order<Key = K>>(
        order: &O,
        left: Option<Slot<K>>,
        right: Option<Slot<K>>,
    ) -> Result<Self, O::Error> {
        let mut found = Self {
            outer_left: left,
            left: Vec::new(),
            right: Vec::new(),
            outer_right: right,
        };
        found.open(order)?;
        let mut best: Option<Reach> = None;
        loop {
            let reach = found.reach();
            let far = best.is_some_and(|best| {
                let most = Reach {
                    gained: POSITION_BYTES_LONG,
                    ..reach
                };
                !most.is_better_than(&best)
            });
            if far {
                break;
            }
            if reach.gained >= BYTES_GAINED_MIN
                && best.is_none_or(|best| reach.is_better_than(&best))
            {
                best = Some(reach);
            }
            if bytes(&found.outer_left).max(bytes(&found.outer_right)) <= BYTES_SHORT {
                break;
            }
            found.grow(order)?;
        }
        if let Some(best) = best {
            found.shrink(best);
        }
        Ok(found)
    }

    /// Takes in what has the very key that leaves no gap.
    fn open<O: Order<Key = K>>(&mut self, order: &O) -> Result<(), O::Error> {
        let (Some(left), Some(right)) = (&self.outer_left, &self.outer_right) else {
            return Ok(());
        };
        if left.position < right.position {
            return Ok(());
        }
        let shut = left.position.clone();
        while let Some(slot) = self.outer_left.take_if(|slot| slot.position == shut) {
            self.outer_left = order.before(&slot)?;
            self.left.push(slot);
        }
        while let Some(slot) = self.outer_right.take_if(|slot| slot.position == shut) {
            self.outer_right = order.after(&slot)?;
            self.right.push(slot);
        }
        Ok(())
    }

    /// Takes in the neighbour with the longer key.
    fn grow<O: Order<Key = K>>(&mut self, order: &O) -> Result<(), O::Error> {
        if bytes(&self.outer_left) >= bytes(&self.outer_right) {
            if let Some(slot) = self.outer_left.take() {
                self.outer_left = order.before(&slot)?;
                self.left.push(slot);
            }
        } else if let Some(slot) = self.outer_right.take() {
            self.outer_right = order.after(&slot)?;
            self.right.push(slot);
        }
        Ok(())
    }

    fn reach(&self) -> Reach {
        let level = bytes(&self.outer_left).max(bytes(&self.outer_right)) + GROWTH_BYTES_MAX;
        Reach {
            left: self.left.len(),
            right: self.right.len(),
            gained: POSITION_BYTES_LONG.saturating_sub(level),
        }
    }

    fn shrink(&mut self, reach: Reach) {
        if let Some(slot) = self.left.drain(reach.left..).next() {
            self.outer_left = Some(slot);
        }
        if let Some(slot) = self.right.drain(reach.right..).next() {
            self.outer_right = Some(slot);
        }
    }

    /// Gives the slots their new keys: those left of the gap below all old ones, the others above.
    fn spread<O: Order<Key = K>>(&mut self) {
        const ROOM: &str = "a neighbour outside of the stretch has another key";
        let lowest = self.left.last().or(self.right.first()).cloned();
        let highest = self.right.last().or(self.left.first()).cloned();
        let mut below = self.outer_left.clone();
        for slot in self.left.iter_mut().rev() {
            let jitter = jitter_of(O::name(&slot.key), Jitter::default());
            slot.position = between(below.as_ref(), lowest.as_ref(), jitter).expect(ROOM);
            below = Some(slot.clone());
        }
        let mut below = highest;
        for slot in &mut self.right {
            let jitter = jitter_of(O::name(&slot.key), Jitter::default());
            slot.position = between(below.as_ref(), self.outer_right.as_ref(), jitter).expect(ROOM);
            below = Some(slot.clone());
        }
    }

    fn into_slots(self) -> Vec<Slot<K>> {
        self.left.into_iter().rev().chain(self.right).collect()
    }
}
