//! What all requests share, and what is done beside them.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use syncline_model::{TenantId, Timestamp, UserId};
use syncline_store::control::{
    ControlError, ControlFile, ControlOpenError, DataDirectory, ServerNote,
};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::auth::{Allowance, AuthSetupError, Authenticator, HostPolicy, RateLimiter};
use crate::backups::FailedBackup;
use crate::config::ServeConfig;
use crate::http::{BodyBudget, Route};
use crate::log::{ServedSchemaError, Tenants};
use crate::metrics::Metrics;
use crate::random::{new_uuid, server_actor};
use crate::routes;
use crate::shapes::OpenRequests;

/// How often tokens are looked at on behalf of open streams: one revoked by another process ends
/// its streams within this time.
const WATCH_EVERY: Duration = Duration::from_millis(500);
/// How often uses of tokens and notes of clients are written down.
const TIDY_EVERY: Duration = Duration::from_secs(30);

/// What must fit onto a disk that was full for it to count as one with room: some pushes of the usual size.
const ROOM_BYTES: usize = 1 << 20;

/// What streams wait for beside the head of their log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Beat {
    /// Rises with each heartbeat.
    pub(crate) heartbeats: u64,
    /// Rises when tokens may have been revoked.
    pub(crate) credentials: u64,
    /// The server stops.
    pub(crate) draining: bool,
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) config: ServeConfig,
    pub(crate) data: DataDirectory,
    pub(crate) authenticator: Authenticator,
    pub(crate) hosts: HostPolicy,
    pub(crate) tenants: Tenants,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) routes: Vec<Route>,
    pub(crate) bodies: Arc<BodyBudget>,
    pub(crate) beat: watch::Sender<Beat>,
    pub(crate) shape_requests: Arc<OpenRequests>,
    /// For writes, so that look-ups never wait for them.
    control: Mutex<ControlFile>,
    failed: Option<Mutex<RateLimiter<IpAddr>>>,
    requests: Option<Mutex<RateLimiter<(TenantId, UserId)>>>,
    started: Instant,
    /// When each tenant's recorders last sent rows, since the start: one time for each tenant at most.
    batches: Mutex<HashMap<TenantId, Timestamp>>,
    /// Since the regular backups fail.
    failed_backup: Mutex<Option<FailedBackup>>,
}

/// Why a server can't start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error(transparent)]
    Auth(#[from] AuthSetupError),
    #[error(transparent)]
    Control(#[from] ControlOpenError),
    #[error(transparent)]
    Note(#[from] ControlError),
    #[error("could not start a thread")]
    Thread(#[source] std::io::Error),
    #[error(transparent)]
    Schema(#[from] ServedSchemaError),
}

impl Server {
    pub(crate) fn new(
        config: ServeConfig,
        directory: DataDirectory,
        listener: SocketAddr,
    ) -> Result<Self, SetupError> {
        let metrics = Arc::new(Metrics::new());
        let limiter = |rate| Mutex::new(RateLimiter::new(rate));
        let control = ControlFile::open(&directory)?;
        control.note_server(&ServerNote {
            name: new_uuid().to_string(),
            retention: config.compaction.keep.retention,
            idle: config.compaction.keep.idle,
        })?;
        let tenants = Tenants::start(
            &config,
            directory.clone(),
            server_actor(),
            Arc::clone(&metrics),
            now,
        )
        .map_err(SetupError::Thread)?;
        tenants.put_schema_everywhere(&control.tenants()?)?;
        Ok(Self {
            authenticator: Authenticator::new(&config.auth, &directory)?,
            control: Mutex::new(control),
            data: directory,
            hosts: HostPolicy::new(listener, &config.hosts, &config.origins),
            tenants,
            routes: routes::table(),
            bodies: Arc::default(),
            beat: watch::Sender::new(Beat::default()),
            shape_requests: Arc::default(),
            failed: config.rate_limits.failed_authentication.map(limiter),
            requests: config
                .rate_limits
                .requests
                .map(|rate| Mutex::new(RateLimiter::new(rate))),
            started: Instant::now(),
            batches: Mutex::default(),
            failed_backup: Mutex::default(),
            metrics,
            config,
        })
    }

    /// How long the server has run.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Counts a request without a good credential; none where that is not limited.
    pub(crate) fn count_failed(&self, peer: IpAddr) -> Option<Allowance> {
        let mut limiter = self.failed.as_ref()?.lock().expect(UNPOISONED);
        Some(limiter.take(&peer, self.uptime()))
    }

    /// Counts a request; none where requests are not limited.
    pub(crate) fn count_request(&self, tenant: &TenantId, user: &UserId) -> Option<Allowance> {
        let mut limiter = self.requests.as_ref()?.lock().expect(UNPOISONED);
        Some(limiter.take(&(tenant.clone(), user.clone()), self.uptime()))
    }

    /// Notes that rows of a tenant were taken at this time.
    pub(crate) fn note_batch(&self, tenant: &TenantId, now: Timestamp) {
        let mut batches = self.batches.lock().expect(UNPOISONED);
        batches.insert(tenant.clone(), now);
    }

    /// When rows of a tenant were last taken, as far as is known since the start.
    pub(crate) fn last_batch(&self, tenant: &TenantId) -> Option<Timestamp> {
        self.batches.lock().expect(UNPOISONED).get(tenant).copied()
    }

    /// Notes what became of a regular backup.
    pub(crate) fn note_backup(&self, failed: Option<FailedBackup>) {
        *self.failed_backup.lock().expect(UNPOISONED) = failed;
    }

    /// The last regular backup, where it failed.
    pub(crate) fn failed_backup(&self) -> Option<FailedBackup> {
        *self.failed_backup.lock().expect(UNPOISONED)
    }

    /// Works on the control file away from the threads that serve requests.
    pub(crate) async fn control<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&ControlFile) -> Result<T, ControlError> + Send + 'static,
    ) -> Result<T, crate::error::ApiError> {
        let server = Arc::clone(self);
        let task =
            tokio::task::spawn_blocking(move || work(&server.control.lock().expect(UNPOISONED)));
        Ok(task.await.map_err(crate::error::ApiError::internal)??)
    }

    /// Tells streams that tokens may have been revoked.
    pub(crate) fn credentials_changed(&self) {
        self.beat.send_modify(|beat| beat.credentials += 1);
    }

    /// Does what is due from time to time, until dropped.
    pub(crate) async fn keep_house(self: Arc<Self>) {
        let mut heartbeat = tokio::time::interval(self.config.limits.heartbeat);
        let mut watch = tokio::time::interval(WATCH_EVERY);
        // Nothing is to be tidied yet, and a disk that has just failed has not changed.
        let mut tidy = interval_at(tokio::time::Instant::now() + TIDY_EVERY, TIDY_EVERY);
        for interval in [&mut heartbeat, &mut watch, &mut tidy] {
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let mut version = None;
        loop {
            tokio::select! {
                _ = heartbeat.tick() => self.beat.send_modify(|beat| beat.heartbeats += 1),
                _ = watch.tick() => self.watch_credentials(&mut version),
                _ = tidy.tick() => self.tidy().await,
            }
        }
    }

    /// Asks the connection that uses of tokens are noted with, whose own writes are no change to it:
    /// otherwise each note would end all that waits.
    fn watch_credentials(&self, version: &mut Option<i64>) {
        let found = self.control.lock().expect(UNPOISONED).data_version();
        match found {
            Ok(found) if *version == Some(found) => {}
            Ok(found) => {
                // The first look has nothing to compare with.
                if version.replace(found).is_some() {
                    self.credentials_changed();
                }
            }
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "could not look for revoked tokens"
            ),
        }
    }

    async fn tidy(self: &Arc<Self>) {
        self.tenants.tidy();
        self.note_uses().await;
        self.look_for_room().await;
    }

    /// Learns that there is room on the disk again, or that it takes writes again, where nobody writes.
    async fn look_for_room(&self) {
        let is_full = self.metrics.storage_full.get() != 0;
        let is_failing = self.metrics.storage_failing.get() != 0;
        if !is_full && !is_failing {
            return;
        }
        let data = self.data.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let has_room = is_full && data.has_room(ROOM_BYTES);
            (has_room, is_failing && data.takes_writes(ROOM_BYTES as u64))
        });
        let (has_room, takes_writes) = looked.await.unwrap_or((false, false));
        if has_room {
            self.metrics.storage_full.set(0);
        }
        if takes_writes {
            self.metrics.storage_failing.set(0);
        }
    }

    /// Writes down when tokens were last used.
    pub(crate) async fn note_uses(self: &Arc<Self>) {
        let uses = self.authenticator.take_uses();
        if uses.is_empty() {
            return;
        }
        let noted = self
            .control(move |control| control.note_token_uses(uses))
            .await;
        if let Err(error) = noted {
            tracing::warn!(
                error.causes = error.causes(),
                "could not note uses of tokens"
            );
        }
    }
}

/// The time by this machine's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(millis).expect("the clock is within the years 1970 to 9999")
}

const UNPOISONED: &str = "nothing panics under this lock";

#[cfg(test)]
mod tests {
    use syncline_store::control::{Revocation, Rights, TokenHash, TokenId, TokenRecord};

    use super::*;
    use crate::auth::AuthMode;

    fn token() -> TokenRecord {
        TokenRecord {
            id: TokenId::new(new_uuid()),
            tenant: TenantId::new("acme").unwrap(),
            user: UserId::new("ada").unwrap(),
            rights: Rights::Sync,
            created_at: now(),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        }
    }

    fn server(root: &tempfile::TempDir) -> Arc<Server> {
        let directory = DataDirectory::open(root.path()).unwrap();
        let config = ServeConfig::new(root.path(), AuthMode::Token { jwt: None });
        let listener = SocketAddr::from(([127, 0, 0, 1], 0));
        Arc::new(Server::new(config, directory, listener).unwrap())
    }

    #[tokio::test]
    async fn a_disk_that_takes_writes_again_is_well_where_nobody_writes() {
        let root = tempfile::TempDir::new().unwrap();
        let server = server(&root);
        let metrics = &server.metrics;
        metrics.storage_failing.set(1);
        let in_its_way = root.path().join("tenants/room.tmp");
        std::fs::create_dir(&in_its_way).unwrap();
        server.look_for_room().await;
        assert_eq!(metrics.storage(), "failing");
        std::fs::remove_dir(&in_its_way).unwrap();
        server.look_for_room().await;
        assert_eq!(metrics.storage(), "ok");
    }

    #[tokio::test]
    async fn a_note_of_when_tokens_were_used_ends_nothing_that_waits_and_a_revocation_does() {
        let root = tempfile::TempDir::new().unwrap();
        let directory = DataDirectory::open(root.path()).unwrap();
        let command = ControlFile::open(&directory).unwrap();
        let token = token();
        command
            .insert_token(&TokenHash::of("sl_a"), &token)
            .unwrap();
        let server = server(&root);
        let mut version = None;
        server.watch_credentials(&mut version);

        let uses = HashMap::from([(token.id, now())]);
        let noted = server.control(move |control| control.note_token_uses(uses));
        noted.await.unwrap();
        server.watch_credentials(&mut version);
        assert_eq!(server.beat.borrow().credentials, 0);

        let revoked = command.revoke_token(None, token.id, now()).unwrap();
        assert_eq!(revoked, Revocation::Done);
        server.watch_credentials(&mut version);
        assert_eq!(server.beat.borrow().credentials, 1);
    }
}
