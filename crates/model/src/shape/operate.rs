//! What operators do with values that are not null.

use super::datum::{DAY_MICROS, Datum, Interval};
use super::error::Fault;
use super::pattern::is_like;
use super::times::shifted;

pub(super) type Function = fn(&[Datum]) -> Result<Datum, Fault>;

/// Values that the check of types has let through can't be of other kinds.
const MISMATCH: Result<Datum, Fault> = Err(Fault::Mismatch);

fn in_range<T>(value: Option<T>) -> Result<T, Fault> {
    value.ok_or(Fault::OutOfRange)
}

fn finite(value: f64) -> Result<Datum, Fault> {
    if value.is_finite() {
        Ok(Datum::Float(value))
    } else {
        Err(Fault::OutOfRange)
    }
}

/// A float operation: its result is infinite only where an operand is.
fn float(one: f64, other: f64, of: fn(f64, f64) -> f64) -> Result<Datum, Fault> {
    let value = of(one, other);
    if one.is_finite() && other.is_finite() {
        finite(value)
    } else {
        Ok(Datum::Float(value))
    }
}

pub(super) fn add(values: &[Datum]) -> Result<Datum, Fault> {
    use Datum::{Date, Float, Int, Interval, Numeric, Time, Timestamp};
    Ok(match (&values[0], &values[1]) {
        (Int(one), Int(other)) => Int(in_range(one.checked_add(*other))?),
        (Float(one), Float(other)) => return float(*one, *other, |one, other| one + other),
        (Numeric(one), Numeric(other)) => Numeric(in_range(one.add(*other))?),
        (Date(day), Int(days)) | (Int(days), Date(day)) => Date(in_range(day.checked_add(*days))?),
        (Timestamp(at), Interval(by)) | (Interval(by), Timestamp(at)) => {
            Timestamp(in_range(shifted(*at, *by))?)
        }
        (Timestamp(at), Time(of_day)) | (Time(of_day), Timestamp(at)) => {
            Timestamp(in_range(at.checked_add(*of_day))?)
        }
        (Time(at), Interval(by)) | (Interval(by), Time(at)) => {
            Time(in_range(at.checked_add(by.micros))?.rem_euclid(DAY_MICROS))
        }
        (Interval(one), Interval(other)) => Interval(in_range(sum(*one, *other))?),
        _ => return MISMATCH,
    })
}

fn sum(one: Interval, other: Interval) -> Option<Interval> {
    Some(Interval {
        months: one.months.checked_add(other.months)?,
        days: one.days.checked_add(other.days)?,
        micros: one.micros.checked_add(other.micros)?,
    })
}

fn opposite(of: Interval) -> Interval {
    Interval {
        months: -of.months,
        days: -of.days,
        micros: -of.micros,
    }
}

pub(super) fn subtract(values: &[Datum]) -> Result<Datum, Fault> {
    use Datum::{Date, Int, Time, Timestamp};
    Ok(match (&values[0], &values[1]) {
        (Int(one), Int(other)) => Int(in_range(one.checked_sub(*other))?),
        (Date(one), Date(other)) => Int(one - other),
        (Date(day), Int(days)) => Date(in_range(day.checked_sub(*days))?),
        (Timestamp(one), Timestamp(other)) => {
            let micros = in_range(one.checked_sub(*other))?;
            // Whole days are told apart, as Postgres does.
            Datum::Interval(Interval {
                months: 0,
                days: micros / DAY_MICROS,
                micros: micros % DAY_MICROS,
            })
        }
        (Time(one), Time(other)) => Datum::Interval(Interval {
            micros: one - other,
            ..Interval::default()
        }),
        (Datum::Float(one), Datum::Float(other)) => {
            return float(*one, *other, |one, other| one - other);
        }
        (one, other) => {
            let other = negate(std::slice::from_ref(other))?;
            return add(&[one.clone(), other]);
        }
    })
}

pub(super) fn negate(values: &[Datum]) -> Result<Datum, Fault> {
    Ok(match &values[0] {
        Datum::Int(value) => Datum::Int(in_range(value.checked_neg())?),
        Datum::Float(value) => Datum::Float(-value),
        Datum::Numeric(value) => Datum::Numeric(value.negated()),
        Datum::Interval(value) => Datum::Interval(opposite(*value)),
        _ => return MISMATCH,
    })
}

pub(super) fn multiply(values: &[Datum]) -> Result<Datum, Fault> {
    use Datum::{Float, Int, Numeric};
    Ok(match (&values[0], &values[1]) {
        (Int(one), Int(other)) => Int(in_range(one.checked_mul(*other))?),
        (Float(one), Float(other)) => return float(*one, *other, |one, other| one * other),
        (Numeric(one), Numeric(other)) => Numeric(in_range(one.multiply(*other))?),
        (Datum::Interval(span), Float(factor)) | (Float(factor), Datum::Interval(span)) => {
            Datum::Interval(in_range(scaled(*span, *factor))?)
        }
        _ => return MISMATCH,
    })
}

/// So many times a span: parts of months fall to days, parts of days to hours.
fn scaled(span: Interval, factor: f64) -> Option<Interval> {
    let months = span.months as f64 * factor;
    let days = span.days as f64 * factor;
    let month_days = round_micros(months.fract() * 30.0);
    let rest = round_micros(days.fract() + month_days.fract()) * DAY_MICROS as f64;
    let micros = span.micros as f64 * factor + rest;
    let fits = |value: f64| value.is_finite() && value.abs() < 9e18;
    if !fits(months) || !fits(days) || !fits(micros) {
        return None;
    }
    Some(Interval {
        months: months.trunc() as i64,
        days: days.trunc() as i64 + month_days.trunc() as i64,
        micros: micros.round_ties_even() as i64,
    })
}

fn round_micros(days: f64) -> f64 {
    (days * 1e6).round_ties_even() / 1e6
}

pub(super) fn divide(values: &[Datum]) -> Result<Datum, Fault> {
    use Datum::{Float, Int, Numeric};
    Ok(match (&values[0], &values[1]) {
        (_, Int(0)) => return Err(Fault::DivisionByZero),
        (Int(one), Int(other)) => Int(in_range(one.checked_div(*other))?),
        (Float(_) | Datum::Interval(_), Float(0.0)) => return Err(Fault::DivisionByZero),
        (Float(one), Float(other)) => return float(*one, *other, |one, other| one / other),
        (Numeric(_), Numeric(other)) if other.is_zero() => return Err(Fault::DivisionByZero),
        (Numeric(one), Numeric(other)) => Numeric(in_range(one.divide(*other))?),
        (Datum::Interval(span), Float(factor)) => {
            Datum::Interval(in_range(scaled(*span, 1.0 / factor))?)
        }
        _ => return MISMATCH,
    })
}

pub(super) fn remainder(values: &[Datum]) -> Result<Datum, Fault> {
    use Datum::{Int, Numeric};
    Ok(match (&values[0], &values[1]) {
        (Int(_), Int(0)) => return Err(Fault::DivisionByZero),
        // The least number by -1 leaves nothing, and is no overflow.
        (Int(one), Int(other)) => Int(one.wrapping_rem(*other)),
        (Numeric(_), Numeric(other)) if other.is_zero() => return Err(Fault::DivisionByZero),
        (Numeric(one), Numeric(other)) => Numeric(in_range(one.remainder(*other))?),
        _ => return MISMATCH,
    })
}

pub(super) fn power(values: &[Datum]) -> Result<Datum, Fault> {
    let (Datum::Float(base), Datum::Float(exponent)) = (&values[0], &values[1]) else {
        return MISMATCH;
    };
    let is_fraction = exponent.fract() != 0.0;
    if *base < 0.0 && is_fraction || *base == 0.0 && *exponent < 0.0 {
        return Err(Fault::OutOfRange);
    }
    float(*base, *exponent, f64::powf)
}

pub(super) fn square_root(values: &[Datum]) -> Result<Datum, Fault> {
    match &values[0] {
        Datum::Float(value) if *value >= 0.0 || value.is_nan() => Ok(Datum::Float(value.sqrt())),
        Datum::Float(_) => Err(Fault::OutOfRange),
        _ => MISMATCH,
    }
}

pub(super) fn magnitude(values: &[Datum]) -> Result<Datum, Fault> {
    Ok(match &values[0] {
        Datum::Int(value) => Datum::Int(in_range(value.checked_abs())?),
        Datum::Float(value) => Datum::Float(value.abs()),
        Datum::Numeric(value) => Datum::Numeric(value.magnitude()),
        _ => return MISMATCH,
    })
}

fn bits(values: &[Datum], of: fn(i64, i64) -> i64) -> Result<Datum, Fault> {
    match values {
        [Datum::Int(one), Datum::Int(other)] => Ok(Datum::Int(of(*one, *other))),
        _ => MISMATCH,
    }
}

pub(super) fn bit_and(values: &[Datum]) -> Result<Datum, Fault> {
    bits(values, |one, other| one & other)
}

pub(super) fn bit_or(values: &[Datum]) -> Result<Datum, Fault> {
    bits(values, |one, other| one | other)
}

pub(super) fn bit_xor(values: &[Datum]) -> Result<Datum, Fault> {
    bits(values, |one, other| one ^ other)
}

pub(super) fn bit_not(values: &[Datum]) -> Result<Datum, Fault> {
    match &values[0] {
        Datum::Int(value) => Ok(Datum::Int(!value)),
        _ => MISMATCH,
    }
}

pub(super) fn join_texts(values: &[Datum]) -> Result<Datum, Fault> {
    match values {
        [Datum::Text(one), Datum::Text(other)] => Ok(Datum::Text(format!("{one}{other}"))),
        _ => MISMATCH,
    }
}

pub(super) fn like(values: &[Datum]) -> Result<Datum, Fault> {
    match values {
        [Datum::Text(text), Datum::Text(pattern)] => is_like(text, pattern).map(Datum::Bool),
        _ => MISMATCH,
    }
}

pub(super) fn like_in_any_case(values: &[Datum]) -> Result<Datum, Fault> {
    match values {
        [Datum::Text(text), Datum::Text(pattern)] => {
            is_like(&text.to_lowercase(), &pattern.to_lowercase()).map(Datum::Bool)
        }
        _ => MISMATCH,
    }
}
