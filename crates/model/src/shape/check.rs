//! From a tree to an expression whose types fit, by the rules of Postgres.

mod arithmetic;
mod calls;
mod conditions;
mod operators;
mod resolve;

use super::columns::ShapeColumn;
use super::datum::Datum;
use super::decimal::Decimal;
use super::error::FilterError;
use super::evaluate::{Checked, Comparison};
use super::functions::convert::can_cast;
use super::kind::{Kind, Scalar};
use super::syntax::{CastTarget, Expression, Node, Subscript};
use resolve::fold;

/// An expression and what is known of its type.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub node: Checked,
    pub class: Class,
    pub at: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Class {
    /// A text in quotes or a null, which takes the type that is asked of it.
    Unknown,
    Known(Kind),
    Row(Vec<Typed>),
}

impl Typed {
    fn new(node: Checked, kind: Kind, at: usize) -> Self {
        Self {
            node,
            class: Class::Known(kind),
            at,
        }
    }

    /// The type's name, for errors.
    fn name(&self) -> String {
        match &self.class {
            Class::Unknown => "unknown".to_owned(),
            Class::Known(kind) => kind.to_string(),
            Class::Row(_) => "record".to_owned(),
        }
    }
}

/// What columns there are, and the table that they may be qualified with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub table: &'a str,
    pub columns: &'a [ShapeColumn],
}

/// Checks a filter: it must be a boolean.
pub(super) fn check(expression: &Expression, scope: Scope<'_>) -> Result<Checked, FilterError> {
    let typed = scope.typed(expression)?;
    let typed = match typed.class {
        Class::Unknown => typed.resolved(Kind::BOOL)?,
        Class::Known(Kind::BOOL) => typed,
        Class::Known(_) | Class::Row(_) => {
            let message = "WHERE clause must return a boolean";
            return Err(FilterError::new(expression.at, message));
        }
    };
    Ok(typed.node)
}

impl Scope<'_> {
    fn typed(&self, expression: &Expression) -> Result<Typed, FilterError> {
        let at = expression.at;
        let unknown = |datum| Typed {
            node: Checked::Constant(datum),
            class: Class::Unknown,
            at,
        };
        match &expression.node {
            Node::Null => Ok(unknown(Datum::Null)),
            Node::Unknown(text) => Ok(unknown(Datum::Text(text.clone()))),
            Node::Bool(value) => {
                let node = Checked::Constant(Datum::Bool(*value));
                Ok(Typed::new(node, Kind::BOOL, at))
            }
            Node::Number(text) => number(text, at),
            Node::Column(path) => self.column(path, at),
            Node::Unary(operator, operand) => {
                arithmetic::unary(operator, self.typed(operand)?, at).and_then(fold)
            }
            Node::Binary(operator, one, other) => {
                let (one, other) = (self.typed(one)?, self.typed(other)?);
                operators::binary(operator, one, other, at).and_then(fold)
            }
            Node::Quantified {
                operator,
                quantifier,
                left,
                array,
            } => {
                let (left, array) = (self.typed(left)?, self.typed(array)?);
                operators::quantified(operator, *quantifier, left, array, at).and_then(fold)
            }
            Node::Cast(part, target) => cast(self.typed(part)?, target, at).and_then(fold),
            Node::Call(name, arguments) => {
                calls::call(name, self.all(arguments)?, at).and_then(fold)
            }
            Node::Array(parts) => calls::array(self.all(parts)?, at).and_then(fold),
            Node::Row(parts) => {
                let parts = self.all(parts)?;
                let nodes = parts.iter().map(|part| part.node.clone()).collect();
                Ok(Typed {
                    node: Checked::Row(nodes),
                    class: Class::Row(parts),
                    at,
                })
            }
            Node::Element(array, subscripts) => self.element(array, subscripts, at).and_then(fold),
            Node::And(_)
            | Node::Or(_)
            | Node::Not(_)
            | Node::Is { .. }
            | Node::IsNull(..)
            | Node::IsDistinct(..)
            | Node::Between { .. }
            | Node::In { .. } => self.test(expression),
        }
    }

    fn all(&self, parts: &[Expression]) -> Result<Vec<Typed>, FilterError> {
        parts.iter().map(|part| self.typed(part)).collect()
    }

    fn column(&self, path: &[String], at: usize) -> Result<Typed, FilterError> {
        let (name, qualifier) = path.split_last().expect("a path has a name");
        let is_ours = match qualifier {
            [] => true,
            [table] => table == self.table,
            [schema, table] => schema == "public" && table == self.table,
            _ => false,
        };
        let column = self.columns.iter().position(|column| column.name == *name);
        match column.filter(|_| is_ours) {
            Some(n) => Ok(Typed::new(Checked::Column(n), self.columns[n].kind, at)),
            None => {
                let name = path.join(".");
                Err(FilterError::new(at, format!("unknown reference {name}")))
            }
        }
    }

    fn element(
        &self,
        array: &Expression,
        subscripts: &[Subscript],
        at: usize,
    ) -> Result<Typed, FilterError> {
        let array = self.typed(array)?;
        let Class::Known(kind @ Kind { is_array: true, .. }) = array.class else {
            let message = format!("cannot subscript type {}", array.name());
            return Err(FilterError::new(at, message));
        };
        let place = |expression: &Expression| {
            let place = self.typed(expression)?.resolved_as_whole()?;
            Ok::<_, FilterError>(place.node)
        };
        let maybe = |end: &Option<Expression>| end.as_ref().map(place).transpose();
        let is_slice = |subscript: &Subscript| matches!(subscript, Subscript::Slice(..));
        if subscripts.iter().any(is_slice) {
            let ends = subscripts.iter().map(|subscript| match subscript {
                Subscript::At(high) => Ok((None, Some(place(high)?))),
                Subscript::Slice(low, high) => Ok((maybe(low)?, maybe(high)?)),
            });
            let ends = ends.collect::<Result<_, FilterError>>()?;
            let node = Checked::Slice(Box::new(array.node), ends);
            return Ok(Typed::new(node, kind, at));
        }
        let places = subscripts.iter().filter_map(|subscript| match subscript {
            Subscript::At(at) => Some(place(at)),
            Subscript::Slice(..) => None,
        });
        let places = places.collect::<Result<_, _>>()?;
        let node = Checked::Element(Box::new(array.node), places);
        Ok(Typed::new(node, kind.element(), at))
    }
}

fn number(text: &str, at: usize) -> Result<Typed, FilterError> {
    let constant = |datum, scalar| Typed::new(Checked::Constant(datum), Kind::one(scalar), at);
    if let Ok(value) = text.parse::<i32>() {
        return Ok(constant(Datum::Int(i64::from(value)), Scalar::Int4));
    }
    if let Ok(value) = text.parse::<i64>() {
        return Ok(constant(Datum::Int(value), Scalar::Int8));
    }
    let decimal = Decimal::read(text);
    let decimal = decimal.ok_or_else(|| FilterError::new(at, "this number has too many digits"))?;
    Ok(constant(Datum::Numeric(decimal), Scalar::Numeric))
}

fn cast(part: Typed, target: &CastTarget, at: usize) -> Result<Typed, FilterError> {
    let to = target.kind;
    let node = match part.class {
        Class::Unknown => part.resolved(to)?.node,
        Class::Known(from) if can_cast(from, to) => {
            if from == to {
                part.node
            } else {
                Checked::Convert(Box::new(part.node), from, to)
            }
        }
        Class::Known(_) | Class::Row(_) => {
            let message = format!("cannot cast type {} to {to}", part.name());
            return Err(FilterError::new(at, message));
        }
    };
    let node = if target.modifiers.is_empty() {
        node
    } else {
        Checked::Modify(Box::new(node), target.modifiers.clone())
    };
    Ok(Typed::new(node, to, at))
}

/// A comparison whose sides have one type.
fn compared(comparison: Comparison, one: Typed, other: Typed, at: usize) -> Typed {
    let node = Checked::Compare(comparison, Box::new(one.node), Box::new(other.node));
    Typed::new(node, Kind::BOOL, at)
}
