//! Values from their text, as Postgres reads it.

use super::datum::Datum;
use super::decimal::Decimal;
use super::kind::{Kind, Scalar};
use super::times;

/// Reads a value of a type; none where the text is none.
pub fn read_datum(kind: Kind, text: &str) -> Option<Datum> {
    if kind.is_array {
        return read_array(kind.scalar, text);
    }
    read_scalar(kind.scalar, text)
}

fn read_scalar(scalar: Scalar, text: &str) -> Option<Datum> {
    let trimmed = text.trim();
    match scalar {
        Scalar::Bool => read_bool(trimmed).map(Datum::Bool),
        Scalar::Int2 => read_whole(trimmed, i64::from(i16::MIN), i64::from(i16::MAX)),
        Scalar::Int4 => read_whole(trimmed, i64::from(i32::MIN), i64::from(i32::MAX)),
        Scalar::Int8 => read_whole(trimmed, i64::MIN, i64::MAX),
        Scalar::Float4 => read_float(trimmed).map(|value| Datum::Float(f64::from(value as f32))),
        Scalar::Float8 => read_float(trimmed).map(Datum::Float),
        Scalar::Numeric => Decimal::read(trimmed).map(Datum::Numeric),
        Scalar::Text | Scalar::Varchar => Some(Datum::Text(text.to_owned())),
        Scalar::Uuid => {
            let uuid = uuid::Uuid::try_parse(trimmed).ok()?;
            Some(Datum::Uuid(uuid.as_u128()))
        }
        Scalar::Date => {
            // A point in time names its day.
            let micros = times::read_timestamp(trimmed)?.0;
            Some(Datum::Date(micros.div_euclid(super::datum::DAY_MICROS)))
        }
        Scalar::Time => times::read_time(trimmed).map(Datum::Time),
        Scalar::Timestamp => Some(Datum::Timestamp(times::read_timestamp(trimmed)?.0)),
        Scalar::TimestampTz => {
            let (micros, offset) = times::read_timestamp(trimmed)?;
            Some(Datum::Timestamp(micros - offset.unwrap_or(0)))
        }
        Scalar::Interval => times::read_interval(trimmed).map(Datum::Interval),
        Scalar::Json | Scalar::Jsonb => {
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            is_json.then(|| Datum::Text(text.to_owned()))
        }
    }
}

fn read_whole(text: &str, least: i64, most: i64) -> Option<Datum> {
    let number: i64 = text.parse().ok()?;
    (least..=most)
        .contains(&number)
        .then_some(Datum::Int(number))
}

fn read_bool(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    if begins("true", 1) || begins("yes", 1) || begins("on", 2) || text == "1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0" {
        Some(false)
    } else {
        None
    }
}

fn read_float(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "infinity" | "inf" | "+infinity" => Some(f64::INFINITY),
        "-infinity" | "-inf" => Some(f64::NEG_INFINITY),
        // Rust takes what Postgres doesn't: names of no number, which are above.
        other if other.bytes().any(|byte| byte.is_ascii_digit()) => {
            other.parse().ok().filter(|value: &f64| value.is_finite())
        }
        _ => None,
    }
}

/// Reads `{1,NULL,"a b"}`, and arrays of arrays.
fn read_array(scalar: Scalar, text: &str) -> Option<Datum> {
    let text: Vec<char> = text.trim().chars().collect();
    let mut reader = ArrayReader {
        text: &text,
        at: 0,
        scalar,
    };
    let array = reader.array(0)?;
    (reader.at == text.len()).then_some(())?;
    Some(Datum::Array(array))
}

/// Dimensions that an array has at most, as in Postgres.
const DIMENSIONS_MAX: usize = 6;

struct ArrayReader<'a> {
    text: &'a [char],
    at: usize,
    scalar: Scalar,
}

impl ArrayReader<'_> {
    fn peek(&mut self) -> Option<char> {
        while self
            .text
            .get(self.at)
            .is_some_and(|char| char.is_whitespace())
        {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn take(&mut self, char: char) -> Option<()> {
        (self.peek()? == char).then(|| self.at += 1)
    }

    fn array(&mut self, depth: usize) -> Option<Vec<Datum>> {
        self.take('{').filter(|()| depth < DIMENSIONS_MAX)?;
        let mut elements = Vec::new();
        if self.peek()? == '}' {
            self.at += 1;
            return Some(elements);
        }
        loop {
            let element = match self.peek()? {
                '{' => Datum::Array(self.array(depth + 1)?),
                '"' => self.quoted()?,
                _ => self.bare()?,
            };
            elements.push(element);
            match self.peek()? {
                ',' => self.at += 1,
                '}' => {
                    self.at += 1;
                    return is_even(&elements).then_some(elements);
                }
                _ => return None,
            }
        }
    }

    fn quoted(&mut self) -> Option<Datum> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let char = *self.text.get(self.at)?;
            self.at += 1;
            match char {
                '"' => return read_scalar(self.scalar, &text),
                '\\' => {
                    text.push(*self.text.get(self.at)?);
                    self.at += 1;
                }
                other => text.push(other),
            }
        }
    }

    fn bare(&mut self) -> Option<Datum> {
        let start = self.at;
        while !matches!(self.text.get(self.at)?, ',' | '}' | '{' | '"') {
            self.at += 1;
        }
        let text: String = self.text[start..self.at].iter().collect();
        let text = text.trim();
        if text.eq_ignore_ascii_case("null") {
            return Some(Datum::Null);
        }
        if text.is_empty() {
            return None;
        }
        read_scalar(self.scalar, &text.replace('\\', ""))
    }
}

/// Whether an array's elements are all arrays of one length, or none is one.
pub(super) fn is_even(elements: &[Datum]) -> bool {
    let length = |datum: &Datum| match datum {
        Datum::Array(inner) => Some(inner.len()),
        _ => None,
    };
    let mut lengths = elements.iter().map(length);
    let first = lengths.next();
    lengths.all(|length| Some(length) == first)
}
