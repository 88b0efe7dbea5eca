//! What is kept of what a hook is given.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use syncline_redact::read_json;

use crate::value::Fault;

/// The fields that are kept: they name a session and its files, or say what has become of it.
const KEPT: [&str; 13] = [
    "session_id",
    "conversation_id",
    "sessionID",
    "thread-id",
    "agent_id",
    "transcript_path",
    "agent_transcript_path",
    "hook_event_name",
    "source",
    "trigger",
    "reason",
    "status",
    "cursor_version",
];

/// The longest text that is kept, in bytes: the longest path of Linux.
const TEXT_BYTES_MAX: usize = 4096;

/// Short texts by name, the only ones that are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Fields(BTreeMap<String, String>);

/// What a hook was given is no JSON object. It tells where, and nothing of what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {bytes} bytes are no JSON object: {fault}")]
pub struct BodyError {
    bytes: usize,
    fault: Fault,
}

impl BodyError {
    fn of(body: &[u8], error: &serde_json::Error) -> Self {
        Self {
            bytes: body.len(),
            fault: Fault::from(error),
        }
    }
}

impl Fields {
    /// Reads the JSON object that an agent gives to its hook.
    pub fn read(body: &[u8]) -> Result<Self, BodyError> {
        // As in a file that begins with the mark of its encoding.
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let object = read_json::<Object>(text);
        object
            .map(|object| object.0)
            .map_err(|error| BodyError::of(body, &error))
    }

    /// The field of this name, if it was given as a text that is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Anything but an object has no fields.
impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldsVisitor)
    }
}

/// An object, and nothing else.
struct Object(Fields);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor).map(Self)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what an agent gives to its hook")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut kept = BTreeMap::new();
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if !KEPT.contains(&name.as_ref()) {
                map.next_value::<IgnoredAny>()?;
            } else if let Short(Some(text)) = map.next_value()? {
                kept.insert(name.into_owned(), text);
            }
        }
        Ok(Fields(kept))
    }

    fn visit_unit<E>(self) -> Result<Fields, E> {
        Ok(Fields::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Fields, E> {
        Ok(Fields::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Fields, E> {
        Ok(Fields::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Fields, E> {
        Ok(Fields::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Fields, E> {
        Ok(Fields::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Fields, E> {
        Ok(Fields::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Fields, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Fields::default())
    }
}

/// A text that is kept; none: what stands there is none, or too long.
struct Short(Option<String>);

impl<'de> Deserialize<'de> for Short {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let text = value
            .as_str()
            .filter(|text| (1..=TEXT_BYTES_MAX).contains(&text.len()));
        Ok(Self(text.map(str::to_owned)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_name_a_session_are_kept_and_all_else_is_not() {
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        let body = format!(
            r#"{{"session_id":"s","cwd":null,"reason":7,"trigger":"","transcript_path":"{long}","prompt":"p",
               "tool_input":{{"command":"ls"}},"status":["a"]}}"#
        );
        let fields = Fields::read(body.as_bytes()).unwrap();
        assert_eq!(
            serde_json::to_string(&fields).unwrap(),
            r#"{"session_id":"s"}"#
        );
        let marked = Fields::read("\u{feff}{\"session_id\":\"s\"}".as_bytes()).unwrap();
        assert_eq!(marked, fields);
    }

    #[test]
    fn why_a_body_could_not_be_read_says_nothing_of_what_was_said() {
        for body in [
            r#""hunter2""#,
            r#"{"session_id":"s","prompt":"hunter2"#,
            r#"{"prompt":hunter2}"#,
            r#"["hunter2"]"#,
        ] {
            let error = Fields::read(body.as_bytes()).unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(!told.contains("hunter2"), "{told}");
            assert!(told.contains(&body.len().to_string()), "{told}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused_from_a_hook_and_empty_on_the_wire() {
        for body in ["", "{", "[]", "\"text\"", "7", "null", "{}x"] {
            assert!(Fields::read(body.as_bytes()).is_err(), "{body}");
        }
        for body in ["[1,{}]", "\"text\"", "7", "-7", "0.5", "null", "true"] {
            let fields: Fields = serde_json::from_str(body).unwrap();
            assert_eq!(fields, Fields::default());
        }
    }
}
