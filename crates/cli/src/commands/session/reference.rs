//! SESSION, as a command is given it, and as it is shown.

use std::collections::BTreeMap;

use clap::Args;
use syncline_model::session::SessionId;
use syncline_store::TenantFile;
use syncline_store::sessions::{ResolvedSession, Session, resolve_session, session_ids};

use super::text::when;
use crate::failure::Failure;
use crate::short_id::{CHARS_MIN, short_ids};

/// A session that must be there.
#[derive(Debug, Clone, Args)]
pub(super) struct SessionReference {
    /// Its id here or the agent's own, the beginning of one, or the last characters
    #[arg(value_name = "SESSION")]
    session: String,
    /// Of this agent, where ids alone don't tell
    #[arg(short, long, value_name = "AGENT")]
    agent: Option<String>,
}

impl SessionReference {
    pub(super) fn find(&self, view: &TenantFile) -> Result<Session, Failure> {
        find_session(view, &self.session, self.agent.as_deref())
    }

    /// The same for what can't be undone: a letter or two are too easily typed by mistake.
    pub(super) fn find_for_good(&self, view: &TenantFile) -> Result<Session, Failure> {
        let session = self.find(view)?;
        let id = session.session_id.to_string();
        let is_whole =
            [Some(id.as_str()), session.native_id.as_deref()].contains(&Some(&self.session));
        if is_whole || self.session.chars().count() >= CHARS_MIN {
            return Ok(session);
        }
        let message = format!(
            "{:?} is too little of an id for what can't be undone",
            self.session
        );
        Err(Failure::usage("session_short", message)
            .candidate(candidate(&session))
            .state("nothing was changed")
            .fix(format!(
                "name the session by {CHARS_MIN} characters of its id or more"
            )))
    }
}

/// Finds the session that `text` names.
pub(super) fn find_session(
    view: &TenantFile,
    text: &str,
    agent: Option<&str>,
) -> Result<Session, Failure> {
    if text.is_empty() {
        return Err(Failure::usage("session_missing", "no session is named")
            .state("nothing was changed")
            .fix("syncline session list"));
    }
    match resolve_session(view.connection(), text, agent)? {
        ResolvedSession::Found(session) => Ok(*session),
        ResolvedSession::Ambiguous(some) => {
            let message = format!("{text:?} could be {} sessions or more", some.len());
            let failure = Failure::new("session_ambiguous", message);
            let failure = some
                .iter()
                .fold(failure, |failure, one| failure.candidate(candidate(one)));
            // One agent's whole id may be another's, too: no more of it would tell them apart.
            let whole = |session: &&Session| session.native_id.as_deref() == Some(text);
            let fix = match some.iter().filter(whole).nth(1) {
                Some(one) => format!("name its agent, as in --agent {}", agent_of(one)),
                None => "name the session by more of its id".to_owned(),
            };
            Err(failure.state("nothing was changed").fix(fix))
        }
        ResolvedSession::Unknown => {
            let message = format!("no session {text:?}");
            Err(Failure::new("session_unknown", message)
                .state("nothing was changed")
                .fix("syncline session list")
                .fix("syncline import auto"))
        }
    }
}

fn candidate(session: &Session) -> String {
    let id = session.session_id;
    let (agent, title) = (agent_of(session), title_of(session));
    format!("{id} ({agent}, {title}, {})", when(session))
}

pub(super) fn agent_of(session: &Session) -> &str {
    session.agent.as_deref().unwrap_or("unknown agent")
}

pub(super) fn title_of(session: &Session) -> &str {
    let title = session.title.as_deref().map(str::trim);
    title
        .filter(|title| !title.is_empty())
        .unwrap_or("(no title)")
}

pub(super) fn project_of(session: &Session) -> &str {
    let project = session.project_name.as_deref();
    project.or(session.project_path.as_deref()).unwrap_or("-")
}

/// As many last characters of ids as tell each session from all others.
pub(super) struct ShortIds(BTreeMap<SessionId, String>);

impl ShortIds {
    pub(super) fn of_all(view: &TenantFile) -> Result<Self, Failure> {
        let ids = session_ids(view.connection())?;
        let texts: Vec<String> = ids.iter().map(SessionId::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let short = short_ids(&texts).into_iter().map(str::to_owned);
        Ok(Self(ids.into_iter().zip(short).collect()))
    }

    pub(super) fn of(&self, id: SessionId) -> String {
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}
