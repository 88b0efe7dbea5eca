//! Connections that read a tenant's file beside its writer.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use syncline_store::{FileOptions, TenantFile};
use tokio::sync::Semaphore;

use crate::tenant::Refused;

/// Reads of one tenant at once. More would only share the same disk and cores.
const READS_MAX: usize = 4;
/// Idle connections kept per tenant: as many as may read, as one that is opened reads the schema anew.
const IDLE_MAX: usize = READS_MAX;
/// An idle connection is closed after this time; it holds its cache until then.
const IDLE_FOR_MAX: Duration = Duration::from_secs(10);

/// The readers of one tenant.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    options: FileOptions,
    idle: Mutex<Vec<(TenantFile, Instant)>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, options: FileOptions) -> Self {
        Self {
            path,
            options,
            idle: Mutex::default(),
            permits: Arc::new(Semaphore::new(READS_MAX)),
        }
    }

    /// Runs `look` on a connection of its own, away from the threads that serve requests.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        look: impl FnOnce(&TenantFile) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| Refused::NotCommitted)?;
        let readers = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            readers.read_here(look)
        });
        task.await.unwrap_or(Err(Refused::Panicked))
    }

    fn read_here<T>(
        &self,
        look: impl FnOnce(&TenantFile) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let idle = self.idle.lock().expect(UNPOISONED).pop();
        let file = match idle {
            Some((file, _)) => file,
            None => TenantFile::open(&self.path, &self.options)?,
        };
        let found = look(&file).map_err(Refused::of_read);
        // A connection that failed is not used again.
        let is_sound = !matches!(
            found,
            Err(Refused::Unread(_) | Refused::Damaged(_) | Refused::StorageFull(_))
        );
        let mut idle = self.idle.lock().expect(UNPOISONED);
        if is_sound && idle.len() < IDLE_MAX {
            idle.push((file, Instant::now()));
        }
        found
    }

    /// Closes connections that nobody has used for a while.
    pub(crate) fn close_idle(&self) {
        let mut idle = self.idle.lock().expect(UNPOISONED);
        idle.retain(|(_, since)| since.elapsed() < IDLE_FOR_MAX);
    }
}

const UNPOISONED: &str = "nothing panics under this lock";
