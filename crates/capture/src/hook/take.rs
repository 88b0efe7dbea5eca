//! From an event to what it tells of: the transcript is read on at once, and a session's end is noted.

use std::path::{Path, PathBuf};

use syncline_model::session::{Batch, Change, Piece, Precedence, SessionId, SessionPatch};
use syncline_model::{PayloadError, ResourceId, Scope};
use syncline_replica::{Lease, NewOp, Replica, ReplicaError};
use syncline_store::local::WriteError;

use super::HookEvent;
use super::event::Turn;
use crate::agent::Agent;
use crate::facts::{SessionKey, set};
use crate::import::{Counts, ImportError, Importer, Keeping, Problem, Source, is_transcript};
use crate::privacy::Privacy;
use crate::walk::walk;

/// Why events could not be taken; they are to be kept, and taken again.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    #[error("could not read what the hook names")]
    Import(#[from] ImportError),
    #[error("could not write what the hook names")]
    Write(#[from] WriteError),
    #[error("could not look the hook's session up")]
    Replica(#[source] ReplicaError),
    #[error("could not put the session's end into an op")]
    Payload(#[source] PayloadError),
}

/// What taking events has brought.
#[derive(Debug, Default)]
pub struct Taken {
    pub counts: Counts,
    pub ops: u64,
    pub problems: Vec<Problem>,
    /// Sessions that are not to be recorded, of which something is.
    pub marked_late: Vec<SessionId>,
}

/// Takes events: reads what they name on from where it was read last, then notes which sessions have
/// ended. Taking an event twice changes nothing.
///
/// `places` are the agents' own, where an event names no file. Nobody else imports while the `lease` of
/// [`Replica::try_import_lease`] is held.
pub fn take(
    events: &[HookEvent],
    places: &[Source],
    privacy: Privacy,
    replica: &mut Replica,
    _lease: &Lease,
) -> Result<Taken, TakeError> {
    let mut taken = Taken::default();
    let sources = sources(events, places);
    // Who takes events stays, and shall not be left with the memory of large batches.
    let importer = Importer::new(&sources, Keeping::Written, privacy, replica)?.in_small_batches();
    importer.write_all(replica, |batch| {
        taken.ops += batch.ops.len() as u64;
        taken.counts.add(&batch.counts);
        taken.problems.extend(batch.problems);
        taken.marked_late.extend(batch.marked_late);
    })?;
    taken.ops += note_turns(events, replica)?;
    Ok(taken)
}

/// What is to be read for events, each place once.
pub fn sources(events: &[HookEvent], places: &[Source]) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    for event in events {
        for source in sources_of(event, places) {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }
    sources
}

/// The transcripts that an event names; where it names none, those that are named after its session;
/// where there are none, all of its agent. A session that has just begun is not written down yet: what is
/// said in it is told of later.
fn sources_of(event: &HookEvent, places: &[Source]) -> Vec<Source> {
    let agent = event.agent();
    let of = |root: PathBuf| Source { agent, root };
    let names = ["transcript_path", "agent_transcript_path"];
    let named = names.into_iter().filter_map(|name| event.fields.text(name));
    let named: Vec<PathBuf> = named
        .map(PathBuf::from)
        .filter(|path| path.is_absolute() && is_transcript(agent, path))
        .collect();
    let begins = event.turn() == Some(Turn::Began);
    if begins && !named.is_empty() && !named.iter().any(|path| path.exists()) {
        return Vec::new();
    }
    let there = named.into_iter().filter(|path| path.is_file());
    let there: Vec<PathBuf> = there.flat_map(with_subagents).collect();
    if !there.is_empty() {
        return there.into_iter().map(of).collect();
    }
    let own = || places.iter().filter(|place| place.agent == agent);
    let is_named_by_session = matches!(agent, Agent::Codex | Agent::Cursor);
    if let Some(session) = event.session().filter(|_| is_named_by_session) {
        let is_its_own = |path: &Path| {
            let name = path.file_name().and_then(|name| name.to_str());
            is_transcript(agent, path) && name.is_some_and(|name| name.contains(session))
        };
        let found = own().flat_map(|place| walk(&place.root, is_its_own).files);
        let found: Vec<Source> = found.map(of).collect();
        if begins || !found.is_empty() {
            return found;
        }
    }
    own().cloned().collect()
}

/// A transcript, with the directory of those of its subagents, if there is one.
fn with_subagents(path: PathBuf) -> Vec<PathBuf> {
    let beside = path.with_extension("");
    match beside.is_dir() {
        true => vec![path, beside],
        false => vec![path],
    }
}

/// Notes the begins and ends of sessions that are known; one that is left out is not. Gives how many ops
/// that took.
pub fn note_turns(events: &[HookEvent], replica: &mut Replica) -> Result<u64, TakeError> {
    let mut ops = 0;
    for event in events {
        let Some((turn, native)) = event.turn().zip(event.session()) else {
            continue;
        };
        let session = SessionKey::plain(native).id(event.agent());
        if !replica.has_session(session).map_err(TakeError::Replica)? {
            continue;
        }
        let patch = match turn {
            Turn::Ended => SessionPatch {
                status: set("ended"),
                ended_at: Change::Set(event.at),
                ..SessionPatch::default()
            },
            Turn::Began => SessionPatch {
                status: set("active"),
                ended_at: Change::Clear,
                ..SessionPatch::default()
            },
        };
        let piece = Piece::Session(Box::new(patch));
        let told = Precedence::at(event.at.min(replica.now()));
        let news = replica
            .session_news(session, piece, told)
            .map_err(TakeError::Replica)?;
        let Some(piece) = news else { continue };
        let mut batch = Batch::of(told);
        let full = batch.push(&piece).map_err(TakeError::Payload)?;
        let last = batch.finish().map_err(TakeError::Payload)?;
        let new_op = |payload| NewOp {
            scope: Scope::session(),
            resource: ResourceId::from(session),
            payload,
        };
        let new: Vec<NewOp> = full.into_iter().chain(last).map(new_op).collect();
        replica.write(&new)?;
        ops += new.len() as u64;
    }
    Ok(ops)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_has_just_begun_is_not_looked_for_everywhere() {
        let home = tempfile::tempdir().unwrap();
        let (root, path) = (
            home.path().join("projects"),
            home.path().join("projects/s.jsonl"),
        );
        std::fs::create_dir(&root).unwrap();
        let places = [Source {
            agent: Agent::ClaudeCode,
            root: root.clone(),
        }];
        let roots = |event: &str| -> Vec<PathBuf> {
            let text = serde_json::json!({
                "agent": "claude-code", "event": event, "at": "2026-03-01T10:00:00Z",
                "payload": {"session_id": "s", "transcript_path": path},
            });
            let event = serde_json::from_value(text).unwrap();
            let found = sources(&[event], &places).into_iter();
            found.map(|source| source.root).collect()
        };
        assert_eq!(roots("SessionStart"), [""; 0].map(PathBuf::from));
        assert_eq!(roots("Stop"), [root], "what it says of it lies somewhere");
        std::fs::write(&path, "").unwrap();
        assert_eq!(roots("SessionStart"), std::slice::from_ref(&path));
    }
}
