//! A tool call on one line.

use serde_json::Value as Json;
use syncline_model::session::words;
use syncline_store::sessions::{SessionPart, SessionTool};

use super::text::{one_line, took};

const BRIEF_CHARS_MAX: usize = 90;

/// The field of a tool's input that says most, the first that is there.
const TELLING: [&str; 14] = [
    "command",
    "cmd",
    "file_path",
    "filePath",
    "notebook_path",
    "path",
    "pattern",
    "query",
    "url",
    "description",
    "skill",
    "subject",
    "prompt",
    "input",
];

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Well,
    Badly,
    /// Not yet, or that is not known.
    Unknown,
}

pub(super) fn ended(tool: &SessionTool) -> Ended {
    match (tool.success, tool.exit_code, &tool.error) {
        (Some(true), _, _) | (None, Some(0), None) => Ended::Well,
        (Some(false), _, _) | (None, Some(_), _) | (None, None, Some(_)) => Ended::Badly,
        (None, None, None) => Ended::Unknown,
    }
}

/// What it was called for, on one line; paths below `root` are told from there.
pub(super) fn brief(tool: &SessionTool, root: Option<&str>) -> String {
    let input = tool
        .parts
        .iter()
        .find(|part| part.kind == words::TOOL_INPUT);
    let mut text = input.map(telling).unwrap_or_default();
    if text.is_empty() {
        text = tool
            .files
            .first()
            .map(|(path, _)| path.clone())
            .unwrap_or_default();
    }
    if let Some(root) = root.filter(|root| root.len() > 1) {
        text = text.replace(&format!("{}/", root.trim_end_matches('/')), "");
    }
    one_line(&text, BRIEF_CHARS_MAX)
}

fn telling(part: &SessionPart) -> String {
    let Ok(Json::Object(fields)) = serde_json::from_str::<Json>(&part.text) else {
        return part.text.clone();
    };
    let told = TELLING
        .iter()
        .find_map(|name| fields.get(*name).and_then(plain));
    told.or_else(|| fields.values().find_map(plain))
        .unwrap_or_default()
}

/// A text, or a list of them; nothing else says enough on a line.
fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Array(items) => {
            let words: Option<Vec<&str>> = items.iter().map(Json::as_str).collect();
            words
                .filter(|words| !words.is_empty())
                .map(|words| words.join(" "))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => None,
    }
}

/// How it ended and how long it took; empty where nothing of that is known.
pub(super) fn outcome(tool: &SessionTool) -> String {
    let mut words = Vec::new();
    match (ended(tool), tool.exit_code) {
        (Ended::Badly, Some(code)) => words.push(format!("exit {code}")),
        (Ended::Badly, None) => words.push("failed".to_owned()),
        (Ended::Unknown, _) => words.extend(tool.status.clone()),
        (Ended::Well, _) => {}
    }
    if let Some(millis) = tool
        .duration_ms
        .and_then(|millis| u64::try_from(millis).ok())
    {
        words.push(took(millis));
    }
    one_line(&words.join(", "), BRIEF_CHARS_MAX)
}

/// Why it failed, if that is told.
pub(super) fn reason(tool: &SessionTool) -> Option<&str> {
    let output = tool
        .parts
        .iter()
        .find(|part| part.kind == words::TOOL_OUTPUT);
    let reason = tool
        .error
        .as_deref()
        .or(output.map(|part| part.text.as_str()));
    reason.filter(|reason| !reason.trim().is_empty() && ended(tool) == Ended::Badly)
}

/// Its error, where its output doesn't tell it.
pub(super) fn untold_error(tool: &SessionTool) -> Option<&str> {
    let error = tool.error.as_deref()?;
    let mut parts = tool.parts.iter();
    let tells =
        |part: &SessionPart| part.kind == words::TOOL_OUTPUT && part.text.starts_with(error);
    (!parts.any(tells)).then_some(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(input: &str) -> SessionTool {
        SessionTool {
            id: "t".to_owned(),
            message_id: None,
            name: None,
            at: None,
            completed_at: None,
            duration_ms: None,
            status: None,
            success: None,
            exit_code: None,
            error: None,
            files: Vec::new(),
            child_session: None,
            position: 0,
            parts: vec![SessionPart {
                id: "0".to_owned(),
                kind: words::TOOL_INPUT.to_owned(),
                text: input.to_owned(),
                media_type: None,
                reference: None,
                position: 0,
            }],
        }
    }

    #[test]
    fn a_call_is_told_by_what_says_most() {
        let said = |input: &str| brief(&tool(input), Some("/w/app"));
        assert_eq!(
            said(r#"{"description":"d","command":"cargo\ntest"}"#),
            "cargo test"
        );
        assert_eq!(said(r#"{"file_path":"/w/app/src/a.rs","n":1}"#), "src/a.rs");
        assert_eq!(said(r#"{"command":["bash","-lc","ls"]}"#), "bash -lc ls");
        assert_eq!(said(r#"{"n":1,"other":"x"}"#), "x");
        assert_eq!(said("*** Begin Patch"), "*** Begin Patch");
        assert_eq!(said("{}"), "");
    }

    #[test]
    fn an_error_that_the_output_begins_with_is_told_by_it() {
        let mut failed = tool("");
        failed.error = Some("no such file".to_owned());
        assert_eq!(untold_error(&failed), Some("no such file"));
        failed.parts[0].kind = words::TOOL_OUTPUT.to_owned();
        failed.parts[0].text = "no such file: a.rs".to_owned();
        assert_eq!(untold_error(&failed), None);
    }

    #[test]
    fn an_exit_code_tells_how_a_call_ended_where_nothing_else_does() {
        let of = |success, exit_code| SessionTool {
            success,
            exit_code,
            ..tool("")
        };
        assert_eq!(ended(&of(None, Some(0))), Ended::Well);
        assert_eq!(ended(&of(None, Some(1))), Ended::Badly);
        assert_eq!(ended(&of(Some(true), Some(1))), Ended::Well);
        assert_eq!(outcome(&of(None, Some(101))), "exit 101");
        assert_eq!(outcome(&of(None, None)), "");
    }
}
