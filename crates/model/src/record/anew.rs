//! A decision, as somebody would offer it who writes the same.

use super::payload::{Action, Decided, DecidedAction, Decision, Mode, Offered, Values, Write};
use crate::schema::Schema;

/// What is offered to have the same decided again, without what was the server's to set; none: a part
/// of it is hidden. It names no base: what others have written since is overwritten, as a restore does.
pub fn decided_anew(schema: &Schema, decision: &Decision) -> Option<Offered> {
    let writes = decision.decided.iter().map(|row| write_of(schema, row));
    Some(Offered {
        writes: writes.collect::<Option<_>>()?,
        mode: Mode::Confirmed,
        salt: decision.salt,
    })
}

fn write_of(schema: &Schema, row: &Decided) -> Option<Write> {
    let entity = schema.entity(&row.entity);
    let is_offered = |column: &str| {
        let field = entity.and_then(|entity| entity.field(column));
        field.is_none_or(|field| !field.read_only)
            || entity.is_some_and(|entity| entity.key == column)
    };
    let values = row.values.iter();
    let values = values.filter(|(column, _)| is_offered(column));
    Some(Write {
        entity: row.entity.clone(),
        id: row.id.clone(),
        action: match row.action {
            DecidedAction::Create => Action::Create,
            DecidedAction::Update => Action::Update,
            DecidedAction::Delete => Action::Delete,
            DecidedAction::Hidden => return None,
        },
        values: values
            .map(|(column, value)| (column.clone(), value.clone()))
            .collect(),
        defaults: Values::new(),
        unset: row.unset.clone(),
        base: Values::new(),
    })
}
