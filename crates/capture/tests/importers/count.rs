//! What transcripts of Claude Code hold, counted apart from the importer.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::place::Figures;

/// Counts what files hold by the rules of the format, line by line, and in no other way than the rules
/// are told: prompts are `user` lines that are no tool result, not meta and no summary; a response is
/// all lines of one session, message id and request, and its last usage counts; a line counts once by
/// its uuid.
pub(crate) fn count(files: &[PathBuf]) -> BTreeMap<String, Figures> {
    let mut seen = HashSet::new();
    let mut responses: BTreeMap<(String, String, String), Value> = BTreeMap::new();
    let mut tools: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut failed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut figures: BTreeMap<String, Figures> = BTreeMap::new();
    for file in files {
        for line in fs::read_to_string(file).unwrap().lines() {
            let Ok(line) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            let Some(uuid) = line["uuid"].as_str() else {
                continue;
            };
            let kind = line["type"].as_str().unwrap_or_default();
            if !matches!(kind, "user" | "assistant") || !seen.insert(uuid.to_owned()) {
                continue;
            }
            let session = line["sessionId"].as_str().unwrap().to_owned();
            let session = match line["isSidechain"] == json!(true) {
                true => line["agentId"].as_str().unwrap().to_owned(),
                false => session,
            };
            let entry = figures.entry(session.clone()).or_default();
            let blocks = line["message"]["content"].as_array();
            let blocks = blocks.map(Vec::as_slice).unwrap_or_default();
            let results = blocks.iter().filter(|block| block["type"] == "tool_result");
            if kind == "user" {
                for result in results.clone().filter(|block| block["is_error"] == true) {
                    let id = result["tool_use_id"].as_str().unwrap().to_owned();
                    failed.entry(session.clone()).or_default().insert(id);
                }
                let apart = line["isMeta"] == true || line["isCompactSummary"] == true;
                if results.count() == 0 && !apart {
                    entry.prompts += 1;
                }
                continue;
            }
            for block in blocks.iter().filter(|block| block["type"] == "tool_use") {
                let id = block["id"].as_str().unwrap().to_owned();
                tools.entry(session.clone()).or_default().insert(id);
            }
            let message = line["message"]["id"].as_str().unwrap().to_owned();
            let request = line["requestId"].as_str().unwrap_or("none").to_owned();
            responses.insert(
                (session, message, request),
                line["message"]["usage"].clone(),
            );
        }
    }
    add_usage(&mut figures, responses);
    for (session, entry) in &mut figures {
        entry.messages += entry.prompts;
        entry.tools = tools.get(session).map_or(0, |ids| ids.len() as u64);
        entry.failed = failed.get(session).map_or(0, |ids| ids.len() as u64);
    }
    figures
}

/// Adds what each response used to its session.
fn add_usage(
    figures: &mut BTreeMap<String, Figures>,
    responses: BTreeMap<(String, String, String), Value>,
) {
    for ((session, _, _), usage) in responses {
        let entry = figures.get_mut(&session).unwrap();
        let split = &usage["cache_creation"];
        let five = split["ephemeral_5m_input_tokens"].as_u64();
        let tokens = [
            usage["input_tokens"].as_u64(),
            usage["output_tokens"].as_u64(),
            usage["cache_read_input_tokens"].as_u64(),
            five.or(usage["cache_creation_input_tokens"].as_u64()),
            split["ephemeral_1h_input_tokens"].as_u64(),
            None,
        ];
        entry.messages += 1;
        for (sum, tokens) in entry.tokens.iter_mut().zip(tokens) {
            *sum += tokens.unwrap_or_default();
        }
    }
}
