//! What a cell of a query's row holds.

use std::borrow::Cow;
use std::fmt::Write as _;

use rusqlite::types::ValueRef;

/// A cell of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue<'a> {
    Null,
    Integer(i64),
    Real(f64),
    /// Bytes that are no UTF-8 are replaced.
    Text(Cow<'a, str>),
    Blob(&'a [u8]),
}

impl SqlValue<'_> {
    /// How many bytes its text or blob has.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Null | Self::Integer(_) | Self::Real(_) => 0,
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
        }
    }

    /// The value as text: empty for null, hexadecimal digits for a blob, and a point or an exponent in
    /// every real number.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Integer(number) => Cow::Owned(number.to_string()),
            Self::Real(number) => Cow::Owned(format!("{number:?}")),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Blob(bytes) => {
                let mut text = String::with_capacity(bytes.len() * 2);
                for byte in *bytes {
                    write!(text, "{byte:02x}").expect("writing to a string does not fail");
                }
                Cow::Owned(text)
            }
        }
    }
}

impl<'a> From<ValueRef<'a>> for SqlValue<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => Self::Text(String::from_utf8_lossy(bytes)),
            ValueRef::Blob(bytes) => Self::Blob(bytes),
        }
    }
}
