//! What must be remembered of a file between two readings of it.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use serde::{Deserialize, Serialize};
use syncline_model::Timestamp;
use syncline_model::session::{Piece, SessionId, SessionPatch, TEXT_CHARS_MAX};

use super::line::{Line, Spent};
use super::{AGENT, Owner};
use crate::facts::{Fact, Last, SessionKey, TitleRank, name_of_path, set, set_some, time_of};

/// How many responses can be under way at a time: one for each of a session's agents.
const RESPONSES_MAX: usize = 32;
/// How many tool calls can wait for their results.
const CALLS_MAX: usize = 512;
/// How many lines of subagents without a name are told apart by their chains.
const CHAIN_LINES_MAX: usize = 4096;
/// How many summaries wait for the line that they end with.
const SUMMARIES_MAX: usize = 256;
/// How far back a person can go in a conversation, in messages.
const BACK_MAX: usize = 256;
/// How many prompts of a session can be in its queue.
const QUEUE_MAX: usize = 64;
/// How many sessions of one file are known by what was last said of them.
const SESSIONS_MAX: usize = 256;

/// What earlier lines of a file have left.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The session of the latest line that named one.
    pub(super) session: Option<String>,
    /// The session that the file is named after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    /// The place in the order of the file that was given last.
    pub(crate) order: Option<i64>,
    sessions: VecDeque<(String, Told)>,
    responses: VecDeque<Response>,
    /// When calls that have no result yet began, in milliseconds.
    calls: VecDeque<(String, i64)>,
    /// The first line of the chain that a subagent's line belongs to.
    chains: VecDeque<(String, String)>,
    #[serde(skip)]
    chain_index: HashMap<String, String>,
    /// Summaries of what has not been read, by the line that it ends with: until the file's end.
    summaries: VecDeque<(String, String)>,
}

/// What is known of a file before it is read.
pub(crate) fn memory_of(path: &Path) -> Memory {
    let name = path.file_stem().and_then(|name| name.to_str());
    let is_id = |name: &&str| uuid::Uuid::try_parse(name).is_ok();
    Memory {
        file: name.filter(is_id).map(str::to_owned),
        ..Memory::default()
    }
}

/// What was last said of a session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Told {
    title: TitleRank,
    named: bool,
    project: bool,
    started: bool,
    origin: bool,
    /// Whether it has said something that it repeats from none.
    spoken: bool,
    /// How often it was given a title.
    titles: u64,
    cwd: Last,
    branch: Last,
    version: Last,
    model: Last,
    permissions: Last,
    /// The latest messages, also those that were taken back: what is repeated is known by them.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    messages: VecDeque<Said>,
    /// What was queued, and no other line has told since.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    queue: VecDeque<Queued>,
}

/// What was queued, by its digest, and the parts that tell it, each with its message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Queued {
    digest: String,
    parts: Vec<(String, String)>,
}

/// A message, and of a prompt the line that it follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Said {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    taken_back: bool,
    /// Whether another session has said it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    copied: bool,
}

/// A response of the model that may go on.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Response {
    id: String,
    usage: Option<Spent>,
}

impl Memory {
    pub(super) fn enter(&mut self, session: &str) {
        if self.session.as_deref() != Some(session) {
            self.session = Some(session.to_owned());
        }
    }

    /// The session that lines have told of, or else the subagent.
    pub(crate) fn named(&self) -> Option<SessionId> {
        let own = SessionKey::plain(self.session.as_deref()?).id(AGENT);
        let mut named = self.sessions.iter().filter(|(_, told)| told.named);
        let last = named.clone().next_back();
        let named = named.find(|(id, _)| *id == own.to_string()).or(last);
        named.and_then(|(id, _)| id.parse().ok())
    }

    /// The chain that a line of a subagent without a name belongs to: the id of its first line.
    pub(super) fn chain_of(&mut self, uuid: &str, parent: Option<&str>) -> String {
        if self.chain_index.len() != self.chains.len() {
            self.chain_index = self.chains.iter().cloned().collect();
        }
        if let Some(chain) = self.chain_index.get(uuid) {
            return chain.clone();
        }
        let known = parent.and_then(|parent| self.chain_index.get(parent));
        let chain = known.cloned().unwrap_or_else(|| uuid.to_owned());
        if self.chains.len() == CHAIN_LINES_MAX
            && let Some((oldest, _)) = self.chains.pop_front()
        {
            self.chain_index.remove(&oldest);
        }
        self.chains.push_back((uuid.to_owned(), chain.clone()));
        self.chain_index.insert(uuid.to_owned(), chain.clone());
        chain
    }

    /// Whether this line is the first of its response.
    pub(super) fn begins(&mut self, response: &str) -> bool {
        let known = self.responses.iter().any(|known| known.id == response);
        if !known {
            if self.responses.len() == RESPONSES_MAX {
                self.responses.pop_front();
            }
            self.responses.push_back(Response {
                id: response.to_owned(),
                usage: None,
            });
        }
        !known
    }

    /// Whether a response tells another usage than before.
    pub(super) fn takes_usage(&mut self, response: &str, usage: &Spent) -> bool {
        let mut known = self.responses.iter_mut();
        let Some(response) = known.find(|known| known.id == response) else {
            return true;
        };
        response.usage.replace(usage.clone()).as_ref() != Some(usage)
    }

    pub(super) fn begin_call(&mut self, id: &str, at: Timestamp) {
        if self.calls.len() == CALLS_MAX {
            self.calls.pop_front();
        }
        self.calls.push_back((id.to_owned(), at.as_millis()));
    }

    /// How long a call took that ends now; none: its beginning is not known.
    pub(super) fn end_call(&mut self, id: &str, at: Timestamp) -> Option<u64> {
        let place = self.calls.iter().position(|(call, _)| call == id)?;
        let (_, began) = self.calls.remove(place)?;
        u64::try_from(at.as_millis() - began).ok()
    }

    pub(super) fn wait_for(&mut self, leaf: String, summary: String) {
        if self.summaries.len() == SUMMARIES_MAX {
            self.summaries.pop_front();
        }
        self.summaries.push_back((leaf, summary));
    }

    /// The summary that waited for this line.
    pub(super) fn summary_of(&mut self, leaf: &str) -> Option<String> {
        let place = self.summaries.iter().position(|(waits, _)| waits == leaf)?;
        self.summaries.remove(place).map(|(_, summary)| summary)
    }

    /// Forgets the summaries that wait: a line that is not in the file is of another one, and nobody would
    /// erase with its session what is remembered here.
    pub(crate) fn end(&mut self) {
        self.summaries.clear();
    }

    fn told(&mut self, session: SessionId) -> &mut Told {
        let session = session.to_string();
        let place = self.sessions.iter().position(|(id, _)| *id == session);
        let place = place.unwrap_or_else(|| {
            if self.sessions.len() == SESSIONS_MAX {
                self.sessions.pop_front();
            }
            self.sessions.push_back((session, Told::default()));
            self.sessions.len() - 1
        });
        &mut self.sessions[place].1
    }

    pub(super) fn takes_title(&mut self, session: SessionId, rank: TitleRank) -> bool {
        let told = self.told(session);
        let taken = told.title.gives_way(rank);
        if taken {
            told.title = rank;
        }
        taken
    }

    /// Whether it was not told yet that the session was forked.
    pub(super) fn takes_origin(&mut self, session: SessionId) -> bool {
        !std::mem::replace(&mut self.told(session).origin, true)
    }

    pub(super) fn has_spoken(&mut self, session: SessionId) -> bool {
        self.told(session).spoken
    }

    pub(super) fn speak(&mut self, session: SessionId) {
        self.told(session).spoken = true;
    }

    /// Remembers a message, once.
    pub(super) fn said(&mut self, owner: &Owner, id: &str, after: Option<&str>) {
        let messages = &mut self.told(owner.id).messages;
        if messages.iter().any(|said| said.id == id) {
            return;
        }
        if messages.len() == BACK_MAX {
            messages.pop_front();
        }
        messages.push_back(Said {
            id: id.to_owned(),
            after: after.map(str::to_owned),
            taken_back: false,
            copied: owner.copied_from.is_some(),
        });
    }

    /// Remembers what was queued by its digest, and the parts among `facts` that tell it.
    pub(super) fn queue(&mut self, session: SessionId, digest: String, facts: &[Fact]) {
        let parts = facts.iter().filter_map(|fact| match &fact.piece {
            Piece::Part(part) => Some(part),
            _ => None,
        });
        let parts = parts.flat_map(|part| {
            // A long text is cut where secrets are out of it, which may make it a little longer.
            let more = match part.text.len() / TEXT_CHARS_MAX {
                0 => 0,
                pieces => pieces + 1,
            };
            let more = (1..=more).map(|piece| format!("{}+{piece}", part.id));
            let ids = std::iter::once(part.id.to_string()).chain(more);
            ids.map(|id| (part.message_id.to_string(), id))
        });
        let parts = parts.collect();
        let queue = &mut self.told(session).queue;
        if queue.len() == QUEUE_MAX {
            queue.pop_front();
        }
        queue.push_back(Queued { digest, parts });
    }

    pub(super) fn has_queue(&mut self, session: SessionId) -> bool {
        !self.told(session).queue.is_empty()
    }

    /// Forgets what was queued, with this digest; gives the parts that tell it.
    pub(super) fn leave_queue(
        &mut self,
        session: SessionId,
        digest: &str,
    ) -> Vec<(String, String)> {
        let queue = &mut self.told(session).queue;
        let place = queue.iter().position(|queued| queued.digest == digest);
        let queued = place.and_then(|place| queue.remove(place));
        queued.map_or_else(Vec::new, |queued| queued.parts)
    }

    /// Takes all that a session has said until now for another's; gives what it was not known of.
    pub(super) fn said_elsewhere(&mut self, session: SessionId) -> Vec<String> {
        let told = self.told(session);
        told.spoken = false;
        let own = told.messages.iter_mut().filter(|said| !said.copied);
        let own = own.map(|said| {
            said.copied = true;
            said.id.clone()
        });
        own.collect()
    }

    /// Takes back what a person has gone behind by a prompt that follows the line `after`: an earlier prompt
    /// that followed it, with all since.
    pub(super) fn go_back(&mut self, session: SessionId, prompt: &str, after: &str) -> Vec<String> {
        let messages = &mut self.told(session).messages;
        // What is repeated takes nothing back.
        if messages.iter().any(|said| said.id == prompt) {
            return Vec::new();
        }
        let of_branch = messages.iter_mut().filter(|said| !said.taken_back);
        let since = of_branch.skip_while(|said| said.after.as_deref() != Some(after));
        let taken_back = since.map(|said| {
            said.taken_back = true;
            said.id.clone()
        });
        taken_back.collect()
    }

    pub(super) fn count_title(&mut self, session: SessionId) {
        self.told(session).titles += 1;
    }

    pub(super) fn titles_of(&self, session: SessionId) -> u64 {
        let session = session.to_string();
        let told = self.sessions.iter().find(|(id, _)| *id == session);
        told.map_or(0, |(_, told)| told.titles)
    }

    /// Whether the session is told to use another model than before.
    pub(super) fn takes_model(&mut self, session: SessionId, model: &str) -> bool {
        self.told(session).model.news(Some(model)).is_some()
    }

    /// What the envelope of a line says of its session that was not said before.
    pub(super) fn envelope(
        &mut self,
        session: SessionId,
        key: &SessionKey,
        line: &Line<'_>,
    ) -> SessionPatch<'static> {
        let told = self.told(session);
        let mut patch = SessionPatch::default();
        if !told.named {
            told.named = true;
            patch.agent = set(AGENT.as_str());
            patch.native_id = set(&key.native);
            patch.provider = set("anthropic");
        }
        if let Some(cwd) = told.cwd.news(line.cwd.as_deref()) {
            // The project is where the session began; it may go elsewhere on its way.
            if !told.project {
                told.project = true;
                patch.project_path = set(cwd);
                patch.project_name = set_some(name_of_path(cwd));
            }
            patch.cwd = set(cwd);
        }
        let at = time_of(line.timestamp.as_deref());
        if !told.started && at.is_some() {
            told.started = true;
            patch.started_at = at.into();
        }
        patch.git_branch = set_some(told.branch.news(line.git_branch.as_deref()));
        patch.agent_version = set_some(told.version.news(line.version.as_deref()));
        let permissions = line.permission_mode.as_deref();
        patch.permission_mode = set_some(told.permissions.news(permissions));
        patch
    }
}
