//! Sessions as they are answered; names and meanings are those of the SQL view `sessions`, but for
//! `session_id`, which is `resource_id` there.

use serde_json::{Value, json};
use syncline_store::search::{Matched, PartHit};
use syncline_store::sessions::{
    Cost, Figures, Session, SessionLink, SessionUsage, StatRow, Tokens,
};

/// An object with the fields of both.
pub(super) fn joined(mut one: Value, other: Value) -> Value {
    if let (Value::Object(fields), Value::Object(others)) = (&mut one, other) {
        fields.extend(others);
    }
    one
}

pub(super) fn session_json(session: &Session, figures: &Figures) -> Value {
    let told = json!({
        "session_id": session.session_id,
        "id": session.native_id,
        "agent": session.agent,
        "agent_version": session.agent_version,
        "title": session.title,
        "project_name": session.project_name,
        "project_path": session.project_path,
        "machine": session.machine,
        "model": session.model,
        "provider": session.provider,
        "status": session.status,
        "source": session.agent,
        "channel": session.source,
        "git_branch": session.git_branch,
        "git_commit": session.git_commit,
        "cwd": session.cwd,
        "parent_session": session.parent_session,
        "parent_kind": session.parent_kind,
        "started_at": session.started_at,
        "updated_at": session.told_at(),
        "ended_at": session.ended_at,
    });
    joined(told, figures_json(figures))
}

fn figures_json(figures: &Figures) -> Value {
    let counts = json!({
        "message_count": figures.messages,
        "prompt_count": figures.prompts,
        "tool_call_count": figures.tool_calls,
        "tool_error_count": figures.tool_errors,
        "error_count": figures.errors,
        "compaction_count": figures.compactions,
        "subagent_count": figures.subagents,
    });
    joined(
        joined(counts, tokens_json(&figures.tokens)),
        cost_json(figures.cost),
    )
}

fn tokens_json(tokens: &Tokens) -> Value {
    json!({
        "input_tokens": tokens.input,
        "output_tokens": tokens.output,
        "cache_read_tokens": tokens.cache_read,
        "cache_write_tokens": tokens.cache_write_5m + tokens.cache_write_1h,
        "cache_write_5m_tokens": tokens.cache_write_5m,
        "cache_write_1h_tokens": tokens.cache_write_1h,
        "reasoning_tokens": tokens.reasoning,
    })
}

fn cost_json(cost: Cost) -> Value {
    let source = cost.source();
    json!({
        "cost": dollars(cost),
        "cost_source": source.map(|source| source.as_str()),
        "unpriced_responses": cost.unpriced,
    })
}

/// What a response has used.
pub(super) fn usage_json(usage: &SessionUsage) -> Value {
    let told = json!({
        "id": usage.id,
        "model": usage.model,
        "provider": usage.provider,
        "at": usage.at,
        "position": usage.position,
        "copied": usage.copied,
    });
    joined(
        joined(told, tokens_json(&usage.tokens)),
        cost_json(usage.cost),
    )
}

/// None where nothing is known of any cost.
pub(super) fn dollars(cost: Cost) -> Option<f64> {
    cost.source().map(|_| cost.nanos() as f64 / 1e9)
}

/// All tokens, cached or not.
pub(super) fn all_tokens(tokens: &Tokens) -> u64 {
    tokens.input + tokens.output + tokens.cache_read + tokens.cache_write_5m + tokens.cache_write_1h
}

pub(super) fn link_json(link: &SessionLink) -> Value {
    json!({"kind": link.kind, "target": link.target, "note": link.note})
}

pub(super) fn stat_json(row: &StatRow) -> Value {
    let counts = json!({
        "key": row.key,
        "session_count": row.sessions,
        "message_count": row.messages,
        "prompt_count": row.prompts,
        "tool_call_count": row.tool_calls,
        "tool_error_count": row.tool_errors,
        "tool_error_rate": rate(row.tool_errors, row.tool_calls),
    });
    joined(
        joined(counts, tokens_json(&row.tokens)),
        cost_json(row.cost),
    )
}

/// How many of `all` are `some`, from 0 to 1.
pub(super) fn rate(some: u64, all: u64) -> f64 {
    match all {
        0 => 0.0,
        all => some as f64 / all as f64,
    }
}

pub(super) fn hit_json(hit: &PartHit) -> Value {
    json!({
        "scope": "session",
        "session_id": hit.session_id,
        "id": hit.native_id,
        "agent": hit.agent,
        "title": hit.title,
        "kind": hit.kind,
        "owner": hit.owner,
        "owner_id": hit.owner_id,
        "at": hit.at,
        "content": hit.snippet,
        "relevance": hit.relevance,
        "matched": matched(hit.matched),
    })
}

pub(super) const fn matched(matched: Matched) -> &'static str {
    match matched {
        Matched::AllWords => "all_words",
        Matched::SomeWords => "some_words",
    }
}
