//! How what a patch says of a row becomes the row: field by field, then what follows from the fields.

use super::order::order_of_millis;
use super::precedence::Standing;
use super::stamps::Fields;
use super::tables::{
    COMPACTIONS, ERRORS, MESSAGES, SESSION_LINKS, SESSIONS, TOOLS, blank, cell, fields, place,
    stamps,
};
use super::{Change, words};
use crate::planted::{Defect, is_planted};
use crate::{Row, Rows, Table, Value};

/// A table whose fields merge one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merged {
    Session,
    Message,
    Tool,
    Error,
    Compaction,
    Link,
}

/// A row before and after a patch that changed it.
pub(super) struct Merge {
    pub(super) before: Option<Row>,
    pub(super) after: Row,
    pub(super) won: Fields,
}

impl Merged {
    pub(super) const fn table(self) -> &'static Table {
        match self {
            Self::Session => &SESSIONS,
            Self::Message => &MESSAGES,
            Self::Tool => &TOOLS,
            Self::Error => &ERRORS,
            Self::Compaction => &COMPACTIONS,
            Self::Link => &SESSION_LINKS,
        }
    }

    /// Merges a patch into the row with `key`; none if nothing of it wins. A row comes to be by a field
    /// that wins, so that the ops that compaction keeps make the same rows.
    pub(super) fn merge<R: Rows>(
        self,
        rows: &mut R,
        key: &[Value],
        changes: Vec<Change<Value>>,
        standing: &Standing,
    ) -> Result<Option<Merge>, R::Error> {
        let named = named(&changes);
        if named == 0 {
            return Ok(None);
        }
        let table = self.table();
        let before = rows.get(table, key)?;
        let mut after = before.clone().unwrap_or_else(|| blank(table, key));
        let mut stamps = stamps(&after);
        let won = stamps.win(named, standing);
        if won == 0 {
            return Ok(None);
        }
        let cells = after[table.key_columns..].iter_mut();
        for ((place, cell), change) in cells.enumerate().zip(changes) {
            match change {
                Change::Set(value) if won >> place & 1 == 1 => *cell = value,
                Change::Clear if won >> place & 1 == 1 => *cell = Value::Null,
                Change::Keep | Change::Clear | Change::Set(_) => {}
            }
        }
        self.derive(&mut after);
        *after.last_mut().expect("a row has columns") = stamps.to_text().into();
        Ok(Some(Merge { before, after, won }))
    }

    /// Sets the cells that follow from the row's fields.
    fn derive(self, row: &mut Row) {
        let table = self.table();
        let get = |name: &str| cell(table, row, name);
        let position = || match (get("ordinal"), get("at")) {
            (Value::Integer(order), _) => *order,
            (_, Value::Integer(at)) => order_of_millis(*at),
            _ => 0,
        };
        let copied = || *get("copied_from") != Value::Null && !is_planted(Defect::CopiesCount);
        let derived: Vec<(&str, i64)> = match self {
            Self::Session => {
                let times = ["updated_at", "ended_at", "started_at"];
                let last = times.into_iter().find_map(|name| get(name).as_integer());
                vec![("last_at", last.unwrap_or_default())]
            }
            Self::Message => {
                let spoken = [words::USER, words::ASSISTANT];
                let spoken = spoken.into_iter().any(|role| get("role") == &role.into());
                let apart = *get("kind") != Value::Null || is_true(get("rewound"));
                let counted = spoken && !apart && !copied();
                vec![("position", position()), ("counted", counted.into())]
            }
            Self::Tool => {
                let counted = !copied();
                let failed = counted && get("success").as_integer() == Some(0);
                vec![
                    ("position", position()),
                    ("counted", counted.into()),
                    ("failed", failed.into()),
                ]
            }
            Self::Error | Self::Compaction => {
                vec![("position", position()), ("counted", i64::from(!copied()))]
            }
            Self::Link => Vec::new(),
        };
        for (name, value) in derived {
            row[place(table, name)] = Value::Integer(value);
        }
    }

    /// The counts of the session that a row is part of, by their columns.
    pub(super) fn counts(self, row: Option<&Row>) -> &'static [&'static str] {
        let Some(row) = row else {
            return &[];
        };
        let table = self.table();
        let is = |name| is_true(cell(table, row, name));
        match self {
            Self::Message if !is("counted") => &[],
            Self::Message if *cell(table, row, "role") == words::USER.into() => {
                &["message_count", "prompt_count"]
            }
            Self::Message => &["message_count"],
            Self::Tool if is("failed") => &["tool_call_count", "tool_error_count"],
            Self::Tool if is("counted") => &["tool_call_count"],
            Self::Error if is("counted") => &["error_count"],
            Self::Compaction if is("counted") => &["compaction_count"],
            Self::Session | Self::Tool | Self::Error | Self::Compaction | Self::Link => &[],
        }
    }
}

/// Whether nothing tells where a call stands: its own line is not there.
pub(super) fn is_unplaced(call: &Row) -> bool {
    let mut own = ["ordinal", "at"].into_iter();
    own.all(|name| *cell(&TOOLS, call, name) == Value::Null)
}

/// Has a call stand where its result does, as far as that is known: its place, or its time.
pub(super) fn place_by_result(call: &mut Row, result: Option<i64>) {
    let ended = cell(&TOOLS, call, "completed_at").as_integer();
    let stands = ended.map(order_of_millis).max(result);
    call[place(&TOOLS, "position")] = Value::Integer(stands.unwrap_or_default());
}

fn is_true(cell: &Value) -> bool {
    cell.as_integer() == Some(1)
}

/// The fields of which a patch says anything.
pub(super) fn named(changes: &[Change<Value>]) -> Fields {
    let said = |change: &Change<Value>| match change {
        Change::Keep => false,
        Change::Clear => !is_planted(Defect::NullIsAbsent),
        Change::Set(_) => true,
    };
    let places = changes.iter().enumerate();
    fields(
        places
            .filter(|(_, change)| said(change))
            .map(|(place, _)| place),
    )
}
