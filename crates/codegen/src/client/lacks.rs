//! What a client without a database lacks of a schema.

use std::fmt;

use syncline_model::schema::{Field, Schema};

use super::Local;

/// A field that a client lacks, or can't keep whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    pub entity: String,
    pub field: String,
    pub reason: LackReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LackReason {
    /// It never travels, and has nothing in memory to be kept in: the client has no such field.
    LeftOut,
    /// In JavaScript an assignment to it makes no field, and TanStack DB puts changed rows together by assignments.
    Unassignable,
}

impl fmt::Display for Lack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{} ", self.entity, self.field)?;
        formatter.write_str(match self.reason {
            LackReason::LeftOut => {
                "never leaves a page's own database, and there is none: this client has no such field"
            }
            LackReason::Unassignable => {
                "can't be kept by a page without a database, which loses changes of it, and may clear it: \
                 rename it, or write the client without --local memory"
            }
        })
    }
}

/// The fields of a schema that a client lacks, or can't keep whole.
pub fn lacks(schema: &Schema, local: Local) -> Vec<Lack> {
    let fields = schema.entities.iter().flat_map(|entity| {
        let fields = entity.fields.iter();
        fields.filter_map(move |field| {
            Some(Lack {
                entity: entity.name.clone(),
                field: field.name.clone(),
                reason: reason_of(field, local)?,
            })
        })
    });
    fields.collect()
}

/// Whether a client has a field at all.
pub(super) fn is_kept(field: &Field, local: Local) -> bool {
    reason_of(field, local) != Some(LackReason::LeftOut)
}

fn reason_of(field: &Field, local: Local) -> Option<LackReason> {
    match local {
        Local::Pglite => None,
        Local::Memory if field.sync_exclude => Some(LackReason::LeftOut),
        Local::Memory => (field.name == "__proto__").then_some(LackReason::Unassignable),
    }
}
