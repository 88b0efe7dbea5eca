//! Looking into JSON whose shape differs by version: what is not there, or of another kind, is none.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected};
use serde_json::error::Category;
use serde_json::{Number, Value};
use syncline_redact::read_json;
use syncline_store::foreign::ForeignText;

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

/// Why a line that should be an object can't be read.
pub(crate) fn no_object(error: &serde_json::Error) -> String {
    format!("it is not a JSON object: {}", Fault::from(error))
}

/// What should be an object of JSON, as a file or a row of a database holds it.
#[derive(Debug)]
pub(crate) struct Held<'t> {
    /// As it stands; what is no text in it is replaced.
    pub(crate) text: Cow<'t, str>,
    /// The object, or null; else what is wrong.
    pub(crate) value: Result<Value, String>,
    /// Whether something in it is no text.
    pub(crate) mended: bool,
}

impl<'t> Held<'t> {
    pub(crate) fn of_bytes(bytes: &'t [u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mended = matches!(text, Cow::Owned(_));
        Self {
            mended,
            ..Self::of(text)
        }
    }

    pub(crate) fn of_row(row: ForeignText) -> Self {
        Self {
            mended: row.mended,
            ..Self::of(row.text.into())
        }
    }

    fn of(text: Cow<'t, str>) -> Self {
        let value = match read_json::<Value>(text.as_bytes()) {
            Ok(value) if value.is_object() || value.is_null() => Ok(value),
            Ok(_) => Err("it is not a JSON object".to_owned()),
            Err(error) => Err(Fault::from(&error).to_string()),
        };
        Self {
            text,
            value,
            mended: false,
        }
    }
}

/// The object that a line is; else why it can't be read.
pub(crate) fn object_of(line: &str) -> Result<Value, String> {
    let fields = serde_json::from_str(line);
    fields.map(Value::Object).map_err(|error| no_object(&error))
}

/// Whether a line is an object, whatever is in it.
pub(crate) fn is_object(line: &str) -> bool {
    serde_json::from_str::<serde_json::Map<String, Value>>(line).is_ok()
}

fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

/// The text at a path; an empty one is none.
pub(crate) fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    at(value, path)?.as_str().filter(|text| !text.is_empty())
}

/// The first text of this name in JSON that can't be read as a whole.
pub(crate) fn text_in_torn(torn: &str, name: &str) -> Option<String> {
    let (_, rest) = torn.split_once(&format!("\"{name}\""))?;
    let rest = rest.trim_start().strip_prefix(':')?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter();
    values.next()?.ok()
}

/// What is said: a text, or what else there is as it stands; an empty text is none.
pub(crate) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(said) => Some(said.clone()).filter(|said| !said.is_empty()),
        other => Some(other.to_string()),
    }
}

/// The number at a path.
pub(crate) fn number(value: &Value, path: &[&str]) -> Option<f64> {
    at(value, path)?.as_f64()
}

/// The count at a path; 0 where there is none.
pub(crate) fn count(value: &Value, path: &[&str]) -> u64 {
    counts(value, [path]).map_or(0, |[count]| count)
}

/// The counts at paths, 0 each where there is none; none at all where one of them is there and is no count.
pub(crate) fn counts<const N: usize>(value: &Value, paths: [&[&str]; N]) -> Option<[u64; N]> {
    let mut counts = [0; N];
    for (count, path) in counts.iter_mut().zip(paths) {
        *count = match at(value, path) {
            None | Some(Value::Null) => 0,
            Some(Value::Number(number)) => whole(number)?,
            Some(_) => return None,
        };
    }
    Some(counts)
}

/// A number from 0 without a fraction, whichever way it is written: some write 41 as `41.0`.
fn whole(number: &Number) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_whole = |number: &f64| number.fract() == 0.0 && (0.0..EXACT).contains(number);
    let written_with_a_point = || number.as_f64().filter(is_whole);
    let count = number.as_u64();
    count.or_else(|| written_with_a_point().map(|number| number as u64))
}

/// Reads a count, if there is one, into a field.
pub(crate) fn count_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(from)? else {
        return Ok(None);
    };
    let no_count = || D::Error::invalid_value(Unexpected::Other("number"), &"a whole one from 0");
    whole(&number).map(Some).ok_or_else(no_count)
}

/// The same of one that is 0 where there is none.
pub(crate) fn count_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    Ok(count_if_any(from)?.unwrap_or_default())
}
