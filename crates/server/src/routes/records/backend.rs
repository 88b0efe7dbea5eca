//! What a request about records reads once, and passes on.

use std::sync::Arc;
use std::time::Duration;

use syncline_model::record::{Asker, Record, Records, Seen, known_id, seen};
use syncline_model::schema::{Entity, Schema};
use syncline_model::{Salt, ServerSeq};
use syncline_store::records::{StoredRecords, schema_place};
use syncline_store::{StoreError, TenantFile};

use crate::error::ApiError;
use crate::http::Call;
use crate::log::Tenant;
use crate::random::random;
use crate::routes::decide::{Stop, look_at};
use crate::tenant::{RecordChange, RecordWrite, Recorded, RepeatKey};

/// A tenant's records, and who asks for them.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) tenant: Arc<Tenant>,
    /// Empty where the tenant has none.
    pub(crate) schema: Arc<Schema>,
    /// The place of the schema.
    pub(crate) place: Option<ServerSeq>,
    pub(crate) asker: Asker,
}

impl Backend {
    pub(crate) async fn of(call: &Call) -> Result<Self, ApiError> {
        let tenant = call.tenant().await?;
        let (schema, place) = tenant.standing_schema().await?.unzip();
        Ok(Self {
            schema: schema.unwrap_or_default(),
            place,
            asker: call.asker()?,
            tenant,
        })
    }

    /// Looks at one state of the tenant's file, if the schema still stands there that what who asks may
    /// see was found by.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (schema, asker) = (Arc::clone(&self.schema), self.asker.clone());
        let place = self.place;
        look_at(&self.tenant, move |file| {
            if schema_place(file.connection())? != place {
                let message = "the schema has changed meanwhile: ask again";
                let error = ApiError::unavailable(message, Duration::from_secs(1));
                return Err(Stop::Refused(error));
            }
            look(&View {
                file,
                schema: &schema,
                asker: &asker,
            })
        })
        .await
    }

    /// Has records written when the request's turn comes; `name` tells a repeat of the request.
    pub(crate) async fn write(
        &self,
        call: &Call,
        change: RecordChange,
        name: Option<&str>,
    ) -> Result<Recorded, ApiError> {
        self.queue(call, change, name, Vec::new()).await?.await
    }

    /// The same behind all that was queued before, if the writes were accepted that it is `after`: what this
    /// gives waits for the answer.
    pub(crate) async fn queue(
        &self,
        call: &Call,
        change: RecordChange,
        name: Option<&str>,
        after: Vec<RepeatKey>,
    ) -> Result<impl Future<Output = Result<Recorded, ApiError>>, ApiError> {
        let write = RecordWrite {
            asker: self.asker.clone(),
            change,
            repeat: name.map(RepeatKey::new),
            after,
            salt: Some(Salt::new(random())),
        };
        let written = self.tenant.queue_record(write, call.body.held()).await?;
        Ok(async { Ok(written.await?) })
    }
}

/// One state of a tenant's file, as somebody looks at it.
pub(crate) struct View<'a> {
    pub(crate) file: &'a TenantFile,
    pub(crate) schema: &'a Schema,
    pub(crate) asker: &'a Asker,
}

impl View<'_> {
    pub(crate) fn rows(&self) -> StoredRecords<'_> {
        StoredRecords(self.file.connection())
    }

    /// A record as it is stored, also a deleted one; none: there never was one. A UUID names it however
    /// it is written.
    pub(crate) fn record(&self, entity: &Entity, id: &str) -> Result<Option<Record>, StoreError> {
        let id = known_id(&mut self.rows(), entity, id)?;
        self.rows().record(&entity.name, &id)
    }

    /// A record as who asks sees it; none: it is not there for them.
    pub(crate) fn seen(&self, entity: &Entity, record: Record) -> Result<Option<Seen>, StoreError> {
        seen(&mut self.rows(), entity, record, self.asker)
    }
}
