//! Transcripts of Codex: `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`, a line per event.
//!
//! A line has a time, a type and a payload; those of mid-2025 are bare items. What a model used is told
//! as a running total of the file: the difference to the total before is what a response used, and a
//! total that is told again is none. A session that was forked repeats its parent's lines at its head,
//! with new times: they are the parent's, as far as they are the parent's word for word; where the
//! parent is not known, what was written within a second of the head is its word.

mod event;
mod header;
mod item;
mod line;
mod output;
mod prompt;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use syncline_model::Timestamp;
use syncline_model::session::{SessionId, SessionPatch, TEXT_CHARS_MAX, order_after};

use crate::agent::Agent;
use crate::facts::{
    Facts, Known, Last, SessionKey, TitleRank, UnitKey, Verdict, name_of_path, set, set_some,
    time_of,
};
use crate::value::{is_object, no_object};
pub use header::memory_of;
use header::{header_of, introduce};
use line::{Line, Totals, TurnContext};
use prompt::Prompts;

const AGENT: Agent = Agent::Codex;
/// How many tool calls can wait for their results.
const CALLS_MAX: usize = 512;
/// How many turns can be taken back.
const TURNS_MAX: usize = 64;
/// How long the head of a fork takes to be written, in milliseconds.
const BURST_MS: i64 = 1_000;

/// What earlier lines of a file have left.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The session that the file is of: its first header names it, or else the file's own name.
    session: Option<String>,
    /// What the file's name calls it, until a line has come.
    named: Option<String>,
    has_header: bool,
    /// The session whose lines stand at the head.
    parent: Option<String>,
    /// Whether lines are still those of the parent, and whether any was known to be.
    at_head: bool,
    parent_known: bool,
    /// The time of the first line, in milliseconds.
    began: Option<i64>,
    pub(crate) order: Option<i64>,
    model: String,
    provider: String,
    cwd: Last,
    title: TitleRank,
    /// The running total that was told last.
    total: Totals,
    /// Whether another session has called it.
    is_agent: bool,
    /// The message that the model is speaking.
    speaking: Option<String>,
    /// The message that it spoke last, until it is told what that has used: versions of 2026 tell it after
    /// the results of the calls in it.
    spoken: Option<String>,
    prompts: Prompts,
    /// Calls without a result, by id: when each began, in milliseconds.
    calls: VecDeque<(String, i64)>,
    /// The ids of the messages of the latest turns, of each the prompt's first.
    turns: VecDeque<Vec<String>>,
    /// The parts and items that have no id of their own are counted.
    counted: u64,
}

impl Memory {
    fn begin_turn(&mut self, prompt: &str) {
        if self.turns.len() == TURNS_MAX {
            self.turns.pop_front();
        }
        self.turns.push_back(vec![prompt.to_owned()]);
    }

    /// Where no header has named the session, the file's name does.
    fn go_by_name(&mut self) {
        if self.session.is_none() {
            self.session = self.named.take();
        }
    }
}

/// Reads one line; `memory` is what earlier lines of the file have left.
pub fn read(text: &str, memory: &mut Memory, known: &mut dyn Known, facts: &mut Facts) -> Verdict {
    let (line, readable) = match serde_json::from_str::<Line<'_>>(text) {
        Ok(line) => (line, true),
        // One of another shape is kept.
        Err(_) if is_object(text) => (Line::default(), false),
        Err(error) => {
            // A header after it is not the file's own.
            memory.go_by_name();
            return Verdict::Damaged(no_object(&error));
        }
    };
    let at = time_of(line.timestamp.as_deref());
    let mut reader = Reader {
        text,
        at,
        memory,
        known,
        said_before: facts.0.len(),
        facts,
    };
    match readable {
        true => reader.read(&line),
        false => reader.read_as(text, |reader, owner| reader.unknown(owner)),
    }
}

/// The session that a line is of which can't be read.
pub(crate) fn enter(
    memory: &mut Memory,
    known: &mut dyn Known,
    facts: &mut Facts,
) -> Option<SessionId> {
    memory.go_by_name();
    let session = memory.session.as_deref()?;
    if !memory.has_header {
        introduce(session, known, facts);
    }
    Some(SessionKey::plain(session).id(AGENT))
}

/// Says the prompts that wait to be told in another way too.
pub(crate) fn release(memory: &mut Memory, facts: &mut Facts) {
    memory.prompts.release(facts);
}

struct Reader<'a, 'l> {
    text: &'l str,
    at: Option<Timestamp>,
    memory: &'a mut Memory,
    known: &'a mut dyn Known,
    facts: &'a mut Facts,
    /// How many facts there were before the line said any.
    said_before: usize,
}

/// Whose a line is.
#[derive(Debug, Clone, Copy)]
struct Owner {
    id: SessionId,
    /// The session that has said it first, where that is another one.
    copied_from: Option<SessionId>,
    /// Whether its usage counts.
    counts: bool,
    /// Whether the line was taken before.
    known: bool,
}

impl<'l> Reader<'_, 'l> {
    fn read(&mut self, line: &Line<'l>) -> Verdict {
        let payload = line.payload.map_or(self.text, |payload| payload.get());
        match line.kind.as_deref() {
            Some("session_meta") => return self.meta(payload),
            // The first line of an old file is a header without a type.
            None if self.memory.session.is_none() && line.id.is_some() => {
                return self.meta(self.text);
            }
            _ => {}
        }
        self.read_as(payload, |reader, owner| reader.line(owner, line, payload))
    }

    /// Takes the line for its session, and says what `say` finds in it.
    fn read_as(&mut self, payload: &str, say: impl FnOnce(&mut Self, Owner) -> Verdict) -> Verdict {
        let Some(owner) = self.take(payload) else {
            return Verdict::Damaged("no header names its session".to_owned());
        };
        self.said_before = self.facts.0.len();
        let verdict = say(self, owner);
        if owner.known {
            self.facts
                .said_before(self.said_before, self.known.reading());
            return Verdict::Known;
        }
        match (verdict, owner.copied_from) {
            (Verdict::New, Some(_)) => Verdict::Copied,
            (verdict, _) => verdict,
        }
    }

    fn line(&mut self, owner: Owner, line: &Line<'l>, payload: &str) -> Verdict {
        match line.kind.as_deref() {
            Some("turn_context") => self.turn(owner, payload),
            Some("event_msg") => self.event(owner, payload),
            Some("response_item") => self.item(owner, payload),
            Some("compacted") => self.compacted(owner, payload),
            Some("world_state" | "token_usage_record") => Verdict::Idle,
            None if line.record_type.is_some() => Verdict::Idle,
            Some(
                "message"
                | "reasoning"
                | "function_call"
                | "function_call_output"
                | "custom_tool_call"
                | "custom_tool_call_output"
                | "local_shell_call"
                | "web_search_call",
            ) => self.item(owner, self.text),
            _ => self.unknown(owner),
        }
    }

    /// Takes the line for its session; none: there is none.
    fn take(&mut self, payload: &str) -> Option<Owner> {
        self.memory.go_by_name();
        let session = self.memory.session.clone()?;
        let id = SessionKey::plain(&session).id(AGENT);
        if !self.memory.has_header {
            introduce(&session, self.known, self.facts);
            self.memory.began = self.memory.began.or(self.at.map(Timestamp::as_millis));
        }
        let copied_from = self.parents_word(payload);
        let at_head = self.memory.at_head;
        let line = UnitKey::of(&["codex", &session, self.text]);
        let known = self.known.noted(line).is_some();
        if !known {
            self.known.note(line, &[]);
            self.known.note(said_by(&session, payload), &[]);
        }
        Some(Owner {
            id,
            copied_from,
            counts: !at_head,
            known,
        })
    }

    /// The parent, where this line is one that it has said.
    fn parents_word(&mut self, payload: &str) -> Option<SessionId> {
        let parent = self.memory.parent.clone().filter(|_| self.memory.at_head)?;
        let began = self.memory.began.unwrap_or_default();
        let since = self.at.map_or(0, |at| at.as_millis() - began);
        if self.known.noted(said_by(&parent, payload)).is_some() {
            self.memory.parent_known = true;
        } else if self.memory.is_agent
            && since <= BURST_MS
            && self.known.noted(header_of(&parent)).is_some()
        {
            // Its own task comes as fast as what it repeats, and its parent has not said it.
            return None;
        } else if self.memory.parent_known || since > BURST_MS {
            self.memory.at_head = false;
            return None;
        }
        Some(SessionKey::plain(&parent).id(AGENT))
    }

    fn turn(&mut self, owner: Owner, payload: &str) -> Verdict {
        let Ok(turn) = serde_json::from_str::<TurnContext<'_>>(payload) else {
            return self.unknown(owner);
        };
        let mut patch = SessionPatch::default();
        if let Some(model) = turn.model.as_deref()
            && *model != self.memory.model
        {
            model.clone_into(&mut self.memory.model);
            patch.model = set(model);
        }
        if let Some(cwd) = self.memory.cwd.news(turn.cwd.as_deref()) {
            patch.cwd = set(cwd);
            if !self.memory.has_header {
                patch.project_path = set(cwd);
                patch.project_name = set_some(name_of_path(cwd));
            }
        }
        if let Some(policy) = turn.approval_policy.as_deref() {
            patch.permission_mode = set(policy);
        }
        let said = !patch.is_empty();
        self.facts.session(owner.id, patch);
        if said { Verdict::New } else { Verdict::Idle }
    }

    fn next_order(&mut self, text: &str) -> i64 {
        let order = order_after(self.memory.order, self.at);
        let room = (text.len() / TEXT_CHARS_MAX) as i64;
        let room = if room > 0 { room + 1 } else { 0 };
        self.memory.order = Some(order.saturating_add(room));
        order
    }

    /// An id for what has none: it follows from its session, what it says and its time, and so is the
    /// same in a copy of the file.
    fn id_of(&mut self, kind: &str) -> String {
        let session = self.memory.session.as_deref().unwrap_or_default();
        let digest = UnitKey::of(&["codex", session, self.text]).hex();
        format!("{kind}-{}", &digest[..16])
    }

    fn copied(owner: Owner) -> syncline_model::session::Change<std::borrow::Cow<'static, str>> {
        let from = owner.copied_from.map(|session| session.to_string());
        set_some(from.as_deref())
    }

    fn begin_call(&mut self, id: &str) {
        let Some(at) = self.at else { return };
        if self.memory.calls.len() == CALLS_MAX {
            self.memory.calls.pop_front();
        }
        self.memory.calls.push_back((id.to_owned(), at.as_millis()));
    }

    fn end_call(&mut self, id: &str) -> Option<u64> {
        let place = self.memory.calls.iter().position(|(call, _)| call == id)?;
        let (_, began) = self.memory.calls.remove(place)?;
        u64::try_from(self.at?.as_millis() - began).ok()
    }

    fn entitle(&mut self, owner: Owner, title: Option<String>, rank: TitleRank) {
        let Some(title) = title.filter(|_| self.memory.title.gives_way(rank)) else {
            return;
        };
        self.memory.title = rank;
        let patch = SessionPatch {
            title: set(&title),
            ..SessionPatch::default()
        };
        self.facts.session(owner.id, patch);
    }

    /// Keeps a line that can't be named.
    fn unknown(&mut self, owner: Owner) -> Verdict {
        self.keep(owner.id)
    }

    fn keep(&mut self, session: SessionId) -> Verdict {
        let id = self.id_of("line");
        let order = self.next_order(self.text);
        self.facts.raw(session, &id, self.text, order);
        Verdict::NotUnderstood
    }
}

fn said_by(session: &str, payload: &str) -> UnitKey {
    UnitKey::of(&["codex said", session, payload])
}
