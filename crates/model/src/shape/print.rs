//! Values as text, as Postgres writes them: days in ISO order, UTC, spans in ISO 8601.

use std::fmt::Write as _;

use super::datum::{DAY_MICROS, Datum, Interval};
use super::kind::{Kind, Scalar};
use super::times;

/// Writes a value of a type; none for null.
pub fn print_datum(kind: Kind, datum: &Datum) -> Option<String> {
    Some(match datum {
        Datum::Null => return None,
        Datum::Bool(value) => value.to_string(),
        Datum::Int(value) => value.to_string(),
        Datum::Float(value) => print_float(*value, kind.scalar),
        Datum::Numeric(value) => value.to_string(),
        Datum::Text(text) => text.clone(),
        Datum::Uuid(bits) => uuid::Uuid::from_u128(*bits).to_string(),
        Datum::Date(day) => print_date(*day),
        Datum::Time(micros) => print_time(*micros),
        Datum::Timestamp(micros) => {
            let (day, of_day) = (micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS));
            let zone = if kind.scalar == Scalar::TimestampTz {
                "+00"
            } else {
                ""
            };
            format!("{} {}{zone}", print_date(day), print_time(of_day))
        }
        Datum::Interval(interval) => print_interval(*interval),
        Datum::Array(elements) => print_array(kind, elements),
        Datum::Row(parts) => {
            let texts = parts
                .iter()
                .map(|part| print_datum(kind, part).unwrap_or_default());
            format!("({})", texts.collect::<Vec<_>>().join(","))
        }
    })
}

/// Writes a value as Postgres sends it, which has booleans shorter than a cast to text does.
pub(super) fn print_output(kind: Kind, datum: &Datum) -> Option<String> {
    match datum {
        Datum::Bool(value) => Some(if *value { "t" } else { "f" }.to_owned()),
        other => print_datum(kind, other),
    }
}

fn print_float(value: f64, scalar: Scalar) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    // The shortest digits that read as this value again.
    let (text, digits_max) = if scalar == Scalar::Float4 {
        (format!("{:e}", value as f32), 6)
    } else {
        (format!("{value:e}"), 15)
    };
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..digits_max).contains(&exponent) {
        return if scalar == Scalar::Float4 {
            (value as f32).to_string()
        } else {
            value.to_string()
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn print_date(day: i64) -> String {
    let (year, month, day) = times::date(day);
    format!("{year:04}-{month:02}-{day:02}")
}

fn print_time(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let mut text = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    );
    print_fraction(&mut text, micros % 1_000_000);
    text
}

fn print_fraction(text: &mut String, micros: i64) {
    if micros != 0 {
        let digits = format!("{:06}", micros.abs());
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
}

fn print_interval(interval: Interval) -> String {
    let mut text = String::from("P");
    let mut part = |count: i64, unit: char| {
        if count != 0 {
            let _ = write!(text, "{count}{unit}");
        }
    };
    part(interval.months / 12, 'Y');
    part(interval.months % 12, 'M');
    part(interval.days, 'D');
    if interval.micros != 0 {
        text.push('T');
        let seconds = interval.micros / 1_000_000;
        for (count, unit) in [(seconds / 3_600, 'H'), (seconds / 60 % 60, 'M')] {
            if count != 0 {
                let _ = write!(text, "{count}{unit}");
            }
        }
        let rest = interval.micros % 60_000_000;
        if rest != 0 {
            let sign = if rest < 0 { "-" } else { "" };
            let _ = write!(text, "{sign}{}", rest.abs() / 1_000_000);
            print_fraction(&mut text, rest % 1_000_000);
            text.push('S');
        }
    }
    if text == "P" {
        text.push_str("T0S");
    }
    text
}

fn print_array(kind: Kind, elements: &[Datum]) -> String {
    let texts = elements.iter().map(|element| match element {
        Datum::Null => "NULL".to_owned(),
        Datum::Array(inner) => print_array(kind, inner),
        Datum::Bool(value) => if *value { "t" } else { "f" }.to_owned(),
        other => quote_element(print_datum(kind.element(), other).unwrap_or_default()),
    });
    format!("{{{}}}", texts.collect::<Vec<_>>().join(","))
}

fn quote_element(text: String) -> String {
    let is_plain = !text.is_empty()
        && !text.eq_ignore_ascii_case("null")
        && !text.contains(|c: char| c.is_whitespace() || "{},\"\\".contains(c));
    if is_plain {
        return text;
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
