//! Numbers that a reader of JSON would take for others.
//!
//! JSON's numbers have any number of digits, and what reads them holds a double where they are no whole numbers
//! of 64 bits. What a decimal field is given is kept digit by digit, a whole number that is written `3.0` or `1e3`
//! is that whole number, and one that a double does not hold is refused: none becomes another number in silence.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::payload::{Values, Write};
use super::refusal::{FieldError, Refusal, fields_wrong};
use super::values::error_of;
use crate::schema::{Entity, FieldKind, Schema};

/// Places of an exponent that are written out: more than doubles have.
const EXPONENT_MAX: i64 = 400;

/// Gives the values of a JSON object, read from `body`, the numbers that are written in it, as their fields hold
/// them: of decimals all digits, as text.
///
/// # Errors
/// Where a field of JSON, or a column that the schema doesn't know, is given a whole number of more digits than
/// anybody would read from it again.
pub fn read_exactly(
    entity: &Entity,
    body: &RawValue,
    values: &mut Values,
) -> Result<(), FieldError> {
    let Ok(written) = serde_json::from_str::<BTreeMap<String, &RawValue>>(body.get()) else {
        return Ok(());
    };
    for (name, raw) in written {
        let Some(value) = values.get_mut(&name) else {
            continue;
        };
        match entity.field(&name).map(|field| &field.kind) {
            Some(FieldKind::Decimal) if value.is_number() => {
                if let Some(text) = plain_decimal(raw.get()) {
                    *value = Json::String(text);
                }
            }
            Some(FieldKind::Json) | None => {
                if let Some(number) = unheld_number(raw.get()) {
                    let message = format!(
                        "holds the number {number}, which has more digits than JSON's readers keep: \
                         write it as text"
                    );
                    return Err(error_of(&name, "number", &message));
                }
            }
            Some(FieldKind::Int32 | FieldKind::Int64) => {
                let wrong = || error_of(&name, "type", "must be a whole number");
                *value = read_whole(value, raw.get()).ok_or_else(wrong)?;
            }
            // A double has the digits that it has.
            Some(_) => {}
        }
    }
    Ok(())
}

/// The values of several writes as they are written.
#[derive(Deserialize)]
struct WritesText<'t> {
    #[serde(borrow)]
    writes: Vec<WriteText<'t>>,
}

#[derive(Deserialize)]
struct WriteText<'t> {
    #[serde(borrow)]
    values: Option<&'t RawValue>,
    #[serde(borrow)]
    base: Option<&'t RawValue>,
}

/// Does as [`read_exactly`] with the values of writes, and with those that their writer saw: `text` is the
/// object whose `writes` they were read from.
///
/// # Errors
/// The refusal of the first write with a number that nobody would read from it again.
pub fn read_writes_exactly(
    schema: &Schema,
    text: &str,
    writes: &mut [Write],
) -> Result<(), Refusal> {
    let Ok(text) = serde_json::from_str::<WritesText<'_>>(text) else {
        return Ok(());
    };
    for (at, (write, text)) in writes.iter_mut().zip(text.writes).enumerate() {
        let Some(entity) = schema.entity(&write.entity) else {
            continue;
        };
        let parts = [
            (text.values, &mut write.values),
            (text.base, &mut write.base),
        ];
        for (text, values) in parts {
            let read = text.map_or(Ok(()), |text| read_exactly(entity, text, values));
            read.map_err(|error| Refusal {
                write: at as u32,
                entity: entity.name.clone(),
                id: write.id.clone(),
                ..fields_wrong(vec![error])
            })?;
        }
    }
    Ok(())
}

/// Writes the numbers of a record as its fields hold them: decimals as texts, whole numbers without a fraction.
pub(super) fn settle_numbers(entity: &Entity, values: &mut Values) {
    for field in &entity.fields {
        let Some(value) = values.get_mut(&field.name) else {
            continue;
        };
        let settled = match (&field.kind, &*value) {
            (FieldKind::Decimal, Json::Number(number)) => {
                plain_decimal(&number.to_string()).map(Json::String)
            }
            (FieldKind::Int32 | FieldKind::Int64, number) => whole_number(number).map(Json::from),
            _ => None,
        };
        if let Some(settled) = settled {
            *value = settled;
        }
    }
}

/// The whole number that a value is, also where it is a double. None: it is none, or none that a double tells from
/// others.
pub fn whole_number(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        let is_exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
        // Exact by the check: the cast loses nothing.
        is_exact.then_some(number as i64)
    })
}

/// A value that a field of whole numbers is given, as `written`: the whole number that this is, or, for the field's
/// kind to refuse, the value as it was read. None: another number is written than the whole one that was read.
pub fn read_whole(value: &Json, written: &str) -> Option<Json> {
    if !value.is_f64() {
        return Some(value.clone());
    }
    // By its digits: a double that was read may be off in the last one.
    let plain = plain_decimal(written);
    let whole = plain.as_deref().and_then(|text| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_whole = fraction.bytes().all(|digit| digit == b'0');
        whole.parse::<i64>().ok().filter(|_| is_whole)
    });
    match whole {
        Some(number) => Some(number.into()),
        None => whole_number(value).is_none().then(|| value.clone()),
    }
}

/// A number of JSON without its exponent: `1.5e3` as `1500`. None: it is none, or is absurdly long.
pub fn plain_decimal(number: &str) -> Option<String> {
    let (digits, exponent) = match number.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i64>().ok()?),
        None => (number, 0),
    };
    if exponent.abs() > EXPONENT_MAX {
        return None;
    }
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_plain(whole) || !is_plain(fraction) {
        return None;
    }
    if exponent == 0 {
        return Some(number.split(['e', 'E']).next()?.to_owned());
    }
    let mut all = format!("{whole}{fraction}");
    let mut point = i64::try_from(whole.len()).ok()? + exponent;
    while point < 1 {
        all.insert(0, '0');
        point += 1;
    }
    let point = usize::try_from(point).ok()?;
    while all.len() < point {
        all.push('0');
    }
    let (whole, fraction) = all.split_at(point);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let dot = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{dot}{fraction}"))
}

/// The first whole number of a JSON text that is read as another one: beyond 64 bits, and no double as any
/// program writes it.
pub fn unheld_number(json: &str) -> Option<&str> {
    let mut rest = json;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        rest = &rest[at..];
        let end = if rest.starts_with('"') {
            text_end(rest)
        } else {
            let is_of_number =
                |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
            let end = rest.find(|c| !is_of_number(c)).unwrap_or(rest.len());
            if !is_held(&rest[..end]) {
                return Some(&rest[..end]);
            }
            end
        };
        rest = &rest[end..];
    }
    None
}

/// Where the text ends that begins here.
fn text_end(json: &str) -> usize {
    let mut bytes = json.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => _ = bytes.next(),
            b'"' => return at + 1,
            _ => {}
        }
    }
    json.len()
}

fn is_held(number: &str) -> bool {
    /// Digits that every whole number of 64 bits has room for.
    const SAFE_DIGITS: usize = 18;
    let is_fraction = number.contains(['.', 'e', 'E']);
    if number.len() <= SAFE_DIGITS || is_fraction {
        return true;
    }
    let is_whole = number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
    is_whole
        || number.parse::<f64>().is_ok_and(|double| {
            // In as many digits as tell it from others, and in all that it has.
            format!("{double}") == number || format!("{double:.0}") == number
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_written_out() {
        for (number, plain) in [
            ("1.10", Some("1.10")),
            ("-0.5", Some("-0.5")),
            ("1e3", Some("1000")),
            ("1.5E+3", Some("1500")),
            ("-1.25e1", Some("-12.5")),
            ("1e-7", Some("0.0000001")),
            ("12e-1", Some("1.2")),
            (
                "123456789012345678901234567890.12",
                Some("123456789012345678901234567890.12"),
            ),
            ("1e401", None),
            ("x", None),
        ] {
            assert_eq!(plain_decimal(number).as_deref(), plain, "{number}");
        }
    }

    #[test]
    fn whole_numbers_that_would_become_others_are_found() {
        for held in [
            "[18446744073709551615, -9223372036854775808]",
            // As JavaScript writes its doubles.
            "{\"a\": 100000000000000000000, \"b\": 147573952589676410000}",
            "147573952589676412928",
            "[1e300, 0.1234567890123456789]",
            "\"18446744073709551617\"",
            "{\"18446744073709551617\\\"\": \"-18446744073709551617\"}",
        ] {
            assert_eq!(unheld_number(held), None, "{held}");
        }
        for (text, number) in [
            ("18446744073709551617", "18446744073709551617"),
            (
                "{\"a\": [\"x\\\"\", -9223372036854775809]}",
                "-9223372036854775809",
            ),
        ] {
            assert_eq!(unheld_number(text), Some(number), "{text}");
        }
    }
}
