//! The order of a subset: plain columns, each up or down.

use std::cmp::Ordering;

use super::columns::{ShapeColumn, column_name};
use super::datum::compare;
use super::error::FilterError;
use super::filter::FilterRow;
use super::parser::Parser;

/// What rows are ordered by, first things first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    pub terms: Vec<OrderTerm>,
}

/// One column of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderTerm {
    /// Its place among the table's columns.
    pub column: usize,
    pub direction: Ordering,
    /// Where nulls stand.
    pub nulls: Ordering,
}

impl OrderBy {
    /// Reads `"created_at" DESC NULLS LAST, id`.
    pub fn parse(text: &str, columns: &[ShapeColumn]) -> Result<Self, FilterError> {
        let mut parser = Parser::of(text)?;
        let mut terms = Vec::new();
        loop {
            terms.push(term(&mut parser, columns)?);
            if !parser.take_mark(",") {
                parser.end()?;
                return Ok(Self { terms });
            }
        }
    }

    /// The order of two rows.
    pub fn compare(&self, one: &FilterRow<'_>, other: &FilterRow<'_>) -> Ordering {
        let orders = self.terms.iter().map(|term| term.compare(one, other));
        orders.fold(Ordering::Equal, Ordering::then)
    }
}

impl OrderTerm {
    fn compare(&self, one: &FilterRow<'_>, other: &FilterRow<'_>) -> Ordering {
        let value = |row: &'_ FilterRow<'_>| {
            let value = row.value(self.column).ok();
            value.filter(|value| !value.is_null()).cloned()
        };
        match (value(one), value(other)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => self.nulls,
            (Some(_), None) => self.nulls.reverse(),
            (Some(one), Some(other)) => {
                let order = compare(&one, &other);
                if self.direction.is_gt() {
                    order.reverse()
                } else {
                    order
                }
            }
        }
    }
}

fn term(parser: &mut Parser<'_>, columns: &[ShapeColumn]) -> Result<OrderTerm, FilterError> {
    let at = parser.peek().at;
    let name = column_name(parser)?;
    let column = columns.iter().position(|column| column.name == name);
    let unknown = || FilterError::new(at, format!("unknown reference {name}"));
    let column = column.ok_or_else(unknown)?;
    let direction = if parser.take_word("desc") {
        Ordering::Greater
    } else {
        parser.take_word("asc");
        Ordering::Less
    };
    // A null is greater than all values, unless the order says where it stands.
    let mut nulls = direction.reverse();
    if parser.take_word("nulls") {
        nulls = if parser.take_word("first") {
            Ordering::Less
        } else if parser.take_word("last") {
            Ordering::Greater
        } else {
            return Err(parser.peek().unexpected());
        };
    }
    Ok(OrderTerm {
        column,
        direction,
        nulls,
    })
}
