//! What of a log who asks may see.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use syncline_model::record::{Asker, sees_everything};
use syncline_model::schema::{Role, Schema};
use syncline_store::records;

use super::Tenant;
use crate::tenant::Refused;

/// What of a log who asks may see.
#[derive(Debug, Clone)]
pub(crate) enum Sight {
    /// All of it, and there are no roles: the tenant has no schema.
    Plain,
    /// All of it, in this role.
    Whole(Role),
    /// What their role, and their memberships, let them.
    Part(Asker, Arc<Schema>),
}

impl Sight {
    /// The role in the tenant; none: it has no roles.
    pub(crate) fn role(&self) -> Option<Role> {
        match self {
            Self::Plain => None,
            Self::Whole(role) => Some(*role),
            Self::Part(asker, _) => Some(asker.role),
        }
    }

    /// The role whose page may be shared; none: there is none.
    pub(super) fn shared_role(&self) -> Option<Role> {
        match self {
            Self::Plain | Self::Part(..) => None,
            Self::Whole(role) => Some(*role),
        }
    }
}

/// The schema of a tenant, as far as it is known without a look at its file.
#[derive(Debug, Default)]
pub(super) struct KnownSchema {
    /// Rises whenever the schema may be another one.
    generation: AtomicU64,
    kept: Mutex<Option<(u64, Option<Arc<Schema>>)>>,
}

impl KnownSchema {
    /// The schema may be another one from now on.
    pub(super) fn forget(&self) {
        self.generation.fetch_add(1, SeqCst);
    }

    fn get(&self, generation: u64) -> Option<Option<Arc<Schema>>> {
        let kept = self.kept.lock().expect(UNPOISONED);
        let known = kept.as_ref().filter(|(of, _)| *of == generation);
        known.map(|(_, schema)| schema.clone())
    }

    fn keep(&self, generation: u64, schema: &Option<Arc<Schema>>) {
        *self.kept.lock().expect(UNPOISONED) = Some((generation, schema.clone()));
    }
}

const UNPOISONED: &str = "nothing panics under this lock";

impl Tenant {
    /// The schema that stands; none: the tenant has none.
    pub(crate) async fn schema(&self) -> Result<Option<Arc<Schema>>, Refused> {
        let known = &self.shared.schema;
        // Read before the file: a schema that comes meanwhile makes what is found old at once.
        let generation = known.generation.load(SeqCst);
        if let Some(schema) = known.get(generation) {
            return Ok(schema);
        }
        let found = self
            .read(|file| Ok(records::schema(file.connection())?))
            .await?;
        let schema = found.map(|standing| Arc::new(standing.schema));
        known.keep(generation, &schema);
        Ok(schema)
    }

    /// What who asks may see; `role` is looked up where the tenant has roles.
    pub(crate) async fn sight<E: From<Refused>>(
        &self,
        asker: impl FnOnce() -> Result<Asker, E>,
    ) -> Result<Sight, E> {
        let Some(schema) = self.schema().await? else {
            return Ok(Sight::Plain);
        };
        let asker = asker()?;
        Ok(if sees_everything(Some(&schema), &asker) {
            Sight::Whole(asker.role)
        } else {
            Sight::Part(asker, schema)
        })
    }
}
