//! From the configuration to what the client is told: whether, where and how to sync.

use syncline_client::{Delivery, Endpoint, Remote, SyncSettings};

use crate::context::Context;
use crate::failure::Failure;

/// Where and how the profile in use syncs.
pub(crate) fn settings(context: &Context) -> Result<SyncSettings, Failure> {
    let settings = context.settings()?;
    let Some(endpoint) = settings.sync_endpoint().cloned() else {
        return Ok(SyncSettings::Off);
    };
    Ok(SyncSettings::On(Remote {
        token: context.token(&settings, &endpoint)?,
        endpoint,
        delivery: Delivery::Live {
            interval: settings.sync_interval.value.duration(),
        },
    }))
}

/// Whether what is sent to `endpoint` can be read on the way.
pub(crate) fn is_readable_on_the_way(endpoint: &Endpoint) -> bool {
    !endpoint.is_encrypted() && !endpoint.is_loopback()
}
