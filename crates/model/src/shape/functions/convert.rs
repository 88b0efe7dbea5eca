//! From the values of one type to those of another.

use super::super::datum::{DAY_MICROS, Datum, Interval};
use super::super::decimal::Decimal;
use super::super::error::Fault;
use super::super::kind::{Kind, Scalar};
use super::super::print::print_datum;
use super::super::read::read_datum;

/// Whether a cast leads from one type to another.
pub(in super::super) fn can_cast(from: Kind, to: Kind) -> bool {
    if from == to || from.scalar.is_text() && !from.is_array || to.scalar.is_text() && !to.is_array
    {
        return true;
    }
    if from.is_array != to.is_array {
        return false;
    }
    let (from, to) = (from.scalar, to.scalar);
    let is_json = |scalar| matches!(scalar, Scalar::Json | Scalar::Jsonb);
    from == to
        || from.is_text()
        || to.is_text()
        || from.is_number() && to.is_number()
        || matches!(
            (from, to),
            (Scalar::Bool, Scalar::Int4) | (Scalar::Int4, Scalar::Bool)
        )
        || from.has_date() && to.has_date()
        || matches!(from, Scalar::Timestamp | Scalar::TimestampTz) && to == Scalar::Time
        || matches!(
            (from, to),
            (Scalar::Time, Scalar::Interval) | (Scalar::Interval, Scalar::Time)
        )
        || is_json(from) && is_json(to)
}

/// Converts a value. What the other type doesn't hold is a fault.
pub(in super::super) fn convert(value: &Datum, from: Kind, to: Kind) -> Result<Datum, Fault> {
    match value {
        Datum::Null => return Ok(Datum::Null),
        Datum::Array(elements) if to.is_array => {
            let inner = elements.iter().map(|element| convert(element, from, to));
            return Ok(Datum::Array(inner.collect::<Result<_, _>>()?));
        }
        _ => {}
    }
    if to.scalar.is_text() && !(from.scalar.is_text() && matches!(value, Datum::Text(_))) {
        let from = if matches!(value, Datum::Array(_)) {
            from
        } else {
            from.element()
        };
        return Ok(print_datum(from, value).map_or(Datum::Null, Datum::Text));
    }
    if let Datum::Text(text) = value {
        let to = if from.is_array { to.element() } else { to };
        return read_datum(to, text).ok_or(Fault::Unreadable);
    }
    if from.scalar == to.scalar {
        return Ok(value.clone());
    }
    convert_scalar(value, to.scalar)
}

fn convert_scalar(value: &Datum, to: Scalar) -> Result<Datum, Fault> {
    use Datum::{Bool, Date, Float, Int, Numeric, Time, Timestamp};
    Ok(match (value, to) {
        (Int(0), Scalar::Bool) => Bool(false),
        (Int(_), Scalar::Bool) => Bool(true),
        (Bool(value), _) => Int(i64::from(*value)),
        (Int(value), _) if to.is_integer() => Int(fit(*value, to)?),
        (Int(value), Scalar::Numeric) => Numeric(Decimal::new(*value)),
        (Int(value), _) => Float(narrow(*value as f64, to)?),
        (Float(value), _) if to.is_integer() => Int(whole(*value, to)?),
        (Float(value), Scalar::Numeric) => {
            // Postgres keeps the digits that a double is sure of.
            let text = format!("{value:.14e}");
            Numeric(Decimal::read(&text).map(trimmed).ok_or(Fault::OutOfRange)?)
        }
        (Float(value), _) => Float(narrow(*value, to)?),
        (Numeric(value), _) if to.is_integer() => {
            Int(fit(value.to_whole().ok_or(Fault::OutOfRange)?, to)?)
        }
        (Numeric(value), _) => Float(narrow(value.to_float(), to)?),
        (Date(day), Scalar::Timestamp | Scalar::TimestampTz) => {
            Timestamp(day.checked_mul(DAY_MICROS).ok_or(Fault::OutOfRange)?)
        }
        (Timestamp(at), Scalar::Date) => Date(at.div_euclid(DAY_MICROS)),
        (Timestamp(at), Scalar::Time) => Time(at.rem_euclid(DAY_MICROS)),
        (Timestamp(at), _) => Timestamp(*at),
        (Time(micros), _) => Datum::Interval(Interval {
            micros: *micros,
            ..Interval::default()
        }),
        (Datum::Interval(span), _) => Time(span.micros.rem_euclid(DAY_MICROS)),
        _ => return Err(Fault::Mismatch),
    })
}

/// A decimal without the zeros at its end.
fn trimmed(decimal: Decimal) -> Decimal {
    let text = decimal.to_string();
    let shorter = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    Decimal::read(shorter).unwrap_or(decimal)
}

/// The number, if an integer type holds it.
pub(in super::super) fn fit(value: i64, to: Scalar) -> Result<i64, Fault> {
    let fits = match to {
        Scalar::Int2 => i16::try_from(value).is_ok(),
        Scalar::Int4 => i32::try_from(value).is_ok(),
        _ => true,
    };
    fits.then_some(value).ok_or(Fault::OutOfRange)
}

fn whole(value: f64, to: Scalar) -> Result<i64, Fault> {
    let rounded = value.round_ties_even();
    // 2^63 itself is no such number.
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded) {
        return Err(Fault::OutOfRange);
    }
    fit(rounded as i64, to)
}

pub(in super::super) fn narrow(value: f64, to: Scalar) -> Result<f64, Fault> {
    if to != Scalar::Float4 {
        return Ok(value);
    }
    let narrow = f64::from(value as f32);
    if narrow.is_infinite() && value.is_finite() || narrow == 0.0 && value != 0.0 {
        return Err(Fault::OutOfRange);
    }
    Ok(narrow)
}

/// Cuts and rounds a value as the parentheses of its type say.
pub(in super::super) fn modified(value: Datum, modifiers: &[u32]) -> Result<Datum, Fault> {
    Ok(match (value, modifiers) {
        (Datum::Text(text), [length]) => Datum::Text(text.chars().take(*length as usize).collect()),
        (Datum::Numeric(number), [precision, rest @ ..]) => {
            let scale = rest.first().copied().unwrap_or(0);
            let number = number.rounded(scale).ok_or(Fault::OutOfRange)?;
            if number.whole_digits() + scale > *precision {
                return Err(Fault::OutOfRange);
            }
            Datum::Numeric(number)
        }
        (value, _) => value,
    })
}
