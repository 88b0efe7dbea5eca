//! Headers of sessions, and what stands in where none can be read: the file's name.

use std::path::Path;

use serde_json::Value;
use syncline_model::Timestamp;
use syncline_model::session::{SessionPatch, words};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::{AGENT, Memory, Reader};
use crate::facts::{
    Facts, Known, SessionKey, UnitKey, Verdict, name_of_path, set, set_some, time_of,
};

/// What is known of a file before it is read: its name ends with the id of its session.
pub fn memory_of(path: &Path) -> Memory {
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = name.and_then(|name| name.split('.').next());
    let id = stem.and_then(|stem| stem.get(stem.len().checked_sub(Hyphenated::LENGTH)?..));
    Memory {
        named: id
            .filter(|id| Uuid::try_parse(id).is_ok())
            .map(str::to_owned),
        ..Memory::default()
    }
}

impl Reader<'_, '_> {
    /// A header. The first is the file's own; a later one is that of the parent, whose lines follow.
    pub(super) fn meta(&mut self, payload: &str) -> Verdict {
        let meta = Meta::of(payload);
        let Some((id, meta)) = meta.as_ref().and_then(|meta| Some((meta.id()?, meta))) else {
            return self.read_as(payload, |reader, owner| reader.unknown(owner));
        };
        let at = self.at.or_else(|| time_of(meta.timestamp.as_deref()));
        let own = self.memory.session.as_deref();
        if let Some(own) = own.filter(|own| self.memory.has_header || *own != id) {
            if own != id && self.memory.parent.is_none() {
                self.memory.parent = Some(id.to_owned());
                self.memory.at_head = true;
            }
            return Verdict::Idle;
        }
        self.memory.has_header = true;
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
        let mut patch = SessionPatch {
            agent: set(AGENT.as_str()),
            native_id: set(id),
            provider: set(provider),
            agent_version: set_some(meta.cli_version.as_deref()),
            source: set_some(meta.originator.as_deref()),
            git_branch: set_some(meta.git_branch.as_deref()),
            git_commit: set_some(meta.git_commit.as_deref()),
            git_remote: set_some(meta.git_remote.as_deref()),
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
        let session = SessionKey::plain(id).id(AGENT);
        self.facts.session(session, patch);
        match meta.understood {
            true => Verdict::New,
            false => self.keep(session),
        }
    }
}

/// Says of a session that only the name of its file tells of whose it is.
pub(super) fn introduce(native: &str, known: &mut dyn Known, facts: &mut Facts) {
    let key = UnitKey::of(&["codex named", native]);
    if known.noted(key).is_some() {
        return;
    }
    known.note(key, &[]);
    let patch = SessionPatch {
        agent: set(AGENT.as_str()),
        native_id: set(native),
        ..SessionPatch::default()
    };
    facts.session(SessionKey::plain(native).id(AGENT), patch);
}

/// The header of a session.
#[derive(Debug, Default)]
struct Meta {
    id: Option<String>,
    session_id: Option<String>,
    forked_from_id: Option<String>,
    timestamp: Option<String>,
    cwd: Option<String>,
    originator: Option<String>,
    cli_version: Option<String>,
    model_provider: Option<String>,
    source: Value,
    git_commit: Option<String>,
    git_branch: Option<String>,
    git_remote: Option<String>,
    /// Whether all that is told here is a text where one is told, and nothing was passed over.
    understood: bool,
}

impl Meta {
    /// Reads a header; none: it is no object.
    fn of(payload: &str) -> Option<Self> {
        let header: Value = serde_json::from_str(payload).ok()?;
        let fields = header.as_object()?;
        let git = fields.get("git").unwrap_or(&Value::Null);
        let mut understood = git.is_object() || git.is_null();
        let mut text = |found: Option<&Value>| match found {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()).filter(|text| !text.is_empty()),
            Some(_) => {
                understood = false;
                None
            }
        };
        Some(Self {
            id: text(fields.get("id")),
            session_id: text(fields.get("session_id")),
            forked_from_id: text(fields.get("forked_from_id")),
            timestamp: text(fields.get("timestamp")),
            cwd: text(fields.get("cwd")),
            originator: text(fields.get("originator")),
            cli_version: text(fields.get("cli_version")),
            model_provider: text(fields.get("model_provider")),
            source: fields.get("source").cloned().unwrap_or_default(),
            git_commit: text(git.get("commit_hash")),
            git_branch: text(git.get("branch")),
            git_remote: text(git.get("repository_url")),
            understood,
        })
    }

    /// The session that it is the header of.
    fn id(&self) -> Option<&str> {
        self.id.as_deref().or(self.session_id.as_deref())
    }

    /// Whether the session is that of a subagent.
    fn is_subagent(&self) -> bool {
        self.source.to_string().contains("subagent")
    }

    /// The session that it was forked from, or that has called it.
    fn parent(&self) -> Option<String> {
        let forked = self.forked_from_id.as_deref();
        forked
            .or_else(|| parent_in(&self.source))
            .map(str::to_owned)
    }
}

/// The thread that a source names as its parent, at whatever depth.
fn parent_in(source: &Value) -> Option<&str> {
    let fields = source.as_object()?;
    let named = fields.get("parent_thread_id").and_then(|id| id.as_str());
    named.or_else(|| fields.values().find_map(parent_in))
}

pub(super) fn header_of(session: &str) -> UnitKey {
    UnitKey::of(&["codex meta", session])
}
