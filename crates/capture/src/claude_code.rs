//! Transcripts of Claude Code: `projects/<directory>/<session>.jsonl`, a line per event.
//!
//! One response of the model is several lines, a block each, with one `message.id` and `requestId`;
//! each repeats the usage as far as it was known, so that the last, or largest, one counts. A line
//! is taken once by its `uuid`: sessions that were forked, resumed or copied repeat those of others. Where
//! a line says whose it was, it gives way to that one, whichever was read first. One that a fork has given
//! a `uuid` of its own goes by that of its origin, where it names it, or by the response that it is of. A subagent's lines carry
//! its parent's `sessionId` and an `agentId` of their own; those of older versions have none, and are told
//! apart by the line that began their chain.

mod fork;
mod kin;
mod line;
mod memory;
mod output;
mod speech;
mod summary;
mod system;

use syncline_model::Timestamp;
use syncline_model::session::{SessionId, SessionPatch, TEXT_CHARS_MAX, order_after};

use crate::agent::Agent;
use crate::facts::{Facts, Known, SessionKey, TitleRank, UnitKey, Verdict, set, set_some, time_of};
use crate::value::{is_object, no_object};
use fork::GivesWay;
use line::Line;
pub use memory::Memory;
pub(crate) use memory::memory_of;

const AGENT: Agent = Agent::ClaudeCode;

/// Reads one line; `memory` is what earlier lines of the file have left.
pub fn read(text: &str, memory: &mut Memory, known: &mut dyn Known, facts: &mut Facts) -> Verdict {
    let (line, readable) = match serde_json::from_str::<Line<'_>>(text) {
        Ok(line) => (line, true),
        Err(error) => {
            // One of another shape is kept; one that is no object has lost something.
            if !is_object(text) {
                return Verdict::Damaged(no_object(&error));
            }
            (Line::default(), false)
        }
    };
    let said_before = facts.0.len();
    let reading = known.reading();
    let mut gives_way = None;
    let reader = Reader {
        gives_way: &mut gives_way,
        text,
        line,
        memory,
        known,
        facts: &mut *facts,
    };
    let verdict = match readable {
        true => reader.read(),
        false => reader.unknown(),
    };
    if verdict == Verdict::Known {
        facts.said_before(said_before, reading);
    }
    if let Some(fork) = gives_way {
        fork.say(said_before, facts);
    }
    verdict
}

struct Reader<'a, 'l> {
    text: &'l str,
    line: Line<'l>,
    memory: &'a mut Memory,
    known: &'a mut dyn Known,
    facts: &'a mut Facts,
    /// A fork that this line has been counted for until now.
    gives_way: &'a mut Option<GivesWay>,
}

/// Whose a line is.
struct Owner {
    key: SessionKey,
    id: SessionId,
    /// The session that has said it first, where that is another one.
    copied_from: Option<SessionId>,
    /// Whether the line was taken before.
    known: bool,
}

impl Owner {
    /// What became of the line, if it is new.
    fn verdict(&self, new: Verdict) -> Verdict {
        match (self.known, self.copied_from) {
            (true, _) => Verdict::Known,
            (false, Some(_)) => Verdict::Copied,
            (false, None) => new,
        }
    }
}

impl Reader<'_, '_> {
    fn read(mut self) -> Verdict {
        if let Some(session) = self.line.session_id.as_deref() {
            self.memory.enter(session);
        }
        self.name_as_repeated();
        match self.line.kind.as_deref() {
            Some("user" | "assistant") => self.spoken(),
            Some("system") => self.system(),
            Some("summary") => self.summary(),
            Some("custom-title") => {
                let title = self.line.custom_title.as_deref().map(str::to_owned);
                self.titled(title, TitleRank::User)
            }
            Some("ai-title") => {
                let title = self.line.ai_title.as_deref().map(str::to_owned);
                self.titled(title, TitleRank::Model)
            }
            Some("queue-operation") => self.queued(),
            Some("attachment") => self.attached(),
            // What has been said elsewhere, or is of use to the agent alone.
            Some("progress" | "file-history-snapshot" | "last-prompt") => Verdict::Idle,
            _ => self.unknown(),
        }
    }

    /// The session of this line; a subagent's is its own.
    fn session(&mut self) -> Option<SessionKey> {
        let native = self.memory.session.clone()?;
        Some(match self.subagent() {
            Some(agent) => SessionKey {
                native: agent,
                apart: native,
            },
            None => SessionKey::plain(&native),
        })
    }

    /// The subagent that speaks; none: the session itself does.
    fn subagent(&mut self) -> Option<String> {
        if self.line.is_sidechain != Some(true) {
            return None;
        }
        if let Some(agent) = &self.line.agent_id {
            return Some(agent.to_string());
        }
        let uuid = self.line.uuid.as_deref()?;
        Some(self.memory.chain_of(uuid, self.line.parent_uuid.as_deref()))
    }

    fn at(&self) -> Option<Timestamp> {
        time_of(self.line.timestamp.as_deref())
    }

    /// The next place in the order of the file.
    fn next_order(&mut self) -> i64 {
        let order = order_after(self.memory.order, self.at());
        self.memory.order = Some(order);
        order
    }

    /// Leaves room behind the last place for the further pieces of a long text.
    fn leave_room(&mut self, text: &str) {
        let pieces = (text.len() / TEXT_CHARS_MAX) as i64;
        if let Some(order) = self.memory.order.as_mut().filter(|_| pieces > 0) {
            // One more, as the text may have grown by then.
            *order = order.saturating_add(pieces + 1);
        }
    }

    /// The key of a line without a `uuid`. A title that is set back to one before is another line.
    fn nameless(&self, key: &SessionKey, id: SessionId) -> UnitKey {
        let titles = self.memory.titles_of(id).to_string();
        let mut parts = vec!["claude-code line", &key.native, &key.apart, self.text];
        if titles != "0" {
            parts.push(&titles);
        }
        UnitKey::of(&parts)
    }

    fn titled(mut self, title: Option<String>, rank: TitleRank) -> Verdict {
        let (Some(title), Some(key)) = (title, self.session()) else {
            return self.unknown();
        };
        let owner = self.take(key, None);
        self.about_session(&owner);
        self.next_order();
        self.entitle(owner.id, &title, rank);
        self.memory.count_title(owner.id);
        owner.verdict(Verdict::New)
    }

    /// Gives the session a title, unless this file has told a better one.
    fn entitle(&mut self, session: SessionId, title: &str, rank: TitleRank) {
        if !self.memory.takes_title(session, rank) {
            return;
        }
        let place = match rank {
            // How far this file has come says nothing of that session.
            TitleRank::Elsewhere => Some(order_after(None, Some(self.known.now()))),
            _ => self.memory.order,
        };
        let patch = SessionPatch {
            title: set(title),
            ..SessionPatch::default()
        };
        let from = self.facts.0.len();
        self.facts.session(session, patch);
        if let Some(precedence) = rank.precedence(place.unwrap_or_default()) {
            self.facts.stand_apart(from, precedence);
        }
    }

    /// Says what the line's envelope tells of its session, as far as it is news.
    fn about_session(&mut self, owner: &Owner) {
        let mut patch = self.memory.envelope(owner.id, &owner.key, &self.line);
        self.about_parent(owner, &mut patch);
        self.facts.session(owner.id, patch);
        self.entitle_by_summary(owner);
    }

    /// Keeps a line that can't be named.
    fn unknown(mut self) -> Verdict {
        let order = self.next_order();
        // Before any line has named its session, the file does. Without one nothing could keep it.
        let of_file = self.memory.file.as_deref().map(SessionKey::plain);
        let Some(key) = self.session().or(of_file) else {
            return Verdict::NotUnderstood;
        };
        let owner = self.take(key, None);
        self.about_session(&owner);
        let digest = UnitKey::of(&[self.text]).hex();
        let id = self.line.uuid.as_deref().unwrap_or(&digest);
        self.facts.raw(owner.id, id, self.text, order);
        self.leave_room(self.text);
        owner.verdict(Verdict::NotUnderstood)
    }
}

fn copied(owner: &Owner) -> syncline_model::session::Change<std::borrow::Cow<'static, str>> {
    let from = owner.copied_from.map(|session| session.to_string());
    set_some(from.as_deref())
}

fn line_key(uuid: &str) -> UnitKey {
    UnitKey::of(&["claude-code", uuid])
}
