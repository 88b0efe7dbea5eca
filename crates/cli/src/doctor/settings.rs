//! Checks of what the user and the repository have set.

use super::finding::{Finding, Repair};
use crate::atomic_file;
use crate::config::Auth;
use crate::context::Context;
use crate::environment::variable;
use crate::failure::Failure;
use crate::remote::is_readable_on_the_way;

/// A check that a failure ends.
macro_rules! tried {
    ($attempt:expr) => {
        match $attempt {
            Ok(value) => value,
            Err(failure) => return Finding::from(Failure::from(failure)),
        }
    };
}
pub(super) use tried;

pub(super) fn environment(context: &Context) -> Finding {
    let set = context.environment.names_with("SYNCLINE_");
    let unknown: Vec<&str> = set
        .iter()
        .map(String::as_str)
        .filter(|name| !variable::ALL.contains(name))
        .collect();
    if !unknown.is_empty() {
        return Finding::warning(format!("{} means nothing", unknown.join(", ")))
            .fix("syncline --help lists the variables");
    }
    tried!(context.log_level());
    tried!(context.author());
    tried!(context.settings());
    if set.is_empty() {
        Finding::ok("no variable overrides the configuration")
    } else {
        Finding::ok(format!("set: {}", set.join(", ")))
    }
}

pub(super) fn config_file(context: &Context) -> Finding {
    let path = tried!(context.paths()).config_file;
    let config = tried!(context.config());
    for name in tried!(config.profiles()) {
        tried!(config.layer(&name));
    }
    if path.exists() {
        Finding::ok(path.display().to_string())
    } else {
        Finding::ok(format!("none at {}: defaults count", path.display()))
    }
}

pub(super) fn config_keys(context: &Context) -> Finding {
    let unknown = tried!(tried!(context.config()).unknown_keys());
    if unknown.is_empty() {
        return Finding::ok("every key has a meaning");
    }
    Finding::warning(format!("{} means nothing", unknown.join(", ")))
        .fix("mend the spelling in the configuration file, or take it out")
}

pub(super) fn profile(context: &Context) -> Finding {
    let profile = tried!(context.profile());
    let known = tried!(tried!(context.config()).has_profile(&profile.value));
    if known {
        Finding::ok(format!("{} ({})", profile.value, profile.origin.as_str()))
    } else {
        Finding::warning(format!(
            "the active profile {} has no settings",
            profile.value
        ))
        .fix("syncline config profiles use default")
    }
}

pub(super) fn project_file(context: &Context) -> Finding {
    let Some(file) = tried!(context.project_file()) else {
        return Finding::ok("no syncline.toml here or above: threads go to project default");
    };
    if !file.ignored.is_empty() {
        let message = format!(
            "{} in {} is passed over: a repository gives its project, and nothing else",
            file.ignored.join(", "),
            file.path.display()
        );
        return Finding::warning(message).fix("syncline config set, for settings of your own");
    }
    match file.project {
        Some(project) => Finding::ok(format!("project {project}, by {}", file.path.display())),
        None => Finding::ok(format!("{} names no project", file.path.display())),
    }
}

pub(super) fn endpoint(context: &Context) -> Finding {
    let settings = tried!(context.settings());
    let Some(endpoint) = &settings.endpoint.value else {
        return Finding::ok("none: everything stays on this machine")
            .fix("syncline login URL, or syncline config set endpoint URL, to sync");
    };
    if settings.auth.value == Auth::Token && is_readable_on_the_way(endpoint) {
        return Finding::warning(format!("the token goes to {endpoint} without encryption"))
            .fix("use an https:// endpoint");
    }
    if settings.sync_endpoint().is_none() {
        return Finding::warning(format!("sync with {endpoint} is turned off"))
            .fix("syncline config set sync_enabled true");
    }
    Finding::ok(format!(
        "{endpoint} ({})",
        settings.endpoint.origin.as_str()
    ))
}

pub(super) fn credentials(context: &Context) -> Finding {
    let credentials = tried!(context.credentials());
    let path = credentials.path();
    if !path.exists() {
        return Finding::ok("no token is stored");
    }
    tried!(credentials.get(&tried!(context.profile()).value));
    match atomic_file::is_exposed(path) {
        Ok(false) => Finding::ok(format!("{} is yours alone", path.display())),
        Ok(true) => Finding::failed(format!("other users may read {}", path.display()))
            .repair_by(Repair::MakePrivate(path.to_owned())),
        Err(error) => Finding::failed(format!("could not look at {}: {error}", path.display())),
    }
}

pub(super) fn login(context: &Context) -> Finding {
    let settings = tried!(context.settings());
    let Some(endpoint) = &settings.endpoint.value else {
        return Finding::skipped("no endpoint");
    };
    if settings.auth.value == Auth::None {
        return Finding::ok("auth is none: no token is sent");
    }
    if tried!(context.token(&settings, endpoint)).is_some() {
        return Finding::ok(format!("a token for {endpoint} is at hand"));
    }
    let stored = tried!(tried!(context.credentials()).get(&tried!(context.profile()).value));
    let message = match stored {
        Some(stored) => format!(
            "the stored token is for {}, not {endpoint}",
            stored.endpoint
        ),
        None => format!("no token for {endpoint}"),
    };
    Finding::failed(message).fix("syncline login")
}
