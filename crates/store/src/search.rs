//! Full-text search over thread entries.

mod words;

pub(crate) use words::index_text;
