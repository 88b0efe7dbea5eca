//! A filter, ready to be asked of rows.

use std::cell::{Cell, OnceCell};
use std::fmt;

use super::check::{Scope, check};
use super::columns::ShapeColumn;
use super::datum::Datum;
use super::error::{Fault, FilterError};
use super::evaluate::{Checked, Comparison, Test, evaluate};
use super::kind::Scalar;
use super::parser::parse;
use super::print::print_datum;
use super::read::read_datum;
use super::syntax::Quantifier;

/// Bytes of a filter at most: reading one takes memory in proportion.
pub const WHERE_BYTES_MAX: usize = 64 << 10;

/// Bytes of values that a filter may make of one row, those of parts of it among them. A filter names a
/// column as often as it likes, so that what it makes of a long text has no bound of its own. A row
/// that it makes more of is not in the shape.
pub const EVALUATED_BYTES_MAX: usize = 64 << 20;

/// Which rows a shape holds.
#[derive(Clone)]
pub struct Filter {
    expression: Checked,
    equality: Option<Equality>,
}

/// Values of one column, as text, of which a row must have one to be in the shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equality {
    /// Its place among the columns.
    pub column: usize,
    pub values: Vec<String>,
}

impl Filter {
    /// Reads a filter on rows with these columns; `parameters` are the texts of `$1`, `$2`, …
    pub fn parse(
        text: &str,
        parameters: &[String],
        table: &str,
        columns: &[ShapeColumn],
    ) -> Result<Self, FilterError> {
        if text.len() > WHERE_BYTES_MAX {
            let message = format!("the filter is longer than {WHERE_BYTES_MAX} bytes");
            return Err(FilterError::new(0, message));
        }
        let expression = parse(text, parameters)?;
        let expression = check(&expression, Scope { table, columns })?;
        let equality = equality(&expression, columns);
        Ok(Self {
            expression,
            equality,
        })
    }

    /// Whether the row is in the shape: whether the filter is true of it, and neither false nor null.
    pub fn matches(&self, row: &FilterRow<'_>) -> bool {
        self.truth(row) == Some(true)
    }

    /// The value of the filter; none for null, and where Postgres would fail.
    pub fn truth(&self, row: &FilterRow<'_>) -> Option<bool> {
        row.made.set(0);
        evaluate(&self.expression, row).ok()?.truth()
    }

    /// What a row must equal to be in the shape, where that follows from the filter: an index on it
    /// finds the filters that a row may concern.
    pub fn equality(&self) -> Option<&Equality> {
        self.equality.as_ref()
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(formatter)
    }
}

/// The equality that every row of `expression` satisfies.
fn equality(expression: &Checked, columns: &[ShapeColumn]) -> Option<Equality> {
    match expression {
        Checked::And(parts) => parts.iter().find_map(|part| equality(part, columns)),
        Checked::Compare(Comparison::Equal, one, other) => match (&**one, &**other) {
            (Checked::Column(column), Checked::Constant(constant))
            | (Checked::Constant(constant), Checked::Column(column)) => {
                of_values(*column, std::slice::from_ref(constant), columns)
            }
            _ => None,
        },
        Checked::Quantified(Test::Compare(Comparison::Equal), Quantifier::Any, one, other) => {
            match (&**one, &**other) {
                (Checked::Column(column), Checked::Constant(Datum::Array(values))) => {
                    of_values(*column, values, columns)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn of_values(column: usize, values: &[Datum], columns: &[ShapeColumn]) -> Option<Equality> {
    let kind = columns.get(column)?.kind;
    // Of these types, values are equal where their texts are.
    let is_exact = matches!(
        kind.scalar,
        Scalar::Bool
            | Scalar::Int2
            | Scalar::Int4
            | Scalar::Int8
            | Scalar::Text
            | Scalar::Varchar
            | Scalar::Uuid
    );
    if kind.is_array || !is_exact || values.iter().any(|value| matches!(value, Datum::Array(_))) {
        return None;
    }
    let values = values.iter().filter_map(|value| print_datum(kind, value));
    Some(Equality {
        column,
        values: values.collect(),
    })
}

/// Where the cells of a row come from.
pub trait CellSource {
    /// The text of a column's cell; none for null.
    fn cell(&self, column: usize) -> Option<&str>;
}

impl CellSource for Vec<Option<String>> {
    fn cell(&self, column: usize) -> Option<&str> {
        self.get(column)?.as_deref()
    }
}

/// A row on which filters are asked. A cell is read once, for all of them.
pub struct FilterRow<'a> {
    columns: &'a [ShapeColumn],
    cells: Option<&'a dyn CellSource>,
    values: Vec<OnceCell<Result<Datum, Fault>>>,
    /// Bytes of values that the filter in hand has made.
    made: Cell<usize>,
}

impl<'a> FilterRow<'a> {
    pub fn new(columns: &'a [ShapeColumn], cells: &'a dyn CellSource) -> Self {
        Self {
            columns,
            cells: Some(cells),
            values: vec![OnceCell::new(); columns.len()],
            made: Cell::new(0),
        }
    }

    pub(super) fn without_cells(columns: &'a [ShapeColumn]) -> Self {
        Self {
            columns,
            cells: None,
            values: Vec::new(),
            made: Cell::new(0),
        }
    }

    /// Takes note of a value that the filter in hand has made, if it may still make it.
    pub(super) fn keep(&self, value: Datum) -> Result<Datum, Fault> {
        self.made.set(self.made.get().saturating_add(value.bytes()));
        if self.made.get() > EVALUATED_BYTES_MAX {
            return Err(Fault::TooLarge);
        }
        Ok(value)
    }

    pub(super) fn value(&self, column: usize) -> Result<&Datum, Fault> {
        let cell = self.values.get(column).ok_or(Fault::Mismatch)?;
        let read = || {
            let text = self.cells.and_then(|cells| cells.cell(column));
            let Some(text) = text else {
                return Ok(Datum::Null);
            };
            read_datum(self.columns[column].kind, text).ok_or(Fault::Unreadable)
        };
        cell.get_or_init(read).as_ref().map_err(|fault| *fault)
    }
}

impl fmt::Debug for FilterRow<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.values).finish()
    }
}
