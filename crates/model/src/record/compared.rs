//! What values of records are compared by: what they mean, and not how they are written.
//!
//! A field's kind says it. A point in time has a spelling for each offset, a decimal one for each scale, a
//! UUID two cases: all of them are kept as their writers wrote them, in logs that don't change, and none of
//! them is another value. Filters, orders, pages, unique values, memberships and conflicts ask here.

use serde_json::Value as Json;

use super::Record;
use super::rules::same;
use crate::schema::FieldKind;
use crate::shape::{Datum, Kind, Scalar, print_datum, read_datum};

/// What a value is ordered by among those of its field's kind; two of one key are one value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CompareKey {
    /// Microseconds: of a day, or since 1970-01-01 in UTC.
    Whole(i64),
    /// A text whose bytes are ordered as the values are.
    Text(String),
}

/// The key of a value that is written in more than one way: of a UUID, a day, a time of day, a point in
/// time or a decimal. None: the kind has no other spellings, or the value is none of that kind, and then it
/// counts as null.
pub fn compare_key(kind: &FieldKind, value: &Json) -> Option<CompareKey> {
    let printed;
    let text = match value {
        Json::String(text) => text,
        // As a field held it that was of numbers before.
        Json::Number(number) => {
            printed = number.to_string();
            &printed
        }
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return None,
    };
    match kind {
        FieldKind::Uuid => canonical(Scalar::Uuid, text).map(CompareKey::Text),
        // Years of more digits would be in the wrong place among texts.
        FieldKind::Date => canonical(Scalar::Date, text)
            .filter(|day| day.len() == "2026-01-31".len())
            .map(CompareKey::Text),
        FieldKind::Time => micros(Scalar::Time, text),
        FieldKind::Timestamp => micros(Scalar::TimestampTz, text),
        FieldKind::Decimal => decimal_key(text).map(CompareKey::Text),
        FieldKind::Text
        | FieldKind::Boolean
        | FieldKind::Int32
        | FieldKind::Int64
        | FieldKind::Float
        | FieldKind::Json => None,
    }
}

fn canonical(scalar: Scalar, text: &str) -> Option<String> {
    let kind = Kind::one(scalar);
    print_datum(kind, &read_datum(kind, text)?)
}

fn micros(scalar: Scalar, text: &str) -> Option<CompareKey> {
    match read_datum(Kind::one(scalar), text)? {
        Datum::Time(micros) | Datum::Timestamp(micros) => Some(CompareKey::Whole(micros)),
        _ => None,
    }
}

/// Exponents beyond this are of no number that anybody means.
const EXPONENT_MAX: i64 = 1_000_000_000;

/// A decimal of any number of digits as a text whose bytes are in the order of the numbers: `n`, `o` or `p`
/// for the sign, then the place of the first digit that counts, then the digits from there. Below zero
/// the larger is the smaller, so that place and digits are turned round, and an end is above any digit.
fn decimal_key(text: &str) -> Option<String> {
    let (digits, exponent) = match text.trim().split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i64>().ok()?),
        None => (text.trim(), 0),
    };
    let (is_negative, digits) = match digits.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, digits.strip_prefix('+').unwrap_or(digits)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut bytes = whole.bytes().chain(fraction.bytes());
    let is_number = !(whole.is_empty() && fraction.is_empty());
    if !is_number || !bytes.all(|byte| byte.is_ascii_digit()) || exponent.abs() > EXPONENT_MAX {
        return None;
    }
    let all = format!("{whole}{fraction}");
    let counting = all.trim_start_matches('0');
    let zeros = all.len() - counting.len();
    let counting = counting.trim_end_matches('0');
    if counting.is_empty() {
        return Some("o".to_owned());
    }
    // The place is positive, and has as many digits in every key.
    const PLACES: i64 = 9_999_999_999;
    let place = whole.len() as i64 - zeros as i64 + exponent + PLACES / 2;
    if !is_negative {
        return Some(format!("p{place:010}{counting}"));
    }
    let turned: String = counting
        .bytes()
        .map(|digit| char::from(b'0' + b'9' - digit))
        .collect();
    Some(format!("n{:010}{turned}~", PLACES - place))
}

/// Whether two values of a field are one.
pub fn is_one_value(kind: &FieldKind, one: &Json, other: &Json) -> bool {
    let keys = || compare_key(kind, one).zip(compare_key(kind, other));
    same(one, other) || keys().is_some_and(|(one, other)| one == other)
}

/// A value that a column is to hold, by what it means as the kind of a field.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    pub column: &'a str,
    pub kind: &'a FieldKind,
    pub value: &'a Json,
}

impl<'a> Held<'a> {
    /// A column that holds this very text.
    pub fn text(column: &'a str, value: &'a Json) -> Self {
        Self {
            column,
            kind: &FieldKind::Text,
            value,
        }
    }

    /// Whether the record's column holds the value.
    pub fn is_in(&self, record: &Record) -> bool {
        is_one_value(self.kind, record.value(self.column), self.value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Values from the least to the greatest; those of one line are one.
    fn check(kind: FieldKind, lines: &[&[&str]]) {
        let keys: Vec<Vec<CompareKey>> = lines
            .iter()
            .map(|line| {
                let keys = line.iter().map(|text| compare_key(&kind, &json!(text)));
                keys.map(Option::unwrap).collect()
            })
            .collect();
        for (line, keys) in lines.iter().zip(&keys) {
            assert!(keys.iter().all(|key| *key == keys[0]), "{line:?}");
        }
        for (lines, keys) in lines.windows(2).zip(keys.windows(2)) {
            assert!(keys[0][0] < keys[1][0], "{lines:?}");
        }
    }

    #[test]
    fn spellings_of_one_value_have_one_key_in_the_order_of_the_values() {
        check(
            FieldKind::Timestamp,
            &[
                &["1969-12-31T23:59:59.999999Z"],
                &[
                    "2026-01-01T00:00:00+02:00",
                    "2025-12-31T22:00:00Z",
                    "2025-12-31 22:00:00+00",
                ],
                &["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000z"],
                &["2026-01-01T00:00:00.5Z", "2026-01-01t00:00:00.50Z"],
            ],
        );
        check(
            FieldKind::Time,
            &[&["09:30", "09:30:00.0"], &["09:30:00.1", "09:30:00.10"]],
        );
        check(
            FieldKind::Decimal,
            &[
                &["-100", "-1e2"],
                &["-10.01"],
                &["-10", "-10.00", "-010"],
                &["-9.5"],
                &["-0.123"],
                &["-0.12", "-.120"],
                &["-0.00000001"],
                &["0", "-0", "+0.00", "000"],
                &["0.0000000000000000000000000000000000000000000000000001"],
                &["0.09"],
                &["0.1", "00.100", "1e-1"],
                &["1", "1.0", "+1.00", "0.1e1"],
                &["9", "9.000"],
                &["10", "10.0", "1E+1"],
                &["12345678901234567.01"],
                &["12345678901234567.02"],
                &["99999999999999999999999999999999999999999999999999"],
            ],
        );
        check(
            FieldKind::Uuid,
            &[
                &[
                    "0a000000-0000-4000-8000-000000000000",
                    "0A000000-0000-4000-8000-000000000000",
                ],
                &["0b000000-0000-4000-8000-000000000000"],
            ],
        );
        check(
            FieldKind::Date,
            &[&["0999-12-31"], &["2026-01-31", "2026-01-31T23:00:00Z"]],
        );
    }

    #[test]
    fn what_is_none_of_its_kind_has_no_key() {
        for (kind, value) in [
            (FieldKind::Timestamp, json!("soon")),
            (FieldKind::Timestamp, json!("2026-01-01T00:00:00 02:00")),
            (FieldKind::Time, json!("24:01")),
            (FieldKind::Decimal, json!("1,5")),
            (FieldKind::Decimal, json!(".")),
            (FieldKind::Decimal, json!("1e99999999999")),
            (FieldKind::Date, json!("12026-01-01")),
            (FieldKind::Uuid, json!("x")),
            (FieldKind::Decimal, json!(null)),
        ] {
            assert_eq!(compare_key(&kind, &value), None, "{kind:?} {value}");
        }
        assert_eq!(
            compare_key(&FieldKind::Decimal, &json!(10.5)),
            compare_key(&FieldKind::Decimal, &json!("10.50"))
        );
    }
}
