//! Entities and fields, by the names that a command was given.

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
            Err(Failure::usage("excluded_field", message).state("nothing was written"))
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

/// Says how old the records of an entity are that clients only read.
pub(super) fn tell_age(
    entity: &Entity,
    replica: &mut Replica,
    context: &Context,
) -> Result<(), Failure> {
    let WriteMode::Cache { ttl_seconds } = entity.mode else {
        return Ok(());
    };
    let name = &entity.name;
    match replica.status()?.notes.last_sync_at {
        None => context
            .output
            .note(format_args!("{name} were never synced to their end")),
        Some(at) => {
            let age = (context.now().as_millis() - at.as_millis()).max(0) as u64 / 1_000;
            let stale = if age > ttl_seconds { ", stale" } else { "" };
            let age = duration(age);
            context
                .output
                .note(format_args!("{name} are as of {age} ago{stale}"));
        }
    }
    Ok(())
}
