//! Who waits for changes of one tenant's shapes, and which of them a commit wakes.
//!
//! Readers of one filter wait together. A filter that asks a column to equal constants is found by what
//! the changed row holds there, so that a commit does not ask all the others; what else there is of
//! filters is asked once for each changed row.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use syncline_model::shape::{CellSource, Filter, FilterRow, ShapeColumn};
use syncline_model::{ServerSeq, UserId};
use syncline_store::shapes::{After, ShapeCells, ShapeChange, ShapeChanges};
use tokio::sync::watch;

use super::cache::Cache;
use super::definition::Definition;
use super::uses::Uses;

/// What one tenant's readers wait for, and what they share.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    tables: Mutex<HashMap<String, Table>>,
    /// Changes of commits that nobody was told of yet, in the log's order.
    committed: Mutex<VecDeque<(ServerSeq, ShapeChanges)>>,
    /// Who waits has been told of everything up to this place.
    told: AtomicU64,
    /// The first place that anybody was told of: what is after it was told to who was there. 0: none yet.
    heard_from: AtomicU64,
    pub(super) cache: Cache,
    uses: Mutex<Uses>,
}

/// The filters that are waited for on one table.
#[derive(Debug, Default)]
struct Table {
    /// By the layout of the rows that they are held against, and their filter's text.
    topics: HashMap<(String, String), Arc<Topic>>,
    /// By column, and then by value: the filters' texts.
    equal: HashMap<usize, HashMap<String, Vec<Arc<Topic>>>>,
    /// Those that no index finds.
    others: Vec<Arc<Topic>>,
    /// Topics to hold before those that nobody waits for are let go of.
    sweep_at: usize,
}

/// A filter of a table, for all who wait for it.
#[derive(Debug)]
pub(super) struct Topic {
    filter: Option<Filter>,
    columns: Vec<ShapeColumn>,
    /// The place up to which others had been told of everything when it was made.
    since: ServerSeq,
    moved: watch::Sender<Moved>,
}

/// A reader's part in a topic.
#[derive(Debug)]
pub(super) struct Waiting {
    pub moved: watch::Receiver<Moved>,
    /// The topic was told of everything after this place.
    since: ServerSeq,
}

/// Where the table has changed so that a topic was concerned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Moved {
    /// Behind the last such row, and the place of the op before: none between them concerned it.
    last: After,
    before: ServerSeq,
    /// Makes each wake another value.
    wakes: u64,
}

impl Moved {
    /// From where a reader has to look that has waited since it saw everything up to `seen`, where this
    /// topic was told of everything up to `told` at least.
    pub(super) fn unseen_from(&self, seen: ServerSeq, told: ServerSeq) -> ServerSeq {
        if seen < self.before {
            seen
        } else if seen < self.last.seq {
            ServerSeq(self.last.seq.get() - 1)
        } else {
            seen.max(told)
        }
    }
}

impl Topic {
    fn wake(&self, place: After) {
        self.moved.send_modify(|moved| {
            if moved.last.seq != place.seq {
                moved.before = moved.last.seq;
            }
            moved.last = place;
            moved.wakes += 1;
        });
    }

    /// Wakes who waits for it, to look at everything that they have not seen.
    fn wake_to_all(&self) {
        self.moved.send_modify(|moved| {
            moved.before = ServerSeq(u64::MAX);
            moved.last = After {
                seq: ServerSeq(u64::MAX),
                rows: u64::MAX,
            };
            moved.wakes += 1;
        });
    }

    fn waiting(&self) -> Waiting {
        Waiting {
            moved: self.moved.subscribe(),
            since: self.since,
        }
    }

    fn is_idle(&self) -> bool {
        self.moved.receiver_count() == 0
    }

    fn concerns(&self, cells: &ShapeCells<'_>) -> bool {
        let row = FilterRow::new(&self.columns, cells);
        self.filter
            .as_ref()
            .is_none_or(|filter| filter.matches(&row))
    }
}

/// Topics below which a table is not swept.
const SWEEP_FROM: usize = 64;

impl Hub {
    /// Waits for changes of what a definition holds: the receiver hears of each commit after this.
    pub(super) fn subscribe(&self, definition: &Definition) -> Waiting {
        let mut tables = self.tables.lock().expect(UNPOISONED);
        let name = &definition.relation.name;
        let table = tables.entry(name.clone()).or_default();
        let topic_of = (definition.layout.clone(), definition.filter_text.clone());
        if let Some(topic) = table.topics.get(&topic_of) {
            return topic.waiting();
        }
        let topic = Arc::new(Topic {
            filter: definition.filter.clone(),
            columns: definition.relation.columns.clone(),
            since: self.told(),
            moved: watch::Sender::default(),
        });
        let waiting = topic.waiting();
        table.add(topic_of, topic);
        waiting
    }

    /// Takes what commits up to the place `to` have changed, to be told by [`Hub::publish`]. The log's
    /// writer calls this, so that what is told is told in its order.
    pub(crate) fn queue(&self, to: ServerSeq, changes: ShapeChanges) {
        let mut committed = self.committed.lock().expect(UNPOISONED);
        committed.push_back((to, changes));
    }

    /// Wakes who waits for what commits have changed.
    pub(crate) fn publish(&self) {
        let mut tables = self.tables.lock().expect(UNPOISONED);
        loop {
            let next = self.committed.lock().expect(UNPOISONED).pop_front();
            let Some((to, changes)) = next else {
                return;
            };
            if changes.rotated {
                let topics = tables.values().flat_map(|table| table.topics.values());
                topics.for_each(|topic| topic.wake_to_all());
                // The tables may be others from now on. Who still waits finds another topic.
                tables.clear();
            }
            for change in &changes.rows {
                if let Some(table) = tables.get(&*change.relation) {
                    table.wake(change);
                }
            }
            self.told.store(to.get(), SeqCst);
            if to == ServerSeq::ZERO || self.heard_from.load(SeqCst) == 0 {
                self.heard_from.store(to.get(), SeqCst);
            }
        }
    }

    /// Up to where who waits has been told. Ask this before the topic.
    pub(super) fn told(&self) -> ServerSeq {
        ServerSeq(self.told.load(SeqCst))
    }

    /// Whether nothing that was told concerns who waits and has seen everything up to `after`.
    pub(super) fn is_still(&self, waiting: &Waiting, moved: Moved, after: After) -> bool {
        let heard_from = ServerSeq(self.heard_from.load(SeqCst));
        // Who stands within the op at that place may lack rows of it, of which the topic was not told.
        let heard_after = After {
            seq: heard_from.max(waiting.since),
            rows: u64::MAX,
        };
        heard_from != ServerSeq::ZERO && heard_after <= after && moved.last <= after
    }

    /// Somebody asks for a shape.
    pub(super) fn note_use(&self, handle: &str, user: &UserId) {
        self.uses.lock().expect(UNPOISONED).note(handle, user);
    }

    /// Chooses so many of these shapes to go, which are all that there are, the oldest first.
    pub(crate) fn to_let_go(&self, handles: Vec<String>, count: usize) -> Vec<String> {
        self.uses.lock().expect(UNPOISONED).choose(handles, count)
    }

    /// Payloads were erased: answers that were read before are no good.
    pub(crate) fn cache_is_stale(&self) {
        self.cache.clear();
    }

    /// Wakes everybody: their shapes may be gone.
    pub(crate) fn wake_all(&self) {
        self.cache.clear();
        let all = ShapeChanges {
            rotated: true,
            ..ShapeChanges::default()
        };
        // The log may have begun anew.
        self.queue(ServerSeq::ZERO, all);
        self.publish();
    }
}

impl Table {
    fn add(&mut self, of: (String, String), topic: Arc<Topic>) {
        if self.topics.len() >= self.sweep_at.max(SWEEP_FROM) {
            self.sweep();
        }
        self.index(&topic);
        self.topics.insert(of, topic);
    }

    fn index(&mut self, topic: &Arc<Topic>) {
        let equality = topic.filter.as_ref().and_then(Filter::equality);
        let Some(equality) = equality else {
            self.others.push(Arc::clone(topic));
            return;
        };
        let values = self.equal.entry(equality.column).or_default();
        for value in &equality.values {
            values
                .entry(value.clone())
                .or_default()
                .push(Arc::clone(topic));
        }
    }

    /// Lets go of what nobody waits for.
    fn sweep(&mut self) {
        self.topics.retain(|_, topic| !topic.is_idle());
        self.equal.clear();
        self.others.clear();
        let topics: Vec<_> = self.topics.values().cloned().collect();
        topics.iter().for_each(|topic| self.index(topic));
        self.sweep_at = self.topics.len() * 2;
    }

    fn wake(&self, change: &ShapeChange) {
        for row in [&change.before, &change.after].into_iter().flatten() {
            let Ok(cells) = ShapeCells::read(row, 0) else {
                // What can't be read is told to all: they find out.
                self.topics.values().for_each(|topic| topic.wake_to_all());
                return;
            };
            for (column, values) in &self.equal {
                let found = cells.cell(*column).and_then(|value| values.get(value));
                let topics = found.into_iter().flatten();
                topics
                    .filter(|topic| topic.concerns(&cells))
                    .for_each(|topic| topic.wake(change.place));
            }
            for topic in &self.others {
                if topic.is_idle() {
                    // Nobody is woken: it need not be asked, but who comes back has to look.
                    topic.wake_to_all();
                } else if topic.concerns(&cells) {
                    topic.wake(change.place);
                }
            }
        }
    }
}

const UNPOISONED: &str = "nothing panics under this lock";

#[cfg(test)]
mod tests;
