//! The store of clankers, a recorder of what several agents say to their hooks.
//!
//! Its ids are the agents' own where they have any. Of Claude Code it numbers messages itself, one
//! person's and one model's for a whole session: these are kept, and not counted, so that what the
//! transcript says counts alone; what the store sums up is shown where nothing better is known.

use serde_json::Value;
use syncline_model::session::{
    CompactionPatch, ErrorPatch, FileTouch, MessagePatch, Part, Piece, SessionId, SessionPatch,
    ToolPatch, Usage, session_id, words,
};
use syncline_store::StoreError;
use syncline_store::foreign::{ForeignDatabase, ForeignRow};

use std::collections::HashMap;

use crate::agent::Agent;
use crate::facts::{
    Facts, Known, UnitKey, Verdict, action_of_tool, nanos_of_dollars, owned, set, set_some,
    take_unit, time_of_millis,
};
use crate::import::Tally;
use crate::value::{count, number, text};

const AGENT: Agent = Agent::Clankers;
/// The agent of sessions whose row does not say.
const UNKNOWN_AGENT: &str = "unknown";

/// Reads a `clankers.db`.
pub(crate) fn read_database(
    database: &ForeignDatabase,
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) -> Result<(), StoreError> {
    if !database.has_table("sessions")? || !database.has_table("messages")? {
        let cause = "it has no sessions and messages as clankers keeps them".to_owned();
        tally.count(Verdict::Damaged(cause), None);
        return Ok(());
    }
    let mut store = Store {
        agents: HashMap::new(),
        known,
        facts,
    };
    type Take<'a> = fn(&mut Store<'a>, &Value) -> Option<()>;
    let tables: [(&'static str, Take<'_>); 5] = [
        ("sessions", Store::session),
        ("messages", Store::message),
        ("tools", Store::tool),
        ("session_errors", Store::error),
        ("compaction_events", Store::compaction),
    ];
    for (table, take) in tables {
        if !database.has_table(table)? {
            continue;
        }
        database.each_row::<StoreError>(table, |row: ForeignRow| {
            let row = Value::Object(row);
            let content = row.to_string();
            let id = text(&row, &["id"]).unwrap_or_default().to_owned();
            if table == "sessions" {
                store.agents.insert(id.clone(), agent_of(&row));
            }
            let key = UnitKey::of(&[AGENT.as_str(), table, &id]);
            let verdict = if !take_unit(store.known, key, &[&content]) {
                Verdict::Known
            } else if take(&mut store, &row).is_some() {
                Verdict::New
            } else {
                Verdict::Damaged(format!("{table} {id:?} has no id, or names no session"))
            };
            tally.count(verdict, None);
            Ok(())
        })?;
    }
    Ok(())
}

fn agent_of(row: &Value) -> String {
    text(row, &["source"]).unwrap_or(UNKNOWN_AGENT).to_owned()
}

struct Store<'a> {
    /// The agents of sessions.
    agents: HashMap<String, String>,
    known: &'a mut dyn Known,
    facts: &'a mut Facts,
}

impl Store<'_> {
    fn of(&self, row: &Value) -> Option<(SessionId, String, String)> {
        let native = text(row, &["session_id"])?;
        let agent = self.agents.get(native).cloned();
        let agent = agent.unwrap_or_else(|| agent_of(row));
        Some((session_id(&agent, native, ""), native.to_owned(), agent))
    }

    fn session(&mut self, row: &Value) -> Option<()> {
        let native = text(row, &["id"])?;
        let agent = agent_of(row);
        let project = text(row, &["project_path"]);
        let counted = |name: &str| row.get(name).and_then(Value::as_u64);
        // What the recorder calls a session that it knows no title of.
        let title = text(row, &["title"]).filter(|title| *title != "Untitled Session");
        let cost = number(row, &["cost"]).filter(|cost| *cost > 0.0);
        let patch = SessionPatch {
            agent: set(&agent),
            native_id: set(native),
            title: set_some(title),
            project_path: set_some(project),
            project_name: set_some(text(row, &["project_name"])),
            cwd: set_some(project),
            model: set_some(text(row, &["model"])),
            provider: set_some(text(row, &["provider"])),
            status: set_some(text(row, &["status"])),
            source: set(AGENT.as_str()),
            permission_mode: set_some(text(row, &["permission_mode"])),
            started_at: at(row, "created_at").into(),
            updated_at: at(row, "updated_at").into(),
            ended_at: at(row, "ended_at").into(),
            reported_input_tokens: counted("prompt_tokens").into(),
            reported_output_tokens: counted("completion_tokens").into(),
            reported_cost_nanos: cost.and_then(nanos_of_dollars).into(),
            reported_message_count: counted("message_count").into(),
            reported_tool_call_count: counted("tool_call_count").into(),
            ..SessionPatch::default()
        };
        let session = session_id(&agent, native, "");
        self.facts.session(session, patch);
        Some(())
    }

    fn message(&mut self, row: &Value) -> Option<()> {
        let (session, native, agent) = self.of(row)?;
        let id = text(row, &["id"])?;
        let invented = id.starts_with(&format!("{native}-"));
        let apart = (invented && agent == Agent::ClaudeCode.as_str()).then_some("recorded");
        let patch = MessagePatch {
            id: owned(id),
            role: set_some(text(row, &["role"])),
            kind: set_some(apart),
            model: set_some(text(row, &["model"])),
            at: at(row, "created_at").into(),
            completed_at: at(row, "completed_at").into(),
            duration_ms: row.get("duration_ms").and_then(Value::as_u64).into(),
            ..MessagePatch::default()
        };
        self.facts.message(session, patch);
        // A transcript has the same text in parts of their own ids.
        let part = Part {
            message_id: owned(id),
            id: AGENT.as_str().into(),
            kind: words::TEXT.into(),
            text: owned(text(row, &["text_content"]).unwrap_or_default()),
            ..Part::default()
        };
        if !part.text.is_empty() {
            self.facts.part(session, part);
        }
        let (input, output) = (
            count(row, &["prompt_tokens"]),
            count(row, &["completion_tokens"]),
        );
        if apart.is_none() && input + output > 0 {
            // Before all orders: what a transcript tells of the response counts instead.
            let usage = Usage {
                id: owned(id),
                order: 0,
                message_id: Some(owned(id)),
                model: text(row, &["model"]).map(owned),
                at: at(row, "created_at"),
                input,
                output,
                ..Usage::default()
            };
            self.facts.say(session, Piece::Usage(usage));
        }
        Some(())
    }

    fn tool(&mut self, row: &Value) -> Option<()> {
        let (session, native, _) = self.of(row)?;
        let name = text(row, &["tool_name"]).unwrap_or_default();
        let id = text(row, &["id"])?;
        // The agent's own id stands behind the session's, and the tool's name.
        let own = id.strip_prefix(&format!("{native}-")).unwrap_or(id);
        let own = own.strip_prefix(&format!("{name}-")).unwrap_or(own);
        let success = row.get("success").and_then(|success| match success {
            Value::Bool(success) => Some(*success),
            other => other.as_i64().map(|success| success != 0),
        });
        let files = text(row, &["file_path"]).map(|path| {
            vec![FileTouch {
                path: owned(path),
                action: action_of_tool(name).unwrap_or(words::READ).into(),
            }]
        });
        let patch = ToolPatch {
            id: owned(own),
            message_id: set_some(text(row, &["message_id"])),
            name: set_some(Some(name)),
            completed_at: at(row, "created_at").into(),
            duration_ms: row.get("duration_ms").and_then(Value::as_u64).into(),
            success: success.into(),
            error: set_some(text(row, &["error_message"])),
            files: files.into(),
            ..ToolPatch::default()
        };
        self.facts.tool(session, patch);
        let said = [
            (words::TOOL_INPUT, text(row, &["tool_input"])),
            (words::TOOL_OUTPUT, text(row, &["tool_output"])),
        ];
        for (kind, said) in said {
            if let Some(said) = said {
                let said = said.to_owned();
                self.facts.tool_text(session, own, kind, said, 0);
            }
        }
        Some(())
    }

    fn error(&mut self, row: &Value) -> Option<()> {
        let (session, ..) = self.of(row)?;
        let patch = ErrorPatch {
            id: owned(text(row, &["id"])?),
            kind: set_some(text(row, &["error_type"])),
            message: set_some(text(row, &["error_message"])),
            at: at(row, "created_at").into(),
            ..ErrorPatch::default()
        };
        self.facts.say(session, Piece::Error(patch));
        Some(())
    }

    fn compaction(&mut self, row: &Value) -> Option<()> {
        let (session, ..) = self.of(row)?;
        let counted = |name: &str| row.get(name).and_then(Value::as_u64);
        let patch = CompactionPatch {
            id: owned(text(row, &["id"])?),
            tokens_before: counted("tokens_before").into(),
            tokens_after: counted("tokens_after").into(),
            messages_before: counted("messages_before").into(),
            messages_after: counted("messages_after").into(),
            at: at(row, "created_at").into(),
            ..CompactionPatch::default()
        };
        self.facts.say(session, Piece::Compaction(patch));
        Some(())
    }
}

fn at(row: &Value, column: &str) -> Option<syncline_model::Timestamp> {
    time_of_millis(row.get(column).and_then(Value::as_i64))
}
