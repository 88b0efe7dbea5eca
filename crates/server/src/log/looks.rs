//! Looking into logs that nobody uses, for what is due to them: without opening them for writing, and
//! not at all where nothing can have come to be due since the last look.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use syncline_model::{TenantId, Timestamp};
use syncline_store::{FileOptions, TenantFile};

use super::Tenants;
use crate::tenant::{Due, Keep, Refused};

/// What a look has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing can be due, as was known before.
    Quiet,
    /// The file was read, and nothing is due.
    NothingDue,
    /// Something is due, or only the log's writer can tell.
    MayBeDue,
}

/// What is known of the logs that are closed, since each was closed.
#[derive(Debug, Default)]
pub(super) struct Looks {
    known: Mutex<HashMap<TenantId, Known>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It is being read; who opens it meanwhile takes this away.
    Looking,
    /// Nothing is due before this time; none: until it is opened.
    QuietUntil(Option<Timestamp>),
}

impl Looks {
    /// The log is opened or closed: what was known of it is of before.
    pub(super) fn forget(&self, tenant: &TenantId) {
        self.known.lock().expect(UNPOISONED).remove(tenant);
    }

    fn is_quiet(&self, tenant: &TenantId, now: Timestamp) -> bool {
        let known = self.known.lock().expect(UNPOISONED);
        match known.get(tenant) {
            Some(Known::QuietUntil(until)) => until.is_none_or(|until| now < until),
            Some(Known::Looking) | None => false,
        }
    }

    fn begin(&self, tenant: &TenantId) {
        let mut known = self.known.lock().expect(UNPOISONED);
        known.insert(tenant.clone(), Known::Looking);
    }

    fn end(&self, tenant: &TenantId, until: Option<Timestamp>) {
        let mut known = self.known.lock().expect(UNPOISONED);
        if let Some(looking) = known.get_mut(tenant) {
            *looking = Known::QuietUntil(until);
        }
    }
}

impl Tenants {
    /// Looks whether anything is due to a tenant's log.
    pub(crate) async fn look(&self, tenant: &TenantId, keep: Keep) -> Look {
        if self.is_open(tenant) {
            return Look::MayBeDue;
        }
        let now = (self.now)();
        if self.looks.is_quiet(tenant, now) {
            return Look::Quiet;
        }
        self.looks.begin(tenant);
        let (path, options) = (self.directory.tenant_file(tenant), self.options.clone());
        let reading = tokio::task::spawn_blocking(move || read(&path, &options, keep, now));
        let due = reading.await.unwrap_or(Err(Refused::Panicked));
        match due {
            Ok(Due::Nothing) => self.looks.end(tenant, None),
            Ok(Due::NothingBefore(until)) if now < until => self.looks.end(tenant, Some(until)),
            // What can't be read is told of by who opens it.
            Ok(Due::Compaction | Due::Forgetting | Due::NothingBefore(_)) | Err(_) => {
                return Look::MayBeDue;
            }
        }
        Look::NothingDue
    }
}

fn read(path: &Path, options: &FileOptions, keep: Keep, now: Timestamp) -> Result<Due, Refused> {
    let file = TenantFile::open(path, options)?;
    Ok(keep.due(&file, now)?)
}

const UNPOISONED: &str = "nothing panics under this lock";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use syncline_model::{ActorId, TenantId};
    use syncline_store::control::DataDirectory;

    use super::*;
    use crate::auth::{AuthMode, Exposure};
    use crate::config::ServeConfig;
    use crate::metrics::Metrics;
    use crate::server::now;

    #[tokio::test]
    async fn a_log_that_is_not_used_is_read_once_and_again_when_it_was_used() {
        let root = tempfile::TempDir::new().unwrap();
        let exposure = Exposure::LoopbackOnly;
        let mut config = ServeConfig::new(root.path(), AuthMode::None { exposure });
        config.tenants_open_max = 1;
        let directory = DataDirectory::open(root.path()).unwrap();
        let (actor, metrics) = (ActorId::new("server-1").unwrap(), Arc::new(Metrics::new()));
        let tenants = Tenants::start(&config, directory, actor, metrics, now).unwrap();
        let [acme, other] = ["acme", "other"].map(|name| TenantId::new(name).unwrap());
        let look = async || tenants.look(&acme, Keep::default()).await;
        for _ in 0..2 {
            drop(tenants.open(&acme).await.unwrap());
            assert_eq!(look().await, Look::MayBeDue, "its writer is asked");
            // It takes the only place.
            drop(tenants.open(&other).await.unwrap());
            assert_eq!(look().await, Look::NothingDue);
            assert_eq!(look().await, Look::Quiet);
        }
    }
}
