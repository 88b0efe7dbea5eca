//! The value of a checked expression for a row, in three-valued logic.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::datum::{Datum, compare};
use super::error::Fault;
use super::filter::FilterRow;
use super::functions::arrays;
use super::functions::convert::{convert, fit, modified, narrow};
use super::kind::{Kind, Scalar};
use super::operate::Function;
use super::syntax::{Polarity, Quantifier};

/// An expression whose types are known to fit.
#[derive(Debug, Clone)]
pub(super) enum Checked {
    Constant(Datum),
    Column(usize),
    And(Vec<Checked>),
    Or(Vec<Checked>),
    Not(Box<Checked>),
    /// Never null.
    Is(Box<Checked>, Option<bool>),
    IsNull(Box<Checked>, Polarity),
    IsDistinct(Box<Checked>, Box<Checked>),
    Compare(Comparison, Box<Checked>, Box<Checked>),
    Call(Call),
    /// The first that is not null.
    Coalesce(Vec<Checked>),
    /// The greatest or the least, nulls left out.
    Extreme(Ordering, Vec<Checked>),
    Convert(Box<Checked>, Kind, Kind),
    /// Holds a result to the range of its type.
    Fit(Box<Checked>, Scalar),
    Modify(Box<Checked>, Vec<u32>),
    Array(Vec<Checked>),
    Row(Vec<Checked>),
    /// `op` of the value and each element, joined by OR or by AND.
    Quantified(Test, Quantifier, Box<Checked>, Box<Checked>),
    Element(Box<Checked>, Vec<Checked>),
    /// The ends of each dimension; none is the array's own.
    Slice(Box<Checked>, Vec<(Option<Checked>, Option<Checked>)>),
    /// `array_to_string`, which must know what it writes.
    ArrayText(Kind, Vec<Checked>),
}

#[derive(Debug, Clone)]
pub(super) struct Call {
    pub function: Function,
    pub nulls: Nulls,
    pub arguments: Vec<Checked>,
}

/// What a function makes of a null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// Null.
    Yielded,
    /// Something of its own.
    Taken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a quantified expression asks of each element.
#[derive(Debug, Clone, Copy)]
pub(super) enum Test {
    Compare(Comparison),
    Call(Function, Polarity),
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

type Value<'r> = Result<Cow<'r, Datum>, Fault>;

fn truth<'r>(truth: Option<bool>) -> Cow<'r, Datum> {
    Cow::Owned(truth.map_or(Datum::Null, Datum::Bool))
}

/// The value of `expression` for `row`.
pub(super) fn evaluate<'r>(expression: &'r Checked, row: &'r FilterRow<'_>) -> Value<'r> {
    let value = |part: &'r Checked| evaluate(part, row);
    Ok(match expression {
        Checked::Constant(constant) => Cow::Borrowed(constant),
        Checked::Column(column) => Cow::Borrowed(row.value(*column)?),
        Checked::And(parts) => return junction(parts, row, Quantifier::All),
        Checked::Or(parts) => return junction(parts, row, Quantifier::Any),
        Checked::Not(part) => truth(value(part)?.truth().map(|truth| !truth)),
        Checked::Is(part, asked) => truth(Some(value(part)?.truth() == *asked)),
        Checked::IsNull(part, polarity) => truth(Some(is_null(&*value(part)?, *polarity))),
        Checked::IsDistinct(one, other) => {
            let (one, other) = (value(one)?, value(other)?);
            let same = one.is_null() == other.is_null() && compare(&one, &other).is_eq();
            truth(Some(!same))
        }
        Checked::Compare(comparison, one, other) => {
            let (one, other) = (value(one)?, value(other)?);
            let known = !one.is_null() && !other.is_null();
            truth(known.then(|| comparison.holds(compare(&one, &other))))
        }
        Checked::Call(call) => Cow::Owned(run(call, row)?),
        Checked::Coalesce(parts) => {
            for part in parts {
                let found = value(part)?;
                if !found.is_null() {
                    return Ok(found);
                }
            }
            Cow::Owned(Datum::Null)
        }
        Checked::Extreme(order, parts) => return extreme(*order, parts, row),
        Checked::Convert(part, from, to) => {
            Cow::Owned(row.keep(convert(&*value(part)?, *from, *to)?)?)
        }
        Checked::Fit(part, scalar) => Cow::Owned(fitted(value(part)?.into_owned(), *scalar)?),
        Checked::Modify(part, modifiers) => {
            Cow::Owned(modified(value(part)?.into_owned(), modifiers)?)
        }
        Checked::Array(parts) => {
            let elements = all(parts, row)?;
            if !super::read::is_even(&elements) {
                return Err(Fault::Mismatch);
            }
            Cow::Owned(Datum::Array(elements))
        }
        Checked::Row(parts) => Cow::Owned(Datum::Row(all(parts, row)?)),
        Checked::Quantified(test, quantifier, left, array) => {
            return quantified(*test, *quantifier, (left, array), row);
        }
        Checked::Element(array, places) => Cow::Owned(row.keep(element(array, places, row)?)?),
        Checked::Slice(array, ends) => Cow::Owned(row.keep(slice(array, ends, row)?)?),
        Checked::ArrayText(kind, parts) => {
            Cow::Owned(row.keep(arrays::to_text(&all(parts, row)?, *kind)?)?)
        }
    })
}

fn all(parts: &[Checked], row: &FilterRow<'_>) -> Result<Vec<Datum>, Fault> {
    let values = parts
        .iter()
        .map(|part| evaluate(part, row).and_then(|value| row.keep(value.into_owned())));
    values.collect()
}

/// AND, which is over at the first false, or OR, which is over at the first true.
fn junction<'r>(parts: &'r [Checked], row: &'r FilterRow<'_>, quantifier: Quantifier) -> Value<'r> {
    let over = quantifier == Quantifier::Any;
    let mut has_null = false;
    for part in parts {
        match evaluate(part, row)?.truth() {
            Some(truth) if truth == over => return Ok(Cow::Owned(Datum::Bool(over))),
            Some(_) => {}
            None => has_null = true,
        }
    }
    Ok(truth((!has_null).then_some(!over)))
}

/// A row is null where all its parts are, and is not null where none is.
fn is_null(value: &Datum, polarity: Polarity) -> bool {
    let is_plain = polarity == Polarity::Plain;
    match value {
        Datum::Row(parts) => parts.iter().all(|part| part.is_null() == is_plain),
        other => other.is_null() == is_plain,
    }
}

fn run(call: &Call, row: &FilterRow<'_>) -> Result<Datum, Fault> {
    let values = all(&call.arguments, row)?;
    if call.nulls == Nulls::Yielded && values.iter().any(Datum::is_null) {
        return Ok(Datum::Null);
    }
    row.keep((call.function)(&values)?)
}

fn extreme<'r>(order: Ordering, parts: &'r [Checked], row: &'r FilterRow<'_>) -> Value<'r> {
    let mut best: Option<Cow<'r, Datum>> = None;
    for part in parts {
        let value = evaluate(part, row)?;
        if !value.is_null()
            && best
                .as_ref()
                .is_none_or(|best| compare(&value, best) == order)
        {
            best = Some(value);
        }
    }
    Ok(best.unwrap_or(Cow::Owned(Datum::Null)))
}

fn fitted(value: Datum, scalar: Scalar) -> Result<Datum, Fault> {
    Ok(match value {
        Datum::Int(value) => Datum::Int(fit(value, scalar)?),
        Datum::Float(value) => Datum::Float(narrow(value, scalar)?),
        other => other,
    })
}

fn quantified<'r>(
    test: Test,
    quantifier: Quantifier,
    (left, array): (&'r Checked, &'r Checked),
    row: &'r FilterRow<'_>,
) -> Value<'r> {
    let (left, array) = (evaluate(left, row)?, evaluate(array, row)?);
    let Datum::Array(elements) = &*array else {
        return Ok(Cow::Owned(Datum::Null));
    };
    let mut flat = Vec::new();
    arrays::flat(elements, &mut flat);
    let over = quantifier == Quantifier::Any;
    let mut has_null = false;
    for element in flat {
        let found = if left.is_null() || element.is_null() {
            None
        } else {
            Some(asked(test, &left, element)?)
        };
        match found {
            Some(truth) if truth == over => return Ok(Cow::Owned(Datum::Bool(over))),
            Some(_) => {}
            None => has_null = true,
        }
    }
    Ok(truth((!has_null).then_some(!over)))
}

fn asked(test: Test, left: &Datum, element: &Datum) -> Result<bool, Fault> {
    match test {
        Test::Compare(comparison) => Ok(comparison.holds(compare(left, element))),
        Test::Call(function, polarity) => {
            let found = function(&[left.clone(), element.clone()])?;
            let is_plain = polarity == Polarity::Plain;
            Ok(found.truth().ok_or(Fault::Mismatch)? == is_plain)
        }
    }
}

fn number(part: &Checked, row: &FilterRow<'_>) -> Result<Option<i64>, Fault> {
    match &*evaluate(part, row)? {
        Datum::Int(value) => Ok(Some(*value)),
        Datum::Null => Ok(None),
        _ => Err(Fault::Mismatch),
    }
}

fn element(array: &Checked, places: &[Checked], row: &FilterRow<'_>) -> Result<Datum, Fault> {
    let numbers = places.iter().map(|place| number(place, row));
    let numbers: Option<Vec<i64>> = numbers.collect::<Result<_, _>>()?;
    let array = evaluate(array, row)?;
    Ok(numbers.map_or(Datum::Null, |numbers| arrays::element(&array, &numbers)))
}

fn slice(
    array: &Checked,
    ends: &[(Option<Checked>, Option<Checked>)],
    row: &FilterRow<'_>,
) -> Result<Datum, Fault> {
    let mut found = Vec::new();
    for (low, high) in ends {
        let low = low.as_ref().map_or(Ok(Some(1)), |low| number(low, row))?;
        let high = high
            .as_ref()
            .map_or(Ok(Some(i64::MAX)), |high| number(high, row))?;
        let (Some(low), Some(high)) = (low, high) else {
            return Ok(Datum::Null);
        };
        found.push((low, high));
    }
    Ok(match &*evaluate(array, row)? {
        Datum::Array(elements) => Datum::Array(arrays::slice(elements, &found)),
        _ => Datum::Null,
    })
}
