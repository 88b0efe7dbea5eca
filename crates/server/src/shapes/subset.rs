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

/// Bytes of an ordered subset's rows that are sorted at once.
const SORTED_BYTES_MAX: usize = 64 << 20;

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
    /// More rows would have to be sorted than are.
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
        let filter = match &request.filter {
            None => None,
            Some(text) => Some(
                Filter::parse(text, &request.parameters, &relation.name, &relation.columns)
                    .map_err(invalid("where"))?,
            ),
        };
        let order = match &request.order_by {
            None => None,
            Some(text) => {
                Some(OrderBy::parse(text, &relation.columns).map_err(invalid("order_by"))?)
            }
        };
        let asked = order
            .iter()
            .flat_map(|order| &order.terms)
            .map(|term| term.column);
        let hidden: Vec<_> = asked
            .filter(|column| !definition.queryable.contains(column))
            .map(|column| relation.columns[column].name.clone())
            .collect();
        if !hidden.is_empty() {
            let message = format!(
                "The following columns are not queryable: {}",
                hidden.join(", ")
            );
            return Err(Invalid::of_subset("order_by", message));
        }
        let size = |number: Option<u64>| number.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        Ok(Self {
            filter,
            order,
            limit: size(request.limit).unwrap_or(usize::MAX),
            offset: size(request.offset).unwrap_or(0),
        })
    }

    /// Reads the subset in one state of the file.
    pub(super) fn read(
        &self,
        file: &TenantFile,
        definition: &Definition,
        shape: &MadeShape,
        mark: u64,
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
            let mut is_too_large = false;
            let empty = body.len();
            let mut seen = 0;
            file.visit_shape_state(shape.relation, head, None, |row| {
                if self.order.is_some() {
                    bytes += row.key.len() + row.row.len();
                    is_too_large = bytes > SORTED_BYTES_MAX;
                    let mut told = Vec::new();
                    if encoder.snapshot_row(row, Some(mark), self.filter.as_ref(), &mut told)? {
                        rows.push((row.row.to_owned(), told));
                    } else {
                        bytes -= row.key.len() + row.row.len();
                    }
                    return Ok(if is_too_large { Flow::Enough } else { Flow::On });
                }
                self.append(&encoder, row, mark, (empty, &mut seen), &mut body)
            })?;
            if is_too_large {
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
