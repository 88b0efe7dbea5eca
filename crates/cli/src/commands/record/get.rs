use clap::Args;
use serde::Serialize;
use syncline_model::record::{Record, Records, Values, known_id};
use syncline_model::schema::{Entity, WriteMode};
use syncline_replica::Replica;
use syncline_store::records::StoredRecords;

use super::entity::Age;
use super::shown::{row, write_one};
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Show one record
///
/// With --json: its fields, with `_role`, and `_pending` where the server has not decided all of it. Of an
/// entity that is a cache, {synced_at, age_seconds, is_stale} as `_age` beside them.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The value of its key
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) fn run(
    args: &GetArgs,
    entity: &Entity,
    replica: &mut Replica,
    context: &Context,
) -> Outcome {
    let found = record(replica, entity, &args.id)?;
    let shown = match found {
        Some(record) => row(replica, entity, record)?,
        None => None,
    };
    let Some(shown) = shown else {
        return Err(not_found(replica, entity, &args.id)?);
    };
    let shown = Shown {
        record: shown,
        age: Age::of(entity, replica, context)?,
    };
    context
        .output
        .data(&shown, |out| write_one(&shown.record, entity, out))?;
    if let Some(age) = shown.age {
        age.tell(entity, context);
    }
    Ok(())
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    record: Values,
    #[serde(rename = "_age", skip_serializing_if = "Option::is_none")]
    age: Option<Age>,
}

/// The record of this id, of a UUID however it is written, whoever may see it, and whether or not it was deleted.
pub(super) fn record(
    replica: &mut Replica,
    entity: &Entity,
    id: &str,
) -> Result<Option<Record>, Failure> {
    let mut rows = StoredRecords(replica.view()?.connection());
    let id = known_id(&mut rows, entity, id)?;
    Ok(rows.record(&entity.name, &id)?)
}

/// Why a record is not shown.
pub(super) fn not_found(replica: &Replica, entity: &Entity, id: &str) -> Result<Failure, Failure> {
    let message = format!("there is no record {id} among {}", entity.name);
    let failure = Failure::new("not_found", message);
    // Of an entity that is local-first what waits is shown.
    if entity.mode == WriteMode::Confirmed && replica.has_waiting(&entity.name, id)? {
        let state = "a write of it waits for the server, and shows once that has taken it";
        return Ok(failure.state(state).fix("syncline sync"));
    }
    Ok(failure
        .fix(format!("syncline record {} list", entity.name))
        .fix("syncline sync, if another machine has made it"))
}
