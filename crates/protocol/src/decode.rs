//! Why bytes are not the message that they should be.

use syncline_model::ServerSeq;

use crate::ErrorCode;
use crate::json::{SyntaxError, Token};
use crate::limits::SERVER_SEQ_MAX;

/// Why a message can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("the body is not UTF-8")]
    Utf8(#[source] std::str::Utf8Error),
    #[error("the body is not JSON: expected {expected} at byte {at}")]
    Syntax { at: usize, expected: &'static str },
    #[error("the field `{field}` must be {expected}")]
    Field {
        field: &'static str,
        expected: &'static str,
    },
    #[error("the field `{field}` is missing")]
    Missing { field: &'static str },
    #[error("the field `{field}` is given twice")]
    Twice { field: &'static str },
    #[error("the push has more than the {max} ops allowed")]
    TooManyOps { max: usize },
    #[error("an op of the page can't be read")]
    Op(#[source] crate::OpError),
}

impl DecodeError {
    /// The code of the answer to a request that can't be read.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::TooManyOps { .. } => ErrorCode::PayloadTooLarge,
            Self::Utf8(_)
            | Self::Syntax { .. }
            | Self::Field { .. }
            | Self::Missing { .. }
            | Self::Twice { .. }
            | Self::Op(_) => ErrorCode::BadRequest,
        }
    }
}

impl From<SyntaxError> for DecodeError {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax {
            at: error.at,
            expected: error.expected,
        }
    }
}

/// A field of an object that is being read: its name, and its value once met.
#[derive(Debug)]
pub(crate) struct Field<T> {
    name: &'static str,
    value: Option<T>,
}

impl<T> Field<T> {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, value: None }
    }

    pub(crate) fn set(&mut self, value: T) -> Result<(), DecodeError> {
        match self.value.replace(value) {
            None => Ok(()),
            Some(_) => Err(DecodeError::Twice { field: self.name }),
        }
    }

    pub(crate) fn required(self) -> Result<T, DecodeError> {
        self.value.ok_or(DecodeError::Missing { field: self.name })
    }

    pub(crate) const fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    pub(crate) fn optional(self) -> Option<T> {
        self.value
    }
}

pub(crate) fn utf8(body: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(body).map_err(DecodeError::Utf8)
}

/// Reads a string that parses as `T`.
pub(crate) fn parsed<T: std::str::FromStr>(
    token: Token<'_>,
    field: &'static str,
    expected: &'static str,
) -> Result<T, DecodeError> {
    token
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or(DecodeError::Field { field, expected })
}

/// Reads a place in the log.
pub(crate) fn place(token: Token<'_>, field: &'static str) -> Result<ServerSeq, DecodeError> {
    token
        .as_u64()
        .filter(|place| *place <= SERVER_SEQ_MAX)
        .map(ServerSeq)
        .ok_or(DecodeError::Field {
            field,
            expected: PLACE,
        })
}

pub(crate) const PLACE: &str = "a whole number from 0 to 2^53-1";
pub(crate) const EPOCH: &str = "a UUID";
pub(crate) const MARK: &str = "32 lower-case hexadecimal digits";
