//! Reading and writing JSON in one pass over the bytes.
//!
//! A push or a page is thousands of small ops around payloads that nobody looks into here. The
//! reader checks a payload's syntax, nesting and length while it passes over it, and hands out the
//! very bytes; the writer copies them. What is accepted is what RFC 8259 allows, no more.

mod reader;

mod token;
mod writer;

pub(crate) use reader::{Reader, SyntaxError};
pub(crate) use token::{Kind, Token};
pub(crate) use writer::Writer;
