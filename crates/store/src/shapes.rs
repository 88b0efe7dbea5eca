//! Shapes: what readers of live subsets need beside the view.
//!
//! A relation is a table that shapes are made of: a stable view of `query`, or an application's
//! entity. From its first shape on, its rows are kept as Postgres' text, and each op's changes to them
//! are noted with the rows before and after. So the state at any place is the rows as they are, with
//! the first image after the place of those that have changed since; and the changes after a place are
//! a range of the history, whatever a shape's filter is. A tenant without shapes has none of these
//! tables.
//!
//! The tables say which place they have reached: where that is not the log's head, something else has
//! written the view, and all shapes begin anew.

mod builtin;
mod cells;
mod entity;
mod fill;
mod history;
mod kept;
mod made;
mod relation;
mod tables;
mod text;
mod told;
mod track;

pub use cells::{ShapeCells, cells_of_key};
pub(crate) use entity::cells_of;
pub use history::{After, Flow, HistoryRow, SnapshotRow};
pub use made::{MadeShape, Making, NewShape};
pub use relation::Relation;
pub(crate) use tables::{drop_tables, trim};
pub use told::{RecordTouch, record_told};
pub(crate) use track::Tracker;
pub use track::{ShapeChange, ShapeChanges};

#[cfg(test)]
mod tests;
