//! Looking into JSON whose shape differs by version: what is not there, or of another kind, is none.

use std::fmt;

use serde_json::Value;
use serde_json::error::Category;

/// What is wrong with a JSON text, and where: nothing of what it says, which serde's own words quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    what: &'static str,
    line: usize,
    column: usize,
}

impl From<&serde_json::Error> for Fault {
    fn from(error: &serde_json::Error) -> Self {
        Self {
            what: match error.classify() {
                Category::Eof => "it ends too early",
                Category::Syntax | Category::Io => "it is no JSON",
                Category::Data => "there is another value",
            },
            line: error.line(),
            column: error.column(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, line, column } = self;
        write!(f, "{what} at line {line}, column {column}")
    }
}

/// Why a line that should be an object is left out.
pub(crate) fn no_object(error: &serde_json::Error) -> String {
    format!("it is not a JSON object: {}", Fault::from(error))
}

fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

/// The text at a path; an empty one is none.
pub(crate) fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    at(value, path)?.as_str().filter(|text| !text.is_empty())
}

/// The number at a path.
pub(crate) fn number(value: &Value, path: &[&str]) -> Option<f64> {
    at(value, path)?.as_f64()
}

/// The count at a path; 0 where there is none.
pub(crate) fn count(value: &Value, path: &[&str]) -> u64 {
    at(value, path).and_then(Value::as_u64).unwrap_or_default()
}
