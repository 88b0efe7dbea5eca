//! What the daemon captures of coding agents, as it says itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use syncline_daemon::CallError;
use syncline_model::Timestamp;

use crate::context::Context;
use crate::failure::Failure;
use crate::replica_access;
use crate::wording::counted;

/// How long the daemon may take to say what it captures.
const PATIENCE: Duration = Duration::from_millis(300);

/// How capture goes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CaptureState {
    /// Those that are captured, by name.
    pub(crate) agents: BTreeMap<String, CapturedAgent>,
    pub(crate) error: Option<Trouble>,
    pub(crate) hook_error: Option<Trouble>,
    pub(crate) problems: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CapturedAgent {
    /// When something new of it was read last, since the daemon began.
    pub(crate) last_read_at: Option<Timestamp>,
    pub(crate) places: Vec<Place>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) path: String,
    /// `told`, `polled` or `missing`.
    pub(crate) watched: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Trouble {
    pub(crate) message: String,
    pub(crate) at: Timestamp,
}

impl CaptureState {
    /// Asks the daemon; none: none runs, or it does not say.
    pub(crate) fn ask(context: &Context) -> Result<Option<Self>, Failure> {
        let socket = replica_access::meeting(context)?.socket;
        match syncline_daemon::call(&socket, "capture.status", json!({}), PATIENCE) {
            Ok(status) => Ok(serde_json::from_value(status).ok()),
            Err(
                CallError::NotRunning
                | CallError::TimedOut
                | CallError::BadAnswer(_)
                | CallError::Refused(_)
                | CallError::Frame(_),
            ) => Ok(None),
        }
    }

    pub(crate) fn captures(&self, agent: &str) -> bool {
        self.agents.contains_key(agent)
    }

    /// What stands in the way.
    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.error.as_ref().or(self.hook_error.as_ref())
    }

    /// In one line: agents that are here, the last event, what is wrong.
    pub(crate) fn line(&self) -> String {
        if self.agents.is_empty() {
            return "off".to_owned();
        }
        let is_here = |agent: &CapturedAgent| {
            let mut places = agent.places.iter();
            places.any(|place| place.watched != "missing")
        };
        let here = self.agents.iter().filter(|(_, agent)| is_here(agent));
        let here: Vec<&str> = here.map(|(name, _)| name.as_str()).collect();
        let mut line = match here.is_empty() {
            true => "no agent found yet".to_owned(),
            false => here.join(", "),
        };
        let last = self.agents.values().filter_map(|agent| agent.last_read_at);
        if let Some(last) = last.max() {
            line.push_str(&format!("; last event {last}"));
        }
        if self.problems > 0 {
            let problems = counted(self.problems, "place");
            line.push_str(&format!("; {problems} could not be read"));
        }
        if let Some(trouble) = self.trouble() {
            line.push_str(&format!("; {} at {}", trouble.message, trouble.at));
        }
        line
    }
}
