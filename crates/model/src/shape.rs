//! Shapes: live subsets of a table, and the language that says which rows they hold.
//!
//! The language is that of a Postgres `WHERE` without subqueries: the same precedence, types and
//! three-valued logic. A filter is parsed and typed once, against the table's columns, and then asked
//! of rows whose cells are Postgres' text. It is total: where Postgres would fail on a row (a division
//! by zero, a text that is no number), the row is not in the shape.
//!
//! Apart from Postgres: text compares by its bytes (as in collation `C`); decimals hold 38 digits;
//! time zones are UTC and offsets; powers are doubles.

mod check;
mod columns;
mod datum;
mod decimal;
mod error;
mod evaluate;
mod filter;
mod functions;
mod kind;
mod lexer;
mod operate;
mod order;
mod parser;
mod pattern;
mod print;
mod read;
mod syntax;
mod times;

pub(crate) use columns::scalar_of;
pub use columns::{ShapeColumn, column_list, entity_columns, table_name};
pub use datum::{Datum, Interval};
pub use decimal::Decimal;
pub use error::FilterError;
pub use filter::{CellSource, EVALUATED_BYTES_MAX, Equality, Filter, FilterRow, WHERE_BYTES_MAX};
pub use kind::{Kind, Scalar};
pub use order::{OrderBy, OrderTerm};
pub use print::print_datum;
pub use read::read_datum;
