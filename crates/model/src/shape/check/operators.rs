//! Which operator fits which types.

use super::super::error::FilterError;
use super::super::evaluate::{Call, Checked, Comparison, Nulls, Test};
use super::super::functions::arrays;
use super::super::kind::{Kind, Scalar};
use super::super::operate::{self, Function};
use super::super::syntax::{Polarity, Quantifier};
use super::arithmetic::{arithmetic, bitwise};
use super::resolve::{shared_kind, shared_scalar};
use super::{Class, Typed, compared};

pub(super) fn no_operator(operator: &str, one: &Typed, other: &Typed, at: usize) -> FilterError {
    let (one, other) = (one.name(), other.name());
    FilterError::new(
        at,
        format!("operator does not exist: {one} {operator} {other}"),
    )
}

/// A function of values that is null where one of them is.
pub(super) fn strict(function: Function, arguments: Vec<Typed>, kind: Kind, at: usize) -> Typed {
    let arguments = arguments.into_iter().map(|typed| typed.node).collect();
    let call = Call {
        function,
        nulls: Nulls::Yielded,
        arguments,
    };
    Typed::new(Checked::Call(call), kind, at)
}

fn comparison_named(operator: &str) -> Option<Comparison> {
    Some(match operator {
        "=" => Comparison::Equal,
        "<>" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn like_named(operator: &str) -> Option<(Function, Polarity)> {
    Some(match operator {
        "~~" => (operate::like, Polarity::Plain),
        "!~~" => (operate::like, Polarity::Negated),
        "~~*" => (operate::like_in_any_case, Polarity::Plain),
        "!~~*" => (operate::like_in_any_case, Polarity::Negated),
        _ => return None,
    })
}

pub(super) fn binary(
    operator: &str,
    one: Typed,
    other: Typed,
    at: usize,
) -> Result<Typed, FilterError> {
    if let Some(found) = comparison_named(operator) {
        return comparison(found, one, other, at);
    }
    if let Some((function, polarity)) = like_named(operator) {
        return like(function, polarity, one, other, at);
    }
    match operator {
        "||" => concatenation(one, other, at),
        "@>" => on_arrays(arrays::contains, operator, one, other, at),
        "<@" => on_arrays(arrays::contained, operator, one, other, at),
        "&&" => on_arrays(arrays::overlaps, operator, one, other, at),
        "+" | "-" | "*" | "/" | "%" | "^" => arithmetic(operator, one, other, at),
        "&" => bitwise(operate::bit_and, operator, one, other, at),
        "|" => bitwise(operate::bit_or, operator, one, other, at),
        "#" => bitwise(operate::bit_xor, operator, one, other, at),
        _ => {
            let message = format!("operator {operator} is not supported in shapes");
            Err(FilterError::new(at, message))
        }
    }
}

/// Both sides in the type that they share, if values of it have an order.
fn alike(sign: &str, one: Typed, other: Typed, at: usize) -> Result<(Typed, Typed), FilterError> {
    let shared = shared_kind(&[&one, &other])
        .filter(|kind| !matches!(kind.scalar, Scalar::Json | Scalar::Jsonb));
    let kind = shared.ok_or_else(|| no_operator(sign, &one, &other, at))?;
    Ok((one.resolved(kind)?, other.resolved(kind)?))
}

pub(super) fn comparison(
    comparison: Comparison,
    one: Typed,
    other: Typed,
    at: usize,
) -> Result<Typed, FilterError> {
    if let (Class::Row(ones), Class::Row(others)) = (&one.class, &other.class) {
        if ones.len() != others.len() || ones.is_empty() {
            let message = "unequal number of entries in row expressions";
            return Err(FilterError::new(at, message));
        }
        let node = rows(comparison, ones, others, at)?;
        return Ok(Typed::new(node, Kind::BOOL, at));
    }
    let (one, other) = alike(sign(comparison), one, other, at)?;
    Ok(compared(comparison, one, other, at))
}

/// Rows are compared by their first parts that differ.
fn rows(
    comparison: Comparison,
    ones: &[Typed],
    others: &[Typed],
    at: usize,
) -> Result<Checked, FilterError> {
    let pair = |comparison, n: usize| {
        let typed = self::comparison(comparison, ones[n].clone(), others[n].clone(), at)?;
        Ok::<_, FilterError>(typed.node)
    };
    let all = |comparison| -> Result<Vec<_>, FilterError> {
        (0..ones.len()).map(|n| pair(comparison, n)).collect()
    };
    let strictly = match comparison {
        Comparison::Equal => return Ok(Checked::And(all(comparison)?)),
        Comparison::NotEqual => return Ok(Checked::Or(all(comparison)?)),
        Comparison::Less | Comparison::LessOrEqual => Comparison::Less,
        Comparison::Greater | Comparison::GreaterOrEqual => Comparison::Greater,
    };
    let mut node = pair(comparison, ones.len() - 1)?;
    for n in (0..ones.len() - 1).rev() {
        let rest = Checked::And(vec![pair(Comparison::Equal, n)?, node]);
        node = Checked::Or(vec![pair(strictly, n)?, rest]);
    }
    Ok(node)
}

pub(super) fn distinct(one: Typed, other: Typed, at: usize) -> Result<Checked, FilterError> {
    if let (Class::Row(ones), Class::Row(others)) = (&one.class, &other.class)
        && ones.len() == others.len()
    {
        let pairs = ones.iter().zip(others);
        let parts = pairs.map(|(one, other)| distinct(one.clone(), other.clone(), at));
        return Ok(Checked::Or(parts.collect::<Result<_, _>>()?));
    }
    let (one, other) = alike("=", one, other, at)?;
    Ok(Checked::IsDistinct(
        Box::new(one.node),
        Box::new(other.node),
    ))
}

pub(super) fn like(
    function: Function,
    polarity: Polarity,
    one: Typed,
    other: Typed,
    at: usize,
) -> Result<Typed, FilterError> {
    let is_text = |typed: &Typed| {
        typed.is_unknown()
            || typed
                .kind()
                .is_some_and(|kind| kind.scalar.is_text() && !kind.is_array)
    };
    if !is_text(&one) || !is_text(&other) {
        return Err(no_operator("~~", &one, &other, at));
    }
    let arguments = vec![one.resolved(Kind::TEXT)?, other.resolved(Kind::TEXT)?];
    let typed = strict(function, arguments, Kind::BOOL, at);
    Ok(match polarity {
        Polarity::Plain => typed,
        Polarity::Negated => Typed::new(Checked::Not(Box::new(typed.node)), Kind::BOOL, at),
    })
}

fn concatenation(one: Typed, other: Typed, at: usize) -> Result<Typed, FilterError> {
    let array = |typed: &Typed| typed.kind().filter(|kind| kind.is_array);
    let taking = |function, arguments: Vec<Typed>, kind| {
        let arguments = arguments.into_iter().map(|typed| typed.node).collect();
        let call = Call {
            function,
            nulls: Nulls::Taken,
            arguments,
        };
        Ok(Typed::new(Checked::Call(call), kind, at))
    };
    match (array(&one), array(&other)) {
        (Some(kind), Some(found)) if kind.scalar == found.scalar => {
            taking(arrays::join, vec![one, other], kind)
        }
        (Some(kind), None) if other.is_unknown() => {
            taking(arrays::join, vec![one, other.resolved(kind)?], kind)
        }
        (None, Some(kind)) if one.is_unknown() => {
            taking(arrays::join, vec![one.resolved(kind)?, other], kind)
        }
        (Some(kind), None) if other.kind() == Some(kind.element()) => {
            taking(arrays::append, vec![one, other], kind)
        }
        (None, Some(kind)) if one.kind() == Some(kind.element()) => {
            taking(arrays::prepend, vec![one, other], kind)
        }
        (None, None) => {
            let is_text = |typed: &Typed| typed.kind().is_some_and(|kind| kind.scalar.is_text());
            let any = [&one, &other]
                .into_iter()
                .any(|typed| is_text(typed) || typed.is_unknown());
            if !any || matches!(one.class, Class::Row(_)) || matches!(other.class, Class::Row(_)) {
                return Err(no_operator("||", &one, &other, at));
            }
            let arguments = vec![as_text(one)?, as_text(other)?];
            Ok(strict(operate::join_texts, arguments, Kind::TEXT, at))
        }
        _ => Err(no_operator("||", &one, &other, at)),
    }
}

/// The value's text, of whatever type it is.
pub(super) fn as_text(typed: Typed) -> Result<Typed, FilterError> {
    match typed.kind() {
        Some(kind) if !kind.scalar.is_text() || kind.is_array => {
            let node = Checked::Convert(Box::new(typed.node), kind, Kind::TEXT);
            Ok(Typed::new(node, Kind::TEXT, typed.at))
        }
        _ => typed.resolved(Kind::TEXT),
    }
}

fn on_arrays(
    function: Function,
    operator: &str,
    one: Typed,
    other: Typed,
    at: usize,
) -> Result<Typed, FilterError> {
    let kind = shared_kind(&[&one, &other]).filter(|kind| kind.is_array);
    let kind = kind.ok_or_else(|| no_operator(operator, &one, &other, at))?;
    let arguments = vec![one.resolved(kind)?, other.resolved(kind)?];
    Ok(strict(function, arguments, Kind::BOOL, at))
}

pub(super) fn quantified(
    operator: &str,
    quantifier: Quantifier,
    left: Typed,
    array: Typed,
    at: usize,
) -> Result<Typed, FilterError> {
    let test = match (comparison_named(operator), like_named(operator)) {
        (Some(comparison), _) => Test::Compare(comparison),
        (None, Some((function, polarity))) => Test::Call(function, polarity),
        (None, None) => {
            let message = format!("operator {operator} ANY or ALL is not supported in shapes");
            return Err(FilterError::new(at, message));
        }
    };
    let missing = |left: &Typed, array: &Typed| no_operator(operator, left, array, at);
    let element = match array.class {
        Class::Known(kind) if kind.is_array => kind.scalar,
        Class::Unknown => left.kind().map_or(Scalar::Text, |kind| kind.scalar),
        Class::Known(_) | Class::Row(_) => {
            let message = "op ANY/ALL (array) requires array on right side";
            return Err(FilterError::new(at, message));
        }
    };
    let of_left = match left.class {
        Class::Unknown => element,
        Class::Known(kind) if !kind.is_array => kind.scalar,
        Class::Known(_) | Class::Row(_) => return Err(missing(&left, &array)),
    };
    let shared = shared_scalar(of_left, element).ok_or_else(|| missing(&left, &array))?;
    let left = left.resolved(Kind::one(shared))?;
    let from = Kind::array(element);
    let array = array.resolved(from)?;
    let array = if element == shared || element.is_text() {
        array.node
    } else {
        Checked::Convert(Box::new(array.node), from, Kind::array(shared))
    };
    let node = Checked::Quantified(test, quantifier, Box::new(left.node), Box::new(array));
    Ok(Typed::new(node, Kind::BOOL, at))
}
