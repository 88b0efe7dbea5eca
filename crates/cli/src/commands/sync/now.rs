use std::time::Duration;

use clap::Args;
use serde::Serialize;
use syncline_client::{Remote, SyncEnd, SyncSettings};
use syncline_replica::{LostEdit, Replica, SyncedThings};

use crate::context::Context;
use crate::daemon_call::{self, Cause, End, Synced};
use crate::failure::{Failure, Outcome};
use crate::sync_state::cure_of;
use crate::things::{ThingsShown, things};
use crate::wording::counted;
use crate::{lost_edits, remote, replica_access};

const SECONDS_DEFAULT: u64 = 60;
/// The longest that the daemon waits on behalf of a command.
const SECONDS_MAX: u64 = 600;

/// Push what waits and pull what is new, now
///
/// By the daemon where one runs. Tells what was uploaded, and what of others was received (of messages all, also
/// what agents tell themselves, which no count of a session's messages takes); exit code 1 if
/// not everything is synced in time. An edit of a record that another's has won against is told, with both
/// values, and so is one of a field that is gone, with `field_gone`, also where a daemon or another command
/// has synced it. With --json: {state, error, pending, acknowledged, quarantined, uploaded:{sessions, messages,
/// threads, entries, lists, items, others}, received:{the same}, lost:[{entity, id, column, base, mine,
/// theirs, field_gone}], cut_ops, healed_ops}, where cut_ops counts changes that were here and went with a reset of the
/// server's log, or a restore that discards, and healed_ops those that the server had lost and got back.
#[derive(Debug, Args)]
pub(crate) struct NowArgs {
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = SECONDS_DEFAULT,
          value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    timeout: u64,
    /// Sync also with a log that has nothing in common with what is here: both become one
    #[arg(long)]
    join: bool,
}

impl Default for NowArgs {
    fn default() -> Self {
        Self {
            timeout: SECONDS_DEFAULT,
            join: false,
        }
    }
}

pub(crate) fn run(args: &NowArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let before = replica.before_sync()?;
    let patience = Duration::from_secs(args.timeout);
    let mut synced = sync(replica, patience, context)?;
    if args.join && synced.is_apart() {
        let mut replica = replica_access::open(context)?;
        replica.join_foreign_log()?;
        synced = sync(replica, patience, context)?;
    }
    // Another handle: the first may have gone with the sync.
    let mut after = replica_access::open(context)?;
    let things = before.compare(&mut after)?;
    let untold = after.untold_losses()?;
    let lost: Vec<_> = untold.iter().map(|loss| &loss.edit).collect();
    let answer = Answer {
        synced,
        uploaded: things.sent.into(),
        received: things.received.into(),
        lost: &lost,
        cut_ops: things.cut_ops,
        healed_ops: things.healed_ops,
    };
    tell(&answer, things, context)?;
    after.forget_losses(&untold)?;
    conclude(&answer.synced, context)
}

fn sync(mut replica: Replica, patience: Duration, context: &Context) -> Result<Synced, Failure> {
    match remote::settings(context)? {
        SyncSettings::On(remote) => {
            match daemon_call::sync_now(context, &remote.endpoint, patience)? {
                Some(synced) => Ok(synced),
                None => by_ourselves(replica, remote, patience),
            }
        }
        SyncSettings::Off => {
            let status = replica.status()?;
            Ok(Synced {
                state: End::Off,
                error: None,
                pending: status.pending(),
                acknowledged: status.acknowledged(),
                quarantined: status.quarantined,
            })
        }
    }
}

fn by_ourselves(replica: Replica, remote: Remote, patience: Duration) -> Result<Synced, Failure> {
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
struct Answer<'a> {
    #[serde(flatten)]
    synced: Synced,
    uploaded: ThingsShown,
    received: ThingsShown,
    /// The edits of records that others' have won against, or whose fields were gone, and that nobody was told of
    /// before.
    lost: &'a [&'a LostEdit],
    cut_ops: u64,
    healed_ops: u64,
}

fn tell(answer: &Answer<'_>, things: SyncedThings, context: &Context) -> Outcome {
    let output = &context.output;
    let synced = &answer.synced;
    output.data(answer, |out| match synced.state {
        End::Synced => writeln!(out, "Syncing... {}", sentence(things)),
        End::Off | End::OutOfTime | End::Failed => Ok(()),
    })?;
    if answer.cut_ops > 0 {
        output.warn(format_args!(
            "the server's log was reset, or put back to an earlier state to discard what came later; with it went \
             what was here of it: {}; its admin can put a log that was reset back for 30 days, see \
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
    lost_edits::tell(answer.lost, context);
    Ok(())
}

/// What the command ends with.
fn conclude(synced: &Synced, context: &Context) -> Outcome {
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
    let healed = (synced.healed_ops > 0).then(|| {
        let (ops, lacked) = (
            synced.healed_ops,
            if synced.healed_ops == 1 { "it" } else { "them" },
        );
        let changes = counted(ops, "change");
        format!("{changes} given to the server, which lacked {lacked}")
    });
    let sent = match things(synced.sent) {
        None if healed.is_some() => None,
        None => Some("nothing to upload".to_owned()),
        Some(things) => Some(format!("{things} uploaded")),
    };
    let received = things(synced.received).map(|things| format!("{things} received"));
    let parts: Vec<_> = [sent, healed, received].into_iter().flatten().collect();
    format!("{}.", parts.join("; "))
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
