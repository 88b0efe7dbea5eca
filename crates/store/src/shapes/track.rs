//! What an op changes of the relations that have shapes.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Connection;
use syncline_model::schema::Schema;
use syncline_model::{Folded, ServerSeq};

use super::builtin::Group;
use super::history::After;
use super::kept::{Grouped, keep, kept_rows, read_rows, write_row};
use super::relation::{Relation, Source};
use super::tables::{are_made, is_current, write_reached};
use super::{entity, made};
use crate::file::StoreError;
use crate::tenant::Head;
use crate::view::{Touch, View};

/// A row of a relation before and after an op, as it is kept.
#[derive(Debug, Clone)]
pub struct ShapeChange {
    pub relation: Arc<str>,
    /// Behind it.
    pub place: After,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What a commit has changed of the relations that have shapes.
#[derive(Debug, Clone, Default)]
pub struct ShapeChanges {
    pub rows: Vec<ShapeChange>,
    /// Whether shapes may have gone, so that their readers begin anew.
    pub rotated: bool,
}

/// The relations that have shapes, within one write transaction.
#[derive(Debug)]
pub(crate) struct Tracker {
    relations: Vec<Tracked>,
    changes: Vec<ShapeChange>,
    /// Counts the rows that the op in hand has changed.
    ordinal: i64,
    /// Whether the op in hand erases its resource: no image of its rows is kept then.
    is_erasing: bool,
    /// Whether the schema has changed, which may change relations.
    has_new_schema: bool,
}

/// A row as it is kept, and as the view has it.
type Compared = (Option<String>, Option<Grouped>);

#[derive(Debug)]
struct Tracked {
    number: i64,
    name: Arc<str>,
    relation: Relation,
}

impl Tracker {
    /// The relations to look after; none where the tenant has no shapes, or where what was kept of
    /// them is behind the log: then it goes.
    pub(crate) fn begin(connection: &Connection, head: &Head) -> Result<Option<Self>, StoreError> {
        if !are_made(connection)? {
            return Ok(None);
        }
        if !is_current(connection, head)? {
            super::drop_tables(connection)?;
            return Ok(None);
        }
        let tracker = Self {
            relations: tracked(connection)?,
            changes: Vec::new(),
            ordinal: 0,
            is_erasing: false,
            has_new_schema: false,
        };
        tracker.register(connection)?;
        Ok(Some(tracker))
    }

    /// Registers the functions that views need which are read here.
    fn register(&self, connection: &Connection) -> Result<(), StoreError> {
        let is_needed = self
            .relations
            .iter()
            .any(|tracked| matches!(&*tracked.name, "lists" | "sessions"));
        if is_needed {
            made::register_functions(connection)?;
        }
        Ok(())
    }

    /// Notes what the op at `seq`, folded just now, has changed.
    pub(crate) fn note(
        &mut self,
        view: &mut View<'_>,
        seq: ServerSeq,
        folded: Folded,
    ) -> Result<(), StoreError> {
        self.is_erasing = folded == Folded::Deleted;
        let touches = view.take_touches();
        self.ordinal = 0;
        if touches.is_empty() {
            return Ok(());
        }
        if touches.iter().any(|touch| touch.table.name == "schemas") {
            self.has_new_schema = true;
            view.flush()?;
            self.follow_schema(view.connection())?;
        }
        let mut is_flushed = false;
        for n in 0..self.relations.len() {
            // Which sessions belong together is asked of the rows as they are now.
            if !is_flushed && self.relations[n].may_be_touched(&touches) {
                view.flush()?;
                is_flushed = true;
            }
            let groups = self.relations[n].groups(view.connection(), &touches)?;
            if !groups.is_empty() {
                self.compare(view.connection(), n, &groups, seq)?;
            }
        }
        Ok(())
    }

    /// Compares the rows of these groups as they are with those that are kept.
    fn compare(
        &mut self,
        connection: &Connection,
        n: usize,
        groups: &[Group],
        seq: ServerSeq,
    ) -> Result<(), StoreError> {
        let Tracked {
            number,
            name,
            relation,
        } = &self.relations[n];
        let mut rows: BTreeMap<String, Compared> = BTreeMap::new();
        for group in groups {
            kept_rows(connection, *number, relation, group, |key, row| {
                rows.entry(key).or_default().0 = Some(row);
            })?;
            read_rows(connection, relation, group, |key, row| {
                rows.entry(key).or_default().1 = Some(row);
                Ok(())
            })?;
        }
        for (key, (before, after)) in rows {
            let is_same = match (&before, &after) {
                (Some(before), Some((_, after))) => before == after,
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if is_same {
                continue;
            }
            write_row(connection, *number, &key, after.as_ref())?;
            let after = after.map(|(_, row)| row);
            let is_erased = self.is_erasing && after.is_none();
            if is_erased {
                connection
                    .prepare_cached("DELETE FROM shape_history WHERE relation = ? AND row_key = ?")?
                    .execute((number, &key))?;
            }
            let kept_before = before.as_ref().filter(|_| !is_erased);
            let place = (*number, seq, self.ordinal);
            keep(connection, place, &key, (kept_before, after.as_ref()))?;
            self.ordinal += 1;
            self.changes.push(ShapeChange {
                relation: Arc::clone(name),
                place: After {
                    seq,
                    rows: self.ordinal as u64,
                },
                before,
                after,
            });
        }
        Ok(())
    }

    /// Notes that readers are to be told of a record that the op in hand has left as it was.
    pub(crate) fn tell_again(
        &mut self,
        connection: &Connection,
        entity: &str,
        id: &str,
        seq: ServerSeq,
    ) -> Result<(), StoreError> {
        let is_of = |tracked: &&Tracked| {
            tracked.relation.source == Source::Entity && *tracked.name == *entity
        };
        let Some(tracked) = self.relations.iter().find(is_of) else {
            return Ok(());
        };
        let group = [id.to_owned()];
        let mut rows = Vec::new();
        kept_rows(
            connection,
            tracked.number,
            &tracked.relation,
            &group,
            |key, row| {
                rows.push((key, row));
            },
        )?;
        for (key, row) in rows {
            let place = (tracked.number, seq, self.ordinal);
            keep(connection, place, &key, (Some(&row), Some(&row)))?;
            self.ordinal += 1;
            self.changes.push(ShapeChange {
                relation: Arc::clone(&tracked.name),
                place: After {
                    seq,
                    rows: self.ordinal as u64,
                },
                before: Some(row.clone()),
                after: Some(row),
            });
        }
        Ok(())
    }

    /// Lets go of relations that the schema has changed so that their rows are others, and takes up
    /// columns that were added.
    fn follow_schema(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let schema = entity::schema(connection)?;
        for tracked in &self.relations {
            match tracked.followed(connection, schema.as_ref())? {
                None => made::forget_relation(connection, tracked.number)?,
                Some(grown) if grown != tracked.relation => {
                    connection.execute(
                        "UPDATE shape_relations SET columns = ? WHERE relation = ?",
                        (grown.to_text(), tracked.number),
                    )?;
                }
                Some(_) => {}
            }
        }
        self.relations = tracked(connection)?;
        Ok(())
    }

    /// Notes that everything up to the head is kept, and gives what has changed.
    pub(crate) fn end(
        self,
        connection: &Connection,
        head: &Head,
    ) -> Result<ShapeChanges, StoreError> {
        write_reached(connection, head)?;
        Ok(ShapeChanges {
            rows: self.changes,
            rotated: self.has_new_schema,
        })
    }
}

fn tracked(connection: &Connection) -> Result<Vec<Tracked>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT relation, name, columns FROM shape_relations ORDER BY relation")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let rows: Vec<(i64, String, String)> = rows.collect::<Result<_, _>>()?;
    let relations = rows.into_iter().map(|(number, name, columns)| {
        Ok(Tracked {
            number,
            relation: Relation::from_text(&name, &columns)?,
            name: name.into(),
        })
    });
    relations.collect()
}

impl Tracked {
    /// The relation as the schema has it now; none: the rows that are kept are not its rows. They lack
    /// the values that records hold already of columns that were added.
    fn followed(
        &self,
        connection: &Connection,
        schema: Option<&Schema>,
    ) -> Result<Option<Relation>, StoreError> {
        let declared = Relation::declared(schema, &self.name);
        let grown = declared.and_then(|declared| self.relation.grown(&declared));
        let Some(grown) = grown else {
            return Ok(None);
        };
        let added = &grown.columns[self.relation.columns.len()..];
        let is_whole = !entity::holds_values(connection, &self.name, added)?;
        Ok(is_whole.then_some(grown))
    }

    /// Whether the tables that an op has written to may be any of this relation's.
    fn may_be_touched(&self, touches: &[Touch]) -> bool {
        match self.relation.source {
            Source::Entity => !entity::touched(&self.name, touches).is_empty(),
            Source::BuiltIn(built_in) => built_in.may_be_touched(touches),
        }
    }

    fn groups(&self, connection: &Connection, touches: &[Touch]) -> Result<Vec<Group>, StoreError> {
        match self.relation.source {
            Source::Entity => Ok(entity::touched(&self.name, touches)),
            Source::BuiltIn(built_in) if built_in.may_be_touched(touches) => {
                built_in.touched(connection, touches)
            }
            Source::BuiltIn(_) => Ok(Vec::new()),
        }
    }
}
