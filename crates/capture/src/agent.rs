//! The coding agents whose transcripts can be read.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A coding agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Agent {
    ClaudeCode,
    Codex,
    OpenCode,
    Cursor,
    Gemini,
    Aider,
    /// The store of another recorder of sessions, which holds those of several agents.
    Clankers,
}

impl Agent {
    /// All of them, in the order in which `import auto` looks for them.
    pub const ALL: [Self; 7] = [
        Self::ClaudeCode,
        Self::Codex,
        Self::OpenCode,
        Self::Cursor,
        Self::Gemini,
        Self::Aider,
        Self::Clankers,
    ];

    /// Its name in commands, in views and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::OpenCode => "opencode",
            Self::Cursor => "cursor",
            Self::Gemini => "gemini",
            Self::Aider => "aider",
            Self::Clankers => "clankers",
        }
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("agent must be claude-code, codex, opencode, cursor, gemini, aider or clankers")]
pub struct AgentError;

impl std::str::FromStr for Agent {
    type Err = AgentError;
    fn from_str(text: &str) -> Result<Self, AgentError> {
        let mut all = Self::ALL.into_iter();
        all.find(|agent| agent.as_str() == text).ok_or(AgentError)
    }
}

impl Serialize for Agent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Agent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
