//! Transcripts of Claude Code, told in few words.

use serde_json::{Value, json};

/// Lines of a conversation that is told in few words.
pub(crate) struct Script {
    pub(crate) session: String,
    seconds: u32,
}

impl Script {
    pub(crate) fn new(session: &str) -> Self {
        Self {
            session: session.to_owned(),
            seconds: 0,
        }
    }

    pub(crate) fn line(&mut self, kind: &str, uuid: &str, with: Value) -> Value {
        self.seconds += 1;
        let mut line = json!({
            "type": kind,
            "uuid": uuid,
            "sessionId": self.session,
            "timestamp": format!("2026-03-01T10:00:{:02}.000Z", self.seconds % 60),
            "cwd": "/w/app",
            "gitBranch": "main",
            "version": "2.1.81",
            "isSidechain": false,
        });
        let fields = line.as_object_mut().unwrap();
        fields.extend(with.as_object().unwrap().clone());
        line
    }

    pub(crate) fn user(&mut self, uuid: &str, text: &str) -> Value {
        self.line(
            "user",
            uuid,
            json!({"message": {"role": "user", "content": text}}),
        )
    }

    pub(crate) fn answer(&mut self, uuid: &str, id: &str, block: Value, output: u64) -> Value {
        let message = json!({
            "id": id, "role": "assistant", "model": "claude-x", "content": [block],
            "usage": {"input_tokens": 3, "output_tokens": output,
                      "cache_creation_input_tokens": 120, "cache_read_input_tokens": 9000},
        });
        self.line(
            "assistant",
            uuid,
            json!({"requestId": format!("req_{id}"), "message": message}),
        )
    }

    pub(crate) fn result(&mut self, uuid: &str, tool: &str, content: Value) -> Value {
        let block = json!({"type": "tool_result", "tool_use_id": tool, "content": content});
        self.line(
            "user",
            uuid,
            json!({"message": {"role": "user", "content": [block]}}),
        )
    }
}

pub(crate) fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

pub(crate) fn jsonl(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}
