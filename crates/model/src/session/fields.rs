//! What the fields of patches hold: how each becomes a cell, and which texts are in it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Change;
use crate::{Timestamp, Value};

/// The largest count, of tokens, milliseconds or billionths of a dollar; a larger one is taken for
/// it. A million of them can be added up.
const COUNT_MAX: u64 = 1 << 43;

pub(super) fn count_cell(count: u64) -> Value {
    Value::Integer(count.min(COUNT_MAX) as i64)
}

/// What a field of a row holds.
pub(super) trait IntoCell {
    fn into_cell(self) -> Value;
}

impl IntoCell for Cow<'_, str> {
    fn into_cell(self) -> Value {
        Value::Text(self.into_owned())
    }
}

impl IntoCell for Timestamp {
    fn into_cell(self) -> Value {
        Value::Integer(self.as_millis())
    }
}

impl IntoCell for u64 {
    fn into_cell(self) -> Value {
        count_cell(self)
    }
}

impl IntoCell for i64 {
    fn into_cell(self) -> Value {
        Value::Integer(self)
    }
}

impl IntoCell for bool {
    fn into_cell(self) -> Value {
        Value::Integer(self.into())
    }
}

/// A file that a tool call touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTouch<'a> {
    pub path: Cow<'a, str>,
    /// What was done to it: a word of [`super::words`].
    pub action: Cow<'a, str>,
}

impl IntoCell for Vec<FileTouch<'_>> {
    fn into_cell(self) -> Value {
        Value::Text(serde_json::to_string(&self).expect("texts are written as JSON"))
    }
}

/// Whether a field names a thing by an id that an agent or a replica made. Ids are compared, and two
/// that are changed alike would name one thing.
pub(super) fn is_id(field: &str) -> bool {
    matches!(
        field,
        "id" | "native_id"
            | "parent_session"
            | "parent_tool"
            | "parent_message"
            | "parent_id"
            | "response_id"
            | "message_id"
            | "child_session"
            | "copied_from"
    )
}

/// The texts in what a field holds.
pub(super) trait EachText<'a> {
    fn each_text(&mut self, visit: &mut impl FnMut(&mut Cow<'a, str>));
}

impl<'a> EachText<'a> for Cow<'a, str> {
    fn each_text(&mut self, visit: &mut impl FnMut(&mut Cow<'a, str>)) {
        visit(self);
    }
}

impl<'a> EachText<'a> for Vec<FileTouch<'a>> {
    fn each_text(&mut self, visit: &mut impl FnMut(&mut Cow<'a, str>)) {
        for FileTouch { path, action } in self {
            visit(path);
            visit(action);
        }
    }
}

impl<'a, T: EachText<'a>> EachText<'a> for Change<T> {
    fn each_text(&mut self, visit: &mut impl FnMut(&mut Cow<'a, str>)) {
        if let Change::Set(held) = self {
            held.each_text(visit);
        }
    }
}

macro_rules! has_no_text {
    ($($kind:ty),+) => {
        $(impl<'a> EachText<'a> for $kind {
            fn each_text(&mut self, _: &mut impl FnMut(&mut Cow<'a, str>)) {}
        })+
    };
}

has_no_text!(Timestamp, u64, i64, bool);
