//! Values as Postgres writes them: what a shape tells of them.

use serde_json::Value as Json;
use syncline_model::shape::{Kind, Scalar, print_datum, read_datum};

use super::cells::REPLACED;

/// A value as Postgres writes it; null where it is none of its column's type, as it may have been written
/// before the column was declared: a reader's table would not take it, nor anything behind it.
pub(super) fn text_of(kind: Kind, value: &Json) -> Option<String> {
    match (kind.scalar, value) {
        (_, Json::Null) => None,
        (Scalar::Json | Scalar::Jsonb, value) => {
            let mut text = String::new();
            write_json(value, &mut text);
            Some(text)
        }
        (Scalar::Text | Scalar::Varchar, value) => Some(plain(value)),
        // Postgres' have any number of digits.
        (Scalar::Numeric, value) => numeric(&plain(value)),
        (_, value) => {
            let datum = read_datum(kind, &plain(value));
            datum.and_then(|datum| print_datum(kind, &datum))
        }
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Writes a value as a `jsonb` is written: with a space behind colons and commas, the names of an object in
/// the order of their lengths and then of their bytes, and numbers without exponents. In place of U+0000,
/// which Postgres has no place for, stands another character.
fn write_json(value: &Json, into: &mut String) {
    match value {
        Json::Null | Json::Bool(_) => into.push_str(&value.to_string()),
        Json::Number(number) => {
            let text = number.to_string();
            into.push_str(&numeric(&text).unwrap_or(text));
        }
        Json::String(text) => write_text(text, into),
        Json::Array(all) => {
            into.push('[');
            for (n, one) in all.iter().enumerate() {
                if n > 0 {
                    into.push_str(", ");
                }
                write_json(one, into);
            }
            into.push(']');
        }
        Json::Object(all) => {
            let mut members: Vec<_> = all.iter().collect();
            members.sort_by(|(one, _), (other, _)| {
                (one.len(), one.as_bytes()).cmp(&(other.len(), other.as_bytes()))
            });
            into.push('{');
            for (n, (name, one)) in members.into_iter().enumerate() {
                if n > 0 {
                    into.push_str(", ");
                }
                write_text(name, into);
                into.push_str(": ");
                write_json(one, into);
            }
            into.push('}');
        }
    }
}

fn write_text(text: &str, into: &mut String) {
    let text = text.replace('\0', REPLACED);
    into.push_str(&Json::from(text).to_string());
}

/// The most zeros that an exponent is written out with: Postgres' numbers end near there, and one that has
/// more is told as it was written.
const ZEROS_MAX: i64 = 131_072;

/// A number as a `numeric` is written: without an exponent, a sign that says nothing, or zeros before it, and
/// with each digit behind the point that it came with. None: it is no number.
fn numeric(text: &str) -> Option<String> {
    let text = text.trim();
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (is_negative, digits) = match digits.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, digits.strip_prefix('+').unwrap_or(digits)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut all = whole.bytes().chain(fraction.bytes()).peekable();
    if all.peek().is_none() || !all.all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if exponent.abs() > ZEROS_MAX {
        return Some(text.to_owned());
    }
    let digits = format!("{whole}{fraction}");
    // Where the point stands among the digits, to the left of them or behind them.
    let point = whole.len() as i64 + exponent;
    let (whole, fraction) = if point <= 0 {
        let zeros = "0".repeat(point.unsigned_abs() as usize);
        (String::new(), format!("{zeros}{digits}"))
    } else if point as usize >= digits.len() {
        let zeros = "0".repeat(point as usize - digits.len());
        (format!("{digits}{zeros}"), String::new())
    } else {
        let (whole, fraction) = digits.split_at(point as usize);
        (whole.to_owned(), fraction.to_owned())
    };
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let is_zero = whole == "0" && fraction.bytes().all(|byte| byte == b'0');
    let sign = if is_negative && !is_zero { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_written_as_postgres_writes_it() {
        for (value, expected) in [
            (json!({"b": [1, 2], "a": 1}), r#"{"a": 1, "b": [1, 2]}"#),
            (
                json!({"bb": {}, "c": [], "aa": null, "": true}),
                r#"{"": true, "c": [], "aa": null, "bb": {}}"#,
            ),
            (
                json!({"é": 1, "zz": 2, "z": 3}),
                r#"{"z": 3, "zz": 2, "é": 1}"#,
            ),
            (json!("a\"\n\u{1}é"), "\"a\\\"\\n\\u0001é\""),
            (
                json!(["a\0b", {"\0": 1}]),
                "[\"a\u{fffd}b\", {\"\u{fffd}\": 1}]",
            ),
            (
                json!([1e21, -2.5e-7, 1.0]),
                "[1000000000000000000000, -0.00000025, 1.0]",
            ),
        ] {
            let text = text_of(Kind::one(Scalar::Jsonb), &value);
            assert_eq!(text.as_deref(), Some(expected));
        }
    }

    #[test]
    fn numbers_are_written_out() {
        for (text, expected) in [
            ("12.50", "12.50"),
            ("1e3", "1000"),
            ("1.5E+3", "1500"),
            ("1.50e1", "15.0"),
            ("1.5e-3", "0.0015"),
            ("-120e-1", "-12.0"),
            ("007", "7"),
            ("+.5", "0.5"),
            ("5.", "5"),
            ("-0.00", "0.00"),
            ("0e5", "0"),
            ("1e200000", "1e200000"),
        ] {
            assert_eq!(numeric(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", ".", "-", "e5", "1e", "NaN", "1.2.3", "0x1"] {
            assert_eq!(numeric(text), None, "{text}");
        }
    }
}
