//! Why a server did not answer a question, for those commands that ask one.

use syncline_client::{AskError, Endpoint};
use syncline_protocol::{ErrorBody, ErrorCode};

use crate::context::Context;
use crate::failure::Failure;

/// The question went out, and there is no answer.
pub(super) fn unanswered(error: AskError, endpoint: &Endpoint) -> Failure {
    let (code, message, fix) = match &error {
        AskError::Refused { error, .. } => refused(error, endpoint),
        AskError::Transport(_) | AskError::Start(_) => (
            "server_unreachable",
            format!("could not reach {endpoint}"),
            "see to the network and the URL, and try again",
        ),
        AskError::Unreadable(_) => not_a_server(endpoint),
    };
    Failure::new(code, message).because(error).fix(fix)
}

fn refused(error: &ErrorBody, endpoint: &Endpoint) -> (&'static str, String, &'static str) {
    if error.code == ErrorCode::Unauthorized {
        (
            "unauthorized",
            format!("{endpoint} does not accept the token"),
            "syncline token create --data DIR --user NAME, on the server; then syncline login",
        )
    } else if error.code == ErrorCode::Forbidden {
        (
            "forbidden",
            format!("{endpoint} does not allow it"),
            "syncline login, with a token that has the right; or, for the Host, syncline serve --host NAME",
        )
    } else if error.code == ErrorCode::NotFound {
        not_a_server(endpoint)
    } else {
        (
            "server_refused",
            format!("{endpoint} refuses"),
            "try again later, or ask who runs the server",
        )
    }
}

fn not_a_server(endpoint: &Endpoint) -> (&'static str, String, &'static str) {
    (
        "not_a_server",
        format!("{endpoint} is no syncline server"),
        "syncline login URL, with the URL that `syncline serve` printed",
    )
}

/// There is no server to ask, or none may be asked.
pub(super) fn no_server(context: &Context) -> Result<Failure, Failure> {
    let failure = match context.settings()?.endpoint.value {
        Some(endpoint) => Failure::new("sync_off", format!("sync with {endpoint} is turned off"))
            .fix("syncline config set sync_enabled true"),
        None => Failure::new("no_endpoint", "no endpoint is set").fix("syncline login URL"),
    };
    Ok(failure)
}
