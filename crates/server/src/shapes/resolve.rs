//! From a request to the shape that it means.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use syncline_model::TenantId;
use syncline_model::record::Asker;
use syncline_model::schema::{Role, Schema};
use syncline_store::control::ControlError;
use syncline_store::records::schema_place;
use syncline_store::shapes::{MadeShape, NewShape};
use syncline_store::{StoreError, TenantFile};

use super::definition::{Definition, missing_table};
use super::invalid::Invalid;
use super::offset::{Check, Offset};
use super::request::ShapeRequest;
use super::sight::{place_of, sight_of};
use crate::auth::{Authenticator, Identity};
use crate::log::{Standing, Tenant};
use crate::tenant::Refused;

/// A request's shape.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub definition: Arc<Definition>,
    pub shape: MadeShape,
    /// Whether it is the one that the request names.
    pub naming: Naming,
}

impl Resolved {
    /// Whether another request has come to the same, asked by the same user.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.shape, self.naming) == (&other.shape, other.naming)
            && self.definition.is_same(&other.definition)
    }
}

/// How a request's handle stands to its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// It names the shape, or none.
    Right,
    /// It names none that there is, or one of another definition.
    Wrong,
}

/// Why there is no shape for a request.
#[derive(Debug)]
pub(crate) enum Unresolved {
    Invalid(Invalid),
    /// The request can't be meant so any more: its handle was given out for it when who asks saw more.
    Outdated,
    Refused(Refused),
    Control(ControlError),
}

impl From<Refused> for Unresolved {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// What looking for a shape finds.
struct Found {
    definition: Definition,
    named: Option<MadeShape>,
    newest: Option<MadeShape>,
    /// One that its reader does not take again.
    expired: Option<String>,
}

/// Who asks, and where their role is looked up.
pub(super) struct Who<'a> {
    pub identity: &'a Identity,
    pub authenticator: &'a Authenticator,
}

impl Who<'_> {
    /// Who asks, with their role where the table is an entity and so has roles.
    fn asker(&self, schema: Option<&Schema>, table: &str) -> Result<Asker, Unresolved> {
        let has_roles = schema.is_some_and(|schema| schema.entity(table).is_some());
        let role = if has_roles {
            self.authenticator
                .role(self.identity)
                .map_err(Unresolved::Control)?
        } else {
            Role::Owner
        };
        Ok(Asker {
            user: self.identity.user.clone(),
            role,
        })
    }
}

/// Finds the shape of a request; none is made.
async fn find(tenant: &Tenant, request: &ShapeRequest, who: &Who<'_>) -> Result<Found, Unresolved> {
    let name = Definition::table(request).map_err(Unresolved::Invalid)?;
    // Each turn but the last takes an admin's change of the schema.
    loop {
        let standing = tenant.standing_schema().await?;
        let schema = standing.as_ref().map(|(schema, _)| &**schema);
        let sought = Sought {
            asker: who.asker(schema, &name)?,
            name: name.clone(),
            tenant: who.identity.tenant.clone(),
            request: request.clone(),
            standing,
        };
        let found = tenant.read(move |file| file.snapshot(|file| sought.find(file)));
        if let Some(found) = found.await? {
            return found;
        }
        tenant.forget_schema();
    }
}

/// What is looked for in a state of the file.
struct Sought {
    name: String,
    tenant: TenantId,
    asker: Asker,
    request: ShapeRequest,
    /// The schema that the table is declared in.
    standing: Option<Standing>,
}

impl Sought {
    /// Finds the shape; none: another schema stands by now.
    fn find(&self, file: &TenantFile) -> Result<Option<Result<Found, Unresolved>>, Refused> {
        let (request, standing) = (&self.request, self.standing.as_ref());
        if schema_place(file.connection())? != place_of(standing) {
            return Ok(None);
        }
        let schema = standing.map(|(schema, _)| &**schema);
        let Some(relation) = file.shape_relation(&self.name, schema)? else {
            let missing = missing_table("public", &self.name);
            return Ok(Some(Err(Unresolved::Invalid(missing))));
        };
        let given = match &request.handle {
            Some(handle) => file.shape(handle)?,
            None => None,
        };
        let sight = sight_of(file, standing, &relation, &self.asker)?;
        let of = (&self.tenant, &self.asker);
        let definition = match Definition::of(request, relation, sight, of) {
            Ok(definition) => definition,
            // What has a shape's handle was right when that was given out. Who reads it has rows that
            // they may not see any more: they let go of them before they are told what is wrong.
            Err(_) if given.is_some() => return Ok(Some(Err(Unresolved::Outdated))),
            Err(invalid) => return Ok(Some(Err(Unresolved::Invalid(invalid)))),
        };
        let mut named = given.filter(|shape| shape.definition == definition.digest);
        let mut expired = request.expired.clone();
        if let Some(shape) = &named
            && !is_of_this_log(file, request.offset, shape)?
        {
            expired = named.take().map(|shape| shape.handle);
        }
        let newest = match &named {
            Some(_) => None,
            None => file.shape_of(&definition.digest, expired.as_deref())?,
        };
        Ok(Some(Ok(Found {
            definition,
            named,
            newest,
            expired,
        })))
    }
}

/// Whether a place was given out by this log as it is: not where its file was put back, as a copy that
/// somebody kept, and others were written since. Where compaction has dropped the op nobody can tell.
fn is_of_this_log(
    file: &TenantFile,
    offset: Offset,
    shape: &MadeShape,
) -> Result<bool, StoreError> {
    let Some((seq, check)) = offset.check(shape) else {
        return Ok(true);
    };
    let head = file.head()?;
    let mark = file.mark_at(seq)?;
    let is_dropped = mark.is_none() && seq <= head.floor;
    Ok(is_dropped || mark.as_ref().map(Check::of) == Some(check))
}

/// Finds the shape of a request, or makes it.
pub(super) async fn resolve(
    tenant: &Tenant,
    request: &ShapeRequest,
    who: &Who<'_>,
) -> Result<Arc<Resolved>, Unresolved> {
    let found = find(tenant, request, who).await?;
    let naming = if found.named.is_some() || request.handle.is_none() {
        Naming::Right
    } else {
        Naming::Wrong
    };
    let shape = match found.named.or(found.newest) {
        Some(shape) => shape,
        None => make(tenant, &found.definition, found.expired).await?,
    };
    tenant.hub().note_use(&shape.handle, &who.identity.user);
    Ok(tenant.hub().cache.share(Resolved {
        definition: Arc::new(found.definition),
        shape,
        naming,
    }))
}

/// The newest shape of a definition, made if there is none but the expired one.
async fn make(
    tenant: &Tenant,
    definition: &Definition,
    expired: Option<String>,
) -> Result<MadeShape, Unresolved> {
    let new = NewShape {
        relation: definition.relation.name.clone(),
        definition: definition.digest.clone(),
        handle: new_handle(definition),
        expired,
    };
    match tenant.make_shape(new).await? {
        Some(shape) => Ok(shape),
        None => Err(Unresolved::Invalid(missing_table(
            "public",
            &definition.relation.name,
        ))),
    }
}

/// The shape that a request would find, if there is one.
pub(super) async fn find_made(
    tenant: &Tenant,
    request: &ShapeRequest,
    who: &Who<'_>,
) -> Result<(Definition, Option<MadeShape>), Unresolved> {
    let found = find(tenant, request, who).await?;
    Ok((found.definition, found.named.or(found.newest)))
}

/// A name that no shape has had: what it is of, and when it was made.
fn new_handle(definition: &Definition) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let hash = u32::from_str_radix(definition.digest.get(..8).unwrap_or("0"), 16).unwrap_or(0);
    format!("{hash}-{}", now.as_nanos() / 100)
}

#[cfg(test)]
mod tests;
