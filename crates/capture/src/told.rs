//! What plugins of agents tell over the control socket, in the words of its methods.
//!
//! A field that is not there is left as it is, one that is null is emptied, one that is not known here is
//! kept as it stands.

use serde_json::{Map, Value};

use crate::agent::Agent;
use crate::recorded::Table;

/// The longest id, in characters: longer than any agent's.
const ID_CHARS_MAX: usize = 512;
/// The longest name of an agent.
const WORD_CHARS_MAX: usize = 64;
/// The most fields that are not known of one thing.
const UNKNOWN_MAX: usize = 64;

/// What a plugin tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    Session,
    Message,
    Tool,
    SessionError,
    CompactionEvent,
}

/// What the value of a field must be, unless it is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text of one character or more, which must be there.
    Id,
    /// Text of a few characters.
    Word,
    Text,
    /// Text, or any value, which is then told as JSON.
    Json,
    /// A whole number from 0, tokens or milliseconds.
    Count,
    /// Milliseconds since 1970.
    Time,
    Number,
    Flag,
}

/// A field: its name in a call, its column, and what it holds.
type Field = (&'static str, &'static str, Kind);

impl Thing {
    /// The parameter that holds it.
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Message => "message",
            Self::Tool => "tool",
            Self::SessionError => "sessionError",
            Self::CompactionEvent => "compactionEvent",
        }
    }

    pub(crate) const fn table(self) -> Table {
        match self {
            Self::Session => Table::Sessions,
            Self::Message => Table::Messages,
            Self::Tool => Table::Tools,
            Self::SessionError => Table::SessionErrors,
            Self::CompactionEvent => Table::CompactionEvents,
        }
    }

    const fn fields(self) -> &'static [Field] {
        match self {
            Self::Session => &[
                ("id", "id", Kind::Id),
                ("title", "title", Kind::Text),
                ("projectPath", "project_path", Kind::Text),
                ("projectName", "project_name", Kind::Text),
                ("model", "model", Kind::Text),
                ("provider", "provider", Kind::Text),
                ("source", "source", Kind::Word),
                ("status", "status", Kind::Text),
                ("promptTokens", "prompt_tokens", Kind::Count),
                ("completionTokens", "completion_tokens", Kind::Count),
                ("cost", "cost", Kind::Number),
                ("messageCount", "message_count", Kind::Count),
                ("toolCallCount", "tool_call_count", Kind::Count),
                ("permissionMode", "permission_mode", Kind::Text),
                ("createdAt", "created_at", Kind::Time),
                ("updatedAt", "updated_at", Kind::Time),
                ("endedAt", "ended_at", Kind::Time),
            ],
            Self::Message => &[
                ("id", "id", Kind::Id),
                ("sessionId", "session_id", Kind::Id),
                ("role", "role", Kind::Text),
                ("textContent", "text_content", Kind::Text),
                ("model", "model", Kind::Text),
                ("source", "source", Kind::Word),
                ("promptTokens", "prompt_tokens", Kind::Count),
                ("completionTokens", "completion_tokens", Kind::Count),
                ("durationMs", "duration_ms", Kind::Count),
                ("createdAt", "created_at", Kind::Time),
                ("completedAt", "completed_at", Kind::Time),
            ],
            Self::Tool => &[
                ("id", "id", Kind::Id),
                ("sessionId", "session_id", Kind::Id),
                ("toolName", "tool_name", Kind::Id),
                ("source", "source", Kind::Word),
                ("messageId", "message_id", Kind::Text),
                ("toolInput", "tool_input", Kind::Json),
                ("toolOutput", "tool_output", Kind::Json),
                ("filePath", "file_path", Kind::Text),
                ("success", "success", Kind::Flag),
                ("errorMessage", "error_message", Kind::Text),
                ("durationMs", "duration_ms", Kind::Count),
                ("createdAt", "created_at", Kind::Time),
            ],
            Self::SessionError => &[
                ("id", "id", Kind::Id),
                ("sessionId", "session_id", Kind::Id),
                ("source", "source", Kind::Word),
                ("errorType", "error_type", Kind::Text),
                ("errorMessage", "error_message", Kind::Text),
                ("createdAt", "created_at", Kind::Time),
            ],
            Self::CompactionEvent => &[
                ("id", "id", Kind::Id),
                ("sessionId", "session_id", Kind::Id),
                ("source", "source", Kind::Word),
                ("tokensBefore", "tokens_before", Kind::Count),
                ("tokensAfter", "tokens_after", Kind::Count),
                ("messagesBefore", "messages_before", Kind::Count),
                ("messagesAfter", "messages_after", Kind::Count),
                ("createdAt", "created_at", Kind::Time),
            ],
        }
    }
}

/// Why a thing can't be taken. Values are not repeated: they may be what nobody should read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToldError {
    #[error("params.{thing} must be an object")]
    Shape { thing: &'static str },
    #[error("{field} is required")]
    Missing { field: &'static str },
    #[error("{field} must be {expected}")]
    Value {
        field: &'static str,
        expected: &'static str,
    },
    #[error("params.{thing} has more than {UNKNOWN_MAX} fields that are not known")]
    Unknown { thing: &'static str },
}

/// A thing as it was told, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub(crate) thing: Thing,
    /// By column; fields that were not told are not there.
    pub(crate) row: Value,
    /// Fields that are not known here.
    pub(crate) unknown: Map<String, Value>,
    /// Whose plugin tells, by its name for itself.
    pub(crate) teller: Option<Agent>,
}

impl Told {
    /// Checks what was told of a thing; `client` is what the plugin calls itself.
    pub fn parse(thing: Thing, value: Value, client: Option<&str>) -> Result<Self, ToldError> {
        let name = thing.parameter();
        let Value::Object(mut told) = value else {
            return Err(ToldError::Shape { thing: name });
        };
        let mut row = Map::new();
        for (field, column, kind) in thing.fields() {
            let value = told.remove(*field);
            if let Some(value) = checked(field, *kind, value)? {
                row.insert((*column).to_owned(), value);
            }
        }
        if told.len() > UNKNOWN_MAX {
            return Err(ToldError::Unknown { thing: name });
        }
        Ok(Self {
            thing,
            row: Value::Object(row),
            unknown: told,
            teller: client.and_then(agent_named),
        })
    }

    /// Whose session it is of: as it says itself, else as its teller is called.
    pub(crate) fn agent(&self) -> Option<&str> {
        self.text("source").or(self.teller.map(Agent::as_str))
    }

    /// A text of a column.
    pub(crate) fn text(&self, column: &str) -> Option<&str> {
        crate::value::text(&self.row, &[column])
    }
}

/// The value of a field as its column holds it; none: it was not told.
fn checked(
    field: &'static str,
    kind: Kind,
    value: Option<Value>,
) -> Result<Option<Value>, ToldError> {
    let wrong = |expected| Err(ToldError::Value { field, expected });
    let value = match (value, kind) {
        (None | Some(Value::Null), Kind::Id) => return Err(ToldError::Missing { field }),
        (None, _) => return Ok(None),
        (Some(Value::Null), _) => return Ok(Some(Value::Null)),
        (Some(value), _) => value,
    };
    Ok(Some(match kind {
        Kind::Id => match &value {
            Value::String(text) if text.is_empty() => return Err(ToldError::Missing { field }),
            Value::String(text) if text.chars().nth(ID_CHARS_MAX).is_none() => value,
            _ => return wrong("a text of at most 512 characters"),
        },
        Kind::Word => match value.as_str() {
            Some(text) if text.chars().nth(WORD_CHARS_MAX).is_none() => value,
            _ => return wrong("a text of at most 64 characters, or null"),
        },
        Kind::Text if value.is_string() => value,
        Kind::Text => return wrong("a text or null"),
        Kind::Json if value.is_string() => value,
        Kind::Json => Value::String(value.to_string()),
        Kind::Count => match whole(&value).filter(|count| *count >= 0) {
            Some(count) => count.into(),
            None => return wrong("a number from 0, or null"),
        },
        Kind::Time => match whole(&value) {
            Some(millis) => millis.into(),
            None => return wrong("milliseconds since 1970, or null"),
        },
        Kind::Number if value.is_number() => value,
        Kind::Number => return wrong("a number or null"),
        Kind::Flag if value.is_boolean() => value,
        Kind::Flag => return wrong("true, false or null"),
    }))
}

/// A number without its fraction: clocks of scripts have some.
fn whole(value: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let fraction = || value.as_f64().filter(|number| number.abs() < EXACT);
    value
        .as_i64()
        .or_else(|| fraction().map(|number| number as i64))
}

/// The agent whose plugin has this name.
fn agent_named(client: &str) -> Option<Agent> {
    const WORDS: [(&str, Agent); 6] = [
        ("opencode", Agent::OpenCode),
        ("claude", Agent::ClaudeCode),
        ("cursor", Agent::Cursor),
        ("codex", Agent::Codex),
        ("gemini", Agent::Gemini),
        ("aider", Agent::Aider),
    ];
    let client = client.to_ascii_lowercase();
    let named = WORDS.into_iter().find(|(word, _)| client.contains(word));
    named.map(|(_, agent)| agent)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(thing: Thing, value: Value) -> Result<Told, ToldError> {
        Told::parse(thing, value, None)
    }

    #[test]
    fn absent_null_and_a_value_are_told_apart() {
        let told = json!({ "id": "s", "title": null, "model": "m", "cost": 0.5 });
        let told = parse(Thing::Session, told).unwrap();
        let row = json!({ "id": "s", "title": null, "model": "m", "cost": 0.5 });
        assert_eq!(told.row, row);
    }

    #[test]
    fn what_is_not_known_is_kept() {
        let told = json!({ "id": "s", "parentId": "p", "tags": [1] });
        let told = parse(Thing::Session, told).unwrap();
        let unknown = Value::Object(told.unknown);
        assert_eq!(unknown, json!({ "parentId": "p", "tags": [1] }));
    }

    #[test]
    fn what_is_required_is_named() {
        let missing = |thing, value| match parse(thing, value) {
            Err(ToldError::Missing { field }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(missing(Thing::Session, json!({})), "id");
        assert_eq!(missing(Thing::Session, json!({ "id": "" })), "id");
        assert_eq!(missing(Thing::Message, json!({ "id": "m" })), "sessionId");
        let tool = json!({ "id": "t", "sessionId": "s", "toolName": null });
        assert_eq!(missing(Thing::Tool, tool), "toolName");
    }

    #[test]
    fn values_of_another_kind_are_refused_without_repeating_them() {
        for (field, value) in [
            ("title", json!(1)),
            ("promptTokens", json!("1")),
            ("promptTokens", json!(-1)),
            ("createdAt", json!("2026-01-01")),
            ("createdAt", json!(1e300)),
            ("cost", json!("free")),
        ] {
            let told = json!({ "id": "s", field: value });
            let error = parse(Thing::Session, told).unwrap_err().to_string();
            assert!(error.starts_with(field), "{error}");
        }
        let long = json!({ "id": "x".repeat(513) });
        assert!(parse(Thing::Session, long).is_err());
        assert!(parse(Thing::Session, json!([])).is_err());
    }

    #[test]
    fn input_of_tools_may_be_any_value_and_times_may_have_fractions() {
        let told = json!({
            "id": "t", "sessionId": "s", "toolName": "Bash", "toolInput": { "command": "ls" },
            "createdAt": 1_700_000_000_000.75,
        });
        let told = parse(Thing::Tool, told).unwrap();
        assert_eq!(told.row["tool_input"], r#"{"command":"ls"}"#);
        assert_eq!(told.row["created_at"], 1_700_000_000_000_i64);
    }

    #[test]
    fn plugins_are_known_by_their_names() {
        assert_eq!(agent_named("opencode-plugin"), Some(Agent::OpenCode));
        assert_eq!(
            agent_named("@dxta-dev/clankers-claude-code"),
            Some(Agent::ClaudeCode)
        );
        assert_eq!(agent_named("mine"), None);
    }
}
