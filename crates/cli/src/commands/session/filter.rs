//! Which sessions a command is about.

use std::path::Path;
use std::str::FromStr;

use clap::Args;
use syncline_capture::agent::Agent;
use syncline_model::Timestamp;
use syncline_store::search::PartFilter;
use syncline_store::sessions::SessionFilter;

use crate::context::Context;
use crate::near::near;
use crate::span::Span;

/// The flags that every command on several sessions takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which sessions")]
pub(super) struct FilterFlags {
    /// Of this agent: claude-code, codex, opencode, cursor, gemini, aider, …; what stands before a `-` is enough
    #[arg(short, long, value_name = "AGENT")]
    agent: Option<String>,
    /// Of this project: its name, or a directory, such as `.`
    #[arg(short, long, value_name = "PROJECT")]
    project: Option<String>,
    /// Of this machine
    #[arg(long, value_name = "NAME")]
    machine: Option<String>,
    /// On this git branch
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// That used this model; what stands before a `-` is enough, such as the name without its date
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Not before WHEN: 2026-01-31, a time of RFC 3339, or so long ago, such as 7d or 12h
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,
    /// Before WHEN; a day is not part of it
    #[arg(long, value_name = "WHEN")]
    until: Option<When>,
}

/// The most that can be asked for, as over HTTP.
const DOLLARS_MAX: f64 = 1e6;

/// The flags on what a session with its subagents came to.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which sessions")]
pub(super) struct FigureFlags {
    /// In which a tool failed, or the agent told of an error
    #[arg(long)]
    has_error: bool,
    /// That cost so many dollars or more
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    min_cost: Option<f64>,
}

impl FigureFlags {
    /// Whether all sessions are meant.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_error && self.min_cost.is_none()
    }

    pub(super) fn has_error(&self) -> Option<bool> {
        self.has_error.then_some(true)
    }

    pub(super) fn cost_nanos_min(&self) -> Option<u64> {
        self.min_cost.map(|dollars| (dollars * 1e9).round() as u64)
    }
}

fn dollars(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(dollars) if (0.0..=DOLLARS_MAX).contains(&dollars) => Ok(dollars),
        Ok(_) | Err(_) => Err(format!("expected dollars, from 0 to {DOLLARS_MAX}")),
    }
}

/// A moment as it is typed; days are those of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    At(Timestamp),
    Ago(Span),
}

/// A text that is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a day such as 2026-01-31, a time such as 2026-01-31T12:00:00Z, or 7d, 12h, 30m")]
struct WhenError;

impl FromStr for When {
    type Err = WhenError;

    fn from_str(text: &str) -> Result<Self, WhenError> {
        if let Ok(span) = text.parse() {
            return Ok(Self::Ago(span));
        }
        let day = format!("{text}T00:00:00Z");
        let at = text.parse().or_else(|_| day.parse());
        at.map(Self::At).map_err(|_| WhenError)
    }
}

impl When {
    fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(span) => {
                let millis = i64::try_from(span.duration().as_millis()).unwrap_or(i64::MAX);
                let then = now.as_millis().saturating_sub(millis);
                Timestamp::from_millis(then).unwrap_or(Timestamp::UNIX_EPOCH)
            }
        }
    }
}

/// The flags, made out.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    agent: Option<String>,
    project: Option<String>,
    machine: Option<String>,
    branch: Option<String>,
    pub(super) model: Option<String>,
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl FilterFlags {
    /// Whether all sessions are meant.
    pub(super) fn is_empty(&self) -> bool {
        let texts = [
            &self.agent,
            &self.project,
            &self.machine,
            &self.branch,
            &self.model,
        ];
        texts.into_iter().all(Option::is_none) && self.since.is_none() && self.until.is_none()
    }

    /// What is said where no session is of what was asked for: also which agents come next to one that
    /// nothing is read of.
    pub(super) fn none_match(&self) -> String {
        let known = || Agent::ALL.into_iter().map(Agent::as_str);
        let begins = |name: &str, agent: &str| {
            let rest = name.strip_prefix(agent);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        match &self.agent {
            Some(agent) if !known().any(|name| begins(name, agent)) => {
                let near = near(agent, known()).join(", ");
                format!("no sessions match: for --agent {agent:?}, did you mean {near}?")
            }
            Some(_) | None => "no sessions match".to_owned(),
        }
    }

    /// The agent, as it was named.
    pub(super) fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }

    pub(super) fn chosen(&self, context: &Context) -> Chosen {
        let now = context.now();
        Chosen {
            agent: self.agent.clone(),
            project: self
                .project
                .as_deref()
                .map(|project| place(context, project)),
            machine: self.machine.clone(),
            branch: self.branch.clone(),
            model: self.model.clone(),
            since: self.since.map(|when| when.moment(now)),
            until: self.until.map(|when| when.moment(now)),
        }
    }
}

/// The directory that `project` stands for where it is a path, else the name as it is.
fn place(context: &Context, project: &str) -> String {
    let is_path = project.starts_with('.') || Path::new(project).is_absolute();
    let here = context.environment.current_dir.as_ref();
    let (true, Some(here)) = (is_path, here) else {
        return project.to_owned();
    };
    let path = here.join(project);
    let path = path.canonicalize().unwrap_or(path);
    path.to_str().unwrap_or(project).to_owned()
}

impl Chosen {
    pub(super) fn sessions(&self) -> SessionFilter<'_> {
        SessionFilter {
            since: self.since,
            until: self.until,
            ..self.whenever()
        }
    }

    /// The filter without its time.
    pub(super) fn whenever(&self) -> SessionFilter<'_> {
        SessionFilter {
            agent: self.agent.as_deref(),
            project: self.project.as_deref(),
            machine: self.machine.as_deref(),
            branch: self.branch.as_deref(),
            model: self.model.as_deref(),
            ..SessionFilter::default()
        }
    }

    pub(super) fn parts(&self) -> PartFilter<'_> {
        PartFilter {
            agent: self.agent.as_deref(),
            project: self.project.as_deref(),
            machine: self.machine.as_deref(),
            branch: self.branch.as_deref(),
            model: self.model.as_deref(),
            since: self.since,
            until: self.until,
            ..PartFilter::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_a_time_or_so_long_ago() {
        let now: Timestamp = "2026-02-10T12:00:00Z".parse().unwrap();
        let moment = |text: &str| text.parse().map(|when: When| when.moment(now).to_string());
        let begins = |text: &str, with: &str| moment(text).unwrap().starts_with(with);
        assert!(begins("2026-01-31", "2026-01-31T00:00:00"));
        assert!(begins("2026-01-31T10:30:00Z", "2026-01-31T10:30:00"));
        assert!(begins("7d", "2026-02-03T12:00:00"));
        assert_eq!(moment("soon"), Err(WhenError));
        assert_eq!(moment("2026-02-30"), Err(WhenError));
    }
}
