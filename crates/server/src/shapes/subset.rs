//! A part of a shape that is asked for by itself: its rows as they are now.

use syncline_model::shape::{Filter, FilterRow, OrderBy, ShapeColumn};
use syncline_model::{Cursor, ServerSeq};
use syncline_store::shapes::{Flow, MadeShape, ShapeCells, SnapshotRow};
use syncline_store::{StoreError, TenantFile};

use super::definition::Definition;
use super::encode::Encoder;
use super::invalid::Invalid;
use super::request::SubsetRequest;
use super::sight::is_unchanged;
use crate::tenant::Refused;

/// A subset, read and checked.
#[derive(Debug)]
pub(super) struct Subset {
    filter: Option<Filter>,
    order: Option<OrderBy>,
    limit: usize,
    offset: usize,
}

/// What a subset's answer holds.
pub(super) enum SubsetRead {
    Body(Vec<u8>, Cursor),
    Gone,
    /// The rows to hold come to more bytes than one answer may.
    TooLarge,
}

impl Subset {
    pub(super) fn of(request: &SubsetRequest, definition: &Definition) -> Result<Self, Invalid> {
        let invalid = |name: &'static str| {
            move |error: syncline_model::shape::FilterError| {
                Invalid::of_subset(name, error.to_string())
            }
        };
        let relation = &definition.relation;
        let columns = queryable(definition);
        let filter = match &request.filter {
            None => None,
            Some(text) => Some(
                Filter::parse(text, &request.parameters, &relation.name, &columns)
                    .map_err(invalid("where"))?,
            ),
        };
        let order = match &request.order_by {
            None => None,
            Some(text) => Some(OrderBy::parse(text, &columns).map_err(invalid("order_by"))?),
        };
        let size = |number: Option<u64>| number.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        Ok(Self {
            filter,
            order,
            limit: size(request.limit).unwrap_or(usize::MAX),
            offset: size(request.offset).unwrap_or(0),
        })
    }

    /// Reads the subset in one state of the file, if the rows that it has to hold come to so many bytes at
    /// most: those of its answer, those that its offset skips, and while it reads, those that are
    /// first in its order so far.
    pub(super) fn read(
        &self,
        file: &TenantFile,
        definition: &Definition,
        shape: &MadeShape,
        (mark, bytes_max): (u64, usize),
    ) -> Result<SubsetRead, Refused> {
        file.snapshot(|file| {
            if file.shape(&shape.handle)?.is_none() || !is_unchanged(file, definition)? {
                return Ok(SubsetRead::Gone);
            }
            let head = file.head()?.cursor;
            let mut body = beginning(head.server_seq, mark);
            let encoder = Encoder::new(definition);
            let empty = body.len();
            let mut seen = 0;
            let mut first = self.order.as_ref().map(|order| First {
                order,
                columns: &definition.relation.columns,
                count: self.offset.saturating_add(self.limit),
                rows: Vec::new(),
                kept: 0,
                told: 0,
                bytes_max,
            });
            file.visit_shape_state(shape.relation, head.server_seq, None, |row| {
                let Some(first) = &mut first else {
                    let flow = self.append(&encoder, row, mark, (empty, &mut seen), &mut body)?;
                    let is_large = body.len() - empty > bytes_max;
                    return Ok(if is_large { Flow::Enough } else { flow });
                };
                let mut told = Vec::new();
                if encoder.snapshot_row(row, Some(mark), self.filter.as_ref(), &mut told)? {
                    return first.take(row.row, told);
                }
                Ok(Flow::On)
            })?;
            if let Some(first) = &mut first {
                first.settle()?;
            }
            let is_large = match &first {
                Some(first) => first.is_over(bytes_max),
                None => body.len() - empty > bytes_max,
            };
            if is_large {
                return Ok(SubsetRead::TooLarge);
            }
            if let Some(first) = first {
                let told = first.rows.into_iter().skip(self.offset);
                let told: Vec<_> = told.map(|(_, told)| told).collect();
                body.extend_from_slice(&told.join(&b","[..]));
            }
            body.extend_from_slice(b"]}");
            Ok(SubsetRead::Body(body, head))
        })
    }

    fn append(
        &self,
        encoder: &Encoder<'_>,
        row: SnapshotRow<'_>,
        mark: u64,
        (empty, seen): (usize, &mut usize),
        body: &mut Vec<u8>,
    ) -> Result<Flow, StoreError> {
        let before = body.len();
        if before > empty {
            body.push(b',');
        }
        if !encoder.snapshot_row(row, Some(mark), self.filter.as_ref(), body)? {
            body.truncate(before);
            return Ok(Flow::On);
        }
        *seen += 1;
        Ok(if *seen < self.limit {
            Flow::On
        } else {
            Flow::Enough
        })
    }
}

/// The columns that a subset may ask by: others have a name that nobody can say.
fn queryable(definition: &Definition) -> Vec<ShapeColumn> {
    let mut columns = definition.relation.columns.clone();
    for (n, column) in columns.iter_mut().enumerate() {
        if !definition.queryable.contains(&n) {
            column.name.clear();
        }
    }
    columns
}

fn beginning(head: ServerSeq, mark: u64) -> Vec<u8> {
    let next = head.get() + 1;
    format!(
        "{{\"metadata\":{{\"xmin\":\"{next}\",\"xmax\":\"{next}\",\"xip_list\":[],\
         \"snapshot_mark\":{mark},\"database_lsn\":\"{}\"}},\"data\":[",
        head.get()
    )
    .into_bytes()
}

/// The first rows of an order, of those that were read so far.
struct First<'d> {
    order: &'d OrderBy,
    columns: &'d [ShapeColumn],
    /// How many are asked for.
    count: usize,
    /// Rows as they are kept, with their messages: those that may be among the first.
    rows: Vec<(String, Vec<u8>)>,
    /// Bytes of the rows as they are kept: of a wide row the message may show little.
    kept: usize,
    /// Bytes of the messages, each with the comma behind it.
    told: usize,
    bytes_max: usize,
}

impl First<'_> {
    /// Takes a row. Only the first ones are held: where more come together, the others go. The messages that
    /// are held come to one and a half times what an answer may, and so do the rows beside them; no more
    /// are read once those of the first of what was read come to more than an answer may.
    fn take(&mut self, row: &str, told: Vec<u8>) -> Result<Flow, StoreError> {
        self.kept += row.len();
        self.told += told.len() + 1;
        self.rows.push((row.to_owned(), told));
        if self.rows.len() > self.count {
            // Rows or bytes in half of the room are new whenever they are sorted, so that this is seldom.
            let is_full = self.is_over(self.bytes_max + self.bytes_max / 2);
            if self.rows.len() / 2 <= self.count && !is_full {
                return Ok(Flow::On);
            }
            self.settle()?;
        }
        let is_large = self.is_over(self.bytes_max);
        Ok(if is_large { Flow::Enough } else { Flow::On })
    }

    /// Whether the rows that are held, or what their messages come to in an answer, are more than `bytes`.
    fn is_over(&self, bytes: usize) -> bool {
        self.kept > bytes || self.told.saturating_sub(1) > bytes
    }

    /// Sorts what is held, and lets go of what is behind the first. Rows that are equal stay in the
    /// order of their keys, in which they come.
    fn settle(&mut self) -> Result<(), StoreError> {
        let cells = self.rows.iter();
        let cells = cells.map(|(row, _)| ShapeCells::read(row, self.columns.len()));
        let cells: Vec<_> = cells.collect::<Result<_, _>>()?;
        let rows = cells
            .iter()
            .map(|cells| FilterRow::new(self.columns, cells));
        let rows: Vec<_> = rows.collect();
        let mut places: Vec<usize> = (0..rows.len()).collect();
        places.sort_by(|one, other| self.order.compare(&rows[*one], &rows[*other]));
        places.truncate(self.count);
        drop(rows);
        drop(cells);
        self.rows = places
            .into_iter()
            .map(|place| std::mem::take(&mut self.rows[place]))
            .collect();
        self.kept = self.rows.iter().map(|(row, _)| row.len()).sum();
        self.told = self.rows.iter().map(|(_, told)| told.len() + 1).sum();
        Ok(())
    }
}
