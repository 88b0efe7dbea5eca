//! How the profile in use stands with its server, gathered without asking the server.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use syncline_client::Endpoint;
use syncline_model::{ClientId, Epoch, Mark, Scope, ServerSeq, TenantId, Timestamp, UserId};
use syncline_replica::Status;
use syncline_store::backup::{LastBackup, last_backup};

use crate::capture_state::CaptureState;
use crate::config::ProfileName;
use crate::context::Context;
use crate::failure::Failure;
use crate::replica_access;
use crate::wording::counted;

/// How long the daemon may take to say what it does.
const DAEMON_PATIENCE: Duration = Duration::from_millis(300);

/// The answer of `status`, `sync status` and `sync pending`.
#[derive(Debug, Serialize)]
pub(crate) struct SyncState {
    pub(crate) profile: ProfileName,
    pub(crate) endpoint: Option<String>,
    pub(crate) sync_enabled: bool,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) user: Option<UserId>,
    pub(crate) replica: ClientId,
    /// Null until the replica has a log of a server.
    pub(crate) epoch: Option<Epoch>,
    pub(crate) cursor: ShownCursor,
    /// The head of the server's log, as last heard of.
    pub(crate) server_seq: Option<ServerSeq>,
    /// Ops that the server has not acknowledged.
    pub(crate) pending: u64,
    pub(crate) oldest_pending_seconds: Option<u64>,
    /// Ops that the server has, and that were not pulled back yet.
    pub(crate) acknowledged: u64,
    pub(crate) quarantined: u64,
    pub(crate) scopes: Vec<ShownScope>,
    pub(crate) last_sync_at: Option<Timestamp>,
    pub(crate) last_error: Option<ShownError>,
    /// How many edits of records lost to others', and `sync now` has not told yet.
    pub(crate) lost_edits: u64,
    /// Null unless what was here went with a reset of the server's log, or a restore that discards, and is not here
    /// again.
    pub(crate) log_cut: Option<ShownCut>,
    /// Null where no daemon runs.
    pub(crate) daemon: Option<DaemonState>,
    /// Null where no daemon runs.
    pub(crate) capture: Option<CaptureState>,
    pub(crate) data_dir: String,
    /// Null until there is one.
    pub(crate) last_verified_backup: Option<LastBackup>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ShownCursor {
    pub(crate) server_seq: ServerSeq,
    pub(crate) mark: Mark,
}

#[derive(Debug, Serialize)]
pub(crate) struct ShownScope {
    pub(crate) scope: Scope,
    pub(crate) pending: u64,
    pub(crate) acknowledged: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct ShownCut {
    pub(crate) at: Timestamp,
    /// How many changes.
    pub(crate) ops_gone: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct ShownError {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) at: Timestamp,
}

/// What the daemon says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DaemonState {
    pub(crate) phase: String,
    pub(crate) since: Option<Timestamp>,
    /// The server that it syncs with; null where its sync is off.
    #[serde(default)]
    pub(crate) endpoint: Option<String>,
    /// Where plugins of clankers look; null where they are not to be answered.
    #[serde(default)]
    pub(crate) plugin_socket: Option<PluginSocket>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PluginSocket {
    pub(crate) path: String,
    /// Why this daemon doesn't answer there; null where it does.
    pub(crate) error: Option<String>,
}

/// In one word, how it stands; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The server refused something that waits for a decision.
    Refused,
    Off,
    NoEndpoint,
    NeverSynced,
    Waiting,
    /// Nothing waits, and the last try to hear from the server failed.
    Failing,
    Behind,
    InSync,
}

impl SyncState {
    /// Gathers how the profile in use stands.
    pub(crate) fn gather(context: &Context) -> Result<Self, Failure> {
        let settings = context.settings()?;
        let status = replica_access::open(context)?.status()?;
        let (tenant, user) = status.member.clone().unzip();
        Ok(Self {
            profile: context.profile()?.value,
            endpoint: settings.endpoint.value.as_ref().map(Endpoint::to_string),
            sync_enabled: settings.sync_enabled.value,
            tenant,
            user,
            epoch: status.epoch,
            cursor: ShownCursor {
                server_seq: status.cursor.server_seq,
                mark: status.cursor.mark,
            },
            server_seq: status.server_seq,
            pending: status.pending(),
            oldest_pending_seconds: status.oldest_pending.map(|age| age.as_secs()),
            acknowledged: status.acknowledged(),
            quarantined: status.quarantined,
            scopes: scopes(&status),
            last_sync_at: status.notes.last_sync_at,
            last_error: status.notes.last_error.map(|error| ShownError {
                code: error.code,
                message: error.message,
                at: error.at,
            }),
            lost_edits: status.lost_edits,
            log_cut: status.cut.map(|cut| ShownCut {
                at: cut.at,
                ops_gone: cut.ops,
            }),
            replica: status.replica,
            daemon: ask_daemon(context)?,
            capture: CaptureState::ask(context)?,
            data_dir: context.replica_dir()?.display().to_string(),
            last_verified_backup: last_backup(&context.replica_dir()?)?,
        })
    }

    pub(crate) fn standing(&self) -> Standing {
        let head = self.server_seq.unwrap_or(ServerSeq::ZERO);
        if self.quarantined > 0 {
            Standing::Refused
        } else if self.endpoint.is_none() {
            Standing::NoEndpoint
        } else if !self.sync_enabled {
            Standing::Off
        } else if self.pending > 0 {
            Standing::Waiting
        } else if self.last_error.is_some() {
            Standing::Failing
        } else if self.last_sync_at.is_none() {
            Standing::NeverSynced
        } else if self.acknowledged > 0 || head > self.cursor.server_seq {
            Standing::Behind
        } else {
            Standing::InSync
        }
    }

    /// How it stands, as a sentence that names the next command where there is one.
    pub(crate) fn sentence(&self) -> String {
        match self.standing() {
            Standing::Refused => format!(
                "{} refused, and waiting for you: syncline sync quarantine list",
                counted(self.quarantined, "change")
            ),
            Standing::NoEndpoint => format!(
                "everything is on this machine alone ({} waiting): syncline login URL",
                counted(self.pending, "change")
            ),
            Standing::Off => format!(
                "sync is off ({} waiting): syncline config set sync_enabled true",
                counted(self.pending, "change")
            ),
            Standing::Waiting => format!(
                "{} waiting to be sent{}",
                counted(self.pending, "change"),
                self.next_command()
            ),
            Standing::Failing => format!("the last sync failed{}", self.next_command()),
            Standing::NeverSynced => "never synced: syncline sync".to_owned(),
            Standing::Behind => "the server has more: syncline sync".to_owned(),
            Standing::InSync => "in sync, as far as is known here".to_owned(),
        }
    }

    /// What to type where sync does not go on by itself.
    fn next_command(&self) -> String {
        let code = self.last_error.as_ref().map(|error| error.code.as_str());
        match (code.and_then(cure_of), &self.daemon) {
            (Some(cure), _) => format!(": {cure}"),
            (None, None) => ": syncline sync".to_owned(),
            // It tries again.
            (None, Some(_)) => String::new(),
        }
    }
}

/// What to type against a failure of sync with this code; none: it may pass by itself.
pub(crate) fn cure_of(code: &str) -> Option<&'static str> {
    match code {
        "unauthorized" | "forbidden" => Some("syncline login"),
        "log_foreign" => Some(
            "syncline config set endpoint URL, with the server that this replica belongs to; or, to put \
             what both hold into one log, syncline sync now --join",
        ),
        "other_tenant" => Some("syncline config profiles create NAME, and log in with it"),
        _ => None,
    }
}

fn scopes(status: &Status) -> Vec<ShownScope> {
    let shown = status.scopes.iter().map(|scope| ShownScope {
        scope: scope.scope.clone(),
        pending: scope.pending,
        acknowledged: scope.acknowledged,
    });
    shown.collect()
}

fn ask_daemon(context: &Context) -> Result<Option<DaemonState>, Failure> {
    let socket = replica_access::meeting(context)?.socket;
    let unknown = || DaemonState {
        phase: "unknown".to_owned(),
        since: None,
        endpoint: None,
        plugin_socket: None,
    };
    Ok(
        match syncline_daemon::call(&socket, "sync.status", json!({}), DAEMON_PATIENCE) {
            Ok(answer) => Some(serde_json::from_value(answer).unwrap_or_else(|_| unknown())),
            Err(syncline_daemon::CallError::NotRunning) => None,
            Err(_) => Some(unknown()),
        },
    )
}
