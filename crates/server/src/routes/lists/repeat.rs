//! Changes that come again with their `Idempotency-Key`.

use serde::Serialize;
use syncline_model::list::{ItemRef, ListView, PlanError};
use syncline_model::{ActorId, ItemId, ListId, ResourceId};
use syncline_store::lists::StoredLists;
use syncline_store::{REQUEST_ACTOR, TenantFile};
use uuid::Uuid;

use super::named::Named;
use super::target::refused;
use crate::error::ApiError;
use crate::http::Call;
use crate::routes::decide::{Stop, idempotency_key};

/// The names of changes that follow from an `Idempotency-Key`.
const NAMES: Uuid = Uuid::from_u128(0x27c5_e81f_0a94_4d3b_b6d2_95f0_4e17_c8a3);

/// A change to what is there, as its request names it. What it writes is of an actor with that name, by
/// which the log knows a repeat, also when the ops are dropped.
#[derive(Debug, Clone)]
pub(super) struct Repeat(Option<Named>);

impl Repeat {
    /// That of a request which asks for `deed` on what its path names, as its body says; one without a
    /// key is never a repeat.
    pub(super) fn of(call: &Call, deed: &str, body: &impl Serialize) -> Result<Self, ApiError> {
        let key = idempotency_key(call)?;
        let named = key.map(|key| Named::new(&NAMES, &key, &(deed, &call.path, body)));
        named.transpose().map(Self)
    }

    /// Who writes what it asks for; none: this server.
    pub(super) fn actor(&self) -> Option<ActorId> {
        let name = format!("{REQUEST_ACTOR}{}", self.0.as_ref()?.id());
        Some(ActorId::new(name).expect("digits in groups are a name"))
    }

    /// The resources that an earlier request with the key has written to; none: there was none.
    /// Refused where that asked for something else.
    pub(super) fn written(&self, file: &TenantFile) -> Result<Option<Vec<ResourceId>>, Stop> {
        let Some(named) = &self.0 else {
            return Ok(None);
        };
        let traces = file.request_traces(&format!("{REQUEST_ACTOR}{}", named.begin()))?;
        let names = traces.iter().map(|trace| {
            let name = trace.actor.as_str().trim_start_matches(REQUEST_ACTOR);
            name.to_owned()
        });
        let made = named.made(names.collect())?;
        Ok(made.map(|_| traces.into_iter().map(|trace| trace.resource).collect()))
    }

    /// The item called `id` that an earlier request with the key has changed, wherever it is by now.
    pub(super) fn item_written(
        &self,
        file: &TenantFile,
        id: &ItemId,
    ) -> Result<Option<ItemRef>, Stop> {
        let Some(resources) = self.written(file)? else {
            return Ok(None);
        };
        let view = StoredLists::new(file.connection());
        for resource in resources {
            let item = ItemRef {
                list: ListId::from(resource),
                item: id.clone(),
            };
            if view.item(&item)?.is_some() {
                return Ok(Some(item));
            }
        }
        Err(refused(PlanError::ItemUnknown { item: id.clone() }).into())
    }
}
