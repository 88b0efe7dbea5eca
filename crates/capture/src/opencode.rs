//! Sessions of OpenCode: a database, or, of older versions, a file per session, message and part.
//!
//! Both hold the same things, with fields that are columns in one and nested in the other. A message
//! is taken with its parts, and again whenever any of it has changed.

mod files;
mod message;
mod place;
mod second;
mod tables;
mod undone;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use syncline_model::Timestamp;
use syncline_model::session::{SessionId, SessionPatch, order_after, words};
use syncline_redact::read_json;
use syncline_store::StoreError;
use syncline_store::foreign::ForeignRow;

use crate::agent::Agent;
use crate::facts::{
    Facts, Kept, Known, SessionKey, UnitKey, Verdict, keep_damaged, name_of_path, set, set_some,
    take_about, take_unit, time_of_millis,
};
use crate::import::Tally;
use crate::unit::Unit;
use crate::value::{number, plain, text};
pub(crate) use files::{beside, read_file, session_of};
use message::message_of;
pub(crate) use tables::units;
use tables::{each_row, has_changed, session_row};
use undone::{Found, hidden_from, take_back};

const AGENT: Agent = Agent::OpenCode;

/// Reads a session of a database; of one in which nothing was written since, no more than its own row.
pub(crate) fn read_unit(unit: Unit<'_, '_>) -> Result<(), StoreError> {
    let Unit {
        database,
        name: native,
        known,
        facts,
        tally,
    } = unit;
    let session = session_row(database, native)?;
    let from = facts.0.len();
    let id = about(&session, known, facts, tally);
    let mut last = time(&session, "updated");
    let hidden_from = hidden_from(&session);
    if !has_changed(database, native, hidden_from.as_deref(), known)? {
        tally.count(Verdict::Known, None);
        facts.come_up_to(from, place_at(last));
        return Ok(());
    }
    let kept = Kept::of(id, known);
    let mut lost = Vec::new();
    let mut parts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut here = BTreeSet::new();
    each_row(database, "part", ("session_id", native), |row| {
        last = last.max(written_at(&row));
        match nested(&row, ("part", "message_id"), native, tally) {
            Ok((message, part)) => parts.entry(message).or_default().push(part),
            Err(damaged) => lost.push(damaged),
        }
    })?;
    let mut told_until = None;
    each_row(database, "message", ("session_id", native), |row| {
        here.insert(id_of(&row).to_owned());
        last = last.max(written_at(&row));
        told_until = told_until.max(Some(second::made_at(&row)));
        match nested(&row, ("message", "id"), native, tally) {
            Ok((message, info)) => {
                let parts = parts.remove(&message).unwrap_or_default();
                let verdict = message_of(id, &message, &info, &parts, &kept, known, facts);
                tally.count(verdict, None);
            }
            Err(damaged) => lost.push(damaged),
        }
    })?;
    let origin = second::origin_of(&session);
    for row in second::rows(database, native, told_until)? {
        here.insert(id_of(&row).to_owned());
        last = last.max(written_at(&row));
        match nested(&row, (second::MESSAGES, "id"), native, tally) {
            Ok((_, data)) => {
                let row = second::Row::of(&row, &data, origin);
                tally.count(row.take(id, &kept, known, facts), None);
            }
            Err(damaged) => lost.push(damaged),
        }
    }
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
    keep_lost(id, &lost, place_at(last), known, facts);
    facts.come_up_to(from, place_at(last));
    Ok(())
}

/// Keeps what can't be read of a session, behind all else: what it is called, and what stands there.
fn keep_lost(
    session: SessionId,
    lost: &[(String, String)],
    mut last: Option<i64>,
    known: &mut dyn Known,
    facts: &mut Facts,
) {
    for (name, text) in lost {
        keep_damaged(session, (name, text), &mut last, known, facts);
    }
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

fn id_of(row: &ForeignRow) -> &str {
    row.get("id").and_then(Value::as_str).unwrap_or_default()
}

/// What a row of a session holds as JSON, with the id that stands beside it, and its `key`. What is wrong is told;
/// of what can't be read it gives what it is called, and what stands there.
fn nested(
    row: &ForeignRow,
    (what, key): (&str, &str),
    native: &str,
    tally: &mut Tally<'_>,
) -> Result<(String, Value), (String, String)> {
    let id = id_of(row);
    let data = row.get("data").and_then(plain).unwrap_or_default();
    let value = read_json(data.as_bytes()).ok().and_then(|mut value| {
        let id = row.get("id")?.clone();
        Value::as_object_mut(&mut value)?.entry("id").or_insert(id);
        Some((row.get(key)?.as_str()?.to_owned(), value))
    });
    let place = format!("{what} {id} of session {native}");
    if value.is_none() {
        let cause = format!("{place} is no JSON object, or names nothing");
        tally.count(Verdict::Damaged(cause), None);
    } else if row.mended {
        tally.mended(&place, None);
    }
    value.ok_or_else(|| (format!("{what}/{id}"), data))
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
    let parent = parent.map(|parent| SessionKey::plain(parent).id(AGENT));
    let origin = second::origin_of(session);
    let kind = origin.map_or(words::SUBAGENT, |_| words::FORK);
    let parent = parent.or(origin).map(|parent| parent.to_string());
    let directory = text(session, &["directory"]);
    let patch = SessionPatch {
        agent: set(AGENT.as_str()),
        native_id: set(native),
        title: set_some(text(session, &["title"])),
        project_path: set_some(directory),
        project_name: set_some(directory.and_then(name_of_path)),
        cwd: set_some(directory),
        agent_version: set_some(text(session, &["version"])),
        parent_session: set_some(parent.as_deref()),
        parent_kind: set_some(parent.as_ref().map(|_| kind)),
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
