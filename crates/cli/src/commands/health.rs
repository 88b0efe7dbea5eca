use std::time::Duration;

use clap::Args;
use serde::Serialize;
use syncline_client::{Delivery, Endpoint, EndpointError, Remote, health};
use syncline_model::Timestamp;

use super::ask_failure::{no_server, unanswered};
use super::serve::listen;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::wording::counted;

/// How long the server has by default: a health check that waits longer is one that failed.
const PATIENCE_SECONDS: u64 = 3;

/// Ask a server whether it lives
///
/// Exit code 0: it answered that it is healthy; 1: it did not. Without URL, the server is that of
/// --endpoint, else the one on this machine where SYNCLINE_LISTEN or PORT says where it listens, else
/// the profile's, else http://127.0.0.1:8080. No token is shown to it.
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// The server
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// How long it has to answer
    #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE_SECONDS)]
    timeout: u64,
}

#[derive(Serialize)]
struct Answered {
    endpoint: String,
    status: String,
    version: String,
    auth_mode: String,
    /// Null where the server knows of none.
    last_verified_backup_at: Option<Timestamp>,
    last_backup_left_out: u64,
    /// When a regular backup last failed, where none was made since.
    last_backup_failed_at: Option<Timestamp>,
    /// `disk_full` or `backup_failed`.
    last_backup_failure: Option<String>,
    /// `ok`, `full`, `failing`, or null where the server doesn't say.
    storage: Option<String>,
}

pub(crate) fn run(args: &HealthArgs, context: &Context) -> Outcome {
    let endpoint = endpoint(args, context)?;
    let patience = Duration::from_secs(args.timeout);
    let remote = Remote {
        endpoint: endpoint.clone(),
        token: None,
        delivery: Delivery::Poll { interval: patience },
    };
    let said = health(&remote, patience).map_err(|error| unanswered(error, &endpoint))?;
    let healthy = said.is_healthy();
    let (full, failing) = (said.is_full(), said.is_failing());
    let answered = Answered {
        endpoint: endpoint.to_string(),
        status: said.status,
        version: said.version,
        auth_mode: said.auth_mode,
        last_verified_backup_at: said.last_verified_backup_at,
        last_backup_left_out: said.last_backup_left_out,
        last_backup_failed_at: said.last_backup_failed_at,
        last_backup_failure: said.last_backup_failure,
        storage: said.storage,
    };
    context.output.data(&answered, |out| {
        let Answered {
            endpoint,
            status,
            version,
            auth_mode,
            last_verified_backup_at,
            last_backup_left_out,
            ..
        } = &answered;
        write!(
            out,
            "{endpoint} is {status}: version {version}, auth {auth_mode}"
        )?;
        if let Some(at) = last_verified_backup_at {
            write!(out, ", last verified backup {at}")?;
        }
        if *last_backup_left_out > 0 {
            let logs = counted(*last_backup_left_out, "log");
            write!(out, " without {logs}")?;
        }
        writeln!(out)
    })?;
    if full {
        context.output.warn(format_args!(
            "the server's disk is full: it serves reads, and refuses writes until there is room"
        ));
    }
    if failing {
        context.output.warn(format_args!(
            "the server's disk does not take what is written: its log says why"
        ));
    }
    if let Some(at) = answered.last_backup_failed_at {
        let why = match answered.last_backup_failure.as_deref() {
            Some("disk_full") => "the disk it goes to is full",
            Some(_) | None => "its log says why",
        };
        context.output.warn(format_args!(
            "the server's regular backup failed at {at}, and is tried again each minute: {why}"
        ));
    }
    if healthy {
        Ok(())
    } else {
        Err(Failure::reported())
    }
}

/// The server that is meant: see the help.
fn endpoint(args: &HealthArgs, context: &Context) -> Result<Endpoint, Failure> {
    if let Some(url) = &args.url {
        return url.parse().map_err(|error: EndpointError| {
            Failure::usage("endpoint_invalid", "this is no endpoint").because(error)
        });
    }
    let is_here = context.globals.endpoint.is_none() && listen::is_said(context);
    if !is_here {
        let settings = context.settings()?;
        match (settings.sync_endpoint(), settings.endpoint.value.is_some()) {
            (Some(endpoint), _) => return Ok(endpoint.clone()),
            (None, true) => return Err(no_server(context)?),
            (None, false) => {}
        }
    }
    let listen = listen::resolve(None, context)?.reached_here();
    format!("http://{listen}")
        .parse()
        .map_err(|error: EndpointError| {
            let message = format!("{listen} is no address to call");
            Failure::usage("environment_invalid", message).because(error)
        })
}
