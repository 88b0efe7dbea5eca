//! Opening a replica.

use std::path::Path;
use std::sync::Arc;

use syncline_model::{OpKey, TenantId, UserId};
use syncline_store::local::OutboxRow;
use syncline_store::{Durability, FileOptions};

use super::Replica;
use crate::changes::Subscribers;
use crate::place::Place;
use crate::{Host, RealHost, ReplicaError};

/// How many ops of the outbox one pass compares with the log.
const RECONCILE_PAGE: usize = 1000;

/// What a replica works with.
#[derive(Debug, Clone)]
pub struct ReplicaOptions {
    pub host: Arc<dyn Host>,
    /// The SQLite VFS; none: the system's own.
    pub vfs: Option<String>,
}

impl Default for ReplicaOptions {
    fn default() -> Self {
        Self {
            host: Arc::new(RealHost::new()),
            vfs: None,
        }
    }
}

/// How much of the outbox is compared with the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// A page of it: what a process that was killed between two transactions left behind.
    Recent,
    All,
}

impl Replica {
    /// Opens the replica in `directory`, which must exist; makes its files if there are none.
    ///
    /// A local file that was copied from another machine or place becomes a new replica. A damaged
    /// tenant file is set aside, to be fetched again. Files of a newer version are refused, and left
    /// as they are.
    pub fn open(directory: &Path, options: ReplicaOptions) -> Result<Self, ReplicaError> {
        let place = Place {
            host: options.host,
            directory: directory.to_owned(),
            files: FileOptions {
                vfs: options.vfs,
                durability: Durability::Normal,
            },
        };
        Self::open_at(place, Arc::default())
    }

    pub(super) fn open_at(
        place: Place,
        subscribers: Arc<Subscribers>,
    ) -> Result<Self, ReplicaError> {
        let mut local = place.open_local()?;
        place.check_copy(&mut local)?;
        let opened = place.open_tenant(&mut local)?;
        let mut replica = Self {
            place,
            local,
            tenant: opened.file,
            tenant_name: opened.name,
            subscribers,
            seen_version: 0,
            tenant_in_doubt: false,
        };
        replica.reconcile(Depth::Recent)?;
        replica.refresh()?;
        replica.seen_version = replica
            .tenant
            .data_version()
            .map_err(ReplicaError::Tenant)?;
        Ok(replica)
    }

    /// Makes sure that this replica syncs as the user whose tenant it holds.
    ///
    /// The first call notes tenant and user. Another user of the same tenant makes it a new replica,
    /// since an actor belongs to one user; ops that wait are then offered as they are.
    pub fn belong_to(&mut self, tenant: &TenantId, user: &UserId) -> Result<(), ReplicaError> {
        let identity = self.local.identity().map_err(ReplicaError::Local)?;
        match &identity.member {
            Some((held_tenant, held_user)) if held_tenant == tenant => {
                if held_user == user {
                    return Ok(());
                }
                let host = identity.host.unwrap_or_default();
                let fresh = self.place.new_replica();
                self.local
                    .become_replica(&identity.replica, &fresh, &self.place.new_actor(), &host)
                    .map_err(ReplicaError::Local)?;
            }
            Some(held) => {
                return Err(ReplicaError::OtherTenant {
                    held: Box::new(held.clone()),
                    offered: Box::new((tenant.clone(), user.clone())),
                });
            }
            None => {}
        }
        self.local
            .note_member(tenant, user)
            .map_err(ReplicaError::Local)
    }

    /// Compares the outbox with the log, and settles what a crash has left between the two files: an
    /// op that the log holds leaves the outbox, and one that the server said it has at a place that
    /// this replica has passed, and that isn't there, is pending again.
    pub(crate) fn reconcile(&mut self, depth: Depth) -> Result<(), ReplicaError> {
        let offered = self.local.offered_order().map_err(ReplicaError::Local)?;
        let mut after = 0;
        loop {
            let rows = self
                .local
                .outbox_after(after, RECONCILE_PAGE)
                .map_err(ReplicaError::Local)?;
            let Some(last) = rows.last().map(|row| row.order) else {
                break;
            };
            // An op that was never offered can be in no log; but a power cut may have taken back how
            // far the outbox was.
            let recent = |row: &OutboxRow| depth == Depth::All || row.order <= offered;
            self.forget_pulled(rows.into_iter().filter(recent))?;
            after = last;
            if depth == Depth::Recent {
                break;
            }
        }
        self.settle_passed()
    }

    fn forget_pulled(&mut self, rows: impl Iterator<Item = OutboxRow>) -> Result<(), ReplicaError> {
        let mut pulled = Vec::new();
        for row in rows {
            if self.is_logged(&row.key)? {
                pulled.push(row.key);
            }
        }
        // The transaction that put them in the log has waited for the disk.
        self.local
            .forget_pulled(&pulled)
            .map_err(ReplicaError::Local)
    }

    /// Settles acknowledged ops whose place the cursor has passed without pulling them.
    pub(crate) fn settle_passed(&mut self) -> Result<(), ReplicaError> {
        let head = self.tenant.head().map_err(ReplicaError::Tenant)?;
        loop {
            let rows = self
                .local
                .acknowledged_through(head.cursor.server_seq, RECONCILE_PAGE)
                .map_err(ReplicaError::Local)?;
            if rows.is_empty() {
                return Ok(());
            }
            let (mut pulled, mut covered, mut lacking) = (Vec::new(), Vec::new(), Vec::new());
            for row in rows {
                if self.is_logged(&row.key)? {
                    pulled.push(row.key);
                } else if row.acknowledged_at().is_some_and(|seq| seq <= head.floor) {
                    covered.push(row.key);
                } else {
                    tracing::warn!(
                        op.key = ?row.key,
                        "the log lacks an acknowledged op at a place passed; it is offered again"
                    );
                    lacking.push(row.key);
                }
            }
            self.local
                .forget_pulled(&pulled)
                .map_err(ReplicaError::Local)?;
            self.local
                .forget_covered(&covered)
                .map_err(ReplicaError::Local)?;
            self.local
                .offer_again(&lacking)
                .map_err(ReplicaError::Local)?;
        }
    }

    fn is_logged(&self, key: &OpKey) -> Result<bool, ReplicaError> {
        Ok(self
            .tenant
            .find(key)
            .map_err(ReplicaError::Tenant)?
            .is_some())
    }
}
