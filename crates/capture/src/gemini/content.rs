//! Contents: a text, or a list of parts.

use serde_json::Value;
use syncline_model::session::TEXT_CHARS_MAX;

/// What a content says.
#[derive(Debug, Default)]
pub(super) struct Content<'v> {
    /// Its texts, a line each.
    pub text: String,
    /// What is no text in it.
    pub rest: Vec<&'v Value>,
}

impl<'v> Content<'v> {
    pub(super) fn of(content: &'v Value) -> Self {
        let mut found = Self::default();
        let mut texts = Vec::new();
        for part in parts_of(content) {
            match part.as_str().or_else(|| part["text"].as_str()) {
                Some(said) if !said.is_empty() => texts.push(said),
                Some(_) => {}
                // What a call has given is told with the call.
                None if part["functionResponse"].is_object() => {}
                None => found.rest.push(part),
            }
        }
        found.text = texts.join("\n");
        found
    }
}

fn parts_of(content: &Value) -> &[Value] {
    match content {
        Value::Null => &[],
        Value::Array(parts) => parts,
        one => std::slice::from_ref(one),
    }
}

/// How many places a message takes in the order: those of its parts, however long.
pub(super) fn room_of(value: &Value) -> i64 {
    let parts = value["toolCalls"].as_array().map_or(0, Vec::len);
    let thoughts = value["thoughts"].as_array().map_or(0, Vec::len);
    let rest = Content::of(&value["content"]).rest.len();
    let pieces = value.to_string().len() / TEXT_CHARS_MAX;
    (2 * parts + thoughts + rest + pieces + 8) as i64
}

/// Whether a content is what calls have given: the calls themselves tell that.
pub(super) fn is_result(content: &Value) -> bool {
    let parts = content.as_array().filter(|parts| !parts.is_empty());
    parts.is_some_and(|parts| {
        let mut parts = parts.iter();
        parts.all(|part| part["functionResponse"].is_object())
    })
}
