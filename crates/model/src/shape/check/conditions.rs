//! What tests a value: the words of three-valued logic, ranges and lists.

use super::super::datum::Datum;
use super::super::error::FilterError;
use super::super::evaluate::{Checked, Comparison, Test};
use super::super::kind::Kind;
use super::super::syntax::{Ends, Expression, Node, Polarity, Quantifier};
use super::operators::{comparison, distinct};
use super::resolve::fold;
use super::{Class, Scope, Typed};

impl Scope<'_> {
    pub(super) fn test(&self, expression: &Expression) -> Result<Typed, FilterError> {
        let at = expression.at;
        let node = match &expression.node {
            Node::And(parts) => Checked::And(self.conditions(parts, "AND")?),
            Node::Or(parts) => Checked::Or(self.conditions(parts, "OR")?),
            Node::Not(part) => Checked::Not(Box::new(self.condition(part, "NOT")?)),
            Node::Is {
                tested,
                truth,
                polarity,
            } => {
                let tested = Box::new(self.condition(tested, "IS")?);
                negated(Checked::Is(tested, *truth), *polarity)
            }
            Node::IsNull(tested, polarity) => {
                let tested = self.typed(tested)?;
                Checked::IsNull(Box::new(tested.node), *polarity)
            }
            Node::IsDistinct(one, other, polarity) => {
                let (one, other) = (self.typed(one)?, self.typed(other)?);
                negated(distinct(one, other, at)?, *polarity)
            }
            Node::Between {
                tested,
                low,
                high,
                ends,
                polarity,
            } => {
                let parts = (self.typed(tested)?, self.typed(low)?, self.typed(high)?);
                negated(between(parts, *ends, at)?, *polarity)
            }
            Node::In {
                tested,
                list,
                polarity,
            } => negated(self.membership(tested, list, at)?, *polarity),
            _ => unreachable!("the caller has dealt with the others"),
        };
        Ok(Typed::new(node, Kind::BOOL, at))
    }

    fn conditions(&self, parts: &[Expression], of: &str) -> Result<Vec<Checked>, FilterError> {
        let conditions = parts.iter().map(|part| self.condition(part, of));
        conditions.collect()
    }

    fn condition(&self, part: &Expression, of: &str) -> Result<Checked, FilterError> {
        let typed = self.typed(part)?;
        match &typed.class {
            Class::Unknown => Ok(typed.resolved(Kind::BOOL)?.node),
            Class::Known(Kind::BOOL) => Ok(typed.node),
            Class::Known(_) | Class::Row(_) => {
                let name = typed.name();
                let message = format!("argument of {of} must be type boolean, not type {name}");
                Err(FilterError::new(part.at, message))
            }
        }
    }

    /// A list of constants becomes one test of an array; others stay comparisons.
    fn membership(
        &self,
        tested: &Expression,
        list: &[Expression],
        at: usize,
    ) -> Result<Checked, FilterError> {
        let tested = self.typed(tested)?;
        let mut comparisons = Vec::with_capacity(list.len());
        for element in list {
            let element = self.typed(element)?;
            let typed = comparison(Comparison::Equal, tested.clone(), element, at)?;
            comparisons.push(fold(typed)?.node);
        }
        Ok(grouped(&comparisons).unwrap_or(Checked::Or(comparisons)))
    }
}

/// Comparisons of one column with constants, as one test.
fn grouped(comparisons: &[Checked]) -> Option<Checked> {
    let parts = comparisons.iter().map(|part| match part {
        Checked::Compare(Comparison::Equal, one, other) => match (&**one, &**other) {
            (Checked::Column(column), Checked::Constant(constant)) => Some((*column, constant)),
            _ => None,
        },
        _ => None,
    });
    let parts: Vec<(usize, &Datum)> = parts.collect::<Option<_>>()?;
    let (column, _) = *parts.first()?;
    let is_same = parts
        .iter()
        .all(|(found, constant)| *found == column && !matches!(constant, Datum::Array(_)));
    let elements = parts
        .iter()
        .map(|(_, constant)| (*constant).clone())
        .collect();
    is_same.then(|| {
        Checked::Quantified(
            Test::Compare(Comparison::Equal),
            Quantifier::Any,
            Box::new(Checked::Column(column)),
            Box::new(Checked::Constant(Datum::Array(elements))),
        )
    })
}

fn negated(node: Checked, polarity: Polarity) -> Checked {
    match polarity {
        Polarity::Plain => node,
        Polarity::Negated => Checked::Not(Box::new(node)),
    }
}

fn between(
    (tested, low, high): (Typed, Typed, Typed),
    ends: Ends,
    at: usize,
) -> Result<Checked, FilterError> {
    let within = |low: &Typed, high: &Typed| {
        let above = comparison(Comparison::GreaterOrEqual, tested.clone(), low.clone(), at)?;
        let below = comparison(Comparison::LessOrEqual, tested.clone(), high.clone(), at)?;
        Ok::<_, FilterError>(Checked::And(vec![above.node, below.node]))
    };
    let forward = within(&low, &high)?;
    Ok(match ends {
        Ends::LowFirst => forward,
        Ends::Symmetric => Checked::Or(vec![forward, within(&high, &low)?]),
    })
}
