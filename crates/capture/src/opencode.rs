//! Sessions of OpenCode: a database, or, of older versions, a file per session, message and part.
//!
//! Both hold the same things, with fields that are columns in one and nested in the other. A message
//! is taken with its parts, and again whenever any of it has changed.

mod message;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use syncline_model::session::{SessionId, SessionPatch, words};
use syncline_store::StoreError;
use syncline_store::foreign::{ForeignDatabase, ForeignRow};

use crate::agent::Agent;
use crate::facts::{
    Facts, Known, SessionKey, UnitKey, Verdict, name_of_path, set, set_some, take_unit,
    time_of_millis,
};
use crate::import::Tally;
use crate::value::{number, text};
use message::message_of;

const AGENT: Agent = Agent::OpenCode;

/// Reads a database.
pub(crate) fn read_database(
    database: &ForeignDatabase,
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) -> Result<(), StoreError> {
    for table in ["session", "message", "part"] {
        if !database.has_table(table)? {
            let cause = format!(
                "it has no table {table}: it is none of OpenCode's, or of one that is newer"
            );
            tally.count(Verdict::Damaged(cause), None);
            return Ok(());
        }
    }
    let mut sessions = Vec::new();
    database.each_row::<StoreError>("session", |row| {
        sessions.push(Value::Object(row));
        Ok(())
    })?;
    for session in &sessions {
        let Some(native) = text(session, &["id"]) else {
            continue;
        };
        let id = about(session, known, facts, tally);
        let mut parts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        database.each_row_of::<StoreError>("part", "session_id", native, "id", |row| {
            if let Some((message, part)) = nested(row, "message_id") {
                parts.entry(message).or_default().push(part);
            }
            Ok(())
        })?;
        database.each_row_of::<StoreError>("message", "session_id", native, "id", |row| {
            match nested(row, "id") {
                Some((message, info)) => {
                    let parts = parts.remove(&message).unwrap_or_default();
                    let verdict = message_of(id, &message, &info, &parts, known, facts);
                    tally.count(verdict, None);
                }
                None => tally.count(Verdict::Damaged("a message is no JSON".to_owned()), None),
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// What a row holds as JSON, with the id that stands beside it, and its `key`.
fn nested(row: ForeignRow, key: &str) -> Option<(String, Value)> {
    let mut value: Value = serde_json::from_str(row.get("data")?.as_str()?).ok()?;
    let id = row.get("id")?.clone();
    value.as_object_mut()?.entry("id").or_insert(id);
    Some((row.get(key)?.as_str()?.to_owned(), value))
}

/// Reads the file of a session, `storage/session/<project>/<session>.json`, and those of its messages
/// and their parts.
pub(crate) fn read_file(
    path: &Path,
    bytes: &[u8],
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) {
    let session: Value = match serde_json::from_slice(bytes) {
        Ok(session) => session,
        Err(error) => return tally.count(Verdict::Damaged(error.to_string()), None),
    };
    let native = text(&session, &["id"]).map(str::to_owned);
    let storage = path.ancestors().nth(3);
    let (Some(native), Some(storage)) = (native, storage) else {
        return tally.count(Verdict::Damaged("it names no session".to_owned()), None);
    };
    let id = about(&session, known, facts, tally);
    for path in files_in(&storage.join("message").join(&native)) {
        let Some((message, info)) = file(&path, tally) else {
            continue;
        };
        let parts = files_in(&storage.join("part").join(&message));
        let parts = parts.iter().filter_map(|path| file(path, tally));
        let parts: Vec<Value> = parts.map(|(_, part)| part).collect();
        tally.count(message_of(id, &message, &info, &parts, known, facts), None);
    }
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let is_json = |path: &Path| path.extension().is_some_and(|end| end == "json");
    match directory.is_dir() {
        true => crate::walk::walk(directory, is_json).files,
        false => Vec::new(),
    }
}

fn file(path: &Path, tally: &mut Tally<'_>) -> Option<(String, Value)> {
    let read = std::fs::read(path).map_err(|error| error.to_string());
    let value = read.and_then(|bytes| {
        serde_json::from_slice::<Value>(&bytes).map_err(|error| error.to_string())
    });
    match value {
        Ok(value) => {
            let id = text(&value, &["id"]).or(path.file_stem()?.to_str())?;
            Some((id.to_owned(), value))
        }
        Err(error) => {
            let cause = format!("{}: {error}", path.display());
            tally.count(Verdict::Damaged(cause), None);
            None
        }
    }
}

/// Says what is known of the session itself.
fn about(
    session: &Value,
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) -> SessionId {
    let native = text(session, &["id"]).unwrap_or_default();
    let id = SessionKey::plain(native).id(AGENT);
    let millis = |column: &str, nested: [&str; 2]| {
        let value = session.get(column).and_then(Value::as_i64);
        time_of_millis(value.or_else(|| number(session, &nested).map(|time| time as i64)))
    };
    let parent = text(session, &["parent_id"]).or_else(|| text(session, &["parentID"]));
    let directory = text(session, &["directory"]);
    let patch = SessionPatch {
        agent: set(AGENT.as_str()),
        native_id: set(native),
        title: set_some(text(session, &["title"])),
        project_path: set_some(directory),
        project_name: set_some(directory.and_then(name_of_path)),
        cwd: set_some(directory),
        agent_version: set_some(text(session, &["version"])),
        parent_session: set_some(
            parent
                .map(|parent| SessionKey::plain(parent).id(AGENT).to_string())
                .as_deref(),
        ),
        parent_kind: set_some(parent.map(|_| words::SUBAGENT)),
        started_at: millis("time_created", ["time", "created"]).into(),
        updated_at: millis("time_updated", ["time", "updated"]).into(),
        ..SessionPatch::default()
    };
    let key = UnitKey::of(&["opencode session", native]);
    let new = take_unit(known, key, &[&session.to_string()]);
    if new {
        facts.session(id, patch);
    }
    tally.count(if new { Verdict::New } else { Verdict::Known }, None);
    id
}
