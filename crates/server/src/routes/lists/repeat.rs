//! Writes that come again with their `Idempotency-Key`.

use serde::Serialize;
use syncline_model::list::{ItemRef, ListView, PlanError};
use syncline_model::{ActorId, ItemId, ListId, ResourceId};
use syncline_store::lists::StoredLists;
use syncline_store::{REQUEST_ACTOR, TenantFile};
use uuid::Uuid;

use super::target::refused;
use crate::error::ApiError;
use crate::http::Call;
use crate::random::new_uuid;
use crate::routes::decide::{Stop, idempotency_key, key_reused};

/// The names of writes that follow from an `Idempotency-Key`.
const NAMES: Uuid = Uuid::from_u128(0x27c5_e81f_0a94_4d3b_b6d2_95f0_4e17_c8a3);
/// Hexadecimal digits of what was asked.
const ASKED_DIGITS: usize = 16;

/// A write to the lists, as its request names it. What it writes is of an actor with that name, by which
/// the log knows a repeat, also when the ops are dropped.
#[derive(Debug, Clone)]
pub(super) struct Repeat(Option<Named>);

/// The name of a request with a key: its first part is the key's, its second part that of what is asked.
/// So another wish under one key is noticed.
#[derive(Debug, Clone)]
struct Named {
    key: String,
    asked: String,
}

impl Repeat {
    /// That of a request which asks for `deed` on what its path names, as its body says; one without a
    /// key is never a repeat.
    pub(super) fn of(call: &Call, deed: &str, body: &impl Serialize) -> Result<Self, ApiError> {
        let Some(key) = idempotency_key(call)? else {
            return Ok(Self(None));
        };
        let asked = serde_json::to_vec(&(deed, &call.path, body)).map_err(ApiError::internal)?;
        let mut asked = Uuid::new_v5(&NAMES, &asked).simple().to_string();
        asked.truncate(ASKED_DIGITS);
        let key = Uuid::new_v5(&NAMES, key.as_bytes()).to_string();
        Ok(Self(Some(Named { key, asked })))
    }

    /// Who writes what it asks for; none: this server.
    pub(super) fn actor(&self) -> Option<ActorId> {
        let name = self.0.as_ref()?.actor();
        Some(ActorId::new(name).expect("digits in groups are a name"))
    }

    /// The id of what it makes, unless its body names one: the same whenever it comes again.
    pub(super) fn new_id(&self) -> String {
        self.0.as_ref().map_or_else(
            || new_uuid().to_string(),
            |named| format!("{}-{}", named.key, named.asked),
        )
    }

    /// The resources that an earlier request with the key has written to; none: there was none.
    /// Refused where that asked for something else.
    pub(super) fn written(&self, file: &TenantFile) -> Result<Option<Vec<ResourceId>>, Stop> {
        let Some(named) = &self.0 else {
            return Ok(None);
        };
        let traces = file.request_traces(&format!("{REQUEST_ACTOR}{}", named.key))?;
        if traces.is_empty() {
            return Ok(None);
        }
        let own = named.actor();
        if traces.iter().any(|trace| trace.actor.as_str() != own) {
            return Err(key_reused().into());
        }
        Ok(Some(
            traces.into_iter().map(|trace| trace.resource).collect(),
        ))
    }

    /// The item called `id` that an earlier request with the key has written to, wherever it is by now.
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
            let list = ListId::from(resource);
            // By its full name, it is called by its list of origin too.
            let rest = id.as_str().strip_prefix(list.as_str());
            let rest = rest.and_then(|rest| ItemId::new(rest.strip_prefix('/')?).ok());
            for item in [Some(id.clone()), rest].into_iter().flatten() {
                let list = list.clone();
                let item = ItemRef { list, item };
                if view.item(&item)?.is_some() {
                    return Ok(Some(item));
                }
            }
        }
        Err(refused(PlanError::ItemUnknown { item: id.clone() }).into())
    }
}

impl Named {
    fn actor(&self) -> String {
        format!("{REQUEST_ACTOR}{}-{}", self.key, self.asked)
    }
}
