//! Transcripts of Codex: `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`, a line per event.
//!
//! A line has a time, a type and a payload; those of mid-2025 are bare items. What a model used is told
//! as a running total of the file: the difference to the total before is what a response used, and a
//! total that is told again is none. A session that was forked repeats its parent's lines at its head,
//! with new times: they are the parent's, as far as they are the parent's word for word; where the
//! parent is not known, what was written within a second of the head is its word.

mod event;
mod item;
mod line;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use syncline_model::Timestamp;
use syncline_model::session::{SessionId, SessionPatch, TEXT_CHARS_MAX, order_after, words};

use crate::agent::Agent;
use crate::facts::{
    Facts, Known, Last, SessionKey, TitleRank, UnitKey, Verdict, name_of_path, set, set_some,
    time_of,
};
use crate::value::no_object;
use line::{Line, Meta, Totals, TurnContext};

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
    /// The session that the file is of: its first header names it.
    session: Option<String>,
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
    /// How the latest prompt was told, and its digest, as long as it may be told in another way too.
    prompt: Option<(String, String)>,
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
}

/// Reads one line; `memory` is what earlier lines of the file have left.
pub fn read(text: &str, memory: &mut Memory, known: &mut dyn Known, facts: &mut Facts) -> Verdict {
    let line: Line<'_> = match serde_json::from_str(text) {
        Ok(line) => line,
        Err(error) => return Verdict::Damaged(no_object(&error)),
    };
    let at = time_of(line.timestamp.as_deref());
    let mut reader = Reader {
        text,
        is_bare: line.payload.is_none(),
        at,
        memory,
        known,
        facts,
    };
    reader.read(&line)
}

struct Reader<'a, 'l> {
    text: &'l str,
    /// Whether the line is an item itself, and not what it is wrapped in.
    is_bare: bool,
    at: Option<Timestamp>,
    memory: &'a mut Memory,
    known: &'a mut dyn Known,
    facts: &'a mut Facts,
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
        let Some(owner) = self.take(payload) else {
            return Verdict::Damaged("no header names its session".to_owned());
        };
        let said_before = self.facts.0.len();
        let verdict = self.line(owner, line, payload);
        if owner.known {
            self.facts.said_before(said_before, self.known.reading());
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

    /// A header. The first is the file's own; a later one is that of the parent, whose lines follow.
    fn meta(&mut self, payload: &str) -> Verdict {
        let Ok(meta) = serde_json::from_str::<Meta<'_>>(payload) else {
            return Verdict::Damaged("its header can't be read".to_owned());
        };
        let Some(id) = meta.id.as_deref().or(meta.session_id.as_deref()) else {
            return Verdict::Damaged("its header names no session".to_owned());
        };
        let at = self.at.or_else(|| time_of(meta.timestamp.as_deref()));
        if let Some(own) = &self.memory.session {
            if own != id && self.memory.parent.is_none() {
                self.memory.parent = Some(id.to_owned());
                self.memory.at_head = true;
            }
            return Verdict::Idle;
        }
        self.memory.session = Some(id.to_owned());
        self.memory.began = at.map(Timestamp::as_millis);
        let parent = meta.parent();
        let is_agent = meta.is_subagent();
        self.memory.is_agent = is_agent;
        if let Some(parent) = &parent {
            self.memory.parent = Some(parent.clone());
            self.memory.at_head = true;
        }
        let provider = meta.model_provider.as_deref().unwrap_or("openai");
        provider.clone_into(&mut self.memory.provider);
        self.memory.cwd.news(meta.cwd.as_deref());
        let key = header_of(id);
        if self.known.noted(key).is_some() {
            return Verdict::Known;
        }
        self.known.note(key, &[]);
        let git = meta.git.as_ref();
        let mut patch = SessionPatch {
            agent: set(AGENT.as_str()),
            native_id: set(id),
            provider: set(provider),
            agent_version: set_some(meta.cli_version.as_deref()),
            source: set_some(meta.originator.as_deref()),
            git_branch: set_some(git.and_then(|git| git.branch.as_deref())),
            git_commit: set_some(git.and_then(|git| git.commit_hash.as_deref())),
            git_remote: set_some(git.and_then(|git| git.repository_url.as_deref())),
            started_at: at.into(),
            ..SessionPatch::default()
        };
        if let Some(cwd) = meta.cwd.as_deref() {
            patch.cwd = set(cwd);
            patch.project_path = set(cwd);
            patch.project_name = set_some(name_of_path(cwd));
        }
        if let Some(parent) = parent {
            let parent = SessionKey::plain(&parent).id(AGENT);
            patch.parent_session = set(&parent.to_string());
            patch.parent_kind = set(if is_agent {
                words::SUBAGENT
            } else {
                words::FORK
            });
        }
        self.facts.session(SessionKey::plain(id).id(AGENT), patch);
        Verdict::New
    }

    /// Takes the line for its session; none: there is none.
    fn take(&mut self, payload: &str) -> Option<Owner> {
        let session = self.memory.session.clone()?;
        let id = SessionKey::plain(&session).id(AGENT);
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
        let id = self.id_of("line");
        let order = self.next_order(self.text);
        self.facts.raw(owner.id, &id, self.text, order);
        Verdict::NotUnderstood
    }
}

fn header_of(session: &str) -> UnitKey {
    UnitKey::of(&["codex meta", session])
}

fn said_by(session: &str, payload: &str) -> UnitKey {
    UnitKey::of(&["codex said", session, payload])
}
