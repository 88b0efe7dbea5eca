//! A schema made ready to judge values by.

use std::collections::HashMap;
use std::sync::Arc;

use regex::Regex;
use serde_json::{Number, Value as Json};

use super::Record;
use super::refusal::FieldError;
use super::shown::shown_as;
use crate::schema::{Bound, Entity, Field, FieldKind, Rules, Schema};

/// A schema with its patterns compiled: made once, used for every op.
#[derive(Debug, Clone)]
pub struct Rulebook {
    schema: Arc<Schema>,
    patterns: Arc<HashMap<String, Option<Regex>>>,
}

/// The bytes that a compiled pattern may take: a schema has hundreds, of one line each.
const PATTERN_BYTES_MAX: usize = 256 << 10;

impl Rulebook {
    pub fn new(schema: Schema) -> Self {
        let fields = schema.entities.iter().flat_map(|entity| &entity.fields);
        Self {
            patterns: patterns_of(fields),
            schema: Arc::new(schema),
        }
    }

    /// The rules of a field that is in no schema yet.
    pub fn of_field(field: &Field) -> Self {
        Self {
            patterns: patterns_of([field]),
            schema: Arc::default(),
        }
    }

    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What is wrong with a value, if anything is.
    pub fn check(&self, field: &Field, value: &Json) -> Option<FieldError> {
        let asked = Asked {
            kind: &field.kind,
            nullable: field.nullable,
            rules: &field.rules,
        };
        let fault = self.fault(asked, value)?;
        Some(FieldError {
            field: field.name.clone(),
            rule: fault.rule,
            message: fault.told(&field.name),
        })
    }

    /// Whether a record's value of the field is none that it takes, as it is shown, or is not there where it
    /// must be.
    pub fn is_broken(&self, entity: &Entity, field: &Field, record: &Record) -> bool {
        match record.columns.get(&field.name) {
            Some(value) => match shown_as(entity, &field.name, value) {
                Some(Json::Null) => true,
                Some(shown) => self.check(field, &shown).is_some(),
                None => self.check(field, value).is_some(),
            },
            None => field.required && field.default.is_none() && !field.read_only,
        }
    }

    /// The same of a value wherever it is.
    pub(super) fn fault(&self, asked: Asked<'_>, value: &Json) -> Option<Fault> {
        let Asked {
            kind,
            nullable,
            rules,
        } = asked;
        if value.is_null() {
            let is_any = *kind == FieldKind::Json && rules.json.is_none();
            return (!nullable && !is_any).then(|| Fault::new("not_nullable", "may not be null"));
        }
        if let Some(expected) = mismatch(kind, value) {
            return Some(Fault::new("type", format!("must be {expected}")));
        }
        let breach = self.breach(kind, rules, value);
        let breach = breach.map(|(rule, message)| Fault::new(rule, message));
        breach.or_else(|| self.fault_within(rules.json.as_deref()?, value))
    }

    /// The rule that a value of the right kind breaks.
    fn breach(
        &self,
        kind: &FieldKind,
        rules: &Rules,
        value: &Json,
    ) -> Option<(&'static str, String)> {
        if !rules.one_of.is_empty() && !rules.one_of.iter().any(|one| same(one, value)) {
            let names: Vec<_> = rules.one_of.iter().map(Json::to_string).collect();
            return Some(("one_of", format!("must be one of {}", names.join(", "))));
        }
        if let Some(text) = value.as_str() {
            let length = text.chars().count() as u64;
            if let Some(min) = rules.min_length.filter(|min| length < *min) {
                return Some((
                    "min_length",
                    format!("must have {} or more", counted(min, "character")),
                ));
            }
            if let Some(max) = rules.max_length.filter(|max| length > *max) {
                return Some((
                    "max_length",
                    format!("must have {} or fewer", counted(max, "character")),
                ));
            }
            let pattern = rules.pattern.as_deref().and_then(|p| self.patterns.get(p));
            if let Some(Some(regex)) = pattern
                && !regex.is_match(text)
            {
                return Some(("pattern", format!("must match {}", regex.as_str())));
            }
        }
        let number = match (value, kind) {
            (Json::String(text), FieldKind::Decimal) => text.parse().ok(),
            _ => value.as_f64(),
        };
        number.and_then(|number| out_of_range(rules, number))
    }
}

fn patterns_of<'f>(
    fields: impl IntoIterator<Item = &'f Field>,
) -> Arc<HashMap<String, Option<Regex>>> {
    let fields = fields.into_iter();
    let patterns = fields.flat_map(|field| field.rules.patterns());
    // One that can't be compiled here was named when the document was read, and judges nothing.
    let compiled = patterns.map(|pattern| (pattern.to_owned(), compiled(pattern).ok()));
    Arc::new(compiled.collect())
}

/// So many things: one is no plural.
pub(super) fn counted(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// What a value must be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) kind: &'a FieldKind,
    pub(super) nullable: bool,
    pub(super) rules: &'a Rules,
}

/// What is wrong with a value, or with one within it.
#[derive(Debug)]
pub(super) struct Fault {
    rule: &'static str,
    message: String,
    /// The way to where it is, the last step first.
    steps: Vec<String>,
}

impl Fault {
    pub(super) fn new(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            rule,
            message: message.into(),
            steps: Vec::new(),
        }
    }

    /// The same of what holds the value.
    pub(super) fn within(mut self, step: &str) -> Self {
        self.steps.push(step.replace('~', "~0").replace('/', "~1"));
        self
    }

    /// What is wrong with a field; where it is within its value, with a JSON pointer to it.
    fn told(mut self, field: &str) -> String {
        if self.steps.is_empty() {
            return self.message;
        }
        self.steps.reverse();
        format!("/{field}/{} {}", self.steps.join("/"), self.message)
    }
}

/// A pattern as the server applies it; the error says why it can't.
fn compiled(pattern: &str) -> Result<Regex, regex::Error> {
    let mut builder = regex::RegexBuilder::new(pattern);
    builder.size_limit(PATTERN_BYTES_MAX).build()
}

/// Whether a server holds texts against a pattern: some words of other languages it does not have.
pub fn is_checked(pattern: &str) -> bool {
    compiled(pattern).is_ok()
}

fn out_of_range(rules: &Rules, number: f64) -> Option<(&'static str, String)> {
    let than = |bound: &Bound| {
        if bound.exclusive {
            "than"
        } else {
            "than or equal to"
        }
    };
    if let Some(bound) = &rules.minimum
        && (number < bound.value || bound.exclusive && number == bound.value)
    {
        let text = format!("must be greater {} {}", than(bound), bound.value);
        return Some(("minimum", text));
    }
    if let Some(bound) = &rules.maximum
        && (number > bound.value || bound.exclusive && number == bound.value)
    {
        let text = format!("must be less {} {}", than(bound), bound.value);
        return Some(("maximum", text));
    }
    let step = rules.multiple_of.filter(|step| *step > 0.0)?;
    let times = number / step;
    // Decimal fractions have no exact double: 0.3 is a multiple of 0.1.
    let off = (times - times.round()).abs();
    (off > 1e-9 * times.abs().max(1.0))
        .then(|| ("multiple_of", format!("must be a multiple of {step}")))
}

/// What a value should have been, if it isn't of this kind.
pub(super) fn mismatch(kind: &FieldKind, value: &Json) -> Option<&'static str> {
    /// The largest whole number that every client holds.
    const SAFE: i64 = (1 << 53) - 1;
    let text = value.as_str();
    let is = |fits: bool, expected: &'static str| (!fits).then_some(expected);
    match kind {
        FieldKind::Json => None,
        FieldKind::Text => is(text.is_some(), "text"),
        FieldKind::Uuid => is(
            text.is_some_and(|text| text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()),
            "a UUID",
        ),
        FieldKind::Boolean => is(value.is_boolean(), "true or false"),
        FieldKind::Int32 => is(
            value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            "a whole number from -2147483648 to 2147483647",
        ),
        FieldKind::Int64 => is(
            value.as_i64().is_some_and(|n| (-SAFE..=SAFE).contains(&n)),
            "a whole number from -(2^53-1) to 2^53-1",
        ),
        FieldKind::Float => is(value.is_number(), "a number"),
        FieldKind::Decimal => is(
            value.is_number() || text.is_some_and(is_decimal),
            "a decimal number, as text or as a number",
        ),
        FieldKind::Date => is(text.is_some_and(is_date), "a day, as 2026-01-31"),
        FieldKind::Time => is(
            text.is_some_and(is_time_of_day),
            "a time of day, as 23:59:59",
        ),
        FieldKind::Timestamp => is(
            text.is_some_and(is_timestamp),
            "a time, as 2026-01-31T23:59:59Z",
        ),
    }
}

/// Whether this is a day of RFC 3339, of the years that every database has.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && !text.starts_with(['-', '+'])
        && !text.starts_with("0000")
        && text.parse::<jiff::civil::Date>().is_ok()
}

/// Whether this is a time of day of RFC 3339, whose seconds may be left out.
fn is_time_of_day(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.');
    text.as_bytes().get(2) == Some(&b':')
        && text.bytes().all(is_plain)
        && text.parse::<jiff::civil::Time>().is_ok()
}

/// Whether this is a point in time of RFC 3339: others that a library may read, as with the name of a
/// zone behind them, end whoever reads them as Postgres does.
fn is_timestamp(text: &str) -> bool {
    let Some((day, rest)) = text.split_at_checked(10) else {
        return false;
    };
    let Some(rest) = rest.strip_prefix(['T', 't', ' ']) else {
        return false;
    };
    let zone_at = rest.find(['Z', 'z', '+', '-']);
    let Some((time, zone)) = zone_at.and_then(|at| rest.split_at_checked(at)) else {
        return false;
    };
    is_date(day)
        && time.len() >= "23:59:59".len()
        && is_time_of_day(time)
        && is_offset(zone)
        && text.parse::<jiff::Timestamp>().is_ok()
}

/// Whether this is `Z` or an offset that some place on earth could have; whole hours may stand alone, as
/// Postgres prints them, and so shapes do.
fn is_offset(text: &str) -> bool {
    const HOURS_MAX: u8 = 15;
    if text.eq_ignore_ascii_case("z") {
        return true;
    }
    let digits = text
        .strip_prefix(['+', '-'])
        .map(|text| text.split_once(':').unwrap_or((text, "00")));
    digits.is_some_and(|(hours, minutes)| {
        let is_two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        is_two(hours) && is_two(minutes) && hours.parse().is_ok_and(|hours: u8| hours <= HOURS_MAX)
    })
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}

/// Whether two values are one: a number is what it is, however it is written.
pub(super) fn same(one: &Json, other: &Json) -> bool {
    let number = |number: &Number| number.as_f64();
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => {
            one == other || (number(one).is_some() && number(one) == number(other))
        }
        (one, other) => one == other,
    }
}
