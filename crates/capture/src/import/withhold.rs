//! Sessions that are left out, by the user's rules and by marks.

use std::collections::{HashMap, HashSet};

use syncline_model::session::{Change, Piece, SessionId, words};

use super::desk::Desk;
use crate::facts::{Fact, Facts, Known, UnitKey};
use crate::privacy::{Cause, Privacy, is_marked};

/// Which sessions are left out, and why.
#[derive(Debug)]
pub(super) struct Withheld {
    pub(super) privacy: Privacy,
    /// What is known of the sessions that were met; none: nothing speaks against them.
    causes: HashMap<SessionId, Option<Cause>>,
    /// Sessions of which it is known where they take place, or which another has called.
    placed: HashSet<SessionId>,
    /// Sessions that were met without that.
    unplaced: HashSet<SessionId>,
}

/// What was left out of what was just read.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// The cause, as a mark keeps it.
    pub(super) cause: Option<String>,
    /// Sessions whose cause was found now: what was taken of them in this batch is not.
    pub(super) found: Vec<SessionId>,
    /// Sessions that a prompt has marked now, and of which something was recorded before.
    pub(super) too_late: Vec<SessionId>,
}

impl Withheld {
    pub(super) fn new(privacy: Privacy) -> Self {
        Self {
            privacy,
            causes: HashMap::new(),
            placed: HashSet::new(),
            unplaced: HashSet::new(),
        }
    }

    /// The sessions that were kept though there are rules by place, and nothing tells theirs.
    pub(super) fn unplaced(&mut self) -> Vec<SessionId> {
        let unplaced = std::mem::take(&mut self.unplaced);
        if !self.privacy.has_rules_of_place() {
            return Vec::new();
        }
        let is_kept = |session: &SessionId| {
            !self.placed.contains(session) && !matches!(self.causes.get(session), Some(Some(_)))
        };
        let mut unplaced: Vec<_> = unplaced.into_iter().filter(is_kept).collect();
        unplaced.sort_unstable();
        unplaced
    }

    /// Takes out of `facts` what is to be left out, and out of the notes what was noted for it. What
    /// was just read begins at `fact` and `unit`.
    pub(super) fn sift(
        &mut self,
        facts: &mut Facts,
        fact: usize,
        desk: &mut Desk<'_>,
        unit: usize,
    ) -> LeftOut {
        let mut left_out = LeftOut::default();
        let mut causes = Vec::new();
        let mut prompts: HashSet<(SessionId, String)> = HashSet::new();
        for fact in &facts.0[fact..] {
            let session = fact.session;
            if let Some(known) = self.cause_of(session, desk) {
                left_out.cause = Some(known.0);
                continue;
            }
            let cause = match &fact.piece {
                Piece::Message(message) => {
                    if matches!(&message.role, Change::Set(role) if *role == words::USER) {
                        prompts.insert((session, message.id.to_string()));
                    }
                    None
                }
                Piece::Part(part) if is_marked(&part.text) => prompts
                    .contains(&(session, part.message_id.to_string()))
                    .then(Privacy::by_prompt),
                _ => self.cause_in(fact, desk),
            };
            if let Some(cause) = cause {
                if cause == Privacy::by_prompt() && is_recorded(session, desk) {
                    left_out.too_late.push(session);
                }
                left_out.cause = Some(cause.0.clone());
                self.causes.insert(session, Some(cause.clone()));
                causes.push((session, cause));
            }
        }
        if left_out.cause.is_none() {
            if desk.units.len() > unit {
                let sessions: HashSet<_> =
                    facts.0[fact..].iter().map(|fact| fact.session).collect();
                for session in sessions {
                    desk.noted_for(session, unit);
                }
            }
            return left_out;
        }
        desk.forget_since(unit);
        for (session, cause) in &causes {
            desk.forget_all_of(*session);
            desk.note(key_of(*session), cause.0.as_bytes());
        }
        left_out.found = causes.iter().map(|(session, _)| *session).collect();
        // Also what was read before with this batch: the cause may come late in a file.
        let from = if causes.is_empty() { fact } else { 0 };
        let before = facts.0.drain(from..).collect::<Vec<_>>();
        let kept = before
            .into_iter()
            .filter(|fact| !matches!(self.causes.get(&fact.session), Some(Some(_))));
        facts.0.extend(kept);
        left_out
    }

    /// Why a session is left out, as far as was found before.
    fn cause_of(&mut self, session: SessionId, desk: &mut Desk<'_>) -> Option<Cause> {
        if let Some(cause) = self.causes.get(&session) {
            return cause.clone();
        }
        let noted = desk.noted(key_of(session));
        let noted = noted.and_then(|note| String::from_utf8(note).ok());
        let cause = noted.map(Cause).filter(|cause| self.privacy.stands(cause));
        let cause = cause.or_else(|| self.cause_by_what_is_known(session, desk));
        self.causes.insert(session, cause.clone());
        cause
    }

    /// Why a session is left out of which something was recorded, before there was a rule or a mark: its
    /// transcript need not tell again where it takes place.
    fn cause_by_what_is_known(&mut self, session: SessionId, desk: &mut Desk<'_>) -> Option<Cause> {
        let known = match desk.remembered.is_begun(desk.replica, session) {
            Ok(true) => return None,
            Ok(false) => {
                desk.remembered.behind.wait_for(&session);
                desk.replica.session(session)
            }
            Err(error) => Err(error),
        };
        let known = known.map_err(|error| desk.failed = Some(error)).ok()??;
        let directories = [known.project_path.as_deref(), known.cwd.as_deref()];
        let directories: Vec<_> = directories.into_iter().flatten().collect();
        if !directories.is_empty() || known.parent_session.is_some() {
            self.placed.insert(session);
        }
        self.privacy
            .by_place(&directories, known.project_name.as_deref())
    }

    /// Why the session that a patch tells about is left out.
    fn cause_in(&mut self, fact: &Fact, desk: &mut Desk<'_>) -> Option<Cause> {
        let Piece::Session(patch) = &fact.piece else {
            return None;
        };
        let set = |field: &Change<std::borrow::Cow<'static, str>>| match field {
            Change::Set(text) => Some(text.to_string()),
            Change::Keep | Change::Clear => None,
        };
        if set(&patch.agent).is_some_and(|agent| self.privacy.excludes_agent(&agent)) {
            return Some(self.privacy.by_rule());
        }
        let directories = [set(&patch.project_path), set(&patch.cwd)];
        let directories: Vec<_> = directories.iter().flatten().map(String::as_str).collect();
        let places = match directories.is_empty() && patch.parent_session.is_keep() {
            true => &mut self.unplaced,
            false => &mut self.placed,
        };
        places.insert(fact.session);
        let project = set(&patch.project_name);
        let cause = self.privacy.by_place(&directories, project.as_deref());
        if cause.is_some() {
            return cause;
        }
        let parent = set(&patch.parent_session)?.parse().ok()?;
        self.cause_of(parent, desk)
    }
}

/// Whether anything of a session is in the replica.
fn is_recorded(session: SessionId, desk: &mut Desk<'_>) -> bool {
    desk.remembered.behind.wait_for(&session);
    match desk.replica.has_session(session) {
        Ok(is_recorded) => is_recorded,
        Err(error) => {
            desk.failed = Some(error);
            false
        }
    }
}

fn key_of(session: SessionId) -> UnitKey {
    UnitKey::of(&["withheld", &session.to_string()])
}
