//! What several sessions of an agent have said: it counts for one of them, whoever has brought which.

use super::{SessionId, words};

/// The agent whose sessions begin with lines of others, under the ids that those have there.
const REPEATS: &str = "claude-code";

/// Whether a message of an agent has its id in all sessions that repeat it, and no other message has.
/// Ids of responses that no request stands behind may be the same everywhere.
pub fn is_named_everywhere(agent: &str, role: &str, message: &str) -> bool {
    let by_request = message.contains(':');
    agent == REPEATS && !message.is_empty() && (role == words::USER || by_request)
}

/// A session that counts a message as its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counting {
    pub session: SessionId,
    /// The sessions that it was forked from, as far as that is known.
    pub forked_from: Vec<SessionId>,
}

/// Of sessions that count a message as their own the one that said it: whoever knows the same of them
/// finds the same one.
pub fn origin_among(counting: &[Counting]) -> Option<SessionId> {
    let is_fork = |session: &Counting| {
        let mut others = counting.iter().filter(|other| *other != session);
        others.any(|other| session.forked_from.contains(&other.session))
    };
    let first = counting
        .iter()
        .min_by_key(|session| (is_fork(session), session.session));
    first.map(|first| first.session)
}
