//! Sessions that are left out, by the user's rules and by marks.

mod said;

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use syncline_model::Timestamp;
use syncline_model::session::{Change, Piece, SessionId, words};

use super::desk::{Desk, Since};
use crate::facts::{Fact, Facts, Known, UnitKey};
use crate::privacy::{Cause, Privacy};
pub(super) use said::is_anything_said;
use said::{has_mark, speaks, time_of};

/// Which sessions are left out, and why.
#[derive(Debug)]
pub(super) struct Withheld {
    pub(super) privacy: Privacy,
    /// What is known of the sessions that were met; none: nothing speaks against them.
    causes: HashMap<SessionId, Option<Cause>>,
    /// Sessions of which no more is kept than was said before the mark in a prompt of another, which has
    /// called them.
    until: HashMap<SessionId, Cause>,
    /// Sessions that were marked in a prompt when this run began: what they had said before that was kept.
    noted: HashSet<SessionId>,
    /// Sessions of which it is known where they take place, or which another has called.
    placed: HashSet<SessionId>,
    /// Sessions of which it is known where they take place, by themselves or by those that have called them.
    located: HashSet<SessionId>,
    /// Sessions that were met without that.
    unplaced: HashSet<SessionId>,
}

/// What was left out of what was just read.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// The cause, as a mark keeps it.
    pub(super) cause: Option<String>,
    /// The sessions of which something was.
    pub(super) sessions: Vec<SessionId>,
    /// Sessions whose cause was found now: what was taken of them in this batch is not.
    pub(super) found: Vec<SessionId>,
    /// Sessions whose cause was found now, and of which something was recorded before.
    pub(super) too_late: Vec<SessionId>,
}

/// What of the facts of one reading is to be left out.
#[derive(Debug, Default)]
struct Judged {
    /// Why something is.
    cause: Option<String>,
    /// Causes that were found now.
    causes: Vec<(SessionId, Cause)>,
    /// From which place on the facts of a session are left out.
    withheld: HashMap<SessionId, usize>,
}

impl Withheld {
    pub(super) fn new(privacy: Privacy) -> Self {
        Self {
            privacy,
            causes: HashMap::new(),
            until: HashMap::new(),
            noted: HashSet::new(),
            placed: HashSet::new(),
            located: HashSet::new(),
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

    /// Whether facts of a file that has not told where its session takes place wait until it has. Without rules by
    /// place they do until somebody speaks: what agents put before that does not tell it, and all else that they
    /// write does, if they ever do.
    pub(super) fn waits(&self, facts: &[Fact]) -> bool {
        let is_of_known_places = facts
            .iter()
            .all(|fact| self.located.contains(&fact.session));
        // What is told of a session that is elsewhere says nothing of this one.
        let mut own = facts.iter().filter(|fact| fact.apart.is_none());
        let is_located = own.any(|fact| self.located.contains(&fact.session));
        let speaks = || facts.iter().any(|fact| speaks(&fact.piece));
        !is_located && !is_of_known_places && (self.privacy.has_rules_of_place() || !speaks())
    }

    /// Forgets that a session was met of which nothing is kept for now.
    pub(super) fn forget_unplaced(&mut self, session: SessionId) {
        self.unplaced.remove(&session);
    }

    /// Takes out of `facts` what is to be left out of what was read since, and out of the notes what was noted for it.
    pub(super) fn sift(
        &mut self,
        facts: &mut Facts,
        Since { fact, unit }: Since,
        desk: &mut Desk<'_>,
    ) -> LeftOut {
        desk.adopt(&mut facts.0[fact..]);
        let Judged {
            cause,
            causes,
            withheld,
        } = self.judge(&facts.0[fact..], desk);
        let mut left_out = LeftOut {
            cause,
            sessions: withheld.keys().copied().collect(),
            ..LeftOut::default()
        };
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
        let said = facts.0.split_off(fact).into_iter().enumerate();
        let is_kept = |place: &usize, fact: &Fact| match withheld.get(&fact.session) {
            Some(from) => place < from,
            None => true,
        };
        let kept = said.filter(|(place, fact)| is_kept(place, fact));
        facts.0.extend(kept.map(|(_, fact)| fact));
        for (session, cause) in causes {
            let is_of_it = |fact: &Fact| fact.session == session;
            let is_recorded = is_recorded(session, desk);
            let is_said = || is_anything_said(facts.0.iter().filter(|fact| is_of_it(fact)));
            if !cause.is_by_prompt() || !(is_recorded || is_said()) {
                // Also what was read before with this batch: the cause may come late in a file.
                desk.forget_all_of(session);
                let before = facts.0[..desk.since.fact].iter();
                desk.since.fact -= before.filter(|fact| is_of_it(fact)).count();
                facts.0.retain(|fact| !is_of_it(fact));
                left_out.found.push(session);
            }
            if is_recorded || facts.0.iter().any(is_of_it) {
                left_out.too_late.push(session);
            }
            desk.note(key_of(session), cause.0.as_bytes());
        }
        left_out
    }

    /// Finds what of the facts of one reading is to be left out.
    fn judge(&mut self, facts: &[Fact], desk: &mut Desk<'_>) -> Judged {
        let mut judged = Judged::default();
        let mut prompts: HashMap<(SessionId, &str), usize> = HashMap::new();
        let mut at = facts.iter().find_map(|fact| time_of(&fact.piece));
        for (place, fact) in facts.iter().enumerate() {
            let session = fact.session;
            at = time_of(&fact.piece).or(at);
            let known = self.cause_of(session, desk);
            let known = known.or_else(|| self.later(session, at));
            if known.is_some() || judged.withheld.contains_key(&session) {
                if let Some(cause) = self.cause_beyond(known.as_ref(), fact, at, desk) {
                    // Nothing is left of what was said before the prompt.
                    judged.causes.retain(|(other, _)| *other != session);
                    self.leave_out(&mut judged, session, 0, cause);
                } else if let Entry::Vacant(entry) = judged.withheld.entry(session) {
                    entry.insert(place);
                    judged.cause = known.map(|known| known.0);
                }
                continue;
            }
            let (cause, from) = match &fact.piece {
                Piece::Message(message) => {
                    if matches!(&message.role, Change::Set(role) if *role == words::USER) {
                        prompts.insert((session, &message.id), place);
                    }
                    continue;
                }
                Piece::Part(part) if has_mark(part) => {
                    match prompts.get(&(session, &*part.message_id)) {
                        Some(prompt) => (Some(Privacy::by_prompt(at)), *prompt),
                        None => continue,
                    }
                }
                _ => (self.cause_in(fact, at, desk), 0),
            };
            if let Some(cause) = cause {
                let before = facts[..from].iter().filter(|fact| fact.session == session);
                // A session of which nothing was said is none.
                let from = match is_anything_said(before) {
                    true => from,
                    false => 0,
                };
                self.leave_out(&mut judged, session, from, cause);
            }
        }
        judged
    }

    /// Leaves a session out from a place on, for a cause that was found now.
    fn leave_out(&mut self, judged: &mut Judged, session: SessionId, from: usize, cause: Cause) {
        judged.cause = Some(cause.0.clone());
        judged.withheld.insert(session, from);
        self.causes.insert(session, Some(cause.clone()));
        judged.causes.push((session, cause));
    }

    /// Why all is left out of a session of which what a prompt's mark left is kept so far: a mark may come before
    /// the place is told. One that was noted as marked stays so: whoever told the prompt need not tell it again.
    fn cause_beyond(
        &mut self,
        known: Option<&Cause>,
        fact: &Fact,
        at: Option<Timestamp>,
        desk: &mut Desk<'_>,
    ) -> Option<Cause> {
        if known.is_some_and(|known| !known.is_by_prompt()) {
            return None;
        }
        let cause = self.cause_in(fact, at, desk)?;
        let is_new = !cause.is_by_prompt() && !self.noted.contains(&fact.session);
        is_new.then_some(cause)
    }

    /// Why something that was said then is left out of a session that was called by a marked one.
    fn later(&self, session: SessionId, at: Option<Timestamp>) -> Option<Cause> {
        let cause = self.until.get(&session)?;
        (!is_before(at, cause)).then(|| cause.clone())
    }

    /// Why a session is left out, as far as was found before.
    fn cause_of(&mut self, session: SessionId, desk: &mut Desk<'_>) -> Option<Cause> {
        if let Some(cause) = self.causes.get(&session) {
            return cause.clone();
        }
        let noted = desk.noted(key_of(session));
        let noted = noted.and_then(|note| String::from_utf8(note).ok());
        let cause = noted.map(Cause).filter(|cause| self.privacy.stands(cause));
        if cause.as_ref().is_some_and(Cause::is_by_prompt) {
            self.noted.insert(session);
        }
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
        // What calls itself is asked for once.
        self.causes.insert(session, None);
        let parent = known.parent_session.as_deref().map(str::parse);
        if let Some(Ok(parent)) = parent {
            if let Some(cause) = self.cause_of(parent, desk).filter(Cause::is_by_prompt) {
                self.until.insert(session, cause);
            }
            self.locate_by(parent, session);
        }
        let directories = [known.project_path.as_deref(), known.cwd.as_deref()];
        let directories: Vec<_> = directories.into_iter().flatten().collect();
        if !directories.is_empty() {
            self.located.insert(session);
        }
        if !directories.is_empty() || known.parent_session.is_some() {
            self.placed.insert(session);
        }
        self.privacy
            .by_place(&directories, known.project_name.as_deref())
    }

    /// A session takes place where the one does that has called it.
    fn locate_by(&mut self, parent: SessionId, session: SessionId) {
        if self.located.contains(&parent) {
            self.located.insert(session);
        }
    }

    /// Why the session that a patch tells about is left out.
    fn cause_in(
        &mut self,
        fact: &Fact,
        at: Option<Timestamp>,
        desk: &mut Desk<'_>,
    ) -> Option<Cause> {
        let Piece::Session(patch) = &fact.piece else {
            return None;
        };
        let set = |field: &Change<Cow<'static, str>>| match field {
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
        if !directories.is_empty() {
            self.located.insert(fact.session);
        }
        let project = set(&patch.project_name);
        let cause = self.privacy.by_place(&directories, project.as_deref());
        if cause.is_some() {
            return cause;
        }
        let parent = set(&patch.parent_session)?.parse().ok()?;
        let is_subagent = set(&patch.parent_kind).is_some_and(|kind| kind == words::SUBAGENT);
        if is_subagent && desk.is_deleted(parent) {
            return Some(Privacy::by_delete());
        }
        let known = self.cause_of(parent, desk);
        self.locate_by(parent, fact.session);
        let cause = known.or_else(|| self.until.get(&parent).cloned())?;
        if is_before(at, &cause) {
            self.until.insert(fact.session, cause);
            return None;
        }
        Some(cause)
    }
}

/// Whether something was said before a prompt was marked.
fn is_before(at: Option<Timestamp>, cause: &Cause) -> bool {
    matches!((at, cause.since()), (Some(at), Some(since)) if at < since)
}

/// Whether anything of a session is in the replica.
pub(super) fn is_recorded(session: SessionId, desk: &mut Desk<'_>) -> bool {
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
