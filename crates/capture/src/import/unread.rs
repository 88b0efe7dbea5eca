//! Lines that older readers could not name, and have kept as they stood.

use std::collections::{HashMap, HashSet};

use syncline_model::session::{Piece, SessionId};
use syncline_replica::Replica;

use super::ImportError;
use crate::facts::Facts;

/// Takes back what was kept so of a line that a message of `facts` is read from, and goes by its id.
pub(super) fn take_back(facts: &mut Facts, replica: &Replica) -> Result<(), ImportError> {
    let mut read: HashMap<SessionId, HashSet<&str>> = HashMap::new();
    for fact in &facts.0 {
        if let Piece::Message(message) = &fact.piece {
            read.entry(fact.session).or_default().insert(&message.id);
        }
    }
    let mut taken_back = Vec::new();
    for (session, read) in read {
        let kept = replica.own_raw_parts(session);
        for id in kept.map_err(ImportError::Replica)? {
            // A long line is in several pieces.
            let line = id.split_once('+').map_or(&*id, |(line, _)| line);
            if read.contains(line) {
                taken_back.push((session, id));
            }
        }
    }
    for (session, id) in taken_back {
        facts.take_back_raw(session, &id);
    }
    Ok(())
}
