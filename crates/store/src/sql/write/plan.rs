//! What rows that a statement would change mean for the log.
//!
//! A fold says what can be said anew of a thing: the rest is refused, with the command to use instead.

mod sessions;

use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::types::Value;
use syncline_model::list::{Command, ItemRef, Spot};
use syncline_model::session::{Delete, SessionId, SessionOp};
use syncline_model::thread::{Status, ThreadId};
use syncline_model::{ItemId, ListId, PayloadError, Scope, Timestamp};

use super::{RowChange, SqlChanges, WriteKind};
use crate::StoreError;
use crate::local::NewOp;
use crate::sessions::TREE_IDS;
use crate::threads::{Changes, PlanError, plan_delete, plan_update, thread};

/// What a statement comes to.
#[derive(Debug)]
pub struct WritePlan {
    pub view: &'static str,
    pub kind: WriteKind,
    /// The rows that become other than they are.
    pub rows: u64,
    /// The columns that are changed.
    pub columns: Vec<&'static str>,
    pub ops: WriteOps,
}

/// How it is written.
#[derive(Debug)]
pub enum WriteOps {
    Ops(Vec<NewOp>),
    /// As one change, which can be undone.
    Lists(Vec<Command>),
}

/// Why a statement is not carried out; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum WritePlanError {
    /// The fold has no op for it.
    #[error("{what}")]
    Forbidden { what: String, instead: &'static str },
    #[error("{column} must be {expected}")]
    Value {
        column: &'static str,
        expected: &'static str,
    },
    #[error(transparent)]
    Thread(#[from] PlanError),
    #[error("could not write an op's payload")]
    Payload(#[from] PayloadError),
    #[error("could not read the view")]
    Store(#[from] StoreError),
}

/// Plans what `changes` means, on the view that `connection` reads.
pub fn plan_write(
    connection: &Connection,
    changes: &SqlChanges,
    now: Timestamp,
) -> Result<WritePlan, WritePlanError> {
    let mut planner = Planner {
        connection,
        changes,
        now,
        said: Vec::new(),
    };
    planner.said = planner.all_said()?;
    let ops = match (changes.view.name, changes.kind) {
        ("lists", WriteKind::Delete) => {
            WriteOps::Lists(planner.each(|p, row, _| p.remove_list(row))?)
        }
        ("lists", WriteKind::Update) => WriteOps::Lists(planner.each(Planner::update_list)?),
        ("items", WriteKind::Delete) => {
            WriteOps::Lists(planner.each(|p, row, _| p.remove_item(row))?)
        }
        ("items", WriteKind::Update) => WriteOps::Lists(planner.each(Planner::update_item)?),
        ("threads", WriteKind::Delete) => {
            WriteOps::Ops(planner.each(|p, row, _| p.delete_thread(row))?)
        }
        ("threads", WriteKind::Update) => WriteOps::Ops(planner.each(Planner::update_thread)?),
        ("entries", _) => {
            return Err(forbidden(
                "what was written to a thread stays as it was written",
                "syncline thread delete THREAD, which erases it whole",
            ));
        }
        ("parts", WriteKind::Update) => {
            return Err(forbidden(
                "what an agent told is not rewritten",
                "syncline session delete SESSION, which erases it whole",
            ));
        }
        ("sessions", WriteKind::Delete) => WriteOps::Ops(planner.delete_sessions()?),
        (_, WriteKind::Delete) => {
            return Err(forbidden(
                &format!("rows of {} go with their session alone", changes.view.name),
                "syncline session delete SESSION",
            ));
        }
        (_, WriteKind::Update) => WriteOps::Ops(planner.each(Planner::update_session)?),
    };
    let said = planner.said.iter().filter(|fields| !fields.is_empty());
    let rows = match changes.kind {
        WriteKind::Delete => changes.count(),
        WriteKind::Update => said.count() as u64,
    };
    let columns = planner.said.iter().flatten().map(|field| field.column);
    Ok(WritePlan {
        view: changes.view.name,
        kind: changes.kind,
        rows,
        columns: columns.collect::<BTreeSet<_>>().into_iter().collect(),
        ops,
    })
}

struct Planner<'a> {
    connection: &'a Connection,
    changes: &'a SqlChanges,
    now: Timestamp,
    /// What is said anew of each row; nothing of those that are deleted.
    said: Vec<Vec<Field<'a>>>,
}

/// A column that is set in a row.
#[derive(Debug, Clone, Copy)]
struct Field<'a> {
    column: &'static str,
    value: &'a Value,
}

impl<'a> Planner<'a> {
    /// What `plan` makes of all rows, and of what is said anew of them, in order.
    fn each<T>(
        &self,
        plan: impl Fn(&Self, &'a RowChange, &[Field<'a>]) -> Result<Vec<T>, WritePlanError>,
    ) -> Result<Vec<T>, WritePlanError> {
        let mut all = Vec::new();
        for (row, said) in self.changes.rows.iter().zip(&self.said) {
            all.extend(plan(self, row, said)?);
        }
        Ok(all)
    }

    fn all_said(&self) -> Result<Vec<Vec<Field<'a>>>, WritePlanError> {
        let rows = self.changes.rows.iter();
        match self.changes.kind {
            WriteKind::Delete => Ok(rows.map(|_| Vec::new()).collect()),
            WriteKind::Update => rows.map(|row| self.said_of(row)).collect(),
        }
    }

    /// The columns of a row that would have another value, after those that are set to what an agent told.
    fn said_of(&self, row: &'a RowChange) -> Result<Vec<Field<'a>>, WritePlanError> {
        let (mut said, mut changed) = (Vec::new(), Vec::new());
        for place in &self.changes.columns {
            let field = Field {
                column: self.changes.view.columns[*place].name,
                value: &row.new[*place],
            };
            if row.old[*place] != row.new[*place] {
                changed.push(field);
            } else if self.changes.is_of_sessions() && self.is_told(row, field)? {
                said.push(field);
            }
        }
        // What is changed stands, where two columns show one thing.
        said.extend(changed);
        Ok(said)
    }

    /// A text of the row as it is.
    fn old(&self, row: &'a RowChange, column: &str) -> Option<&'a str> {
        let mut columns = self.changes.view.columns.iter();
        let place = columns.position(|known| known.name == column)?;
        match &row.old[place] {
            Value::Text(text) => Some(text),
            Value::Null | Value::Integer(_) | Value::Real(_) | Value::Blob(_) => None,
        }
    }

    /// An id of the row as it is.
    fn id<T: std::str::FromStr>(
        &self,
        row: &'a RowChange,
        column: &str,
    ) -> Result<T, WritePlanError> {
        let id = self.old(row, column).and_then(|text| text.parse().ok());
        id.ok_or(WritePlanError::Store(StoreError::damaged(
            "a row of a view has no id",
        )))
    }

    fn remove_list(&self, row: &RowChange) -> Result<Vec<Command>, WritePlanError> {
        let list = self.list(row, "list_id")?;
        Ok(vec![Command::RemoveList { list }])
    }

    fn update_list(
        &self,
        row: &'a RowChange,
        said: &[Field<'a>],
    ) -> Result<Vec<Command>, WritePlanError> {
        let mut commands = Vec::new();
        for field in said {
            let list = self.list(row, "list_id")?;
            commands.push(match field.column {
                "title" => Command::RenameList {
                    list,
                    title: field.text()?.to_owned(),
                },
                "place" => return Err(field.forbidden("syncline list reorder LIST")),
                _ => return Err(field.forbidden("syncline list --help")),
            });
        }
        Ok(commands)
    }

    fn remove_item(&self, row: &RowChange) -> Result<Vec<Command>, WritePlanError> {
        let item = self.item(row)?;
        Ok(vec![Command::Remove { item }])
    }

    fn update_item(
        &self,
        row: &'a RowChange,
        said: &[Field<'a>],
    ) -> Result<Vec<Command>, WritePlanError> {
        let mut commands = Vec::new();
        for field in said {
            let item = self.item(row)?;
            commands.push(match field.column {
                "text" => Command::Edit {
                    item,
                    text: field.text()?.to_owned(),
                },
                "note" => Command::Note {
                    item,
                    note: field.text()?.to_owned(),
                },
                "done" => match field.value {
                    Value::Integer(1) => Command::Check { item },
                    Value::Integer(0) => Command::Uncheck { item },
                    _ => return Err(field.expected("0 or 1")),
                },
                "list_id" => Command::Move {
                    item,
                    to: field
                        .text()?
                        .parse()
                        .map_err(|_| field.expected("a list's id"))?,
                    spot: Spot::End,
                },
                "place" => return Err(field.forbidden("syncline list move ITEM")),
                _ => return Err(field.forbidden("syncline list --help")),
            });
        }
        Ok(commands)
    }

    fn list(&self, row: &RowChange, column: &str) -> Result<ListId, WritePlanError> {
        let id = self.old(row, column).and_then(|id| ListId::new(id).ok());
        id.ok_or(WritePlanError::Store(StoreError::damaged(
            "a list has no id",
        )))
    }

    fn item(&self, row: &RowChange) -> Result<ItemRef, WritePlanError> {
        let list = self.list(row, "origin_list_id")?;
        let item = self.old(row, "id").and_then(|id| ItemId::new(id).ok());
        let item = item.ok_or(WritePlanError::Store(StoreError::damaged(
            "an item has no id",
        )))?;
        Ok(ItemRef { list, item })
    }

    fn delete_thread(&self, row: &RowChange) -> Result<Vec<NewOp>, WritePlanError> {
        let id: ThreadId = self.id(row, "thread_id")?;
        let Some(thread) = thread(self.connection, id)? else {
            return Ok(Vec::new());
        };
        Ok(of_thread(plan_delete(&thread, self.now)?.ops))
    }

    fn update_thread(
        &self,
        row: &'a RowChange,
        said: &[Field<'a>],
    ) -> Result<Vec<NewOp>, WritePlanError> {
        let mut changes = Changes::default();
        for field in said {
            match field.column {
                "name" => changes.name = Some(field.text()?),
                "project" => changes.project = Some(field.text()?),
                "status" => {
                    let status: Option<Status> = field.text()?.parse().ok();
                    let expected = || field.expected("active, archived or blocked");
                    changes.status = Some(status.ok_or_else(expected)?);
                }
                "tags" => return Err(field.forbidden("syncline thread tag THREAD TAG")),
                _ => return Err(field.forbidden("syncline thread --help")),
            }
        }
        let id: ThreadId = self.id(row, "thread_id")?;
        let Some(thread) = thread(self.connection, id)? else {
            return Ok(Vec::new());
        };
        Ok(of_thread(plan_update(&thread, &changes, self.now)?.ops))
    }

    fn delete_sessions(&self) -> Result<Vec<NewOp>, WritePlanError> {
        let mut ids: BTreeSet<SessionId> = BTreeSet::new();
        let mut statement = self
            .connection
            .prepare_cached(TREE_IDS)
            .map_err(StoreError::from)?;
        for row in &self.changes.rows {
            let id: SessionId = self.id(row, "resource_id")?;
            let tree = statement.query_map([id.to_string()], |row| row.get::<_, String>(0));
            for id in tree.map_err(StoreError::from)? {
                let id = id.map_err(StoreError::from)?;
                ids.extend(id.parse::<SessionId>());
            }
        }
        let payload = SessionOp::Delete(Delete { at: self.now }).payload()?;
        let ops = ids.into_iter().map(|id| NewOp {
            scope: Scope::session(),
            resource: id.into(),
            payload: payload.clone(),
        });
        Ok(ops.collect())
    }
}

fn of_thread(ops: Vec<crate::threads::PlannedOp>) -> Vec<NewOp> {
    let ops = ops.into_iter().map(|(resource, payload)| NewOp {
        scope: Scope::thread(),
        resource,
        payload,
    });
    ops.collect()
}

impl<'a> Field<'a> {
    fn text(self) -> Result<&'a str, WritePlanError> {
        match self.value {
            Value::Text(text) => Ok(text),
            Value::Null | Value::Integer(_) | Value::Real(_) | Value::Blob(_) => {
                Err(self.expected("a text"))
            }
        }
    }

    const fn expected(self, expected: &'static str) -> WritePlanError {
        WritePlanError::Value {
            column: self.column,
            expected,
        }
    }

    fn forbidden(self, instead: &'static str) -> WritePlanError {
        let what = format!("{} can't be set: it follows from other things", self.column);
        WritePlanError::Forbidden { what, instead }
    }
}

fn forbidden(what: &str, instead: &'static str) -> WritePlanError {
    WritePlanError::Forbidden {
        what: what.to_owned(),
        instead,
    }
}
