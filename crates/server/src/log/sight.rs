//! What of a log who asks may see.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use syncline_model::ServerSeq;
use syncline_model::record::{Asker, sees_everything};
use syncline_model::schema::{Role, Schema};
use syncline_protocol::Claims;
use syncline_store::{PageLimit, records};

use super::{SharedPage, Tenant};
use crate::tenant::Refused;

/// What of a log who asks may see.
#[derive(Debug, Clone)]
pub(crate) enum Sight {
    /// All of it, and there are no roles: the tenant has no schema.
    Plain,
    /// All of it, in this role.
    Whole(Role, ServerSeq),
    /// What their role, and their memberships, let them.
    Part(Asker, Arc<Schema>, ServerSeq),
}

impl Sight {
    /// The role in the tenant; none: it has no roles.
    pub(crate) fn role(&self) -> Option<Role> {
        match self {
            Self::Plain => None,
            Self::Whole(role, _) => Some(*role),
            Self::Part(asker, ..) => Some(asker.role),
        }
    }

    /// The role whose page may be shared; none: there is none.
    pub(super) fn shared_role(&self) -> Option<Role> {
        match self {
            Self::Plain | Self::Part(..) => None,
            Self::Whole(role, _) => Some(*role),
        }
    }

    /// The place of the schema that it is by.
    pub(super) fn schema_place(&self) -> Option<ServerSeq> {
        match self {
            Self::Plain => None,
            Self::Whole(_, place) | Self::Part(_, _, place) => Some(*place),
        }
    }
}

/// A schema that stands, and its op's place.
pub(crate) type Standing = (Arc<Schema>, ServerSeq);

/// The schema of a tenant, as far as it is known without a look at its file.
#[derive(Debug, Default)]
pub(super) struct KnownSchema {
    /// Rises whenever the schema may be another one.
    generation: AtomicU64,
    kept: Mutex<Option<(u64, Option<Standing>)>>,
}

impl KnownSchema {
    /// The schema may be another one from now on.
    pub(super) fn forget(&self) {
        self.generation.fetch_add(1, SeqCst);
    }

    fn get(&self, generation: u64) -> Option<Option<Standing>> {
        let kept = self.kept.lock().expect(UNPOISONED);
        let known = kept.as_ref().filter(|(of, _)| *of == generation);
        known.map(|(_, schema)| schema.clone())
    }

    fn keep(&self, generation: u64, schema: &Option<Standing>) {
        *self.kept.lock().expect(UNPOISONED) = Some((generation, schema.clone()));
    }
}

const UNPOISONED: &str = "nothing panics under this lock";

impl Tenant {
    /// The schema that stands, with its place; none: the tenant has none. A state of the file that is read after this may have
    /// another one already.
    pub(crate) async fn standing_schema(&self) -> Result<Option<Standing>, Refused> {
        let known = &self.shared.schema;
        // Read before the file: a schema that comes meanwhile makes what is found old at once.
        let generation = known.generation.load(SeqCst);
        if let Some(schema) = known.get(generation) {
            return Ok(schema);
        }
        let found = self
            .read(|file| Ok(records::schema(file.connection())?))
            .await?;
        let schema = found.map(|standing| (Arc::new(standing.schema), standing.seq));
        known.keep(generation, &schema);
        Ok(schema)
    }

    /// Another schema than the known one was seen to stand.
    pub(crate) fn forget_schema(&self) {
        self.shared.schema.forget();
    }

    /// What who asks may see; `role` is looked up where the tenant has roles.
    pub(crate) async fn sight<E: From<Refused>>(
        &self,
        asker: impl FnOnce() -> Result<Asker, E>,
    ) -> Result<Sight, E> {
        let Some((schema, place)) = self.standing_schema().await? else {
            return Ok(Sight::Plain);
        };
        let asker = asker()?;
        Ok(if sees_everything(Some(&schema), &asker) {
            Sight::Whole(asker.role, place)
        } else {
            Sight::Part(asker, schema, place)
        })
    }

    /// As [`Tenant::sight`], by the schema that stands in the file just now.
    pub(crate) async fn sight_anew<E: From<Refused>>(
        &self,
        asker: impl FnOnce() -> Result<Asker, E>,
    ) -> Result<Sight, E> {
        self.forget_schema();
        self.sight(asker).await
    }

    /// The page after the place that `claims` name, as who asks sees it, and that sight: both by one
    /// schema. `named` is the sight that they pulled the pages before with, if they say so.
    pub(crate) async fn page_as_seen<E: From<Refused>>(
        &self,
        claims: Claims,
        limit: PageLimit,
        named: Option<&str>,
        asker: impl Fn() -> Result<Asker, E>,
    ) -> Result<(Arc<SharedPage>, Sight), E> {
        // Each turn but the last takes an admin's change of the schema.
        loop {
            let sight = self.sight(&asker).await?;
            if let Some(page) = self.page_for(claims, limit, &sight, named).await? {
                return Ok((page, sight));
            }
            self.forget_schema();
        }
    }
}

#[cfg(test)]
mod tests;
