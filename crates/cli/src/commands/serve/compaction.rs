use std::time::Duration;

use clap::Args;
use syncline_server::CompactionPlan;
use syncline_server::tenant::Keep;

use crate::context::Context;
use crate::environment::variable;
use crate::failure::Failure;
use crate::span::Span;

/// Compactions that the server does while it runs.
#[derive(Debug, Args)]
pub(crate) struct CompactionArgs {
    /// How often to look for logs with much to drop: 30m, 6h; 0s: never
    /// [default: 1h, or $SYNCLINE_COMPACT_EVERY]
    #[arg(long, value_name = "TIME")]
    compact_every: Option<Span>,
    /// Keep ops of this time in the log, whatever covers them: 12h, 30d
    /// [default: 7d, or $SYNCLINE_RETENTION]
    #[arg(long, value_name = "TIME")]
    retention: Option<Span>,
    /// Don't wait with that for clients that were idle for longer: 7d, 90d
    /// [default: 30d, or $SYNCLINE_EXPIRE_AFTER]
    #[arg(long, value_name = "TIME")]
    expire_after: Option<Span>,
}

impl CompactionArgs {
    /// What was given by flag, else by variable, else the defaults.
    pub(super) fn plan(&self, context: &Context) -> Result<CompactionPlan, Failure> {
        let by_default = CompactionPlan::default();
        let every = resolve(self.compact_every, variable::COMPACT_EVERY, context)?;
        let retention = resolve(self.retention, variable::RETENTION, context)?;
        let idle = resolve(self.expire_after, variable::EXPIRE_AFTER, context)?;
        Ok(CompactionPlan {
            every: match every {
                None => by_default.every,
                Some(every) => Some(every).filter(|every| !every.is_zero()),
            },
            keep: Keep {
                retention: retention.unwrap_or(by_default.keep.retention),
                idle: idle.unwrap_or(by_default.keep.idle),
            },
        })
    }
}

fn resolve(
    given: Option<Span>,
    name: &'static str,
    context: &Context,
) -> Result<Option<Duration>, Failure> {
    if let Some(span) = given {
        return Ok(Some(span.duration()));
    }
    let Some(text) = context.environment.text(name)? else {
        return Ok(None);
    };
    let span: Span = text.parse().map_err(|error| {
        Failure::usage("environment_invalid", format!("{name} is no time"))
            .because(error)
            .fix(format!("unset {name}, or set it to a time such as 7d"))
    })?;
    Ok(Some(span.duration()))
}
