//! Sessions of OpenCode: a database, or, of older versions, a file per session, message and part.
//!
//! Both hold the same things, with fields that are columns in one and nested in the other. A message
//! is taken with its parts, and again whenever any of it has changed.

mod message;
mod undone;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use syncline_model::Timestamp;
use syncline_model::session::{SessionId, SessionPatch, order_after, words};
use syncline_redact::read_json;
use syncline_store::StoreError;
use syncline_store::foreign::{ForeignDatabase, ForeignRow};

use crate::agent::Agent;
use crate::facts::{
    Facts, Known, SessionKey, UnitKey, Verdict, name_of_path, set, set_some, take_about, take_unit,
    time_of_millis,
};
use crate::import::Tally;
use crate::tail::Beside;
use crate::unit::{Unit, each_once};
use crate::value::{Fault, number, text};
use message::message_of;
use undone::{Found, hidden_from, take_back};

const AGENT: Agent = Agent::OpenCode;

/// The sessions of a database, also those of which no more is left than messages or parts.
pub(crate) fn units(
    database: &ForeignDatabase,
    tally: &mut Tally<'_>,
) -> Result<Vec<String>, StoreError> {
    for table in ["session", "message", "part"] {
        if !database.has_table(table)? {
            let cause = format!(
                "it has no table {table}: it is none of OpenCode's, or of one that is newer"
            );
            tally.count(Verdict::Damaged(cause), None);
            return Ok(Vec::new());
        }
    }
    Ok(each_once([
        database.texts_of("session", "id")?,
        database.texts_of("message", "session_id")?,
        database.texts_of("part", "session_id")?,
    ]))
}

/// Reads a session of a database; of one in which nothing was written since, no more than its own row.
pub(crate) fn read_unit(unit: Unit<'_, '_>) -> Result<(), StoreError> {
    let Unit {
        database,
        name: native,
        known,
        facts,
        tally,
    } = unit;
    // Of one whose row has gone, its id is all that is known.
    let mut session = serde_json::json!({"id": native});
    database.each_row_of::<StoreError>("session", "id", native, "id", |row| {
        session = Value::Object(row);
        Ok(())
    })?;
    let from = facts.0.len();
    let id = about(&session, known, facts, tally);
    let mut last = time(&session, "updated");
    let hidden_from = hidden_from(&session);
    if !has_changed(database, native, hidden_from.as_deref(), known)? {
        tally.count(Verdict::Known, None);
        facts.come_up_to(from, place_at(last));
        return Ok(());
    }
    let damaged = |tally: &mut Tally<'_>, what: &str, id: &str| {
        let cause = format!("{what} {id} of session {native} is no JSON");
        tally.count(Verdict::Damaged(cause), None);
    };
    let mut parts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    database.each_row_of::<StoreError>("part", "session_id", native, "id", |row| {
        last = last.max(written_at(&row));
        match nested(&row, "message_id") {
            Some((message, part)) => parts.entry(message).or_default().push(part),
            None => damaged(tally, "part", id_of(&row)),
        }
        Ok(())
    })?;
    let mut here = BTreeSet::new();
    database.each_row_of::<StoreError>("message", "session_id", native, "id", |row| {
        here.insert(id_of(&row).to_owned());
        last = last.max(written_at(&row));
        match nested(&row, "id") {
            Some((message, info)) => {
                let parts = parts.remove(&message).unwrap_or_default();
                let verdict = message_of(id, &message, &info, &parts, known, facts);
                tally.count(verdict, None);
            }
            None => damaged(tally, "message", id_of(&row)),
        }
        Ok(())
    })?;
    let found = Found {
        path: tally.path,
        here,
        hidden_from,
    };
    take_back(id, found, known, facts, tally);
    // Parts of messages that are not there are kept as they are.
    for part in parts.values().flatten() {
        let verdict = part_alone(id, native, part, known, facts);
        tally.count(verdict, None);
    }
    facts.come_up_to(from, place_at(last));
    Ok(())
}

/// Keeps a part whose message is not there.
fn part_alone(
    session: SessionId,
    native: &str,
    part: &Value,
    known: &mut dyn Known,
    facts: &mut Facts,
) -> Verdict {
    let part_id = text(part, &["id"]).unwrap_or_default();
    let content = part.to_string();
    let key = UnitKey::of(&["opencode part alone", native, part_id]);
    if !take_unit(known, key, &[&content]) {
        return Verdict::Known;
    }
    facts.raw(session, &format!("part/{part_id}"), &content, 0);
    Verdict::NotUnderstood
}

/// Whether messages or parts of a session were written or hidden since it was read, as their times and sizes
/// tell; so, where they have none. Noted before they are read: what is written meanwhile is seen the next time.
fn has_changed(
    database: &ForeignDatabase,
    native: &str,
    hidden_from: Option<&str>,
    known: &mut dyn Known,
) -> Result<bool, StoreError> {
    let stamp = |table| database.stamp_of(table, "session_id", native, ["time_updated", "data"]);
    let (messages, parts) = (stamp("message")?, stamp("part")?);
    let (Some(messages), Some(parts)) = (messages, parts) else {
        return Ok(true);
    };
    let key = UnitKey::of(&["opencode rows of session", native]);
    let mut content = vec![messages.as_str(), &parts];
    content.extend(hidden_from);
    Ok(take_unit(known, key, &content))
}

fn id_of(row: &ForeignRow) -> &str {
    row.get("id").and_then(Value::as_str).unwrap_or_default()
}

/// What a row holds as JSON, with the id that stands beside it, and its `key`.
fn nested(row: &ForeignRow, key: &str) -> Option<(String, Value)> {
    let mut value: Value = read_json(row.get("data")?.as_str()?.as_bytes()).ok()?;
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
    let mut session: Value = read_json(bytes).unwrap_or_else(|error| {
        tally.count(Verdict::Damaged(Fault::from(&error).to_string()), None);
        Value::Null
    });
    let named = path.file_stem().and_then(|name| name.to_str());
    let native = text(&session, &["id"]).or(named).map(str::to_owned);
    let storage = path.ancestors().nth(3);
    let (Some(native), Some(storage)) = (native, storage) else {
        return tally.count(Verdict::Damaged("it names no session".to_owned()), None);
    };
    if text(&session, &["id"]).is_none() {
        // Its messages lie beside it, under the name that it has too.
        session = serde_json::json!({"id": native});
    }
    let from = facts.0.len();
    let id = about(&session, known, facts, tally);
    let mut last = time(&session, "updated");
    let mut here = BTreeSet::new();
    for path in files_in(&storage.join("message").join(&native)) {
        here.extend(
            path.file_stem()
                .and_then(|id| id.to_str())
                .map(str::to_owned),
        );
        let Some((message, info)) = file(&path, tally) else {
            continue;
        };
        let parts = files_in(&storage.join("part").join(&message));
        let parts = parts.iter().filter_map(|path| file(path, tally));
        let parts: Vec<Value> = parts.map(|(_, part)| part).collect();
        let ended = parts.iter().map(|part| time(part, "end"));
        last = ended.fold(last.max(time(&info, "completed")), Option::max);
        tally.count(message_of(id, &message, &info, &parts, known, facts), None);
        here.insert(message);
    }
    let found = Found {
        path: tally.path,
        here,
        hidden_from: hidden_from(&session),
    };
    take_back(id, found, known, facts, tally);
    facts.come_up_to(from, place_at(last));
}

/// What is known of the files of a session's messages and parts, without reading them.
pub(crate) fn beside(path: &Path) -> Option<Beside> {
    let storage = path.ancestors().nth(3)?;
    let native = path.file_stem()?.to_str()?;
    let mut beside = Beside::default();
    for message in files_in(&storage.join("message").join(native)) {
        beside.see(&message);
        let parts = storage.join("part").join(message.file_stem()?);
        files_in(&parts).iter().for_each(|part| beside.see(part));
    }
    Some(beside)
}

/// The file of the session that a path in `storage/message` or `storage/part` belongs to.
pub(crate) fn session_of(path: &Path) -> Option<PathBuf> {
    // `message/<session>/<message>.json`, `part/<message>/<part>.json`, or their directories
    let mut above = path.ancestors();
    let (kind, directory) = above.find_map(|directory| {
        let kind = directory.parent()?.file_name()?.to_str()?;
        let storage = directory.ancestors().nth(2)?.file_name()?;
        let is_ours = storage == "storage" && matches!(kind, "message" | "part");
        is_ours.then_some((kind, directory))
    })?;
    let storage = directory.ancestors().nth(2)?;
    let named = directory.file_name()?.to_str()?;
    let session = match kind {
        "message" => named.to_owned(),
        _ => {
            let message = format!("{named}.json");
            let message = below(&storage.join("message"), &message)?;
            message.parent()?.file_name()?.to_str()?.to_owned()
        }
    };
    below(&storage.join("session"), &format!("{session}.json"))
}

/// The file of this name in one of the directories in `directory`.
fn below(directory: &Path, name: &str) -> Option<PathBuf> {
    let mut directories = std::fs::read_dir(directory).ok()?.filter_map(Result::ok);
    directories.find_map(|directory| {
        let path = directory.path().join(name);
        path.exists().then_some(path)
    })
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
        read_json::<Value>(&bytes).map_err(|error| Fault::from(&error).to_string())
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

/// A time that a session tells: in a column of its own, or among its times.
fn time(session: &Value, what: &str) -> Option<Timestamp> {
    let value = session.get(format!("time_{what}")).and_then(Value::as_i64);
    time_of_millis(value.or_else(|| number(session, &["time", what]).map(|time| time as i64)))
}

/// When a row of a message or a part was written.
fn written_at(row: &ForeignRow) -> Option<Timestamp> {
    time_of_millis(row.get("time_updated").and_then(Value::as_i64))
}

/// The place in the order of a session at which something was said.
fn place_at(at: Option<Timestamp>) -> Option<i64> {
    at.map(|at| order_after(None, Some(at)))
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
        started_at: time(session, "created").into(),
        updated_at: time(session, "updated").into(),
        ..SessionPatch::default()
    };
    let key = UnitKey::of(&["opencode session", native]);
    let new = take_about(known, key, &[&session.to_string()]);
    if new {
        facts.session(id, patch);
    }
    tally.count(if new { Verdict::New } else { Verdict::Known }, None);
    id
}
