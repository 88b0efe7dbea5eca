//! `globalStorage/state.vscdb`: the values of the keys `composerData:<composer>` and
//! `bubbleId:<composer>:<bubble>`.

mod beside;

use std::collections::HashMap;

use serde_json::Value;
use syncline_model::Timestamp;
use syncline_model::session::{
    MessagePatch, Part, Piece, SessionId, SessionPatch, TEXT_CHARS_MAX, Usage, order_after, words,
};
use syncline_store::StoreError;
use syncline_store::foreign::{ForeignDatabase, ForeignText};

use super::AGENT;
use super::Memory;
use super::place::directory_of_bubble;
use super::transcript::{give_way, in_database};
use crate::facts::{
    Facts, Known, SessionKey, UnitKey, Verdict, keep_damaged, owned, placed, set, set_some,
    take_about, take_unit, time_of, time_of_millis,
};
use crate::import::Tally;
use crate::unit::{Unit, each_once};
use crate::value::{Held, counts, number, text};

const TABLE: &str = "cursorDiskKV";
/// What the keys of conversations begin with, and those of what is said in them.
const COMPOSER: &str = "composerData:";
const BUBBLE: &str = "bubbleId:";

/// The conversations of the database, also those of which no more is left than bubbles.
pub(crate) fn units(database: &ForeignDatabase) -> Result<Vec<String>, StoreError> {
    if !database.has_table(TABLE)? {
        // One of a workspace, which holds no conversations.
        return Ok(Vec::new());
    }
    Ok(each_once([
        database.names_below(TABLE, COMPOSER)?,
        database.names_below(TABLE, BUBBLE)?,
    ]))
}

/// Reads a conversation; `memory` knows where it took place.
pub(crate) fn read_unit(memory: &Memory, unit: Unit<'_, '_>) -> Result<(), StoreError> {
    let Unit {
        database,
        name: native,
        known,
        facts,
        tally,
    } = unit;
    let rows = Rows::of(database, native, tally)?;
    let directory = memory.workspaces.directory_of(native, &rows.composer);
    let directory = directory.or_else(|| rows.bubbles.values().find_map(directory_of_bubble));
    let place = directory.as_deref();
    conversation(rows, native, place, known, facts, tally);
    Ok(())
}

/// What the rows of a conversation hold.
#[derive(Default)]
struct Rows {
    /// Null where there is none.
    composer: Value,
    bubbles: HashMap<String, Value>,
    /// Those that can't be read: their keys, and what stands there.
    damaged: Vec<(String, String)>,
}

impl Rows {
    fn of(
        database: &ForeignDatabase,
        native: &str,
        tally: &mut Tally<'_>,
    ) -> Result<Self, StoreError> {
        let mut rows = Self::default();
        let key = format!("{COMPOSER}{native}");
        if let Some(row) = database.value(TABLE, &key)? {
            rows.composer = rows.take(&key, row, tally).unwrap_or_default();
        }
        let prefix = format!("{BUBBLE}{native}:");
        database.each_value::<StoreError>(TABLE, &prefix, |key, row| {
            if let Some(bubble) = rows.take(key, row, tally) {
                let id = key[prefix.len()..].to_owned();
                rows.bubbles.insert(id, bubble);
            }
            Ok(())
        })?;
        Ok(rows)
    }

    fn take(&mut self, key: &str, row: ForeignText, tally: &mut Tally<'_>) -> Option<Value> {
        let held = Held::of_row(row);
        match held.value {
            Ok(value) => {
                if held.mended {
                    tally.mended(key, None);
                }
                Some(value)
            }
            Err(fault) => {
                tally.count(Verdict::Damaged(format!("{key}: {fault}")), None);
                self.damaged.push((key.to_owned(), held.text.into_owned()));
                None
            }
        }
    }
}

fn conversation(
    rows: Rows,
    native: &str,
    directory: Option<&str>,
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) {
    let Rows {
        composer,
        mut bubbles,
        damaged,
    } = rows;
    let composer = &composer;
    // Those of older versions hold their bubbles themselves.
    let inline = composer["conversation"].as_array();
    for (place, bubble) in inline.into_iter().flatten().enumerate() {
        let id = text(bubble, &["bubbleId"]).map(str::to_owned);
        let id = id.unwrap_or_else(|| format!("inline-{place}"));
        bubbles.insert(id, bubble.clone());
    }
    let headers = composer["fullConversationHeadersOnly"].as_array();
    let headers = headers.or(inline).map(Vec::as_slice).unwrap_or_default();
    if headers.is_empty() && bubbles.is_empty() && damaged.is_empty() {
        return tally.count(Verdict::Idle, None);
    }
    let session = SessionKey::plain(native).id(AGENT);
    if !bubbles.is_empty() && take_about(known, in_database(native), &[]) {
        give_way(native, known, facts, tally);
    }
    let created = number(composer, &["createdAt"]).map(|time| time as i64);
    let from = facts.0.len();
    about(composer, native, directory, known, facts, tally);
    let mut place = Place {
        session,
        order: order_after(None, time_of_millis(created)),
        model: text(composer, &["modelConfig", "modelName"]),
        facts,
    };
    for header in headers {
        let Some(id) = text(header, &["bubbleId"]) else {
            continue;
        };
        let Some(bubble) = bubbles.remove(id) else {
            // Its text has gone, and with it all that could be said of it.
            tally.count(Verdict::Idle, None);
            continue;
        };
        tally.count(place.bubble(native, id, (header, &bubble), known), None);
    }
    // What no header names was said all the same.
    let mut rest: Vec<(String, Value)> = bubbles.into_iter().collect();
    rest.sort_by_cached_key(|(id, bubble)| {
        let at = text(bubble, &["createdAt"]).unwrap_or_default();
        (at.to_owned(), id.clone())
    });
    for (id, bubble) in rest {
        let told = (&Value::Null, &bubble);
        tally.count(place.bubble(native, &id, told, known), None);
    }
    let mut order = Some(place.order);
    for (key, text) in &damaged {
        keep_damaged(session, (key, text), &mut order, known, facts);
    }
    let updated = time_of_millis(number(composer, &["lastUpdatedAt"]).map(|time| time as i64));
    let order = order_after(None, updated).max(order.unwrap_or_default());
    facts.come_up_to(from, Some(order));
}

fn about(
    composer: &Value,
    native: &str,
    directory: Option<&str>,
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) {
    let session = SessionKey::plain(native).id(AGENT);
    let time = |name| time_of_millis(number(composer, &[name]).map(|time| time as i64));
    let parent = text(composer, &["subagentInfo", "parentComposerId"]);
    let parent = parent.filter(|parent| *parent != native);
    let parent = parent.map(|parent| SessionKey::plain(parent).id(AGENT).to_string());
    let patch = SessionPatch {
        agent: set(AGENT.as_str()),
        native_id: set(native),
        title: set_some(text(composer, &["name"])),
        status: set_some(text(composer, &["status"])),
        model: set_some(text(composer, &["modelConfig", "modelName"])),
        git_branch: set_some(text(composer, &["createdOnBranch"])),
        permission_mode: set_some(text(composer, &["unifiedMode"])),
        started_at: time("createdAt").into(),
        updated_at: time("lastUpdatedAt").into(),
        parent_session: set_some(parent.as_deref()),
        parent_kind: set_some(parent.as_ref().map(|_| words::SUBAGENT)),
        parent_tool: set_some(text(composer, &["subagentInfo", "toolCallId"])),
        ..directory.map(placed).unwrap_or_default()
    };
    let key = UnitKey::of(&["cursor composer", native]);
    let content = serde_json::to_string(&patch).unwrap_or_default();
    let new = take_about(known, key, &[&content]);
    if new {
        facts.session(session, patch);
    }
    for child in composer["subComposerIds"].as_array().into_iter().flatten() {
        let Some(child) = child.as_str() else {
            continue;
        };
        if take_about(known, UnitKey::of(&["cursor child", child]), &[native]) {
            let patch = SessionPatch {
                parent_session: set(&session.to_string()),
                parent_kind: set(words::SUBAGENT),
                ..SessionPatch::default()
            };
            facts.session(SessionKey::plain(child).id(AGENT), patch);
        }
    }
    tally.count(if new { Verdict::New } else { Verdict::Known }, None);
}

struct Place<'a> {
    session: SessionId,
    order: i64,
    model: Option<&'a str>,
    facts: &'a mut Facts,
}

impl Place<'_> {
    fn next_order(&mut self, at: Option<Timestamp>, said: &str) -> i64 {
        let order = order_after(Some(self.order), at);
        let pieces = (said.len() / TEXT_CHARS_MAX) as i64;
        self.order = order + if pieces > 0 { pieces + 1 } else { 0 };
        order
    }

    /// Reads what was said, with what the conversation's list says of it.
    fn bubble(
        &mut self,
        composer: &str,
        id: &str,
        (header, bubble): (&Value, &Value),
        known: &mut dyn Known,
    ) -> Verdict {
        let at = text(bubble, &["createdAt"]).or_else(|| text(header, &["createdAt"]));
        let at = time_of(at);
        let order = self.next_order(at, "");
        let said = text(bubble, &["text"]).unwrap_or_default();
        let thought = text(bubble, &["thinking", "text"]).or_else(|| text(bubble, &["thinking"]));
        let thought = thought.unwrap_or_default();
        let key = UnitKey::of(&["cursor bubble", composer, id]);
        let new = take_unit(known, key, &[&bubble.to_string()]);
        let role = match bubble["type"].as_i64() {
            Some(1) => words::USER,
            Some(2) => words::ASSISTANT,
            _ if bubble.is_null() => return Verdict::Idle,
            _ if new => return self.keep(id, bubble, at),
            _ => return Verdict::Known,
        };
        let model = text(bubble, &["modelInfo", "modelName"]).or(self.model);
        let model = model.filter(|_| role == words::ASSISTANT);
        let turn = bubble["turnDurationMs"].as_u64();
        let patch = MessagePatch {
            id: owned(id),
            role: set(role),
            // What the editor shows and nobody said.
            kind: set_some((bubble["isDisplayOnly"] == true).then_some("display")),
            model: set_some(model),
            at: at.into(),
            duration_ms: turn.filter(|turn| *turn > 0).into(),
            order: Some(order).into(),
            ..MessagePatch::default()
        };
        let parts = [
            ("thinking", words::THINKING, thought),
            ("text", words::TEXT, said),
        ];
        let parts = parts.map(|(part, kind, said)| Part {
            message_id: owned(id),
            id: part.into(),
            kind: kind.into(),
            order: self.next_order(at, said),
            text: owned(said),
            ..Part::default()
        });
        let tool_order = self.next_order(at, "");
        let attached = self.attached(id, bubble, at);
        let failure_order = self.next_order(at, "");
        if !new {
            return Verdict::Known;
        }
        self.facts.message(self.session, patch);
        let said = parts.into_iter().filter(|part| !part.text.is_empty());
        for part in said.chain(attached) {
            self.facts.part(self.session, part);
        }
        self.failed(id, bubble, failure_order, at);
        let mut understood = self.used(id, bubble, model, order, at);
        understood &= self.tool(id, bubble, tool_order, at);
        match understood {
            true => Verdict::New,
            false => Verdict::NotUnderstood,
        }
    }

    /// Keeps what can't be named as it stands.
    fn keep(&mut self, id: &str, value: &Value, at: Option<Timestamp>) -> Verdict {
        let said = value.to_string();
        let order = self.next_order(at, &said);
        self.facts.raw(self.session, id, &said, order);
        Verdict::NotUnderstood
    }

    /// What a response has used, if that can be read; else it is kept as it stands.
    fn used(
        &mut self,
        id: &str,
        bubble: &Value,
        model: Option<&str>,
        order: i64,
        at: Option<Timestamp>,
    ) -> bool {
        let tokens = &bubble["tokenCount"];
        let Some([input, output]) = counts(tokens, [&["inputTokens"], &["outputTokens"]]) else {
            let id = format!("{id}.usage");
            self.facts
                .raw(self.session, &id, &tokens.to_string(), order);
            return false;
        };
        if input == 0 && output == 0 {
            return true;
        }
        let usage = Usage {
            id: owned(id),
            order,
            message_id: Some(owned(id)),
            model: model.map(owned),
            at,
            input,
            output,
            ..Usage::default()
        };
        self.facts.say(self.session, Piece::Usage(usage));
        true
    }
}
