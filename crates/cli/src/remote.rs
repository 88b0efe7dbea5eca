//! From the configuration to what the client and the daemon are told.

use std::path::PathBuf;

use syncline_client::{Delivery, Remote, SyncSettings};

use crate::context::Context;
use crate::failure::Failure;

/// Whether, where and how the profile in use syncs.
pub(crate) fn sync_settings(context: &Context) -> Result<SyncSettings, Failure> {
    let settings = context.settings()?;
    let Some(endpoint) = settings.sync_endpoint() else {
        return Ok(SyncSettings::Off);
    };
    let token = context.token(&settings, endpoint)?;
    let token = token.map(|secret| secret.expose().parse()).transpose();
    let interval = settings.sync_interval.value.duration();
    Ok(SyncSettings::On(Remote {
        endpoint: endpoint.as_str().parse().map_err(|error| {
            Failure::new("endpoint_invalid", "the endpoint can't be used").because(error)
        })?,
        token: token.map_err(|error| {
            Failure::new("token_invalid", "the token can't be used").because(error)
        })?,
        delivery: Delivery::Live { interval },
    }))
}

/// The files that decide over [`sync_settings`], whether or not they are there.
pub(crate) fn settings_files(context: &Context) -> Result<Vec<PathBuf>, Failure> {
    let mut files = vec![
        context.paths()?.config_file,
        context.credentials()?.path().to_owned(),
    ];
    files.extend(context.globals.token_file.clone());
    Ok(files)
}
