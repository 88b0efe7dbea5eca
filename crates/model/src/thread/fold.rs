//! The fold of scope `thread`.

use serde::{Deserialize, Serialize};

use super::ops::{Create, Delete, Entry, Link, Status, Tag, ThreadOp, Update};
use super::{ENTRIES, EntryId, LINKS, TAGS, THREADS, ThreadId};
use crate::limits::{AUTHOR_CHARS_MAX, AUTHORS_LISTED_MAX};
use crate::{Folded, OpKey, OpVersion, Payload, Place, Row, Rows, SkipReason, Timestamp, Value};

/// The project of a thread whose creation is not known.
const PROJECT_UNKNOWN: &str = "default";
/// The status of a thread that was deleted.
pub const DELETED: &str = "deleted";

/// Folds one op of a thread.
pub fn fold<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
    place: Place,
) -> Result<Folded, R::Error> {
    let Some(op) = ThreadOp::read(payload) else {
        return Ok(Folded::Skipped(SkipReason::Unreadable));
    };
    if ThreadId::of_resource(&key.resource).is_none() {
        return Ok(Folded::Skipped(SkipReason::Unreadable));
    }
    let id = Value::from(key.resource.as_str());
    let thread = rows.get(&THREADS, &[id])?.map(Thread::from_row);
    // Of several deletes the last one makes the tombstone: it has erased the others, also those that
    // the version which erased them could not read.
    let is_delete = matches!(op, ThreadOp::Delete(_));
    if thread.as_ref().is_some_and(Thread::is_deleted) && !is_delete {
        return Ok(Folded::AfterDelete);
    }
    let version = OpVersion {
        clock: key.clock,
        actor: key.actor.clone(),
    };
    match op {
        ThreadOp::Create(op) => create(rows, key, thread, version, op)?,
        ThreadOp::Entry(op) => append(rows, key, thread, place, op)?,
        ThreadOp::Update(op) => update(rows, key, thread, version, op)?,
        ThreadOp::Tag(op) => tag(rows, key, version, op)?,
        ThreadOp::Link(op) => link(rows, key, version, op)?,
        ThreadOp::Delete(op) => {
            delete(rows, key, op)?;
            return Ok(Folded::Deleted);
        }
    }
    Ok(Folded::Applied)
}

/// Whether a resource of this scope is a thread that was deleted, with the payloads of all its ops.
pub fn is_erased<R: Rows>(rows: &mut R, resource: &str) -> Result<bool, R::Error> {
    let thread = rows.get(&THREADS, &[Value::from(resource)])?;
    Ok(thread.is_some_and(|row| Thread::from_row(row).is_deleted()))
}

/// Whether a payload of this scope deletes its thread.
pub fn is_delete(payload: &Payload) -> bool {
    matches!(ThreadOp::read(payload), Some(ThreadOp::Delete(_)))
}

fn create<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    thread: Option<Thread>,
    version: OpVersion,
    op: Create<'_>,
) -> Result<(), R::Error> {
    let mut thread = thread.unwrap_or_else(|| Thread::unknown(key, op.at));
    if thread.key.is_none() {
        thread.key = Some(op.key.into_owned());
        thread.home_project = Some(op.project.clone().into_owned());
        thread.generation = op.generation as i64;
        thread.created_at = op.at.to_string();
    }
    let mut versions = thread.versions();
    if wins(&mut versions.project, &version) {
        thread.project = op.project.into_owned();
    }
    if wins(&mut versions.name, &version) {
        thread.name = op.name.into_owned();
    }
    thread.set_versions(&versions);
    rows.put(&THREADS, thread.into_row())
}

fn append<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    thread: Option<Thread>,
    place: Place,
    op: Entry<'_>,
) -> Result<(), R::Error> {
    let mut thread = thread.unwrap_or_else(|| Thread::unknown(key, op.at));
    let at = op.at.to_string();
    let (sequence_id, pending_order) = match place {
        Place::Confirmed(_) => (Value::Integer(thread.entry_count), Value::Null),
        Place::Pending(order) => (Value::Null, Value::Integer(order as i64)),
    };
    add_author(&mut thread.authors, &op.author);
    let row = vec![
        Value::from(key.resource.as_str()),
        Value::Text(op.entry_id.to_string()),
        sequence_id,
        pending_order,
        Value::Text(at.clone()),
        Value::Text(op.author.into_owned()),
        op.name.map(|name| name.into_owned()).into(),
        Value::Text(op.content.into_owned()),
    ];
    if rows.insert(&ENTRIES, row)? {
        thread.entry_count += 1;
        thread.updated_at = at;
        rows.put(&THREADS, thread.into_row())?;
    }
    Ok(())
}

/// Adds `author` to a JSON array of texts, unless it is there, the array is full, or the name is so
/// long that the row, which each entry rewrites, would grow without bound.
fn add_author(authors: &mut String, author: &str) {
    if author.chars().count() > AUTHOR_CHARS_MAX {
        return;
    }
    // A quote within a text is written behind a backslash, so that this finds whole texts alone.
    let quoted = serde_json::to_string(author).expect("a text is written as JSON");
    if authors.contains(&quoted) {
        return;
    }
    let mut listed: Vec<String> =
        serde_json::from_str(authors).expect("the fold alone writes this column");
    if listed.len() < AUTHORS_LISTED_MAX {
        listed.push(author.to_owned());
        *authors = serde_json::to_string(&listed).expect("texts are written as JSON");
    }
}

fn update<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    thread: Option<Thread>,
    version: OpVersion,
    op: Update<'_>,
) -> Result<(), R::Error> {
    if op.name.is_none() && op.project.is_none() && op.status.is_none() {
        return Ok(());
    }
    let mut thread = thread.unwrap_or_else(|| Thread::unknown(key, op.at));
    let mut versions = thread.versions();
    if let Some(name) = op.name
        && wins(&mut versions.name, &version)
    {
        thread.name = name.into_owned();
    }
    if let Some(project) = op.project
        && wins(&mut versions.project, &version)
    {
        thread.project = project.into_owned();
    }
    if let Some(status) = op.status
        && wins(&mut versions.status, &version)
    {
        thread.status = status.as_str().to_owned();
    }
    // Also where a later writer had won before: else the time would tell which ops, long covered,
    // have stood in the log before this one.
    thread.updated_at = op.at.to_string();
    thread.set_versions(&versions);
    rows.put(&THREADS, thread.into_row())
}

/// Leaves the tombstone, made of the delete alone: a log whose earlier payloads are erased folds to
/// the same row.
fn delete<R: Rows>(rows: &mut R, key: &OpKey, op: Delete<'_>) -> Result<(), R::Error> {
    for table in [&ENTRIES, &TAGS, &LINKS] {
        rows.clear(table, key.resource.as_str())?;
    }
    let mut thread = Thread::unknown(key, op.at);
    thread.key = Some(op.key.into_owned());
    thread.home_project = Some(op.project.clone().into_owned());
    thread.generation = op.generation as i64;
    thread.project = op.project.into_owned();
    thread.name = String::new();
    thread.status = DELETED.to_owned();
    rows.put(&THREADS, thread.into_row())
}

fn tag<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    version: OpVersion,
    op: Tag<'_>,
) -> Result<(), R::Error> {
    let row_key = [
        Value::from(key.resource.as_str()),
        entry_or_thread(op.entry_id),
        Value::Text(op.tag.into_owned()),
    ];
    let old = rows.get(&TAGS, &row_key)?;
    if old.is_some_and(|row| stamp(&row[4..6]) >= stamp_of(&version)) {
        return Ok(());
    }
    let mut row = Vec::from(row_key);
    row.push(Value::Integer(op.present.into()));
    row.extend(stamp_cells(&version));
    rows.put(&TAGS, row)
}

fn link<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    version: OpVersion,
    op: Link<'_>,
) -> Result<(), R::Error> {
    let row_key = [
        Value::from(key.resource.as_str()),
        entry_or_thread(op.entry_id),
        Value::Text(op.target.to_string()),
    ];
    let old = rows.get(&LINKS, &row_key)?;
    if old.is_some_and(|row| stamp(&row[5..7]) >= stamp_of(&version)) {
        return Ok(());
    }
    let mut row = Vec::from(row_key);
    row.push(op.note.map(|note| note.into_owned()).into());
    row.push(Value::Integer(op.present.into()));
    row.extend(stamp_cells(&version));
    rows.put(&LINKS, row)
}

pub(super) fn entry_or_thread(entry: Option<EntryId>) -> Value {
    Value::Text(entry.map(|id| id.to_string()).unwrap_or_default())
}

fn stamp_cells(version: &OpVersion) -> [Value; 2] {
    [
        Value::Integer(version.clock.get() as i64),
        Value::from(version.actor.as_str()),
    ]
}

pub(super) fn stamp(cells: &[Value]) -> (i64, &str) {
    (
        cells[0].as_integer().unwrap_or_default(),
        cells[1].as_text().unwrap_or_default(),
    )
}

pub(super) fn stamp_of(version: &OpVersion) -> (i64, &str) {
    (version.clock.get() as i64, version.actor.as_str())
}

/// Whether `version` is later than the field's; if so, it becomes the field's.
fn wins(field: &mut Option<OpVersion>, version: &OpVersion) -> bool {
    let wins = field.as_ref().is_none_or(|last| version > last);
    if wins {
        *field = Some(version.clone());
    }
    wins
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Versions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<OpVersion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) project: Option<OpVersion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<OpVersion>,
}

/// A row of `threads`.
pub(super) struct Thread {
    thread_id: String,
    pub(super) key: Option<String>,
    pub(super) home_project: Option<String>,
    pub(super) generation: i64,
    project: String,
    name: String,
    status: String,
    pub(super) created_at: String,
    pub(super) updated_at: String,
    entry_count: i64,
    authors: String,
    versions: String,
}

impl Thread {
    /// The thread before its creation is known: what is appended to it is kept all the same.
    fn unknown(key: &OpKey, at: Timestamp) -> Self {
        Self {
            thread_id: key.resource.as_str().to_owned(),
            key: None,
            home_project: None,
            generation: 0,
            project: PROJECT_UNKNOWN.to_owned(),
            name: key.resource.as_str().to_owned(),
            status: Status::Active.as_str().to_owned(),
            created_at: at.to_string(),
            updated_at: at.to_string(),
            entry_count: 0,
            authors: "[]".to_owned(),
            versions: "{}".to_owned(),
        }
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.status == DELETED
    }

    pub(super) fn versions(&self) -> Versions {
        serde_json::from_str(&self.versions).expect("the fold alone writes this column")
    }

    fn set_versions(&mut self, versions: &Versions) {
        self.versions = serde_json::to_string(versions).expect("versions are plain data");
    }

    pub(super) fn from_row(row: Row) -> Self {
        let mut cells = row.into_iter();
        let mut next = || cells.next().expect("a row has its table's columns");
        let text = |value: Value| value.into_text().unwrap_or_default();
        let integer = |value: Value| value.as_integer().unwrap_or_default();
        Self {
            thread_id: text(next()),
            key: next().into_text(),
            home_project: next().into_text(),
            generation: integer(next()),
            project: text(next()),
            name: text(next()),
            status: text(next()),
            created_at: text(next()),
            updated_at: text(next()),
            entry_count: integer(next()),
            authors: text(next()),
            versions: text(next()),
        }
    }

    fn into_row(self) -> Row {
        vec![
            self.thread_id.into(),
            self.key.into(),
            self.home_project.into(),
            self.generation.into(),
            self.project.into(),
            self.name.into(),
            self.status.into(),
            self.created_at.into(),
            self.updated_at.into(),
            self.entry_count.into(),
            self.authors.into(),
            self.versions.into(),
        ]
    }
}
