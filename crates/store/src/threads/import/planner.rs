//! From items of a source to batches of ops, less what is here already.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::Connection;
use syncline_model::Timestamp;
use syncline_model::thread::{
    NameError, NameKind, Status, ThreadId, ThreadOp, Update, import_entry_id,
};

use super::jsonl::JsonlSource;
use super::standing::{EntryStanding, Standing, Target};
use super::vault::VaultSource;
use super::{
    EntryIdentity, EntryItem, ImportError, ImportProblem, Item, LinkItem, ProblemCause, Progress,
    Source, TagItem, ThreadItem, ThreadName,
};
use crate::StoreError;
use crate::snapshot::snapshot;
use crate::threads::plan::{
    NewEntry, Plan, PlanError, PlannedOp, Presence, plan_create, plan_entry, plan_link, plan_tag,
    planned,
};

/// How many ops a batch has: enough that a commit costs little beside them.
const BATCH_OPS_MAX: usize = 1_000;
/// How many bytes of payloads a batch has, but for its last op.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How many items a batch is made from, so that progress shows where all are here already.
const BATCH_ITEMS_MAX: usize = 10_000;

/// Ops to be written in order, and what else came of the same part of the source.
#[derive(Debug, Default)]
#[must_use]
pub struct ImportBatch {
    pub ops: Vec<PlannedOp>,
    pub threads_new: u64,
    pub entries_new: u64,
    /// Entries that are here already.
    pub entries_known: u64,
    pub problems: Vec<ImportProblem>,
    /// How far the source is read by now.
    pub progress: Progress,
    bytes: usize,
}

impl ImportBatch {
    fn push(&mut self, op: PlannedOp) {
        self.bytes += op.1.as_str().len();
        self.ops.push(op);
    }

    fn is_full(&self, items: usize) -> bool {
        self.ops.len() >= BATCH_OPS_MAX
            || self.bytes >= BATCH_BYTES_MAX
            || self.problems.len() >= BATCH_OPS_MAX
            || items >= BATCH_ITEMS_MAX
    }
}

/// An import under way.
#[derive(Debug)]
pub struct Importer {
    source: Box<dyn Source + Send>,
    threads: HashMap<ThreadName, Target>,
}

impl Importer {
    /// Begins the import of a file of lines; those that name no project are of `project`.
    pub fn jsonl(path: &Path, project: &str) -> Result<Self, ImportError> {
        Ok(Self::of(JsonlSource::open(path, project)?))
    }

    /// Begins the import of lines that come from elsewhere, such as a pipe.
    pub fn jsonl_from(reader: impl std::io::Read + Send + 'static, project: &str) -> Self {
        Self::of(JsonlSource::new(reader, project, None))
    }

    /// Begins the import of a vlt client's database.
    pub fn vault(path: &Path) -> Result<Self, ImportError> {
        let source = VaultSource::open(path).map_err(|source| ImportError::Vault {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self::of(source))
    }

    fn of(source: impl Source + Send + 'static) -> Self {
        Self {
            source: Box::new(source),
            threads: HashMap::new(),
        }
    }

    /// Plans the next part of the source; none at the end. `connection` is to a view that holds what
    /// the batches before amount to.
    pub fn next_batch(
        &mut self,
        connection: &Connection,
    ) -> Result<Option<ImportBatch>, ImportError> {
        let mut batch = ImportBatch::default();
        let mut items = 0;
        while !batch.is_full(items) {
            let Some(item) = self.source.next_item()? else {
                break;
            };
            items += 1;
            self.take(connection, item, &mut batch)?;
        }
        batch.progress = self.source.progress();
        Ok((items > 0).then_some(batch))
    }

    fn take(
        &mut self,
        connection: &Connection,
        item: Item,
        batch: &mut ImportBatch,
    ) -> Result<(), ImportError> {
        let _snapshot = snapshot(connection)?;
        let (planned, source) = match item {
            Item::Problem(problem) => {
                batch.problems.push(problem);
                return Ok(());
            }
            Item::Thread(item) => (self.take_thread(connection, &item, batch), item.source),
            Item::Entry(item) => (self.take_entry(connection, &item, batch), item.source),
            Item::Tag(item) => (self.take_tag(connection, &item, batch), item.source),
            Item::Link(item) => (self.take_link(connection, &item, batch), item.source),
        };
        match planned {
            Ok(()) => Ok(()),
            Err(TakeError::Problem(cause)) => {
                batch.problems.push(ImportProblem {
                    place: source,
                    cause,
                });
                Ok(())
            }
            Err(TakeError::Store(error)) => Err(error.into()),
        }
    }

    fn take_thread(
        &mut self,
        connection: &Connection,
        item: &ThreadItem,
        batch: &mut ImportBatch,
    ) -> Result<(), TakeError> {
        let target = self.target(connection, &item.thread, None, item.at, batch)?;
        if matches!(target.standing, Standing::New) && item.status != Status::Active {
            let op = ThreadOp::Update(Update {
                name: None,
                project: None,
                status: Some(item.status),
                at: item.at,
            });
            batch.push(planned(target.thread_id, &op)?);
        }
        Ok(())
    }

    fn take_entry(
        &mut self,
        connection: &Connection,
        item: &EntryItem,
        batch: &mut ImportBatch,
    ) -> Result<(), TakeError> {
        let name = item.name.as_deref();
        let target = self.target(connection, &item.thread, name, item.at, batch)?;
        let place = target.places;
        target.places += 1;
        let entry_id = match item.identity {
            EntryIdentity::Told(id) => id,
            EntryIdentity::Place => import_entry_id(&item.thread.project, &item.thread.key, place),
        };
        let renamed = name.filter(|name| target.name.as_deref() != Some(*name));
        let standing = target.standing_of(connection, item, entry_id, place)?;
        match standing {
            EntryStanding::Known => batch.entries_known += 1,
            EntryStanding::Differs => {
                return Err(TakeError::Problem(ProblemCause::Differs {
                    thread: item.thread.key.clone(),
                    number: place,
                }));
            }
            EntryStanding::New => {
                let new = NewEntry {
                    entry_id,
                    author: &item.author,
                    content: &item.content,
                    at: item.at,
                };
                let op = plan_entry(target.thread_id, &new, name)?;
                // The first name that is told of a thread that was here before is no rename: the
                // thread has the one that was given to it here.
                if let Some(name) = renamed
                    && target.name.is_some()
                {
                    let rename = ThreadOp::Update(Update {
                        name: Some(name.into()),
                        project: None,
                        status: None,
                        at: item.at,
                    });
                    batch.push(planned(target.thread_id, &rename)?);
                }
                batch.push(op);
                batch.entries_new += 1;
            }
        }
        if let Some(name) = renamed {
            target.name = Some(name.to_owned());
        }
        Ok(())
    }

    fn take_tag(
        &mut self,
        connection: &Connection,
        item: &TagItem,
        batch: &mut ImportBatch,
    ) -> Result<(), TakeError> {
        let thread = self.known(&item.thread, "thread")?;
        // Also one that was taken off again: an import does not undo that.
        let mut there = connection
            .prepare_cached(
                "SELECT 1 FROM thread_tags WHERE thread_id = ? AND entry_id = ? AND tag = ?",
            )
            .map_err(StoreError::from)?;
        let key = (thread.to_string(), item.entry_id.to_string(), &item.tag);
        if !there.exists(key).map_err(StoreError::from)? {
            let plan = plan_tag(thread, Some(item.entry_id), &item.tag, Presence::Added)?;
            plan.ops.into_iter().for_each(|op| batch.push(op));
        }
        Ok(())
    }

    fn take_link(
        &mut self,
        connection: &Connection,
        item: &LinkItem,
        batch: &mut ImportBatch,
    ) -> Result<(), TakeError> {
        let thread = self.known(&item.thread, "thread")?;
        let target = self.known(&item.target, "thread")?;
        if thread == target {
            return Ok(());
        }
        let mut there = connection
            .prepare_cached(
                "SELECT 1 FROM thread_links WHERE thread_id = ? AND entry_id = ? AND target = ?",
            )
            .map_err(StoreError::from)?;
        let key = (
            thread.to_string(),
            item.entry_id.to_string(),
            target.to_string(),
        );
        if !there.exists(key).map_err(StoreError::from)? {
            let note = item.note.as_deref();
            let plan = plan_link(thread, Some(item.entry_id), target, note, Presence::Added)?;
            plan.ops.into_iter().for_each(|op| batch.push(op));
        }
        Ok(())
    }

    /// A thread that the source has shown before.
    fn known(&self, name: &ThreadName, what: &'static str) -> Result<ThreadId, TakeError> {
        let target = self.threads.get(name).map(|target| target.thread_id);
        target.ok_or_else(|| {
            TakeError::Problem(ProblemCause::Dangling {
                what,
                id: name.key.clone(),
            })
        })
    }

    /// The thread that the source calls `name`; planned, if it is not there.
    fn target(
        &mut self,
        connection: &Connection,
        thread: &ThreadName,
        name: Option<&str>,
        at: Timestamp,
        batch: &mut ImportBatch,
    ) -> Result<&mut Target, TakeError> {
        if !self.threads.contains_key(thread) {
            let target = match Target::find(connection, thread)? {
                Some(there) => there,
                None => {
                    let first = name.unwrap_or(&thread.key);
                    NameKind::Project.check(&thread.project)?;
                    NameKind::Key.check(&thread.key)?;
                    NameKind::Name.check(first)?;
                    let plan = plan_create(connection, &thread.project, &thread.key, first, at)?;
                    let Plan { thread_id, ops } = plan;
                    ops.into_iter().for_each(|op| batch.push(op));
                    batch.threads_new += 1;
                    Target {
                        thread_id,
                        standing: Standing::New,
                        name: Some(first.to_owned()),
                        places: 0,
                    }
                }
            };
            self.threads.insert(thread.clone(), target);
        }
        Ok(self
            .threads
            .get_mut(thread)
            .expect("it was put there just now"))
    }
}

/// Why an item is not planned.
enum TakeError {
    /// The item is at fault, and left out.
    Problem(ProblemCause),
    Store(StoreError),
}

impl From<StoreError> for TakeError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<NameError> for TakeError {
    fn from(error: NameError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<PlanError> for TakeError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Name(error) => Self::Problem(error.into()),
            PlanError::Content(error) => Self::Problem(error.into()),
            PlanError::Payload(error) => Self::Problem(ProblemCause::Payload(error)),
            PlanError::Store(error) => Self::Store(error),
            PlanError::Exists { key: id, .. } => {
                Self::Problem(ProblemCause::Dangling { what: "thread", id })
            }
            PlanError::LinkToItself => Self::Problem(ProblemCause::Dangling {
                what: "thread",
                id: String::new(),
            }),
        }
    }
}
