//! A part of a shape that is asked for by itself: its rows as they are now.

use std::cmp::Ordering;

use syncline_model::ServerSeq;
use syncline_model::shape::{Filter, FilterRow, OrderBy, ShapeColumn};
use syncline_store::TenantFile;
use syncline_store::shapes::{Flow, MadeShape, ShapeCells, SnapshotRow};

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
    Body(Vec<u8>, ServerSeq),
    Gone,
    /// It holds more bytes than one answer may.
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

    /// Reads the subset in one state of the file, if it comes to so many bytes at most: rows that are
    /// to be ordered are held with their messages.
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
            let head = file.head()?.cursor.server_seq;
            let mut body = beginning(head, mark);
            let encoder = Encoder::new(definition);
            let mut rows = Vec::new();
            let mut bytes = 0;
            let empty = body.len();
            let mut seen = 0;
            file.visit_shape_state(shape.relation, head, None, |row| {
                if self.order.is_none() {
                    let flow = self.append(&encoder, row, mark, (empty, &mut seen), &mut body)?;
                    bytes = body.len();
                    return Ok(if bytes > bytes_max {
                        Flow::Enough
                    } else {
                        flow
                    });
                }
                let mut told = Vec::new();
                if encoder.snapshot_row(row, Some(mark), self.filter.as_ref(), &mut told)? {
                    bytes += row.row.len() + told.len();
                    rows.push((row.row.to_owned(), told));
                }
                Ok(if bytes > bytes_max {
                    Flow::Enough
                } else {
                    Flow::On
                })
            })?;
            if bytes > bytes_max {
                return Ok(SubsetRead::TooLarge);
            }
            if let Some(order) = &self.order {
                let columns = &definition.relation.columns;
                let rows = sorted(rows, order, columns)?;
                let told = rows.into_iter().skip(self.offset).take(self.limit);
                let told: Vec<_> = told.collect();
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
    ) -> Result<Flow, syncline_store::StoreError> {
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

type Told = (String, Vec<u8>);

/// The messages in the order of their rows.
fn sorted(
    rows: Vec<Told>,
    order: &OrderBy,
    columns: &[ShapeColumn],
) -> Result<Vec<Vec<u8>>, syncline_store::StoreError> {
    let cells = rows
        .iter()
        .map(|(row, _)| ShapeCells::read(row, columns.len()));
    let cells: Vec<_> = cells.collect::<Result<_, _>>()?;
    let read: Vec<_> = cells
        .iter()
        .map(|cells| FilterRow::new(columns, cells))
        .collect();
    let mut places: Vec<usize> = (0..read.len()).collect();
    // Rows that are equal stay in the order of their keys.
    places.sort_by(
        |one, other| match order.compare(&read[*one], &read[*other]) {
            Ordering::Equal => one.cmp(other),
            order => order,
        },
    );
    Ok(places
        .into_iter()
        .map(|place| rows[place].1.clone())
        .collect())
}
