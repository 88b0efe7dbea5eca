//! What an operator sets.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use syncline_model::schema::Schema;
use syncline_protocol::Limits;
use syncline_store::sessions::PriceTable;

use crate::auth::{AuthMode, OperatorToken, Rate};
use crate::shapes::ShapeSettings;
use crate::tenant::Keep;

/// Tenants whose files are open at once by default: each has a thread and a few file handles, and a
/// process has mostly 1,024 of those.
pub const TENANTS_OPEN_MAX: usize = 512;

/// Connections that are open at once by default: twice as many as there are idle subscribers at a server
/// that is as large as it is made for.
pub const CONNECTIONS_MAX: usize = 20_000;

/// How long clients may take nothing by default: one that is slow takes something, and one that has gone
/// holds an answer for so long.
pub const WRITE_WAIT: Duration = Duration::from_secs(60);

/// Everything that a server is told at its start.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// The data directory; made if it is not there.
    pub data: PathBuf,
    pub auth: AuthMode,
    /// What reads `/metrics`, which counts over all tenants. None: nothing where tokens are asked
    /// for, and everybody where they are not.
    pub metrics_token: Option<OperatorToken>,
    pub limits: Limits,
    pub rate_limits: RateLimits,
    /// Further names under which this server is addressed. On loopback they join the loopback
    /// names; elsewhere, if any is given, no other name is answered.
    pub hosts: Vec<String>,
    /// Further origins whose pages may call this server, such as `https://app.example`.
    pub origins: Vec<String>,
    /// Tenants whose files may be open at once; the least recently used is closed for another.
    pub tenants_open_max: usize,
    /// Connections that may be open at once; more wait until one of them ends.
    pub connections_max: usize,
    /// The SQLite VFS of tenant files; none: the system's own.
    pub vfs: Option<String>,
    /// How long open requests may go on once the server was asked to stop.
    pub drain: Duration,
    /// How long a client may take not a byte of its answer before it is let go of.
    pub write_wait: Duration,
    /// Backups to make while it runs; none: none.
    pub backups: Option<BackupPlan>,
    pub compaction: CompactionPlan,
    pub shapes: ShapeSettings,
    /// What the records of every tenant are, also of one that is made later. None: what the admins of
    /// each have applied.
    pub schema: Option<Schema>,
    /// What the costs of sessions are computed from where agents report none.
    pub prices: Arc<PriceTable>,
}

/// Compactions that a server does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactionPlan {
    /// The time from one look for something to drop to the next; none: there is none.
    pub every: Option<Duration>,
    pub keep: Keep,
}

impl Default for CompactionPlan {
    fn default() -> Self {
        Self {
            every: Some(Duration::from_secs(60 * 60)),
            keep: Keep::default(),
        }
    }
}

/// Backups that a server makes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupPlan {
    /// Where they go, each into a directory of its own.
    pub directory: PathBuf,
    /// The time from one to the next.
    pub every: Duration,
    /// How many are kept; the oldest goes once there is another.
    pub keep: NonZeroUsize,
}

impl ServeConfig {
    /// The defaults, for a data directory and a way to authenticate.
    pub fn new(data: impl Into<PathBuf>, auth: AuthMode) -> Self {
        Self {
            data: data.into(),
            auth,
            metrics_token: None,
            limits: Limits::default(),
            rate_limits: RateLimits::default(),
            hosts: Vec::new(),
            origins: Vec::new(),
            tenants_open_max: TENANTS_OPEN_MAX,
            connections_max: CONNECTIONS_MAX,
            vfs: None,
            drain: Duration::from_secs(10),
            write_wait: WRITE_WAIT,
            backups: None,
            compaction: CompactionPlan::default(),
            shapes: ShapeSettings::default(),
            schema: None,
            prices: Arc::new(PriceTable::built_in()),
        }
    }
}

/// How often callers may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests without a good credential, for each address. A good credential passes whatever the
    /// address has done before: tokens can't be guessed, and many clients share an address. The
    /// limit bounds the work and the log lines that bad ones cause.
    pub failed_authentication: Option<Rate>,
    /// All requests, for each user of each tenant.
    pub requests: Option<Rate>,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            failed_authentication: Some(Rate {
                burst: 600,
                per: Duration::from_secs(60),
            }),
            requests: None,
        }
    }
}
