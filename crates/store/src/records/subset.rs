//! The part of an entity's records that clients take, as its document names it.

use syncline_model::record::Record;
use syncline_model::schema::{Entity, Role};
use syncline_model::shape::{Filter, FilterRow, ShapeColumn, entity_columns};

use crate::shapes::cells_of;

/// What tells which records those are.
#[derive(Debug)]
pub struct Subset {
    filter: Filter,
    columns: Vec<ShapeColumn>,
}

impl Subset {
    /// As a role can tell which those are. None: clients take all. A condition that can't be read, as one on a
    /// column that the role may not read, keeps nothing from being shown.
    pub fn of(entity: &Entity, role: Role) -> Option<Self> {
        let mut columns = entity_columns(entity);
        columns.retain(|column| entity.may_read(role, &column.name));
        let text = entity.subset.as_deref()?;
        let filter = Filter::parse(text, &[], &entity.name, &columns).ok()?;
        Some(Self { filter, columns })
    }

    pub(super) fn holds(&self, record: &Record) -> bool {
        let cells = cells_of(&self.columns, &record.id, |name| record.columns.get(name));
        let row = FilterRow::new(&self.columns, &cells);
        self.filter.matches(&row)
    }
}
