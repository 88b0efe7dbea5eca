//! Messages of a shape, as JSON.

use std::io::Write as _;

use syncline_model::ServerSeq;
use syncline_model::shape::{CellSource, Filter, FilterRow};
use syncline_store::StoreError;
use syncline_store::shapes::{HistoryRow, ShapeCells, SnapshotRow, cells_of_key};

use super::definition::{Definition, ROLE};
use super::request::Replica;

/// Writes the messages of one shape.
#[derive(Debug)]
pub(super) struct Encoder<'d> {
    definition: &'d Definition,
    key: Vec<usize>,
    /// `{"key":"\"public\".\"tasks\"`, to which a row's own part is added.
    prefix: String,
    /// `"relation":["public","tasks"]`.
    relation: String,
    /// `"id":`, for each column of the table.
    names: Vec<String>,
}

/// What becomes of a shape's row by an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Insert,
    Update,
    Delete,
}

const TO_MEMORY: &str = "writing to memory does not fail";

fn json(text: &str) -> String {
    serde_json::to_string(text).expect(TO_MEMORY)
}

impl<'d> Encoder<'d> {
    pub(super) fn new(definition: &'d Definition) -> Self {
        let name = &definition.relation.name;
        let escaped = name.replace('/', "//").replace('.', "..");
        let mut prefix = json(&format!("\"public\".\"{escaped}\""));
        prefix.pop();
        let columns = definition.relation.columns.iter();
        Self {
            definition,
            key: definition.relation.key_columns(),
            prefix: format!("{{\"key\":{prefix}"),
            relation: format!("\"relation\":[\"public\",{}]", json(name)),
            names: columns
                .map(|column| format!("{}:", json(&column.name)))
                .collect(),
        }
    }

    fn cells<'r>(&self, row: &'r str) -> Result<ShapeCells<'r>, StoreError> {
        ShapeCells::read(row, self.names.len())
    }

    fn holds(&self, filter: Option<&Filter>, cells: &ShapeCells<'_>) -> bool {
        let columns = &self.definition.relation.columns;
        filter.is_none_or(|filter| filter.matches(&FilterRow::new(columns, cells)))
    }

    /// Whether a row is in the shape, and one that who asks may see.
    fn is_held(&self, cells: &ShapeCells<'_>) -> bool {
        let definition = self.definition;
        self.holds(definition.sight.as_ref(), cells)
            && self.holds(definition.filter.as_ref(), cells)
    }

    /// Writes a row of the snapshot, with a comma before it where others are; says whether it is in the
    /// shape.
    pub(super) fn snapshot_row(
        &self,
        row: SnapshotRow<'_>,
        mark: Option<u64>,
        also: Option<&Filter>,
        into: &mut Vec<u8>,
    ) -> Result<bool, StoreError> {
        let cells = self.cells(row.row)?;
        if !self.is_held(&cells) || !self.holds(also, &cells) {
            return Ok(false);
        }
        self.write_row(row.key, &cells, mark, into);
        Ok(true)
    }

    fn write_row(&self, key: &str, cells: &ShapeCells<'_>, mark: Option<u64>, into: &mut Vec<u8>) {
        self.write_key(key, into);
        self.write_whole(cells, into);
        into.extend_from_slice(b",\"headers\":{\"operation\":\"insert\",");
        into.extend_from_slice(self.relation.as_bytes());
        if let Some(mark) = mark {
            write!(into, ",\"snapshot_mark\":{mark}").expect(TO_MEMORY);
        }
        into.extend_from_slice(b"}}");
    }

    fn write_key(&self, key: &str, into: &mut Vec<u8>) {
        into.extend_from_slice(self.prefix.as_bytes());
        let escaped = json(key);
        into.extend_from_slice(&escaped.as_bytes()[1..]);
        into.extend_from_slice(b",\"value\":");
    }

    fn write_object(&self, cells: &ShapeCells<'_>, columns: &[usize], into: &mut Vec<u8>) {
        into.push(b'{');
        for (n, column) in columns.iter().enumerate() {
            if n > 0 {
                into.push(b',');
            }
            into.extend_from_slice(self.names[*column].as_bytes());
            into.extend_from_slice(cells.json(*column).as_bytes());
        }
        into.push(b'}');
    }

    /// Writes all that is told of a row.
    fn write_whole(&self, cells: &ShapeCells<'_>, into: &mut Vec<u8>) {
        self.write_object(cells, &self.definition.columns, into);
        self.add_role(cells, into);
    }

    /// Adds the role on a row to the object that was just written, where it was asked for.
    fn add_role(&self, cells: &ShapeCells<'_>, into: &mut Vec<u8>) {
        let Some(roles) = &self.definition.roles else {
            return;
        };
        into.pop();
        // An object of a row is never empty: it holds the key.
        match roles.on(cells) {
            Some(role) => write!(into, ",\"{ROLE}\":\"{role}\"}}"),
            None => write!(into, ",\"{ROLE}\":null}}"),
        }
        .expect(TO_MEMORY);
    }

    /// Whether the role on a row is told, and another after a change.
    fn has_other_role(&self, before: &ShapeCells<'_>, after: &ShapeCells<'_>) -> bool {
        let roles = self.definition.roles.as_ref();
        roles.is_some_and(|roles| roles.on(before) != roles.on(after))
    }

    /// Writes what a change is to this shape, but for its end, which [`Encoder::end_change`] writes;
    /// says whether it is anything.
    pub(super) fn change(
        &self,
        change: HistoryRow<'_>,
        into: &mut Vec<u8>,
    ) -> Result<bool, StoreError> {
        if change.before.is_none() && change.after.is_none() {
            self.write_erased(change, into);
            return Ok(true);
        }
        let before = change.before.map(|row| self.cells(row)).transpose()?;
        let after = change.after.map(|row| self.cells(row)).transpose()?;
        let before = before.filter(|cells| self.is_held(cells));
        let after = after.filter(|cells| self.is_held(cells));
        let is_full = self.definition.replica == Replica::Full;
        let operation = match (&before, &after) {
            (None, None) => return Ok(false),
            (None, Some(after)) => {
                self.write_key(change.key, into);
                self.write_whole(after, into);
                Operation::Insert
            }
            (Some(before), None) => {
                self.write_key(change.key, into);
                if is_full {
                    self.write_whole(before, into);
                } else {
                    self.write_object(before, &self.key, into);
                }
                Operation::Delete
            }
            (Some(before), Some(after)) => {
                let changed = self.changed(before, after);
                // A row that is told as it is ends what its writer shows of a write that lost.
                let is_told_again = change.before == change.after;
                if changed.is_empty() && !is_told_again && !self.has_other_role(before, after) {
                    return Ok(false);
                }
                self.write_update(change.key, (before, after), &changed, into);
                Operation::Update
            }
        };
        self.write_headers(operation, change, into);
        Ok(true)
    }

    /// Tells that a row is gone of which nothing is known but its key.
    fn write_erased(&self, change: HistoryRow<'_>, into: &mut Vec<u8>) {
        self.write_key(change.key, into);
        into.push(b'{');
        for (n, (column, cell)) in self.key.iter().zip(cells_of_key(change.key)).enumerate() {
            if n > 0 {
                into.push(b',');
            }
            into.extend_from_slice(self.names[*column].as_bytes());
            let cell = cell.map_or("null".to_owned(), |cell| json(&cell));
            into.extend_from_slice(cell.as_bytes());
        }
        into.push(b'}');
        self.write_headers(Operation::Delete, change, into);
    }

    fn changed(&self, before: &ShapeCells<'_>, after: &ShapeCells<'_>) -> Vec<usize> {
        let columns = self.definition.columns.iter().copied();
        let is_changed = |column: &usize| before.cell(*column) != after.cell(*column);
        columns.filter(is_changed).collect()
    }

    fn write_update(
        &self,
        key: &str,
        (before, after): (&ShapeCells<'_>, &ShapeCells<'_>),
        changed: &[usize],
        into: &mut Vec<u8>,
    ) {
        self.write_key(key, into);
        if self.definition.replica == Replica::Full {
            self.write_whole(after, into);
            into.extend_from_slice(b",\"old_value\":");
            self.write_object(before, changed, into);
            return;
        }
        let is_told = |column: &&usize| self.key.contains(column) || changed.contains(column);
        let told: Vec<_> = self
            .definition
            .columns
            .iter()
            .filter(is_told)
            .copied()
            .collect();
        self.write_object(after, &told, into);
        if self.has_other_role(before, after) {
            self.add_role(after, into);
        }
    }

    fn write_headers(&self, operation: Operation, change: HistoryRow<'_>, into: &mut Vec<u8>) {
        let operation = match operation {
            Operation::Insert => "insert",
            Operation::Update => "update",
            Operation::Delete => "delete",
        };
        let (seq, op) = (change.seq.get(), change.ordinal * 2);
        write!(
            into,
            ",\"headers\":{{\"operation\":\"{operation}\",\"txids\":[{}],{},\"lsn\":\"{seq}\",\
             \"op_position\":{op}",
            txid(change.seq),
            self.relation,
        )
        .expect(TO_MEMORY);
    }

    /// Ends a change's message; the last of its op that the shape holds says so.
    pub(super) fn end_change(place: PlaceInOp, into: &mut Vec<u8>) {
        if place == PlaceInOp::Last {
            into.extend_from_slice(b",\"last\":true");
        }
        into.extend_from_slice(b"}}");
    }
}

/// Whether the shape holds further changes of the same op.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlaceInOp {
    Inner,
    Last,
}

/// The number that stands for an op where Postgres has a transaction's.
pub(crate) fn txid(seq: ServerSeq) -> u32 {
    (seq.get() & u64::from(u32::MAX)) as u32
}

/// The message that ends a snapshot: everything up to its place is in it.
pub(super) fn snapshot_end(start: ServerSeq) -> String {
    let next = start.get() + 1;
    format!(
        "{{\"headers\":{{\"control\":\"snapshot-end\",\"xmin\":\"{next}\",\"xmax\":\"{next}\",\
         \"xip_list\":[]}}}}"
    )
}

/// The message that nothing is left to tell up to a place.
pub(super) fn up_to_date(seen: ServerSeq) -> String {
    format!(
        "{{\"headers\":{{\"control\":\"up-to-date\",\"global_last_seen_lsn\":\"{}\"}}}}",
        seen.get()
    )
}
