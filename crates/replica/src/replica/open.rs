//! Opening a replica.

use std::path::Path;
use std::sync::Arc;

use syncline_model::{TenantId, UserId};
use syncline_store::{Durability, FileOptions};

use super::Replica;
use super::reconcile::Depth;
use crate::changes::Subscribers;
use crate::place::{Opened, Place};
use crate::{Host, RealHost, ReplicaError};

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
        let Opened { local, tenant } = place.open()?;
        let mut replica = Self {
            place,
            local: local.file,
            local_at: local.at,
            tenant: tenant.file,
            tenant_name: tenant.name,
            subscribers,
            seen_version: None,
            tenant_in_doubt: false,
        };
        replica.reconcile(Depth::Recent)?;
        replica.refresh()?;
        let version = replica.tenant.data_version();
        replica.seen_version = Some(version.map_err(ReplicaError::Tenant)?);
        Ok(replica)
    }

    /// Makes sure that this replica syncs as the user whose tenant it holds.
    ///
    /// The first call notes tenant and user. Another user of the same tenant makes it a new replica,
    /// since an actor belongs to one user; ops that wait are then offered as they are.
    pub fn belong_to(&mut self, tenant: &TenantId, user: &UserId) -> Result<(), ReplicaError> {
        self.follow_restore()?;
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
}
