//! `x-sync: {where: …}`: the part of a collection that clients take.

use syncline_model::schema::{Entity, Role};
use syncline_model::shape::{Filter, FilterError, ShapeColumn, entity_columns};

use crate::diagnostic::Code;
use crate::document::Node;
use crate::reading::Reading;

/// Tells of a subset that no client could ask for: its shapes would be refused one by one.
pub(crate) fn check_subset(reading: &Reading<'_>, node: Node<'_>, entity: &Entity) {
    let Some(subset) = entity.subset.as_deref() else {
        return;
    };
    let columns = entity_columns(entity);
    if let Err(error) = parsed(subset, entity, &columns) {
        let message = format!(
            "`where` is no condition that shapes take: {}, at its character {}",
            error.message,
            error.place() + 1
        );
        reading.error(node, Code::EXTENSION, message);
        return;
    }
    for role in Role::ALL {
        let read = |column: &&ShapeColumn| entity.may_read(role, &column.name);
        let columns: Vec<_> = columns.iter().filter(read).cloned().collect();
        if let Err(error) = parsed(subset, entity, &columns) {
            let message = format!(
                "clients of role {role} can't take this subset, which asks for what they may not read: {}",
                error.message
            );
            reading.warning(node, Code::CONTRADICTION, message);
        }
    }
}

fn parsed(subset: &str, entity: &Entity, columns: &[ShapeColumn]) -> Result<Filter, FilterError> {
    Filter::parse(subset, &[], &entity.name, columns)
}
