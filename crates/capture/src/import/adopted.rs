//! Sessions that somebody has told of before anybody said whose they are: what their agents say of them
//! later goes where that went.

use std::borrow::Cow;
use std::collections::HashMap;

use syncline_model::session::{Change, Piece, SessionId, session_id, words};
use syncline_replica::ReplicaError;

use super::desk::Desk;
use crate::facts::{Fact, Known, UnitKey};

/// As which sessions are known whose own ids, those that follow from agent and id, are not; none: as
/// themselves.
pub(super) type Adopted = HashMap<SessionId, Option<SessionId>>;

impl Desk<'_> {
    /// Has facts name the sessions as they are known.
    pub(super) fn adopt(&mut self, facts: &mut [Fact]) {
        if !self.remembered.any_known {
            return;
        }
        for fact in &*facts {
            let Piece::Session(patch) = &fact.piece else {
                continue;
            };
            if let (Change::Set(agent), Change::Set(native)) = (&patch.agent, &patch.native_id)
                && fact.session == session_id(agent, native, "")
            {
                let known = self.look_up(fact.session, agent, native);
                self.asked(known);
            }
        }
        for fact in facts {
            fact.session = self.known_as(fact.session);
            for named in sessions_of(&mut fact.piece).into_iter().flatten() {
                if let Change::Set(name) = named
                    && let Ok(own) = name.parse()
                    && let known = self.known_as(own)
                    && known != own
                {
                    *named = Change::Set(known.to_string().into());
                }
            }
        }
    }

    /// The session as it is known.
    pub(super) fn known_as(&mut self, own: SessionId) -> SessionId {
        if let Some(known) = self.remembered.adopted.get(&own) {
            return known.unwrap_or(own);
        }
        let noted = self.noted(key_of(own));
        let known = noted.and_then(|note| String::from_utf8(note).ok()?.parse().ok());
        self.remembered.adopted.insert(own, known);
        known.unwrap_or(own)
    }

    /// The id that follows from agent and id, of a session that is known as another.
    pub(super) fn own_id(&self, known: SessionId) -> Result<SessionId, ReplicaError> {
        let session = self.replica.session(known)?;
        let named = session.and_then(|session| Some((session.agent?, session.native_id?)));
        Ok(match named {
            Some((agent, native)) if known == session_id(words::NOBODY, &native, "") => {
                session_id(&agent, &native, "")
            }
            _ => known,
        })
    }

    /// Notes as which session the one is known that `agent` calls `native`: the file need not say again
    /// what it is called.
    fn look_up(&mut self, own: SessionId, agent: &str, native: &str) -> Result<(), ReplicaError> {
        if self.known_as(own) != own || !self.remembered.is_begun(self.replica, own)? {
            return Ok(());
        }
        let known = self.replica.session_of_native(agent, native)?;
        if known != own {
            self.note(key_of(own), known.to_string().as_bytes());
            self.remembered.adopted.insert(own, Some(known));
        }
        Ok(())
    }
}

type Named = Change<Cow<'static, str>>;

/// The fields of a piece that name sessions.
fn sessions_of<'p>(piece: &'p mut Piece<'static>) -> [Option<&'p mut Named>; 2] {
    match piece {
        Piece::Session(patch) => [Some(&mut patch.parent_session), None],
        Piece::Message(patch) => [Some(&mut patch.copied_from), None],
        Piece::Tool(patch) => [Some(&mut patch.child_session), Some(&mut patch.copied_from)],
        Piece::Error(patch) => [Some(&mut patch.copied_from), None],
        Piece::Compaction(patch) => [Some(&mut patch.copied_from), None],
        Piece::Part(_) | Piece::Usage(_) | Piece::Link(_) => [None, None],
    }
}

fn key_of(own: SessionId) -> UnitKey {
    UnitKey::of(&["adopted", &own.to_string()])
}
