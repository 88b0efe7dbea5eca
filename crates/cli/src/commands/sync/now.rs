use std::time::Duration;

use clap::Args;
use serde::Serialize;
use syncline_client::{Remote, SyncEnd, SyncSettings};
use syncline_model::record::Lost;
use syncline_replica::{LostEdit, SyncedThings};

use crate::context::Context;
use crate::daemon_call::{self, Cause, End, Synced};
use crate::failure::{Failure, Outcome};
use crate::sync_state::cure_of;
use crate::things::{ThingsShown, things};
use crate::wording::{counted, quoted};
use crate::{remote, replica_access};

const SECONDS_DEFAULT: u64 = 60;
/// The longest that the daemon waits on behalf of a command.
const SECONDS_MAX: u64 = 600;

/// Push what waits and pull what is new, now
///
/// By the daemon where one runs. Tells what was uploaded, and what of others was received; exit code 1 if
/// not everything is synced in time. An edit of a record that another's has won against is told, with both
/// values. With --json: {state, error, pending, acknowledged, quarantined, uploaded:{sessions, messages,
/// threads, entries, lists, items, others}, received:{the same}, lost:[{entity, id, column, base, mine,
/// theirs}], cut_ops}, where cut_ops counts changes that were here and went with a reset of the server's log,
/// or a restore that discards.
#[derive(Debug, Args)]
pub(crate) struct NowArgs {
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = SECONDS_DEFAULT,
          value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    timeout: u64,
}

impl Default for NowArgs {
    fn default() -> Self {
        Self {
            timeout: SECONDS_DEFAULT,
        }
    }
}

pub(crate) fn run(args: &NowArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let before = replica.before_sync()?;
    let undecided = replica.undecided_records()?;
    let patience = Duration::from_secs(args.timeout);
    let synced = match remote::settings(context)? {
        SyncSettings::On(remote) => {
            match daemon_call::sync_now(context, &remote.endpoint, patience)? {
                Some(synced) => synced,
                None => by_ourselves(replica, remote, patience)?,
            }
        }
        SyncSettings::Off => {
            let status = replica.status()?;
            Synced {
                state: End::Off,
                error: None,
                pending: status.pending(),
                acknowledged: status.acknowledged(),
                quarantined: status.quarantined,
            }
        }
    };
    // Another handle: the first may have gone with the sync.
    let mut after = replica_access::open(context)?;
    let things = before.compare(&mut after)?;
    let lost = after.lost_edits(&undecided)?;
    conclude(context, synced, things, lost)
}

fn by_ourselves(
    replica: syncline_replica::Replica,
    remote: Remote,
    patience: Duration,
) -> Result<Synced, Failure> {
    let (_, outcome) = syncline_client::sync_once_and_compact(replica, remote, patience)?;
    let (state, error) = match outcome.end {
        SyncEnd::Synced => (End::Synced, None),
        SyncEnd::Off => (End::Off, None),
        SyncEnd::OutOfTime => (End::OutOfTime, None),
        SyncEnd::Failed(failure) => {
            let cause = Cause {
                code: failure.code,
                message: failure.message,
            };
            (End::Failed, Some(cause))
        }
    };
    Ok(Synced {
        state,
        error,
        pending: outcome.pending,
        acknowledged: outcome.acknowledged,
        quarantined: outcome.quarantined,
    })
}

/// The answer: how the sync went, and what it brought to the server and here.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    synced: Synced,
    uploaded: ThingsShown,
    received: ThingsShown,
    /// The edits of records that others' have won against.
    lost: Vec<LostShown>,
    cut_ops: u64,
}

#[derive(Serialize)]
struct LostShown {
    entity: String,
    id: String,
    column: String,
    #[serde(flatten)]
    values: Lost,
}

impl From<LostEdit> for LostShown {
    fn from(lost: LostEdit) -> Self {
        Self {
            entity: lost.entity,
            id: lost.id,
            column: lost.column,
            values: lost.values,
        }
    }
}

/// How many lost edits are told one by one.
const LOST_TOLD_MAX: usize = 10;

fn tell_lost(context: &Context, lost: &[LostShown]) {
    let output = &context.output;
    for edit in lost.iter().take(LOST_TOLD_MAX) {
        let LostShown {
            entity,
            id,
            column,
            values: Lost { mine, theirs, .. },
        } = edit;
        output.warn(format_args!(
            "{entity}/{id}: {column} was changed meanwhile: {mine} lost to {theirs}; see `syncline record \
             {entity} history {}`",
            quoted(id)
        ));
    }
    let more = lost.len().saturating_sub(LOST_TOLD_MAX);
    if more > 0 {
        let more = counted(more as u64, "more edit");
        output.warn(format_args!(
            "{more} lost to others' too; the histories of their records keep them"
        ));
    }
}

fn conclude(
    context: &Context,
    synced: Synced,
    things: SyncedThings,
    lost: Vec<LostEdit>,
) -> Outcome {
    let output = &context.output;
    let answer = Answer {
        synced,
        uploaded: things.sent.into(),
        received: things.received.into(),
        lost: lost.into_iter().map(LostShown::from).collect(),
        cut_ops: things.cut_ops,
    };
    let synced = &answer.synced;
    output.data(&answer, |out| match synced.state {
        End::Synced => writeln!(out, "Syncing... {}", sentence(things)),
        End::Off | End::OutOfTime | End::Failed => Ok(()),
    })?;
    if answer.cut_ops > 0 {
        output.warn(format_args!(
            "the server's log was reset, or put back to an earlier state to discard what came later: {} \
             that were here went with it; its admin can put a log that was reset back for 30 days, see \
             docs/troubleshooting.md",
            counted(answer.cut_ops, "change")
        ));
    }
    if synced.quarantined > 0 {
        output.warn(format_args!(
            "{} refused; see `syncline sync quarantine list`",
            counted(synced.quarantined, "change")
        ));
    }
    tell_lost(context, &answer.lost);
    match synced.state {
        End::Synced => Ok(()),
        End::Off => {
            off(context, synced.pending)?;
            Ok(())
        }
        End::OutOfTime => Err(
            Failure::new("out_of_time", "not everything is synced in time")
                .state(still_waiting(synced))
                .fix("syncline sync now --timeout 600"),
        ),
        End::Failed => Err(failed(synced)),
    }
}

fn sentence(synced: SyncedThings) -> String {
    let sent = match things(synced.sent) {
        None => "nothing to upload".to_owned(),
        Some(things) => format!("{things} uploaded"),
    };
    match things(synced.received) {
        None => format!("{sent}."),
        Some(things) => format!("{sent}; {things} received."),
    }
}

/// To have no endpoint is a normal state, and no failure.
fn off(context: &Context, pending: u64) -> Outcome {
    let next = match context.settings()?.endpoint.value {
        Some(_) => "sync is turned off; `syncline config set sync_enabled true` turns it on",
        None => "no endpoint is set; `syncline login URL` sets one",
    };
    context.output.note(format_args!(
        "{next} ({} waiting)",
        counted(pending, "change")
    ));
    Ok(())
}

fn failed(synced: &Synced) -> Failure {
    let failure = Failure::new("sync_failed", "could not sync").state(still_waiting(synced));
    let Some(Cause { code, message }) = &synced.error else {
        return failure.fix("syncline logs");
    };
    let fix = cure_of(code).unwrap_or("syncline doctor");
    failure.because(format!("{message} [{code}]")).fix(fix)
}

fn still_waiting(synced: &Synced) -> String {
    format!(
        "{} waiting in the outbox, on disk; the next sync sends them",
        counted(synced.pending, "change")
    )
}
