//! A tenant file to write to, in the log or on top of it.

use rusqlite::Connection;
use syncline_model::thread::{EntryId, ThreadId};
use syncline_model::{ActorId, Clock, Epoch, Mark, Op, OpKey, Scope, Timestamp};
use tempfile::TempDir;
use uuid::Uuid;

use crate::threads::{
    NewEntry, NewThread, Plan, PlannedOp, Thread, import::Importer, plan_append, plan_new, thread,
};
use crate::{FileOptions, PendingOp, TenantFile};

pub(crate) struct World {
    file: TenantFile,
    outbox: Vec<PendingOp>,
    clock: u64,
    directory: TempDir,
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

pub(crate) fn entry_id(n: u128) -> EntryId {
    Uuid::from_u128(n).into()
}

pub(crate) fn new_entry(n: u128, content: &str) -> NewEntry<'_> {
    NewEntry {
        entry_id: entry_id(n),
        author: "user",
        content,
        at: at(n as i64),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = TenantFile::create(
            &directory.path().join("tenant.db"),
            &FileOptions::default(),
            Epoch::new(Uuid::nil()),
            Mark::origin([0; 16]),
        )
        .unwrap();
        Self {
            file,
            outbox: Vec::new(),
            clock: 0,
            directory,
        }
    }

    /// The file's connection as another process has it.
    pub(crate) fn another_view(&self) -> Connection {
        Connection::open(self.directory.path().join("tenant.db")).unwrap()
    }

    pub(crate) fn view(&self) -> &Connection {
        self.file.connection()
    }

    fn op(&mut self, (resource, payload): PlannedOp) -> Op {
        self.clock += 1;
        Op {
            key: OpKey {
                actor: ActorId::new("me").unwrap(),
                clock: Clock::new(self.clock).unwrap(),
                scope: Scope::thread(),
                resource,
            },
            payload,
        }
    }

    /// Writes to the log.
    pub(crate) fn log(&mut self, ops: Vec<PlannedOp>) {
        let ops: Vec<Op> = ops.into_iter().map(|op| self.op(op)).collect();
        let mut batch = self.file.begin().unwrap();
        for op in &ops {
            batch
                .append(&op.key, Some(&op.payload), op.payload.hash())
                .unwrap();
        }
        batch.commit().unwrap();
    }

    /// Writes to the outbox.
    pub(crate) fn pend(&mut self, ops: Vec<PlannedOp>) {
        for op in ops {
            let op = self.op(op);
            let order = self.outbox.len() as u64 + 1;
            self.outbox.push(PendingOp { order, op });
        }
        self.file.fold_outbox(&self.outbox[..]).unwrap();
    }

    pub(crate) fn plan(&self, project: &str, name: &str, millis: i64) -> Plan {
        let new = NewThread {
            project,
            key: None,
            name,
            at: at(millis),
        };
        plan_new(self.view(), &new, &[]).unwrap()
    }

    /// Makes a thread in the log.
    pub(crate) fn make(&mut self, project: &str, name: &str, millis: i64) -> ThreadId {
        let plan = self.plan(project, name, millis);
        self.log(plan.ops);
        plan.thread_id
    }

    pub(crate) fn write(&mut self, thread: ThreadId, entries: &[(u128, &str)]) {
        let entries: Vec<NewEntry<'_>> = entries.iter().map(|(n, c)| new_entry(*n, c)).collect();
        self.log(plan_append(thread, &entries).unwrap().ops);
    }

    pub(crate) fn write_pending(&mut self, thread: ThreadId, entries: &[(u128, &str)]) {
        let entries: Vec<NewEntry<'_>> = entries.iter().map(|(n, c)| new_entry(*n, c)).collect();
        self.pend(plan_append(thread, &entries).unwrap().ops);
    }

    pub(crate) fn thread(&self, id: ThreadId) -> Thread {
        thread(self.view(), id).unwrap().unwrap()
    }

    /// Runs an import to its end, each batch written to the log or to the outbox.
    pub(crate) fn import(&mut self, mut importer: Importer, to: Destination) -> Imported {
        let mut imported = Imported::default();
        while let Some(batch) = importer.next_batch(self.view()).unwrap() {
            imported.ops += batch.ops.len();
            imported.threads_new += batch.threads_new;
            imported.entries_new += batch.entries_new;
            imported.entries_known += batch.entries_known;
            let say = |problem: &crate::threads::import::ImportProblem| {
                format!("{}: {}", problem.place, problem.cause)
            };
            imported.problems.extend(batch.problems.iter().map(say));
            match to {
                Destination::Log => self.log(batch.ops),
                Destination::Outbox => self.pend(batch.ops),
            }
        }
        imported
    }

    pub(crate) fn export(&self, scope: crate::threads::ExportScope<'_>) -> String {
        let mut bytes = Vec::new();
        crate::threads::export(self.view(), scope, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    Log,
    Outbox,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Imported {
    pub ops: usize,
    pub threads_new: u64,
    pub entries_new: u64,
    pub entries_known: u64,
    pub problems: Vec<String>,
}
