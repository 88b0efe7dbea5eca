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

    /// Writes `row`, replacing the one with its key.
    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), Self::Error>;

    /// Writes `row` unless one with its key is there; says whether it was written.
    fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool, Self::Error>;

    /// Removes all rows of `resource`.
    fn clear(&mut self, table: &'static Table, resource: &str) -> Result<(), Self::Error>;
}
