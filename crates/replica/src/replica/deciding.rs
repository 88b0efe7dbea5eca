//! Writes that are decided on the view with the whole outbox on top, while no other process may write to the
//! local file: each builds on all that was written before it.

use syncline_model::OpKey;
use syncline_store::local::Desk;
use syncline_store::{StoreError, TenantFile};

use super::Replica;
use crate::{Changes, Host, ReplicaError};

/// How often the view is brought up to the outbox before a write is decided on it though others have just
/// written more. Nothing is lost then: positions in lists may tie, as those of two replicas may, and what waits
/// of a record is read beside the view.
const ATTEMPTS_MAX: usize = 64;

impl Replica {
    /// Decides with all that was ever written here, and writes within the same transaction of the local file.
    /// Gives the keys of what was written.
    pub(super) fn decide<E: From<ReplicaError> + From<StoreError>>(
        &mut self,
        mut decide: impl FnMut(&Desk<'_>, &TenantFile, &dyn Host) -> Result<Vec<OpKey>, E>,
    ) -> Result<Vec<OpKey>, E> {
        let mut keys = None;
        for _ in 1..ATTEMPTS_MAX {
            self.refresh()?;
            keys = self.try_decide(Need::WholeOutbox, &mut decide)?;
            // What went into a replica that was replaced meanwhile is decided again.
            keys = keys.filter(|_| self.still_in_place());
            if keys.is_some() {
                break;
            }
        }
        if keys.is_none() {
            self.refresh()?;
            keys = self.try_decide(Need::AnyView, &mut decide)?;
        }
        let keys = keys.ok_or(ReplicaError::Restless)?;
        if !keys.is_empty() {
            self.show_or_log();
            let touched = keys
                .iter()
                .map(|key| (key.scope.clone(), key.resource.clone()));
            self.subscribers.tell(&Changes::Named(touched.collect()));
        }
        Ok(keys)
    }

    /// Decides on the view as it is; none: it isn't what is needed.
    pub(super) fn try_decide<E: From<ReplicaError> + From<StoreError>>(
        &mut self,
        need: Need,
        decide: &mut impl FnMut(&Desk<'_>, &TenantFile, &dyn Host) -> Result<Vec<OpKey>, E>,
    ) -> Result<Option<Vec<OpKey>>, E> {
        let (tenant, name) = (&self.tenant, &self.tenant_name);
        let host = &*self.place.host;
        self.local.decide(|desk| {
            tenant.snapshot(|tenant| {
                let folded = tenant.folded_order().map_err(ReplicaError::Tenant)?;
                if desk.tenant_file()? != *name {
                    return Ok(None);
                }
                if need == Need::WholeOutbox && desk.newest_order()? > folded {
                    return Ok(None);
                }
                decide(desk, tenant, host).map(Some)
            })
        })
    }
}

/// What a decision needs of the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    WholeOutbox,
    AnyView,
}
