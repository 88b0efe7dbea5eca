//! The shapes of answers.

use serde_json::{Value, json};
use syncline_model::Timestamp;
use syncline_store::search::PartHit;
use syncline_store::sessions::{Cost, Figures, Session, SessionMessage, StatRow, Tokens};

pub(super) fn session(session: &Session, figures: &Figures) -> Value {
    let mut shown = json!({
        "id": session.native_id,
        "sessionId": session.session_id,
        "source": session.agent,
        "title": session.title,
        "projectPath": session.project_path,
        "projectName": session.project_name,
        "model": session.model,
        "provider": session.provider,
        "status": session.status,
        "permissionMode": session.permission_mode,
        "machine": session.machine,
        "gitBranch": session.git_branch,
        "messageCount": figures.messages,
        "toolCallCount": figures.tool_calls,
        "toolErrorCount": figures.tool_errors,
        "errorCount": figures.errors,
        "createdAt": session.started_at.map(Timestamp::as_millis),
        "updatedAt": session.told_at().map(Timestamp::as_millis),
        "endedAt": session.ended_at.map(Timestamp::as_millis),
    });
    add_tokens(&mut shown, figures.tokens);
    add_cost(&mut shown, figures.cost);
    shown
}

fn add_tokens(shown: &mut Value, tokens: Tokens) {
    let written = tokens.cache_write_5m + tokens.cache_write_1h;
    // All input, as those who tell of sessions count it, and as in the views.
    shown["promptTokens"] = (tokens.input + tokens.cache_read + written).into();
    shown["inputTokens"] = tokens.input.into();
    shown["completionTokens"] = tokens.output.into();
    shown["cacheReadTokens"] = tokens.cache_read.into();
    shown["cacheWriteTokens"] = written.into();
    shown["reasoningTokens"] = tokens.reasoning.into();
}

fn add_cost(shown: &mut Value, cost: Cost) {
    let source = cost.source();
    shown["cost"] = source.map(|_| cost.nanos() as f64 / 1e9).into();
    shown["costSource"] = source.map(|source| source.as_str()).into();
}

pub(super) fn message(session: &Session, message: &SessionMessage) -> Value {
    let said = message.parts.iter().filter(|part| part.kind == "text");
    let text: Vec<&str> = said.map(|part| part.text.as_str()).collect();
    let parts = message.parts.iter().map(|part| {
        json!({
            "id": part.id,
            "kind": part.kind,
            "text": part.text,
            "mediaType": part.media_type,
            "reference": part.reference,
        })
    });
    json!({
        "id": message.id,
        "sessionId": session.native_id,
        "source": session.agent,
        "role": message.role,
        "kind": message.kind,
        "textContent": (!text.is_empty()).then(|| text.join("\n")),
        "parts": parts.collect::<Vec<_>>(),
        "model": message.model,
        "durationMs": message.duration_ms,
        "createdAt": message.at.map(Timestamp::as_millis),
    })
}

pub(super) fn hit(hit: &PartHit) -> Value {
    json!({
        "sessionId": hit.native_id,
        "source": hit.agent,
        "title": hit.title,
        "kind": hit.kind,
        "owner": hit.owner,
        "ownerId": hit.owner_id,
        "createdAt": hit.at.map(Timestamp::as_millis),
        "content": hit.snippet,
        "relevance": hit.relevance,
    })
}

pub(super) fn stat(row: &StatRow) -> Value {
    let mut shown = json!({
        "key": row.key,
        "sessions": row.sessions,
        "messageCount": row.messages,
        "toolCallCount": row.tool_calls,
        "toolErrorCount": row.tool_errors,
    });
    add_tokens(&mut shown, row.tokens);
    add_cost(&mut shown, row.cost);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_tokens_are_all_input_cached_or_not() {
        let mut shown = json!({});
        let tokens = Tokens {
            input: 50,
            output: 7,
            cache_read: 170_000,
            cache_write_5m: 2_000,
            cache_write_1h: 237,
            ..Tokens::default()
        };
        add_tokens(&mut shown, tokens);
        assert_eq!(shown["promptTokens"], 172_287);
        assert_eq!(
            (&shown["inputTokens"], &shown["completionTokens"]),
            (&json!(50), &json!(7))
        );
        assert_eq!(shown["cacheWriteTokens"], 2_237);
    }
}
