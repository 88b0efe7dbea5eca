//! Which operator fits which numbers, days and spans.

use super::super::error::FilterError;
use super::super::evaluate::Checked;
use super::super::kind::{Kind, Scalar};
use super::super::operate::{self, Function};
use super::operators::{no_operator, strict};
use super::resolve::{shared_kind, shared_scalar};
use super::{Class, Typed};

pub(super) fn bitwise(
    function: Function,
    operator: &str,
    one: Typed,
    other: Typed,
    at: usize,
) -> Result<Typed, FilterError> {
    let kind =
        shared_kind(&[&one, &other]).filter(|kind| kind.scalar.is_integer() && !kind.is_array);
    let kind = kind.ok_or_else(|| no_operator(operator, &one, &other, at))?;
    let arguments = vec![one.resolved(kind)?, other.resolved(kind)?];
    Ok(strict(function, arguments, kind, at))
}

pub(super) fn arithmetic(
    operator: &str,
    one: Typed,
    other: Typed,
    at: usize,
) -> Result<Typed, FilterError> {
    let scalar = |typed: &Typed| {
        typed
            .kind()
            .filter(|kind| !kind.is_array)
            .map(|kind| kind.scalar)
    };
    let (left, right) = match (scalar(&one), scalar(&other)) {
        (Some(left), Some(right)) => (left, right),
        (Some(left), None) if other.is_unknown() => (left, beside(operator, left)),
        (None, Some(right)) if one.is_unknown() => (beside(operator, right), right),
        _ => return Err(no_operator(operator, &one, &other, at)),
    };
    let found = numbers(operator, left, right).or_else(|| moments(operator, left, right));
    let Some(found) = found else {
        return Err(no_operator(operator, &one, &other, at));
    };
    let (function, [left, right], result) = found;
    let arguments = vec![
        one.resolved(Kind::one(left))?,
        other.resolved(Kind::one(right))?,
    ];
    let typed = strict(function, arguments, Kind::one(result), at);
    if matches!(result, Scalar::Int2 | Scalar::Int4 | Scalar::Float4) {
        let node = Checked::Fit(Box::new(typed.node), result);
        return Ok(Typed::new(node, Kind::one(result), at));
    }
    Ok(typed)
}

/// The type that a literal takes beside a value of this one.
fn beside(operator: &str, scalar: Scalar) -> Scalar {
    match (operator, scalar) {
        ("+", Scalar::Timestamp | Scalar::TimestampTz | Scalar::Time) => Scalar::Interval,
        ("*" | "/", Scalar::Interval) => Scalar::Float8,
        (_, scalar) => scalar,
    }
}

type Found = (Function, [Scalar; 2], Scalar);

fn numbers(operator: &str, left: Scalar, right: Scalar) -> Option<Found> {
    if !left.is_number() || !right.is_number() {
        return None;
    }
    let shared = shared_scalar(left, right)?;
    let function: Function = match operator {
        "+" => operate::add,
        "-" => operate::subtract,
        "*" => operate::multiply,
        "/" => operate::divide,
        "%" if !shared.is_float() => operate::remainder,
        "^" => {
            let float = Scalar::Float8;
            return Some((operate::power, [float, float], float));
        }
        _ => return None,
    };
    Some((function, [shared, shared], shared))
}

fn moments(operator: &str, left: Scalar, right: Scalar) -> Option<Found> {
    use Scalar::{Date, Float8, Int4, Interval, Time, Timestamp, TimestampTz};
    let points = [Timestamp, TimestampTz];
    let whole = |scalar: Scalar| matches!(scalar, Scalar::Int2 | Int4);
    let as_is = [left, right];
    Some(match (operator, left, right) {
        ("+", Date, days) if whole(days) => (operate::add, [Date, Int4], Date),
        ("+", days, Date) if whole(days) => (operate::add, [Int4, Date], Date),
        ("-", Date, days) if whole(days) => (operate::subtract, [Date, Int4], Date),
        ("-", Date, Date) => (operate::subtract, as_is, Int4),
        ("+", Date, Interval | Time) => (operate::add, [Timestamp, right], Timestamp),
        ("+", Interval | Time, Date) => (operate::add, [left, Timestamp], Timestamp),
        ("-", Date, Interval) => (operate::subtract, [Timestamp, Interval], Timestamp),
        ("+", at, Interval) if points.contains(&at) || at == Time => (operate::add, as_is, at),
        ("+", Interval, at) if points.contains(&at) || at == Time => (operate::add, as_is, at),
        ("-", at, Interval) if points.contains(&at) || at == Time => (operate::subtract, as_is, at),
        ("-", Time, Time) => (operate::subtract, as_is, Interval),
        ("-", one, other) if one.has_date() && other.has_date() => {
            let shared = shared_scalar(one, other)?;
            (operate::subtract, [shared, shared], Interval)
        }
        ("+", Interval, Interval) => (operate::add, as_is, Interval),
        ("-", Interval, Interval) => (operate::subtract, as_is, Interval),
        ("*", Interval, by) if by.is_number() => (operate::multiply, [left, Float8], Interval),
        ("*", by, Interval) if by.is_number() => (operate::multiply, [Float8, right], Interval),
        ("/", Interval, by) if by.is_number() => (operate::divide, [left, Float8], Interval),
        _ => return None,
    })
}

pub(super) fn unary(operator: &str, one: Typed, at: usize) -> Result<Typed, FilterError> {
    let missing = |one: &Typed| {
        let name = one.name();
        FilterError::new(at, format!("operator does not exist: {operator} {name}"))
    };
    let scalar = match one.class {
        // A literal without a type is taken for a double.
        Class::Unknown => Scalar::Float8,
        Class::Known(kind) if !kind.is_array => kind.scalar,
        Class::Known(_) | Class::Row(_) => return Err(missing(&one)),
    };
    let is_number = scalar.is_number();
    let (function, to): (Function, Scalar) = match operator {
        "+" if is_number => return one.resolved(Kind::one(scalar)),
        "-" if is_number || scalar == Scalar::Interval => (operate::negate, scalar),
        "@" if is_number => (operate::magnitude, scalar),
        "|/" if is_number => (operate::square_root, Scalar::Float8),
        "~" if scalar.is_integer() => (operate::bit_not, scalar),
        _ => return Err(missing(&one)),
    };
    let typed = strict(
        function,
        vec![one.resolved(Kind::one(to))?],
        Kind::one(to),
        at,
    );
    if matches!(to, Scalar::Int2 | Scalar::Int4) {
        return Ok(Typed::new(
            Checked::Fit(Box::new(typed.node), to),
            Kind::one(to),
            at,
        ));
    }
    Ok(typed)
}
