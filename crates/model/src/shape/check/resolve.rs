//! What type literals take, and the type that several expressions share.

use super::super::columns::ShapeColumn;
use super::super::datum::Datum;
use super::super::error::{Fault, FilterError};
use super::super::evaluate::{Checked, evaluate};
use super::super::filter::FilterRow;
use super::super::kind::{Kind, Scalar};
use super::super::read::read_datum;
use super::{Class, Typed};

impl Typed {
    /// The same, if it is of this type or a literal that can be.
    pub(super) fn resolved(self, kind: Kind) -> Result<Self, FilterError> {
        let at = self.at;
        match (self.class, self.node) {
            (Class::Unknown, Checked::Constant(Datum::Text(text))) => {
                let invalid = || {
                    let message = format!("invalid input syntax for type {kind}: \"{text}\"");
                    FilterError::new(at, message)
                };
                let datum = read_datum(kind, &text).ok_or_else(invalid)?;
                Ok(Self::new(Checked::Constant(datum), kind, at))
            }
            (Class::Unknown, node) => Ok(Self::new(node, kind, at)),
            (Class::Known(found), node) if found == kind => Ok(Self::new(node, kind, at)),
            (Class::Known(found), node) => converted(Self::new(node, found, at), kind),
            (class @ Class::Row(_), node) => {
                let typed = Self { node, class, at };
                let message = format!("expected {kind}, found {}", typed.name());
                Err(FilterError::new(at, message))
            }
        }
    }

    /// The same as a whole number that counts something.
    pub(super) fn resolved_as_whole(self) -> Result<Self, FilterError> {
        match &self.class {
            Class::Known(kind) if kind.scalar.is_integer() && !kind.is_array => Ok(self),
            _ => self.resolved(Kind::INT4),
        }
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        match self.class {
            Class::Known(kind) => Some(kind),
            Class::Unknown | Class::Row(_) => None,
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        matches!(self.class, Class::Unknown)
    }
}

/// Converts by itself where Postgres does: to a wider number, from a day to its midnight, among texts.
fn converted(typed: Typed, to: Kind) -> Result<Typed, FilterError> {
    let at = typed.at;
    let mismatch = |name: String| FilterError::new(at, format!("expected {to}, found {name}"));
    let from = typed.kind().ok_or_else(|| mismatch(typed.name()))?;
    if from.is_array == to.is_array && shared_scalar(from.scalar, to.scalar) == Some(to.scalar) {
        if from.scalar.is_text() {
            return Ok(Typed::new(typed.node, to, at));
        }
        if !from.is_array {
            let node = Checked::Convert(Box::new(typed.node), from, to);
            return Ok(Typed::new(node, to, at));
        }
    }
    Err(mismatch(from.to_string()))
}

/// The type that values of both convert to by themselves.
pub(super) fn shared_scalar(one: Scalar, other: Scalar) -> Option<Scalar> {
    const NUMBERS: [Scalar; 6] = [
        Scalar::Int2,
        Scalar::Int4,
        Scalar::Int8,
        Scalar::Numeric,
        Scalar::Float4,
        Scalar::Float8,
    ];
    const DATES: [Scalar; 3] = [Scalar::Date, Scalar::Timestamp, Scalar::TimestampTz];
    let later = |order: &[Scalar]| {
        let place = |scalar| order.iter().position(|found| *found == scalar);
        Some(order[place(one)?.max(place(other)?)])
    };
    if one == other {
        return Some(one);
    }
    if one.is_text() && other.is_text() {
        return Some(Scalar::Text);
    }
    match later(&NUMBERS) {
        // Only floats of one width stay narrow.
        Some(Scalar::Float4) => Some(Scalar::Float8),
        Some(scalar) => Some(scalar),
        None => later(&DATES),
    }
}

/// The type that all of these have or take; none where they have none together.
pub(super) fn shared_kind(all: &[&Typed]) -> Option<Kind> {
    let mut shared: Option<Kind> = None;
    for typed in all {
        let kind = match typed.class {
            Class::Unknown => continue,
            Class::Known(kind) => kind,
            Class::Row(_) => return None,
        };
        shared = Some(match shared {
            None => kind,
            Some(before) if before.is_array != kind.is_array => return None,
            Some(before) => {
                let scalar = shared_scalar(before.scalar, kind.scalar)?;
                let is_kept = before.scalar == kind.scalar || before.scalar.is_text();
                if kind.is_array && !is_kept {
                    return None;
                }
                Kind { scalar, ..kind }
            }
        });
    }
    Some(shared.unwrap_or(Kind::TEXT))
}

/// Replaces what is made of constants alone by its value.
pub(super) fn fold(typed: Typed) -> Result<Typed, FilterError> {
    if !is_foldable(&typed.node) {
        return Ok(typed);
    }
    let columns: &[ShapeColumn] = &[];
    let row = FilterRow::without_cells(columns);
    let value = evaluate(&typed.node, &row).map(std::borrow::Cow::into_owned);
    match value {
        Ok(value) => Ok(Typed {
            node: Checked::Constant(value),
            ..typed
        }),
        Err(fault) => {
            let kind = typed.name();
            let message = match fault {
                Fault::OutOfRange => format!("{kind} out of range"),
                Fault::DivisionByZero => "division by zero".to_owned(),
                Fault::Unreadable => format!("invalid input for type {kind}"),
                Fault::Mismatch => "the values don't fit each other".to_owned(),
                Fault::TooLarge => format!("{kind} is too large"),
            };
            Err(FilterError::new(typed.at, message))
        }
    }
}

fn is_foldable(node: &Checked) -> bool {
    let constant = |node: &Checked| matches!(node, Checked::Constant(_));
    match node {
        Checked::Compare(_, one, other) | Checked::IsDistinct(one, other) => {
            constant(one) && constant(other)
        }
        Checked::Call(call) => call.arguments.iter().all(constant),
        Checked::Convert(part, ..) | Checked::Fit(part, _) | Checked::Modify(part, _) => {
            constant(part) || is_foldable(part)
        }
        Checked::Array(parts) | Checked::Coalesce(parts) | Checked::Extreme(_, parts) => {
            parts.iter().all(|part| constant(part) || is_foldable(part))
        }
        Checked::ArrayText(_, parts) => parts.iter().all(constant),
        Checked::Quantified(_, _, left, array) => constant(left) && constant(array),
        Checked::Element(array, places) => constant(array) && places.iter().all(constant),
        Checked::Constant(_)
        | Checked::Column(_)
        | Checked::And(_)
        | Checked::Or(_)
        | Checked::Not(_)
        | Checked::Is(..)
        | Checked::IsNull(..)
        | Checked::Row(_)
        | Checked::Slice(..) => false,
    }
}
