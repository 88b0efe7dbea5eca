use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use syncline_model::record::{Action, Lost, Mode, Values};
use syncline_model::schema::Entity;
use syncline_replica::{RecordChange, RecordOutcome, Replica};

use super::get::record;
use super::refused::{not_written, quarantined};
use super::shown::row;
use super::values::ValueArgs;
use crate::context::Context;
use crate::delivery::{Delivered, Delivery, Stay, after_write};
use crate::failure::{Failure, Outcome};
use crate::lost_edits::tell_untold;
use crate::replica_access::WriteState;
use crate::wording::quoted;
use crate::written;

/// The longest that `--wait` takes.
const SECONDS_MAX: u64 = 600;
/// How long a write stays that the server has to decide before it shows.
const CONFIRM_SECONDS: u64 = 30;

/// Make a record
///
/// Prints its id. With --json: {entity, id, mode, state, seq, lost, record}; state is acknowledged or
/// pending.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Its key [default: a new one, unless --set has it]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    values: ValueArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

/// Change fields of a record; the others stay as they are
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// The value of its key
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    values: ValueArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

/// Delete a record
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// The value of its key
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    wait: WaitArgs,
}

#[derive(Debug, Clone, Copy, Args)]
struct WaitArgs {
    /// Stay until the server has decided, for so many seconds at most [default: a moment where the entity
    /// is local-first, else 30]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    wait: Option<u64>,
}

pub(super) fn create(
    args: &CreateArgs,
    entity: &Entity,
    replica: Replica,
    context: &Context,
) -> Outcome {
    let change = RecordChange {
        entity: entity.name.clone(),
        id: args.id.clone(),
        action: Action::Create,
        values: args.values.read(entity, context)?,
    };
    write(change, entity, replica, args.wait, context)
}

pub(super) fn update(
    args: &UpdateArgs,
    entity: &Entity,
    replica: Replica,
    context: &Context,
) -> Outcome {
    let values = args.values.read(entity, context)?;
    if values.is_empty() {
        return Err(Failure::usage("nothing_to_change", "no field is given")
            .state("nothing was written")
            .fix("name what changes, with --set FIELD=VALUE"));
    }
    let change = RecordChange {
        entity: entity.name.clone(),
        id: Some(args.id.clone()),
        action: Action::Update,
        values,
    };
    write(change, entity, replica, args.wait, context)
}

pub(super) fn delete(
    args: &DeleteArgs,
    entity: &Entity,
    replica: Replica,
    context: &Context,
) -> Outcome {
    let change = RecordChange {
        entity: entity.name.clone(),
        id: Some(args.id.clone()),
        action: Action::Delete,
        values: Values::new(),
    };
    write(change, entity, replica, args.wait, context)
}

/// What was written, for a program.
#[derive(Serialize)]
struct WrittenRecord<'a> {
    entity: &'a str,
    id: &'a str,
    mode: Mode,
    state: WriteState,
    /// The place of the decision in the log.
    seq: Option<u64>,
    /// The values that lost against what others had written.
    lost: BTreeMap<String, Lost>,
    /// As it stands here now; none: it is not there.
    record: Option<Values>,
}

fn write(
    change: RecordChange,
    entity: &Entity,
    mut replica: Replica,
    wait: WaitArgs,
    context: &Context,
) -> Outcome {
    let action = change.action;
    let name = format!("{}/{}", entity.name, change.id.as_deref().unwrap_or("…"));
    let written = replica
        .write_records(&[change])
        .map_err(|error| not_written(error, entity, &name))?;
    let id = written.ids.first().expect("one record was written");
    let name = format!("{}/{id}", entity.name);
    let seconds = wait.wait;
    let stay = match (seconds, written.mode) {
        (Some(seconds), _) => Stay::Until(Duration::from_secs(seconds)),
        (None, Mode::Optimistic) => Stay::Briefly,
        (None, Mode::Confirmed) => {
            context.output.note(format_args!(
                "waiting for the server to decide on {name}, {CONFIRM_SECONDS} s at most"
            ));
            Stay::Until(Duration::from_secs(CONFIRM_SECONDS))
        }
    };
    let keys = std::slice::from_ref(&written.key);
    let Delivered {
        replica,
        state,
        delivery,
    } = after_write(context, replica, keys, stay);
    let Some(mut replica) = replica else {
        return match written.mode {
            Mode::Optimistic => Ok(()),
            Mode::Confirmed => Err(unconfirmed(&name, entity, id, &delivery)),
        };
    };
    let mut told = WrittenRecord {
        entity: &entity.name,
        id,
        mode: written.mode,
        state,
        seq: None,
        lost: BTreeMap::new(),
        record: None,
    };
    match replica.record_outcome(&written.key)? {
        RecordOutcome::Refused(op) => return Err(quarantined(&op, &name, &replica)),
        RecordOutcome::Waiting | RecordOutcome::Unknown if written.mode == Mode::Confirmed => {
            return Err(unconfirmed(&name, entity, id, &delivery));
        }
        RecordOutcome::Waiting | RecordOutcome::Unknown => {}
        RecordOutcome::Done { seq, rows } => {
            told.seq = Some(seq.0);
            told.lost = rows.into_iter().flat_map(|row| row.lost).collect();
        }
    }
    if let Some(record) = record(&mut replica, entity, id)? {
        told.record = row(&mut replica, entity, record)?;
    }
    written::show(context, &told, |out| match action {
        Action::Create => writeln!(out, "{id}"),
        Action::Update | Action::Delete => Ok(()),
    })?;
    tell(&told, &name, context);
    tell_untold(&mut replica, Some(&written.key), context)?;
    written::tell(context, &name, state, &delivery);
    Ok(())
}

fn tell(told: &WrittenRecord<'_>, name: &str, context: &Context) {
    for (column, lost) in &told.lost {
        context.output.note(format_args!(
            "{name}: {column} was changed meanwhile: {} and {}; `syncline record {} history {}` keeps both",
            lost.mine,
            lost.theirs,
            told.entity,
            quoted(told.id),
        ));
    }
}

/// The one end of a write that the server has to decide, and has not.
fn unconfirmed(name: &str, entity: &Entity, id: &str, why: &Delivery) -> Failure {
    let message = format!("the server has not decided on {name}: {why}");
    Failure::new("unconfirmed", message)
        .state("it does not show yet; it is kept as pending, and the next sync delivers it: don't write it again")
        .fix(match why {
            Delivery::TurnedOff => "syncline config set sync_enabled true",
            Delivery::NoEndpoint => "syncline login URL",
            _ => "syncline sync",
        })
        .fix(format!("syncline record {} history {}", entity.name, quoted(id)))
}
