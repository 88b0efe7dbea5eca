//! Entities and fields, by the names that a command was given.

use serde::Serialize;
use syncline_model::Timestamp;
use syncline_model::schema::{Entity, Field, WriteMode};
use syncline_replica::Replica;

use crate::context::Context;
use crate::failure::Failure;
use crate::near::near;
use crate::wording::duration;

/// The entity of this name.
pub(super) fn find(replica: &mut Replica, name: &str) -> Result<Entity, Failure> {
    let Some(schema) = replica.schema()? else {
        return Err(no_schema());
    };
    if let Some(entity) = schema.entity(name) {
        return Ok(entity.clone());
    }
    let failure = Failure::usage("unknown_entity", format!("there is no entity {name}"));
    let names = schema.entities.iter().map(|entity| &*entity.name);
    let failure = near(name, names)
        .into_iter()
        .fold(failure, Failure::candidate);
    Err(failure
        .state("nothing was written")
        .fix("syncline sync, if the schema is newer"))
}

pub(super) fn no_schema() -> Failure {
    Failure::new("no_schema", "this replica knows of no records yet")
        .state("nothing was written")
        .fix("syncline sync")
        .fix("syncline schema apply OPENAPI, if the server has no schema")
}

/// The field of this name that the replica holds.
pub(super) fn field<'a>(entity: &'a Entity, name: &str) -> Result<&'a Field, Failure> {
    match entity.field(name) {
        Some(field) if field.sync_exclude => {
            let message = format!("{}.{name} stays within the application", entity.name);
            Err(Failure::usage("excluded_field", message)
                .state("nothing was written")
                .fix(format!("leave {name} out: the application keeps it itself")))
        }
        Some(field) => Ok(field),
        None => {
            let message = format!("{} have no field {name}", entity.name);
            let names = entity.stored_fields().map(|field| &*field.name);
            let failure = near(name, names)
                .into_iter()
                .fold(Failure::usage("unknown_field", message), Failure::candidate);
            Err(failure.state("nothing was written"))
        }
    }
}

/// How old the records are of an entity that clients only read.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Age {
    /// When this replica last had all that the server has; none: never yet.
    synced_at: Option<Timestamp>,
    age_seconds: Option<u64>,
    /// Whether that is longer ago than the document lets readers rely on.
    is_stale: bool,
}

impl Age {
    /// None: clients write the entity, and show it as it is.
    pub(super) fn of(
        entity: &Entity,
        replica: &mut Replica,
        context: &Context,
    ) -> Result<Option<Self>, Failure> {
        let WriteMode::Cache { ttl_seconds } = entity.mode else {
            return Ok(None);
        };
        let synced_at = replica.status()?.notes.last_sync_at;
        Ok(Some(Self::at(context.now(), synced_at, ttl_seconds)))
    }

    fn at(now: Timestamp, synced_at: Option<Timestamp>, ttl_seconds: u64) -> Self {
        let age_seconds =
            synced_at.map(|at| (now.as_millis() - at.as_millis()).max(0) as u64 / 1_000);
        Self {
            synced_at,
            age_seconds,
            is_stale: age_seconds.is_none_or(|age| age > ttl_seconds),
        }
    }

    /// Says it to a person.
    pub(super) fn tell(self, entity: &Entity, context: &Context) {
        let name = &entity.name;
        let stale = if self.is_stale { ", stale" } else { "" };
        match self.age_seconds {
            None => context
                .output
                .note(format_args!("{name} were never synced to their end")),
            Some(age) => context.output.note(format_args!(
                "{name} are as of {} ago{stale}",
                duration(age)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Age and staleness at a time, of what was synced at the 100th second and is of use for a minute.
    fn aged(now_millis: i64) -> (Option<u64>, bool) {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        let age = Age::at(at(now_millis), Some(at(100_000)), 60);
        (age.age_seconds, age.is_stale)
    }

    #[test]
    fn a_cache_is_stale_once_it_is_older_than_its_document_lets_it_be() {
        assert_eq!(aged(100_000), (Some(0), false));
        assert_eq!(aged(101_999), (Some(1), false));
        assert_eq!(aged(160_999), (Some(60), false));
        assert_eq!(aged(161_000), (Some(61), true));
        // A clock that was set back makes nothing older.
        assert_eq!(aged(0), (Some(0), false));
    }

    #[test]
    fn a_cache_that_was_never_synced_has_no_age_and_is_stale() {
        let age = Age::at(Timestamp::from_millis(0).unwrap(), None, u64::MAX);
        assert_eq!((age.age_seconds, age.is_stale), (None, true));
    }
}
