use std::io::BufRead;
use std::time::Duration;

use clap::Args;
use syncline_client::{
    Delivery, Endpoint, EndpointError, Member, Remote, Token, TokenError, whoami,
};

use crate::commands::ask_failure::unanswered;
use crate::commands::whoami::Who;
use crate::config::{Auth, ConfigFile, Credential, Origin, ProfileName, Setting, SyncInterval};
use crate::context::Context;
use crate::environment::variable;
use crate::failure::{Failure, Outcome};
use crate::remote::is_readable_on_the_way;
use crate::replica_access;

/// How long a person waits for a server.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest line that is read as a token.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Store a token for a server, and sync with it from now on
///
/// Reads the token from a prompt, or a line of standard input, and tries it first. It is kept in a file
/// of its own that only you can read, and is sent to this endpoint alone.
#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// The server's URL [default: the endpoint that is set]
    #[arg(value_name = "ENDPOINT")]
    endpoint: Option<String>,
}

pub(crate) fn run(args: &LoginArgs, context: &Context) -> Outcome {
    let profile = context.profile()?.value;
    let (endpoint, keep) = choose_endpoint(args, context)?;
    if is_readable_on_the_way(&endpoint) {
        context.output.warn(format_args!(
            "{endpoint} is not encrypted: whoever is on the way can read the token"
        ));
    }
    // Not one of the environment: those are never written.
    let token = match context.flag_token()? {
        Some(token) => token,
        None => read_token(&endpoint, context)?,
    };
    let remote = Remote {
        endpoint: endpoint.clone(),
        token: Some(token.clone()),
        delivery: Delivery::Live {
            interval: SyncInterval::DEFAULT.duration(),
        },
    };
    let member = whoami(&remote, PATIENCE).map_err(|error| {
        unanswered(error, &endpoint).state("nothing was stored; an earlier login still counts")
    })?;
    check_tenant(context, &member)?;
    claim_replica(context, &member)?;
    store(context, &profile, &endpoint, token, keep)?;
    let who = Who::new(&endpoint, member);
    context.output.data(&who, |_| Ok(()))?;
    context
        .output
        .note(format_args!("logged in to {who} (profile: {profile})"));
    note_overrides(context)
}

/// Whether the endpoint is written into the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Endpoint,
    /// It comes from the environment, which is never written.
    TokenAlone,
}

fn choose_endpoint(args: &LoginArgs, context: &Context) -> Result<(Endpoint, Keep), Failure> {
    if let Some(text) = &args.endpoint {
        let endpoint = text.parse().map_err(|error: EndpointError| {
            Failure::usage("endpoint_invalid", "this is no endpoint")
                .because(error)
                .state("nothing was stored")
        })?;
        return Ok((endpoint, Keep::Endpoint));
    }
    let known = context.settings()?.endpoint;
    match (known.value, known.origin) {
        (Some(endpoint), Origin::Environment) => Ok((endpoint, Keep::TokenAlone)),
        (Some(endpoint), _) => Ok((endpoint, Keep::Endpoint)),
        (None, _) => Err(Failure::usage("no_endpoint", "no endpoint is set")
            .state("nothing was stored")
            .fix("syncline login https://sync.example.org")),
    }
}

fn read_token(endpoint: &Endpoint, context: &Context) -> Result<Token, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new("stdin_unreadable", "could not read the token")
            .because(error)
            .state("nothing was stored")
    };
    let text = if context.environment.terminals.stdin {
        rpassword::prompt_password(format!("Token for {endpoint}: ")).map_err(unreadable)?
    } else {
        let mut line = String::new();
        let stdin = std::io::stdin().lock();
        std::io::Read::take(stdin, LINE_BYTES_MAX)
            .read_line(&mut line)
            .map_err(unreadable)?;
        line
    };
    text.parse().map_err(|error: TokenError| {
        Failure::usage("token_invalid", "this is no token")
            .because(error)
            .state("nothing was stored")
            .fix("syncline token create --data DIR --user NAME, on the server")
            .fix(format!(
                "syncline config set endpoint {endpoint}, if the server takes everybody (--auth none)"
            ))
    })
}

/// A profile holds one tenant for good: what is written for one must not reach another.
fn check_tenant(context: &Context, member: &Member) -> Outcome {
    let Some(held) = replica_access::held_tenant(context)? else {
        return Ok(());
    };
    if held == member.tenant {
        return Ok(());
    }
    let message = format!(
        "the token is for tenant {}, and this profile holds tenant {held}",
        member.tenant
    );
    Err(Failure::new("other_tenant", message)
        .state("nothing was stored; an earlier login still counts")
        .fix("syncline config profiles create NAME, then syncline --profile NAME login"))
}

/// What is written from now on is stamped as the new user's: a server takes no user's ops from
/// another. A replica that does not exist yet has no user.
fn claim_replica(context: &Context, member: &Member) -> Outcome {
    if replica_access::held_tenant(context)?.is_none() {
        return Ok(());
    }
    let mut replica = replica_access::open(context)?;
    Ok(replica.belong_to(&member.tenant, &member.user)?)
}

/// The credential first: a profile that says `auth = "token"` has one.
fn store(
    context: &Context,
    profile: &ProfileName,
    endpoint: &Endpoint,
    token: Token,
    keep: Keep,
) -> Outcome {
    let credential = Credential {
        endpoint: endpoint.clone(),
        token,
    };
    context.credentials()?.set(profile, &credential)?;
    ConfigFile::edit(&context.paths()?.config_file, |file| {
        if keep == Keep::Endpoint {
            file.set(profile, &Setting::Endpoint(endpoint.clone()))?;
        }
        file.set(profile, &Setting::Auth(Auth::Token))
            .map_err(Failure::from)
    })
}

/// Says so when something keeps the login from counting.
fn note_overrides(context: &Context) -> Outcome {
    for name in [variable::ENDPOINT, variable::TOKEN] {
        if context.environment.raw(name).is_some() {
            context.output.warn(format_args!(
                "{name} is set, and goes before what was stored"
            ));
        }
    }
    let settings = crate::config::Layer::default();
    let config = ConfigFile::load(&context.paths()?.config_file)?;
    let profile = config.layer(&context.profile()?.value)?;
    let stored = crate::config::Settings::resolve(&settings, &settings, &profile);
    if stored.endpoint.value.is_some() && !stored.sync_enabled.value {
        context
            .output
            .warn("sync is turned off; `syncline config set sync_enabled true` turns it on");
    }
    Ok(())
}
