//! One call of a hook.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use syncline_model::Timestamp;

use super::Fields;
use crate::agent::Agent;

/// The longest name of an event, in bytes: the agents' own have less than 30.
const NAME_BYTES_MAX: usize = 64;

/// That something has happened in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookEvent {
    pub agent: Agent,
    pub event: EventName,
    /// What the agent said of it, as far as it is kept.
    #[serde(rename = "payload", default)]
    pub fields: Fields,
    /// When the hook was called, by this machine's clock.
    pub at: Timestamp,
}

/// What the agent calls what has happened: `Stop`, `session.idle`, …
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventName(String);

/// A text that can't be the name of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of an event has 1 to {NAME_BYTES_MAX} letters, digits, dots, dashes and underscores"
)]
pub struct EventNameError;

impl EventName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventName {
    type Err = EventNameError;
    fn from_str(text: &str) -> Result<Self, EventNameError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        match (1..=NAME_BYTES_MAX).contains(&text.len()) && text.chars().all(is_plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(EventNameError),
        }
    }
}

impl TryFrom<String> for EventName {
    type Error = EventNameError;
    fn try_from(text: String) -> Result<Self, EventNameError> {
        text.parse()
    }
}

impl From<EventName> for String {
    fn from(name: EventName) -> Self {
        name.0
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HookEvent {
    /// The agent in which it has happened. Cursor also calls the hooks that were set for Claude Code.
    pub fn agent(&self) -> Agent {
        match self.fields.text("cursor_version") {
            Some(_) => Agent::Cursor,
            None => self.agent,
        }
    }

    /// The agent's own id of the session.
    pub fn session(&self) -> Option<&str> {
        let names = ["session_id", "conversation_id", "sessionID", "thread-id"];
        names.into_iter().find_map(|name| self.fields.text(name))
    }

    /// What it says of the life of its session; none: nothing.
    pub(super) fn turn(&self) -> Option<Turn> {
        match (self.agent(), self.event.as_str()) {
            (Agent::ClaudeCode, "SessionStart")
            | (Agent::Cursor, "sessionStart" | "SessionStart") => Some(Turn::Began),
            (Agent::ClaudeCode, "SessionEnd") | (Agent::Cursor, "sessionEnd" | "SessionEnd") => {
                Some(Turn::Ended)
            }
            _ => None,
        }
    }
}

/// A turn in the life of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It began, or was taken up again.
    Began,
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_it_is_sent_and_keeps_nothing_that_was_said() {
        let sent = r#"{"agent":"claude-code","event":"UserPromptSubmit","at":"2026-03-01T10:00:00.000Z",
            "payload":{"session_id":"s1","transcript_path":"/t/s1.jsonl","prompt":"hunter2","odd":{"a":1}}}"#;
        let event: HookEvent = serde_json::from_str(sent).unwrap();
        assert_eq!(event.session(), Some("s1"));
        let kept = serde_json::to_string(&event).unwrap();
        assert_eq!(
            kept,
            r#"{"agent":"claude-code","event":"UserPromptSubmit","payload":{"session_id":"s1","transcript_path":"/t/s1.jsonl"},"at":"2026-03-01T10:00:00.000Z"}"#
        );
    }

    #[test]
    fn events_of_no_agent_and_of_odd_names_are_refused() {
        for (agent, event) in [
            ("nobody", "Stop"),
            ("codex", ""),
            ("codex", "../x"),
            ("codex", "a b"),
        ] {
            let sent =
                format!(r#"{{"agent":"{agent}","event":"{event}","at":"2026-03-01T10:00:00Z"}}"#);
            assert!(serde_json::from_str::<HookEvent>(&sent).is_err(), "{sent}");
        }
        assert!("x".repeat(65).parse::<EventName>().is_err());
    }

    #[test]
    fn cursor_that_calls_the_hooks_of_claude_code_is_told() {
        let sent = r#"{"agent":"claude-code","event":"SessionEnd","at":"2026-03-01T10:00:00Z",
            "payload":{"conversation_id":"c","cursor_version":"2.5.0"}}"#;
        let event: HookEvent = serde_json::from_str(sent).unwrap();
        assert_eq!(event.agent(), Agent::Cursor);
        assert_eq!(event.turn(), Some(Turn::Ended));
    }
}
