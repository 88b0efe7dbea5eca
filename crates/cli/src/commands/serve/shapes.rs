use std::time::Duration;

use clap::Args;
use syncline_server::{Deletes, ShapeSettings};

use crate::context::Context;
use crate::environment::variable;
use crate::failure::Failure;
use crate::span::Span;

/// How shapes are served.
#[derive(Debug, Args)]
pub(crate) struct ShapeArgs {
    /// End an answer of a shape after so many bytes
    /// [default: 10485760, or $SYNCLINE_SHAPE_CHUNK_BYTES]
    #[arg(long, value_name = "BYTES")]
    shape_chunk_bytes: Option<usize>,
    /// How long a request waits for a shape to change [default: 20s, or $SYNCLINE_SHAPE_LONG_POLL]
    #[arg(long, value_name = "TIME")]
    shape_long_poll: Option<Span>,
    /// How long a stream of a shape's events lasts [default: 60s, or $SYNCLINE_SHAPE_STREAM]
    #[arg(long, value_name = "TIME")]
    shape_stream: Option<Span>,
    /// How long caches may keep what a shape's log holds [default: 60s, or $SYNCLINE_SHAPE_MAX_AGE]
    #[arg(long, value_name = "TIME")]
    shape_max_age: Option<Span>,
    /// How long they may show it while they ask anew [default: 5m, or $SYNCLINE_SHAPE_STALE_AGE]
    #[arg(long, value_name = "TIME")]
    shape_stale_age: Option<Span>,
    /// Let clients delete shapes, so that their readers begin anew [default: off, or
    /// $SYNCLINE_SHAPE_DELETES]
    #[arg(long)]
    shape_deletes: bool,
}

impl ShapeArgs {
    /// What was given by flag, else by variable, else the defaults.
    pub(super) fn settings(&self, context: &Context) -> Result<ShapeSettings, Failure> {
        let defaults = ShapeSettings::default();
        let span = |given: Option<Span>, name, default: Duration| {
            let given = given.map(|span| span.duration());
            Ok::<_, Failure>(match given {
                Some(given) => given,
                None => parsed::<Span>(name, context)?.map_or(default, |span| span.duration()),
            })
        };
        let chunk_bytes = match self.shape_chunk_bytes {
            Some(bytes) => Some(bytes),
            None => parsed(variable::SHAPE_CHUNK_BYTES, context)?,
        };
        let deletes = self.shape_deletes
            || parsed::<bool>(variable::SHAPE_DELETES, context)?.unwrap_or_default();
        Ok(ShapeSettings {
            chunk_bytes: chunk_bytes.unwrap_or(defaults.chunk_bytes).max(1),
            long_poll: span(
                self.shape_long_poll,
                variable::SHAPE_LONG_POLL,
                defaults.long_poll,
            )?,
            stream: span(self.shape_stream, variable::SHAPE_STREAM, defaults.stream)?,
            cache_max_age: span(
                self.shape_max_age,
                variable::SHAPE_MAX_AGE,
                defaults.cache_max_age,
            )?,
            cache_stale_age: span(
                self.shape_stale_age,
                variable::SHAPE_STALE_AGE,
                defaults.cache_stale_age,
            )?,
            deletes: if deletes {
                Deletes::Allowed
            } else {
                Deletes::Refused
            },
            ..defaults
        })
    }
}

fn parsed<T>(name: &'static str, context: &Context) -> Result<Option<T>, Failure>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let Some(text) = context.environment.text(name)? else {
        return Ok(None);
    };
    let value = text.parse().map_err(|error| {
        Failure::usage("environment_invalid", format!("{name} can't be read"))
            .because(error)
            .fix(format!("unset {name}, or see syncline serve --help"))
    })?;
    Ok(Some(value))
}
