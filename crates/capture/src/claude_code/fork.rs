//! Lines that a fork repeats, and that its origin has said.

use std::borrow::Cow;

use syncline_model::session::{
    CompactionPatch, ErrorPatch, MessagePatch, Piece, SessionId, ToolPatch, Usage,
    is_named_everywhere, words,
};

use super::{AGENT, Owner, Reader, line_key};
use crate::facts::{Fact, Facts, SessionKey, UnitKey, set};

/// For which session a line was taken, as it is noted; or the response that it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) by: SessionId,
    /// The session that it was repeated from, where that was not read yet: it is taken for that one then.
    pub(super) until: Option<SessionId>,
}

impl Taken {
    pub(super) fn of(note: &[u8]) -> Option<Self> {
        let mut ids = std::str::from_utf8(note).ok()?.split(' ');
        Some(Self {
            by: ids.next()?.parse().ok()?,
            until: ids.next().and_then(|id| id.parse().ok()),
        })
    }

    pub(super) fn note(&self) -> Vec<u8> {
        let until = self.until.map(|until| format!(" {until}"));
        format!("{}{}", self.by, until.unwrap_or_default()).into_bytes()
    }
}

/// What a fork has from the line that is read now, and was counted for the fork until then.
#[derive(Debug)]
pub(super) struct GivesWay {
    fork: SessionId,
    /// What the line is called, and what the fork goes by, where that is something else.
    renamed: Option<(String, String)>,
}

impl GivesWay {
    fn of(fork: SessionId) -> Self {
        Self {
            fork,
            renamed: None,
        }
    }

    /// Says of what was said since `from` that the fork has it from there.
    pub(super) fn say(&self, from: usize, facts: &mut Facts) {
        let copies = facts.0[from..].iter().filter_map(|fact| self.copy_of(fact));
        let copies: Vec<_> = copies.collect();
        for piece in copies {
            facts.say(self.fork, piece);
        }
    }

    /// What makes a copy of a thing; none: it counts for nobody.
    fn copy_of(&self, fact: &Fact) -> Option<Piece<'static>> {
        let copied_from = set(&fact.session.to_string());
        let id = |id: &Cow<'static, str>| match &self.renamed {
            Some((name, of_fork)) if id == name => Cow::Owned(of_fork.clone()),
            _ => id.clone(),
        };
        Some(match &fact.piece {
            Piece::Message(message) => Piece::Message(MessagePatch {
                id: id(&message.id),
                copied_from,
                ..MessagePatch::default()
            }),
            Piece::Tool(call) if !call.name.is_keep() => Piece::Tool(Box::new(ToolPatch {
                id: id(&call.id),
                copied_from,
                ..ToolPatch::default()
            })),
            Piece::Error(error) => Piece::Error(ErrorPatch {
                id: id(&error.id),
                copied_from,
                ..ErrorPatch::default()
            }),
            Piece::Compaction(compaction) => Piece::Compaction(CompactionPatch {
                id: id(&compaction.id),
                copied_from,
                ..CompactionPatch::default()
            }),
            Piece::Usage(usage) => Piece::Usage(Usage {
                copied: true,
                ..usage.clone()
            }),
            Piece::Tool(_) | Piece::Session(_) | Piece::Part(_) | Piece::Link(_) => return None,
        })
    }
}

impl Reader<'_, '_> {
    /// Has a line that a fork repeats under a `uuid` of its own go by that of its origin. One that an older
    /// reader has taken keeps the one that it goes by there.
    pub(super) fn name_as_repeated(&mut self) {
        let origin = self.origin();
        let said = self.line.forked_from.as_mut();
        let said = said.and_then(|from| from.message_uuid.take());
        let own = self.line.uuid.as_deref().map(str::to_owned);
        let (Some(said), Some(own)) = (said.filter(|said| !said.is_empty()), own) else {
            return;
        };
        let Some(key) = self.memory.session.as_deref().map(SessionKey::plain) else {
            return;
        };
        if origin.is_none() || said == own {
            return;
        }
        let id = key.id(AGENT);
        let taken = self.taken(line_key(&own));
        if taken.is_some_and(|taken| taken.by == id) {
            return;
        }
        if let Some(fork) = taken.filter(|taken| taken.until == Some(id)) {
            // A fork of this fork, which knows the line by the name that it has here.
            self.note_taken(line_key(&own), fork.by, None);
            *self.gives_way = Some(GivesWay {
                fork: fork.by,
                renamed: Some((said.to_string(), own)),
            });
        }
        self.line.own_uuid = self.line.uuid.replace(said);
    }

    /// The session that this line says it was repeated from. A subagent's says nothing of it.
    pub(super) fn origin(&self) -> Option<SessionId> {
        let from = self.line.forked_from.as_ref()?.session_id.as_deref()?;
        let is_own = self.line.is_sidechain != Some(true) && !from.is_empty();
        is_own.then(|| SessionKey::plain(from).id(AGENT))
    }

    /// Takes the line for its session, by its `uuid`, or by the response that it is of.
    /// A message of this id is looked for among what other machines have brought, too.
    pub(super) fn take(&mut self, key: SessionKey, message: Option<&str>) -> Owner {
        let id = key.id(AGENT);
        let line = match self.line.uuid.as_deref() {
            Some(uuid) => line_key(uuid),
            None => self.nameless(&key, id),
        };
        let origin = self.origin().filter(|origin| *origin != id);
        let by_line = self.taken(line);
        let mut owner = Owner {
            key,
            id,
            copied_from: None,
            known: by_line.is_some_and(|taken| taken.by == id),
        };
        if owner.known {
            return owner;
        }
        let response = message.filter(|message| by_line.is_none() && self.is_response(message));
        let by_response = response.and_then(|response| self.taken(response_key(response)));
        if by_response.is_some_and(|taken| taken.by == id) {
            self.note_taken(line, id, origin);
            return owner;
        }
        let taken = by_line.or(by_response);
        // What was repeated from somewhere gives way to what it was repeated from, and to all that names no origin.
        let awaited = |taken: &Taken| {
            taken
                .until
                .is_some_and(|until| until == id || origin.is_none())
        };
        if let Some(taken) = taken.filter(awaited) {
            self.note_taken(line, id, origin);
            self.gives_way.get_or_insert(GivesWay::of(taken.by));
            let third = message.and_then(|message| self.third_of(message, by_line?.by, id));
            if let Some(third) = third {
                self.copy(&mut owner, third);
                self.copy_all_before(id, third);
            }
            return owner;
        }
        let first = match message.and_then(|message| self.known.origin(id, message)) {
            // What was told of it stays, in whatever order files are read again.
            Some(origin) => origin,
            None => match taken {
                Some(taken) => Some(taken.by),
                None => match message.and_then(|message| self.said_elsewhere(message, id)) {
                    Some(fork) if self.known.is_fork_of(fork, id) => {
                        self.note_taken(line, id, None);
                        self.gives_way.get_or_insert(GivesWay::of(fork));
                        return owner;
                    }
                    said => said
                        // What was erased with its origin is not to count for a fork instead. Of a copy that names
                        // none this can be told only where the origin was read, by what was noted of its lines: a
                        // tombstone keeps no id of what it has erased.
                        .or(origin.filter(|origin| self.known.is_deleted(*origin))),
                },
            },
        };
        let Some(first) = first else {
            if by_line.is_none() {
                self.note_taken(line, id, origin);
            }
            return owner;
        };
        self.copy(&mut owner, first);
        if response.is_some() {
            self.copy_all_before(id, first);
        }
        owner
    }

    /// Notes that a line is a copy of what `first` has said.
    fn copy(&mut self, owner: &mut Owner, first: SessionId) {
        let copy = UnitKey::of(&[
            "claude-code copy",
            &owner.id.to_string(),
            self.line.uuid.as_deref().unwrap_or_default(),
        ]);
        owner.known = self.known.noted(copy).is_some();
        if !owner.known {
            self.known.note(copy, &[]);
        }
        owner.copied_from = Some(first);
    }

    /// Says that a session has all that it has said until now from `origin`: it came to a response that was
    /// given there, under a `uuid` that is not from there, as those of the lines before may be.
    fn copy_all_before(&mut self, session: SessionId, origin: SessionId) {
        for message in self.memory.said_elsewhere(session) {
            let patch = MessagePatch {
                id: message.into(),
                copied_from: set(&origin.to_string()),
                ..MessagePatch::default()
            };
            self.facts.message(session, patch);
        }
    }

    /// Notes that a response counts for a session, which has told what it has used.
    pub(super) fn counts(&mut self, owner: &Owner, response: &str) {
        if !self.is_response(response) || owner.copied_from.is_some() {
            return;
        }
        let key = response_key(response);
        if self.taken(key).is_none_or(|taken| taken.by != owner.id) {
            let until = self.origin().filter(|origin| *origin != owner.id);
            self.note_taken(key, owner.id, until);
        }
    }

    /// The session that has said a message, where another machine has told so.
    fn said_elsewhere(&mut self, message: &str, id: SessionId) -> Option<SessionId> {
        let role = self.line.kind.as_deref().unwrap_or_default();
        if !is_named_everywhere(AGENT.as_str(), role, message) {
            return None;
        }
        let first = self.known.said_first(AGENT, message)?;
        (first != id).then_some(first)
    }

    /// Whether it is a response that has this name in whatever session it stands.
    fn is_response(&self, message: &str) -> bool {
        self.line.kind.as_deref() == Some(words::ASSISTANT)
            && is_named_everywhere(AGENT.as_str(), words::ASSISTANT, message)
    }

    /// The session that a response counts for which names nobody, where that is neither of these two.
    fn third_of(&mut self, message: &str, fork: SessionId, own: SessionId) -> Option<SessionId> {
        let response = self.is_response(message).then(|| response_key(message))?;
        let by = self.taken(response)?.by;
        (by != fork && by != own).then_some(by)
    }

    fn taken(&mut self, key: UnitKey) -> Option<Taken> {
        self.known.noted(key).and_then(|note| Taken::of(&note))
    }

    fn note_taken(&mut self, key: UnitKey, by: SessionId, until: Option<SessionId>) {
        self.known.note(key, &Taken { by, until }.note());
    }
}

fn response_key(response: &str) -> UnitKey {
    UnitKey::of(&["claude-code response", response])
}
