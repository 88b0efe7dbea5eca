//! One line of the log, for a person.

use std::fmt;

use serde_json::{Map, Value};

use crate::output::printable;

/// A line of the log, read back.
#[derive(Debug)]
pub(crate) struct LogLine<'a> {
    raw: &'a str,
    fields: Option<Map<String, Value>>,
}

impl<'a> LogLine<'a> {
    /// Reads a line; one that is no log line is shown as it is.
    pub(crate) fn read(raw: &'a str) -> Self {
        let fields = serde_json::from_str(raw).ok();
        Self { raw, fields }
    }
}

impl fmt::Display for LogLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(fields) = &self.fields else {
            return f.write_str(&printable(self.raw));
        };
        let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or("-");
        let (time, level, message) = (text("timestamp"), text("level"), text("message"));
        write!(f, "{} {level:<5} {}", printable(time), printable(message))?;
        let named = ["timestamp", "level", "message", "target"];
        for (key, value) in fields {
            if named.contains(&key.as_str()) {
                continue;
            }
            match value {
                Value::String(value) => write!(f, " {key}={}", printable(value))?,
                value => write!(f, " {key}={value}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_a_sentence_with_its_fields_behind() {
        let raw = r#"{"timestamp":"2026-01-02T03:04:05Z","level":"WARN","message":"push failed","op.count":3,"target":"x","error":"a\u001bb"}"#;
        assert_eq!(
            LogLine::read(raw).to_string(),
            "2026-01-02T03:04:05Z WARN  push failed error=a\u{fffd}b op.count=3"
        );
        assert_eq!(LogLine::read("not json").to_string(), "not json");
    }
}
