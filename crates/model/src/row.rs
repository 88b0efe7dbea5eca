//! The rows of a view, and the small door through which a fold reaches them.

/// A cell, as SQLite stores it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    Null,
    Integer(i64),
    Text(String),
}

impl Value {
    pub fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(value) = self {
            Some(value)
        } else {
            None
        }
    }

    pub fn into_text(self) -> Option<String> {
        if let Self::Text(value) = self {
            Some(value)
        } else {
            None
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A column of a view table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    /// The SQLite type: `TEXT` or `INTEGER`.
    pub sql_type: &'static str,
    pub nullable: bool,
}

impl Column {
    /// A column of text.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self {
            name,
            sql_type: "TEXT",
            nullable: false,
        }
    }

    /// A column of whole numbers.
    pub(crate) const fn integer(name: &'static str) -> Self {
        Self {
            name,
            sql_type: "INTEGER",
            nullable: false,
        }
    }

    /// The same column, whose cells may be null.
    pub(crate) const fn or_null(self) -> Self {
        Self {
            nullable: true,
            ..self
        }
    }
}

/// A view table. Its first `key_columns` columns are its primary key, and the first of those is the
/// resource id: a fold reaches only rows of the resource that its op names.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
    pub key_columns: usize,
    /// The column whose text is indexed for full-text search, if any.
    pub searched: Option<usize>,
    /// Further indexes, each a list of columns.
    pub indexes: &'static [&'static [&'static str]],
}

/// The cells of one row, in the order of its table's columns.
pub type Row = Vec<Value>;

/// A row while it is changed: knows which of its cells were set.
#[derive(Debug)]
pub struct Draft<'r> {
    row: &'r mut Row,
    /// A bit for each column, the first one the lowest. No table has more than 64.
    set: u64,
}

impl<'r> Draft<'r> {
    pub fn new(row: &'r mut Row) -> Self {
        Self { row, set: 0 }
    }

    pub fn row(&self) -> &Row {
        self.row
    }

    pub fn set(&mut self, column: usize, cell: impl Into<Value>) {
        self.row[column] = cell.into();
        self.set |= 1 << column;
    }

    /// Whether a cell was set in one of these columns.
    pub fn has_set(&self, columns: &[usize]) -> bool {
        columns.iter().any(|column| self.set & 1 << column != 0)
    }

    /// Whether any cell was set.
    pub fn is_written(&self) -> bool {
        self.set != 0
    }
}

/// Access to the rows of the resource that is being folded.
///
/// Reads see the writes made before them. The fold never learns where rows live; an error is the
/// store's alone.
pub trait Rows {
    type Error;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, Self::Error>;

    /// Shows a row to `see` where it lies: what is only looked at need not be copied.
    fn look<T>(
        &mut self,
        table: &'static Table,
        key: &[Value],
        see: impl FnOnce(Option<&Row>) -> T,
    ) -> Result<T, Self::Error> {
        Ok(see(self.get(table, key)?.as_ref()))
    }

    /// Lets `change` change the row with this key, or where there is none the one that `make` makes;
    /// writes it if a cell was set. Who has rows in memory may change them where they lie.
    fn change(
        &mut self,
        table: &'static Table,
        key: &[Value],
        make: impl FnOnce() -> Row,
        change: impl FnOnce(&mut Draft<'_>),
    ) -> Result<(), Self::Error> {
        let mut row = self.get(table, key)?.unwrap_or_else(make);
        let mut draft = Draft::new(&mut row);
        change(&mut draft);
        if draft.is_written() {
            self.put(table, row)?;
        }
        Ok(())
    }

    /// Writes `row`, replacing the one with its key.
    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), Self::Error>;

    /// Writes `row` unless one with its key is there; says whether it was written.
    fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool, Self::Error>;

    /// Removes all rows of `resource`.
    fn clear(&mut self, table: &'static Table, resource: &str) -> Result<(), Self::Error>;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::list::TITLES;

    /// Room for one row, and how often it was written.
    #[derive(Default)]
    struct OneRow {
        row: Option<Row>,
        writes: usize,
    }

    impl Rows for OneRow {
        type Error = Infallible;

        fn get(&mut self, _: &'static Table, _: &[Value]) -> Result<Option<Row>, Infallible> {
            Ok(self.row.clone())
        }

        fn put(&mut self, _: &'static Table, row: Row) -> Result<(), Infallible> {
            self.row = Some(row);
            self.writes += 1;
            Ok(())
        }

        fn insert(&mut self, _: &'static Table, _: Row) -> Result<bool, Infallible> {
            unreachable!("a change puts")
        }

        fn clear(&mut self, _: &'static Table, _: &str) -> Result<(), Infallible> {
            unreachable!("a change puts")
        }
    }

    fn row(title: &str) -> Row {
        vec!["l".into(), title.into(), "".into()]
    }

    fn change(rows: &mut OneRow, change: impl FnOnce(&mut Draft<'_>)) {
        let made = || row("made");
        let changed = rows.change(&TITLES, &["l".into()], made, change);
        changed.expect("memory does not fail");
    }

    #[test]
    fn a_change_that_sets_no_cell_writes_no_row() {
        let mut rows = OneRow::default();
        change(&mut rows, |draft| assert_eq!(*draft.row(), row("made")));
        assert_eq!((rows.row, rows.writes), (None, 0));
    }

    #[test]
    fn a_change_begins_with_the_row_that_is_there() {
        let mut rows = OneRow::default();
        change(&mut rows, |draft| draft.set(2, "first"));
        change(&mut rows, |draft| {
            assert_eq!(draft.row()[2], "first".into());
            draft.set(1, "second");
            assert!(draft.has_set(&[0, 1]) && !draft.has_set(&[0, 2]));
        });
        let written = vec!["l".into(), "second".into(), "first".into()];
        assert_eq!((rows.row, rows.writes), (Some(written), 2));
    }
}
