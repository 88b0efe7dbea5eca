//! `syncline query --write`: rows that a statement changes, written as ops.

use std::time::Instant;

use serde::Serialize;
use syncline_replica::{ListChange, Replica};
use syncline_store::sql::{
    SqlChanges, SqlError, SqlWrite, WRITE_BYTES_MAX, WRITE_ROWS_MAX, WriteError, WriteKind,
    WriteOps, WritePlan, WritePlanError, changes_of, plan_write,
};

use super::run::{Query, failure, timed_out};
use super::worker::{self, Sign};
use crate::confirm::{Answer, confirm};
use crate::context::Context;
use crate::delivery::{self, Delivered, Stay};
use crate::failure::{Failure, Outcome};
use crate::prices;
use crate::replica_access::{self, WriteState, cure_of_file};
use crate::wording::counted;
use crate::written::{erase_unsent, show, tell};

/// Whether a person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    First,
    Nothing,
}

#[derive(Serialize)]
struct Changed {
    view: &'static str,
    rows: u64,
    deleted: bool,
    columns: Vec<&'static str>,
    state: WriteState,
}

/// Carries out a statement that changes rows; one that reads is run as it would be without `--write`.
pub(super) fn run(mut query: Query, sql: &str, ask: Ask, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let Some(mut changes) = changes(&mut replica, sql, &query, context)? else {
        return query.print(sql, context);
    };
    let secrets = take_secrets_out(&mut changes, context)?;
    let plan = plan_write(replica.view()?.connection(), &changes, context.now());
    let plan = plan.map_err(refused)?;
    let what = what(&plan);
    if ask == Ask::First && plan.rows > 0 {
        confirmed(&plan, &what, context)?;
    }
    let (keys, undo) = match plan.ops {
        WriteOps::Ops(ops) if ops.is_empty() => (Vec::new(), None),
        WriteOps::Ops(ops) => {
            let keys = replica.write(&ops)?.keys;
            if plan.kind == WriteKind::Delete {
                erase_unsent(&mut replica, &keys, context);
            }
            (keys, None)
        }
        WriteOps::Lists(commands) => match commands.first() {
            None => (Vec::new(), None),
            Some(first) => {
                let change = ListChange {
                    items: commands.len() as u64,
                    ..ListChange::of(first)
                };
                let changed = replica.change_lists_together(&change, &commands)?;
                (changed.keys, Some("syncline list undo"))
            }
        },
    };
    let Delivered {
        state, delivery, ..
    } = delivery::after_write(context, replica, &keys, Stay::Briefly);
    let changed = Changed {
        view: plan.view,
        rows: plan.rows,
        deleted: plan.kind == WriteKind::Delete,
        columns: plan.columns,
        state,
    };
    show(context, &changed, |_| Ok(()))?;
    tell(context, &what, state, &delivery);
    if secrets > 0 {
        let secrets = counted(secrets, "secret");
        context.output.note(format_args!("{secrets} left out"));
    }
    if let Some(undo) = undo {
        context.output.note(format_args!("`{undo}` takes it back"));
    }
    Ok(())
}

/// What is written of sessions holds no more secrets than what is imported; gives how many were found.
fn take_secrets_out(changes: &mut SqlChanges, context: &Context) -> Result<u64, Failure> {
    let privacy = context.privacy()?;
    let mut count = 0;
    changes.clean_sessions(|text| {
        let clean = privacy.redactor().redact_text(text);
        count += clean.findings.len() as u64;
        (!clean.findings.is_empty()).then(|| clean.text.into_owned())
    });
    Ok(count)
}

/// The rows that the statement would change; none: it reads.
fn changes(
    replica: &mut Replica,
    sql: &str,
    query: &Query,
    context: &Context,
) -> Result<Option<SqlChanges>, Failure> {
    let path = replica.view()?.path().to_owned();
    let (begin, time) = (Instant::now(), query.time);
    let is_up = move || begin.elapsed() >= time;
    let (prices, statement) = (prices::read(context)?.table, sql.to_owned());
    let find = move || changes_of(&path, &prices, &statement, is_up);
    let Some(found) = worker::within(time, &Sign::default(), find)? else {
        return Err(timed_out(time).state("nothing was changed"));
    };
    match found {
        Ok(SqlWrite::Nothing) => Ok(None),
        Ok(SqlWrite::Changes(changes)) => Ok(Some(changes)),
        Ok(SqlWrite::TooMany) => Err(Failure::new(
            "sql_too_many",
            format!(
                "the statement changes more than {WRITE_ROWS_MAX} rows, or more than {} MiB of them",
                WRITE_BYTES_MAX >> 20
            ),
        )
        .state("nothing was changed")
        .fix("narrow it with WHERE, and run it several times")),
        Err(WriteError::Open(error)) => {
            let fix = cure_of_file(&error);
            Err(
                Failure::new("replica_failed", "could not open the replica for reading")
                    .because(error)
                    .fix(fix),
            )
        }
        Err(WriteError::Sql(SqlError::Refused { what })) => Err(Failure::new(
            "sql_refused",
            format!("--write takes a DELETE or an UPDATE of one view, and no other change: {what}"),
        )
        .state("nothing was changed")
        .fix(
            "syncline query --views; what is new is made by `syncline list`, `thread` and `record`",
        )),
        // What is there instead says more than that nothing was changed.
        Err(WriteError::Sql(error @ SqlError::Invalid { .. })) => {
            Err(failure(error, sql, query.time))
        }
        Err(WriteError::Sql(error)) => {
            Err(failure(error, sql, query.time).state("nothing was changed"))
        }
    }
}

/// `deleted 2 rows of threads`, `changed title of 1 row of sessions`.
fn what(plan: &WritePlan) -> String {
    let rows = counted(plan.rows, "row");
    match plan.kind {
        WriteKind::Delete => format!("deleted {rows} of {}", plan.view),
        WriteKind::Update if plan.columns.is_empty() => format!("changed {rows} of {}", plan.view),
        WriteKind::Update => {
            format!(
                "changed {} of {rows} of {}",
                plan.columns.join(", "),
                plan.view
            )
        }
    }
}

fn confirmed(plan: &WritePlan, what: &str, context: &Context) -> Outcome {
    let rows = counted(plan.rows, "row");
    let question = match plan.kind {
        WriteKind::Delete => format!("Delete {rows} of {}, on every machine?", plan.view),
        WriteKind::Update => format!(
            "Change {} of {rows} of {}, on every machine?",
            plan.columns.join(", "),
            plan.view
        ),
    };
    match confirm(context, &question)? {
        Answer::Yes => Ok(()),
        Answer::No => Err(Failure::new("not_confirmed", "nothing was changed")),
        Answer::NobodyAsked => Err(Failure::usage(
            "not_confirmed",
            format!("what would have {what} must be confirmed"),
        )
        .state("nothing was changed")
        .fix("syncline query SQL --write --yes")),
    }
}

fn refused(error: WritePlanError) -> Failure {
    match error {
        WritePlanError::Forbidden { what, instead } => Failure::new("sql_forbidden", what)
            .state("nothing was changed")
            .fix(instead),
        WritePlanError::Thread(error) => Failure::from(error).state("nothing was changed"),
        error @ WritePlanError::Value { .. } => Failure::usage("sql_value", error.to_string())
            .state("nothing was changed")
            .fix("syncline query --views says what each column holds"),
        error @ (WritePlanError::Payload(_) | WritePlanError::Store(_)) => {
            Failure::new("sql_failed", "could not plan what the statement changes")
                .because(error)
                .state("nothing was changed")
        }
    }
}
