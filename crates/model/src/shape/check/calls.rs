//! Which function fits which types.

use std::cmp::Ordering;

use super::super::error::FilterError;
use super::super::evaluate::{Call, Checked, Nulls};
use super::super::functions::{self, arrays, moments};
use super::super::kind::{Kind, Scalar};
use super::super::operate::{self, Function};
use super::super::syntax::Polarity;
use super::operators::{as_text, like, strict};
use super::resolve::shared_kind;
use super::{Class, Typed};

pub(super) fn call(name: &str, arguments: Vec<Typed>, at: usize) -> Result<Typed, FilterError> {
    let count = arguments.len();
    match (name, count) {
        ("lower", 1) => text_function(functions::lower, arguments, at),
        ("upper", 1) => text_function(functions::upper, arguments, at),
        ("concat", 1..) => concat(arguments, at),
        ("like" | "ilike" | "notlike", 2) => {
            let [one, other] = pair(arguments);
            let function: Function = if name == "ilike" {
                operate::like_in_any_case
            } else {
                operate::like
            };
            let polarity = if name == "notlike" {
                Polarity::Negated
            } else {
                Polarity::Plain
            };
            like(function, polarity, one, other, at)
        }
        ("coalesce", 1..) => {
            let (nodes, kind) = shared(name, arguments, at)?;
            Ok(Typed::new(Checked::Coalesce(nodes), kind, at))
        }
        ("greatest" | "least", 1..) => {
            let (nodes, kind) = shared(name, arguments, at)?;
            let order = if name == "greatest" {
                Ordering::Greater
            } else {
                Ordering::Less
            };
            Ok(Typed::new(Checked::Extreme(order, nodes), kind, at))
        }
        ("justify_days", 1) => on_interval(moments::justify_days, arguments, at),
        ("justify_hours", 1) => on_interval(moments::justify_hours, arguments, at),
        ("justify_interval", 1) => on_interval(moments::justify_interval, arguments, at),
        ("timezone", 2) => timezone(arguments, at),
        _ => array_function(name, arguments, at),
    }
}

fn pair(arguments: Vec<Typed>) -> [Typed; 2] {
    let pair = <[Typed; 2]>::try_from(arguments);
    pair.expect("the caller has counted them")
}

fn missing(name: &str, arguments: &[Typed], at: usize) -> FilterError {
    let names: Vec<_> = arguments.iter().map(Typed::name).collect();
    let names = names.join(", ");
    FilterError::new(
        at,
        format!("function {name}({names}) does not exist, or shapes don't know it"),
    )
}

fn text_function(
    function: Function,
    arguments: Vec<Typed>,
    at: usize,
) -> Result<Typed, FilterError> {
    let resolved = arguments
        .into_iter()
        .map(|typed| typed.resolved(Kind::TEXT));
    let resolved = resolved.collect::<Result<_, _>>()?;
    Ok(strict(function, resolved, Kind::TEXT, at))
}

fn concat(arguments: Vec<Typed>, at: usize) -> Result<Typed, FilterError> {
    let texts = arguments.into_iter().map(|typed| match typed.kind() {
        // Booleans are shorter here than as text.
        Some(Kind::BOOL) => Ok(typed),
        _ => as_text(typed),
    });
    Ok(taking(
        functions::concat,
        texts.collect::<Result<_, _>>()?,
        Kind::TEXT,
        at,
    ))
}

/// A function that sees nulls.
fn taking(function: Function, arguments: Vec<Typed>, kind: Kind, at: usize) -> Typed {
    let arguments = arguments.into_iter().map(|typed| typed.node).collect();
    let call = Call {
        function,
        nulls: Nulls::Taken,
        arguments,
    };
    Typed::new(Checked::Call(call), kind, at)
}

/// All in the type that they share.
fn shared(
    name: &str,
    arguments: Vec<Typed>,
    at: usize,
) -> Result<(Vec<Checked>, Kind), FilterError> {
    let kind = shared_kind(&arguments.iter().collect::<Vec<_>>());
    let Some(kind) = kind else {
        let message = format!("{} types can't be matched", name.to_uppercase());
        return Err(FilterError::new(at, message));
    };
    let nodes = arguments
        .into_iter()
        .map(|typed| Ok(typed.resolved(kind)?.node));
    Ok((nodes.collect::<Result<_, FilterError>>()?, kind))
}

fn on_interval(function: Function, arguments: Vec<Typed>, at: usize) -> Result<Typed, FilterError> {
    let kind = Kind::one(Scalar::Interval);
    let resolved = arguments.into_iter().map(|typed| typed.resolved(kind));
    Ok(strict(
        function,
        resolved.collect::<Result<_, _>>()?,
        kind,
        at,
    ))
}

fn timezone(arguments: Vec<Typed>, at: usize) -> Result<Typed, FilterError> {
    let [zone, moment] = pair(arguments);
    let zone = match zone.kind() {
        Some(Kind {
            scalar: Scalar::Interval,
            is_array: false,
        }) => zone,
        _ => zone.resolved(Kind::TEXT)?,
    };
    // One that is known by now would be unknown on every row, and the shape be empty without a word.
    if let Checked::Constant(named) = &zone.node
        && moments::offset(named).is_err()
    {
        let message = "this time zone is not supported: only UTC and offsets are";
        return Err(FilterError::new(zone.at, message));
    }
    let is_local = moment.kind() == Some(Kind::one(Scalar::Timestamp));
    let (function, from, to): (Function, _, _) = if is_local {
        (
            moments::point_in_zone,
            Scalar::Timestamp,
            Scalar::TimestampTz,
        )
    } else {
        (
            moments::shown_in_zone,
            Scalar::TimestampTz,
            Scalar::Timestamp,
        )
    };
    let moment = moment.resolved(Kind::one(from))?;
    Ok(strict(function, vec![zone, moment], Kind::one(to), at))
}

/// `ARRAY[…]`.
pub(super) fn array(parts: Vec<Typed>, at: usize) -> Result<Typed, FilterError> {
    if parts.is_empty() {
        // Empty, and of whatever type is asked of it.
        let text = super::Datum::Text("{}".to_owned());
        return Ok(Typed {
            node: Checked::Constant(text),
            class: Class::Unknown,
            at,
        });
    }
    let kind = shared_kind(&parts.iter().collect::<Vec<_>>());
    let Some(kind) = kind else {
        return Err(FilterError::new(at, "ARRAY types can't be matched"));
    };
    let nodes = parts
        .into_iter()
        .map(|typed| Ok(typed.resolved(kind)?.node));
    let nodes = nodes.collect::<Result<_, FilterError>>()?;
    Ok(Typed::new(
        Checked::Array(nodes),
        Kind::array(kind.scalar),
        at,
    ))
}

/// How the arguments after an array follow from it.
#[derive(Clone, Copy)]
enum Rest {
    Element,
    Elements,
    Whole,
    None,
}

fn array_function(name: &str, mut arguments: Vec<Typed>, at: usize) -> Result<Typed, FilterError> {
    if name == "array_to_string" && matches!(arguments.len(), 2 | 3) {
        return array_text(arguments, at);
    }
    if name == "array_cat" && arguments.len() == 2 {
        let [one, other] = pair(arguments);
        return super::operators::binary("||", one, other, at);
    }
    if name == "array_prepend" {
        arguments.reverse();
    }
    let whole = Some(Kind::INT4);
    let (function, rest, result): (Function, _, _) = match (name, arguments.len()) {
        ("array_append", 2) => (arrays::append, Rest::Element, None),
        ("array_prepend", 2) => (arrays::prepend, Rest::Element, None),
        ("array_remove", 2) => (arrays::remove, Rest::Element, None),
        ("array_replace", 3) => (arrays::replace, Rest::Elements, None),
        ("array_position", 2) => (arrays::position, Rest::Element, whole),
        ("array_positions", 2) => (
            arrays::positions,
            Rest::Element,
            Some(Kind::array(Scalar::Int4)),
        ),
        ("array_length" | "array_upper", 2) => (arrays::length, Rest::Whole, whole),
        ("array_lower", 2) => (arrays::lower_end, Rest::Whole, whole),
        ("array_ndims", 1) => (arrays::dimensions, Rest::None, whole),
        ("cardinality", 1) => (arrays::cardinality, Rest::None, whole),
        _ => return Err(missing(name, &arguments, at)),
    };
    let Some(kind) = arguments[0].kind().filter(|kind| kind.is_array) else {
        return Err(missing(name, &arguments, at));
    };
    let mut resolved = Vec::new();
    for (n, argument) in arguments.into_iter().enumerate() {
        resolved.push(match (n, rest) {
            (0, _) => argument,
            (_, Rest::Element | Rest::Elements) => argument.resolved(kind.element())?,
            (_, Rest::Whole | Rest::None) => argument.resolved_as_whole()?,
        });
    }
    let result = result.unwrap_or(kind);
    Ok(match rest {
        Rest::Element | Rest::Elements => {
            if name == "array_prepend" {
                resolved.reverse();
            }
            taking(function, resolved, result, at)
        }
        Rest::Whole | Rest::None => strict(function, resolved, result, at),
    })
}

fn array_text(arguments: Vec<Typed>, at: usize) -> Result<Typed, FilterError> {
    let Some(kind) = arguments[0].kind().filter(|kind| kind.is_array) else {
        return Err(missing("array_to_string", &arguments, at));
    };
    let mut nodes = Vec::new();
    for (n, argument) in arguments.into_iter().enumerate() {
        nodes.push(if n == 0 {
            argument.node
        } else {
            argument.resolved(Kind::TEXT)?.node
        });
    }
    Ok(Typed::new(Checked::ArrayText(kind, nodes), Kind::TEXT, at))
}
