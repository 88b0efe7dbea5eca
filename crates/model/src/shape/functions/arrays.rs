//! What is done with arrays. Their elements are counted from 1.

use super::super::datum::{Datum, compare};
use super::super::error::Fault;
use super::super::filter::EVALUATED_BYTES_MAX;
use super::super::kind::Kind;
use super::super::print::print_output;
use super::super::read::is_even;

fn array(value: &Datum) -> Result<&[Datum], Fault> {
    match value {
        Datum::Array(elements) => Ok(elements),
        Datum::Null => Ok(&[]),
        _ => Err(Fault::Mismatch),
    }
}

fn number(value: &Datum) -> Result<i64, Fault> {
    match value {
        Datum::Int(value) => Ok(*value),
        _ => Err(Fault::Mismatch),
    }
}

/// The elements beneath all dimensions.
pub(in super::super) fn flat<'a>(elements: &'a [Datum], into: &mut Vec<&'a Datum>) {
    for element in elements {
        match element {
            Datum::Array(inner) => flat(inner, into),
            other => into.push(other),
        }
    }
}

fn holds(array: &[&Datum], element: &Datum) -> bool {
    !element.is_null()
        && array
            .iter()
            .any(|held| !held.is_null() && compare(held, element).is_eq())
}

/// Whether the first array holds every element of the second; a null is held by none.
pub(in super::super) fn contains(values: &[Datum]) -> Result<Datum, Fault> {
    let (mut held, mut asked) = (Vec::new(), Vec::new());
    flat(array(&values[0])?, &mut held);
    flat(array(&values[1])?, &mut asked);
    let all = asked.iter().all(|element| holds(&held, element));
    Ok(Datum::Bool(all))
}

pub(in super::super) fn contained(values: &[Datum]) -> Result<Datum, Fault> {
    contains(&[values[1].clone(), values[0].clone()])
}

pub(in super::super) fn overlaps(values: &[Datum]) -> Result<Datum, Fault> {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    flat(array(&values[0])?, &mut one);
    flat(array(&values[1])?, &mut other);
    let any = other.iter().any(|element| holds(&one, element));
    Ok(Datum::Bool(any))
}

fn depth(elements: &[Datum]) -> usize {
    match elements.first() {
        Some(Datum::Array(inner)) => 1 + depth(inner),
        Some(_) => 1,
        None => 0,
    }
}

/// Two arrays one after the other; one of a dimension less is an element. A null array is empty.
pub(in super::super) fn join(values: &[Datum]) -> Result<Datum, Fault> {
    if values.iter().all(Datum::is_null) {
        return Ok(Datum::Null);
    }
    let (one, other) = (array(&values[0])?, array(&values[1])?);
    let (depth_one, depth_other) = (depth(one), depth(other));
    let joined = if depth_one == depth_other || one.is_empty() || other.is_empty() {
        one.iter().chain(other).cloned().collect()
    } else if depth_one == depth_other + 1 {
        let last = std::iter::once(Datum::Array(other.to_vec()));
        one.iter().cloned().chain(last).collect()
    } else if depth_one + 1 == depth_other {
        let first = std::iter::once(Datum::Array(one.to_vec()));
        first.chain(other.iter().cloned()).collect()
    } else {
        return Err(Fault::Mismatch);
    };
    even(joined)
}

fn even(elements: Vec<Datum>) -> Result<Datum, Fault> {
    if is_even(&elements) {
        Ok(Datum::Array(elements))
    } else {
        Err(Fault::Mismatch)
    }
}

pub(in super::super) fn append(values: &[Datum]) -> Result<Datum, Fault> {
    let elements = array(&values[0])?.iter().cloned();
    even(elements.chain([values[1].clone()]).collect())
}

pub(in super::super) fn prepend(values: &[Datum]) -> Result<Datum, Fault> {
    let elements = array(&values[1])?.iter().cloned();
    even(std::iter::once(values[0].clone()).chain(elements).collect())
}

/// The length of a dimension, from 1; null where there is none.
pub(in super::super) fn length(values: &[Datum]) -> Result<Datum, Fault> {
    let mut elements = array(&values[0])?;
    for _ in 1..number(&values[1])? {
        match elements.first() {
            Some(Datum::Array(inner)) => elements = inner,
            Some(_) | None => return Ok(Datum::Null),
        }
    }
    let is_none = elements.is_empty() || number(&values[1])? < 1;
    Ok(if is_none {
        Datum::Null
    } else {
        Datum::Int(elements.len() as i64)
    })
}

/// Where a dimension begins: at 1, if there is such a dimension.
pub(in super::super) fn lower_end(values: &[Datum]) -> Result<Datum, Fault> {
    Ok(match length(values)? {
        Datum::Null => Datum::Null,
        _ => Datum::Int(1),
    })
}

pub(in super::super) fn dimensions(values: &[Datum]) -> Result<Datum, Fault> {
    let depth = depth(array(&values[0])?);
    Ok(if depth == 0 {
        Datum::Null
    } else {
        Datum::Int(depth as i64)
    })
}

pub(in super::super) fn cardinality(values: &[Datum]) -> Result<Datum, Fault> {
    let mut all = Vec::new();
    flat(array(&values[0])?, &mut all);
    Ok(Datum::Int(all.len() as i64))
}

fn is_same(one: &Datum, other: &Datum) -> bool {
    one.is_null() == other.is_null() && compare(one, other).is_eq()
}

/// Where an element stands first; nulls equal each other here.
pub(in super::super) fn position(values: &[Datum]) -> Result<Datum, Fault> {
    if values[0].is_null() {
        return Ok(Datum::Null);
    }
    let found = array(&values[0])?
        .iter()
        .position(|held| is_same(held, &values[1]));
    Ok(found.map_or(Datum::Null, |at| Datum::Int(at as i64 + 1)))
}

pub(in super::super) fn positions(values: &[Datum]) -> Result<Datum, Fault> {
    if values[0].is_null() {
        return Ok(Datum::Null);
    }
    let places = array(&values[0])?.iter().zip(1..);
    let found = places.filter(|(held, _)| is_same(held, &values[1]));
    Ok(Datum::Array(found.map(|(_, at)| Datum::Int(at)).collect()))
}

pub(in super::super) fn remove(values: &[Datum]) -> Result<Datum, Fault> {
    if values[0].is_null() {
        return Ok(Datum::Null);
    }
    let left = array(&values[0])?
        .iter()
        .filter(|held| !is_same(held, &values[1]));
    Ok(Datum::Array(left.cloned().collect()))
}

pub(in super::super) fn replace(values: &[Datum]) -> Result<Datum, Fault> {
    if values[0].is_null() {
        return Ok(Datum::Null);
    }
    let elements = array(&values[0])?;
    let count = elements.iter().filter(|held| is_same(held, &values[1]));
    in_bounds(count.count(), values[2].bytes())?;
    let replaced = elements.iter().map(|held| {
        if is_same(held, &values[1]) {
            values[2].clone()
        } else {
            held.clone()
        }
    });
    Ok(Datum::Array(replaced.collect()))
}

/// The elements' texts with a text between; nulls are left out, or stand as a third text.
pub(in super::super) fn to_text(values: &[Datum], kind: Kind) -> Result<Datum, Fault> {
    let (Datum::Array(elements), Datum::Text(between)) = (&values[0], &values[1]) else {
        return Ok(Datum::Null);
    };
    let null = match values.get(2) {
        Some(Datum::Text(null)) => Some(null.clone()),
        _ => None,
    };
    let mut all = Vec::new();
    flat(elements, &mut all);
    in_bounds(
        all.len(),
        between.len() + null.as_ref().map_or(0, String::len),
    )?;
    let texts = all
        .iter()
        .filter_map(|element| print_output(kind.element(), element).or_else(|| null.clone()));
    Ok(Datum::Text(texts.collect::<Vec<_>>().join(between)))
}

/// Refuses to make so many copies of so many bytes, where that is more than may be made of a row.
fn in_bounds(copies: usize, bytes: usize) -> Result<(), Fault> {
    if copies.saturating_mul(bytes) > EVALUATED_BYTES_MAX {
        return Err(Fault::TooLarge);
    }
    Ok(())
}

/// The element at these places, one for each dimension; null where there is none.
pub(in super::super) fn element(array: &Datum, places: &[i64]) -> Datum {
    let mut found = array;
    for place in places {
        let Datum::Array(elements) = found else {
            return Datum::Null;
        };
        let at = usize::try_from(place - 1).ok();
        match at.and_then(|at| elements.get(at)) {
            Some(element) => found = element,
            None => return Datum::Null,
        }
    }
    match found {
        Datum::Array(_) => Datum::Null,
        other => other.clone(),
    }
}

/// The part of an array between ends that belong to it, for each dimension.
pub(in super::super) fn slice(elements: &[Datum], ends: &[(i64, i64)]) -> Vec<Datum> {
    let Some(((low, high), rest)) = ends.split_first() else {
        return elements.to_vec();
    };
    let from = usize::try_from((low - 1).max(0)).unwrap_or(usize::MAX);
    let to = usize::try_from((*high).max(0))
        .unwrap_or(0)
        .min(elements.len());
    let part = elements.get(from..to).unwrap_or_default();
    let parts = part.iter().map(|element| match element {
        Datum::Array(inner) => {
            let inner = slice(inner, rest);
            (!inner.is_empty()).then_some(Datum::Array(inner))
        }
        _ if !rest.is_empty() => None,
        other => Some(other.clone()),
    });
    parts.flatten().collect()
}
