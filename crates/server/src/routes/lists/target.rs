//! Finding what a request means, planning what it asks for, and what refuses it.

use serde_json::json;
use syncline_model::list::{
    Command, ItemRef, PlanError, Planning, Source, TextError, TextKind, plan,
};
use syncline_model::registry::List;
use syncline_model::{ItemId, ListId, Scope};
use syncline_protocol::ErrorCode;
use syncline_store::lists::{
    ContentTag, ShownItem, StoredLists, item_in, item_tag, items_called, list, list_tag,
};
use syncline_store::{StoreError, TenantFile};

use super::spot::Side;
use crate::error::ApiError;
use crate::http::{Call, IfMatch};
use crate::random::random;
use crate::routes::decide::Stop;
use crate::tenant::NewOp;

/// The list whose id the path has.
pub(super) fn list_of_path(call: &Call) -> Result<ListId, ApiError> {
    ListId::new(call.parameter()).map_err(|_| ApiError::not_found("list"))
}

/// The item whose id the path has.
pub(super) fn item_of_path(call: &Call) -> Result<ItemId, ApiError> {
    let text = call.path.get(1).map_or("", String::as_str);
    ItemId::new(text).map_err(|_| ApiError::not_found("item"))
}

/// The list with this id, though it be deleted.
pub(super) fn known_list(file: &TenantFile, id: &ListId) -> Result<List, Stop> {
    let found = list(file.connection(), id)?;
    Ok(found.ok_or_else(|| refused(PlanError::ListUnknown { list: id.clone() }))?)
}

/// The list with this id, if it is there.
pub(super) fn present_list(file: &TenantFile, id: &ListId) -> Result<List, Stop> {
    let found = known_list(file, id)?;
    if !found.present {
        return Err(refused(PlanError::ListRemoved { list: id.clone() }).into());
    }
    Ok(found)
}

/// The item that is called so in this list, though it be removed; the list must be there.
pub(super) fn known_item(file: &TenantFile, list: &ListId, id: &ItemId) -> Result<ShownItem, Stop> {
    present_list(file, list)?;
    let found = item_in(file.connection(), list, id)?;
    let found = found.ok_or_else(|| refused(PlanError::ItemUnknown { item: id.clone() }))?;
    if found.item.home != *list {
        return Err(elsewhere(&found).into());
    }
    Ok(found)
}

/// The item that is called so in this list, and is there.
pub(super) fn present_item(
    file: &TenantFile,
    list: &ListId,
    id: &ItemId,
) -> Result<ShownItem, Stop> {
    let found = known_item(file, list, id)?;
    if !found.item.present {
        return Err(refused(PlanError::ItemRemoved { item: id.clone() }).into());
    }
    Ok(found)
}

/// Refuses an id that the list shows already, though it be of an item that came from another list.
pub(super) fn refuse_shown(file: &TenantFile, list: &ListId, id: &ItemId) -> Result<(), Stop> {
    if items_called(file.connection(), list, id)?.is_empty() {
        return Ok(());
    }
    Err(refused(PlanError::ItemExists { item: id.clone() }).into())
}

/// The item of `list` beside which another is to stand.
pub(super) fn item_beside(
    file: &TenantFile,
    list: &ListId,
    side: Side,
    id: &str,
) -> Result<ItemRef, Stop> {
    let wrong = |message: String, reason: &str| -> Stop {
        ApiError::invalid_field(side.field(), message)
            .details(json!({"field": side.field(), "reason": reason}))
            .into()
    };
    let unknown = || wrong("is no item of the list".to_owned(), "item_unknown");
    let item = ItemId::new(id).map_err(|_| unknown())?;
    let found = item_in(file.connection(), list, &item)?.ok_or_else(unknown)?;
    if !found.item.present {
        return Err(wrong("was removed".to_owned(), "item_removed"));
    }
    if found.item.home != *list {
        let message = format!("is in list {}", found.item.home);
        return Err(wrong(message, "item_in_other_list"));
    }
    Ok(found.item.item)
}

/// The list beside which another is to stand.
pub(super) fn list_beside(file: &TenantFile, side: Side, id: &str) -> Result<ListId, Stop> {
    let wrong = |message: &str, reason: &str| -> Stop {
        ApiError::invalid_field(side.field(), message)
            .details(json!({"field": side.field(), "reason": reason}))
            .into()
    };
    let unknown = || wrong("is no list", "list_unknown");
    let id = ListId::new(id).map_err(|_| unknown())?;
    match list(file.connection(), &id)? {
        Some(list) if list.present => Ok(id),
        Some(_) => Err(wrong("was deleted", "list_removed")),
        None => Err(unknown()),
    }
}

/// The ops that carry the commands out, all on the lists as they stand: none may depend on another.
pub(super) fn planned(file: &TenantFile, commands: &[Command]) -> Result<Vec<NewOp>, Stop> {
    let view = StoredLists::new(file.connection());
    let lists_collected = file.has_collected(&Scope::registry())?;
    let mut ops = Vec::new();
    for command in commands {
        let planning = Planning {
            source: Source::Person,
            // The log takes what is planned on its own view: nothing is written anew.
            actor: None,
            lists_collected,
            jitter: random(),
        };
        let plan = plan(&view, command, planning).map_err(|error| match error {
            PlanError::View(error) => Stop::Store(error),
            other => refused(other).into(),
        })?;
        ops.extend(plan.ops.into_iter().map(|op| NewOp {
            scope: op.scope,
            resource: op.resource,
            payload: op.payload,
        }));
    }
    Ok(ops)
}

/// What a request was made on, as its `If-Match` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen(IfMatch);

impl Seen {
    pub(super) fn of(call: &Call) -> Result<Self, ApiError> {
        IfMatch::of(&call.headers).map(Self)
    }

    /// Refuses what was made on another state than this. Where nothing is to be written the request
    /// has been fulfilled, perhaps by its own first try, and there is nothing to refuse.
    pub(super) fn check(
        &self,
        ops: &[NewOp],
        current: impl FnOnce() -> Result<ContentTag, StoreError>,
    ) -> Result<(), Stop> {
        let IfMatch::Tags(tags) = &self.0 else {
            return Ok(());
        };
        if ops.is_empty() {
            return Ok(());
        }
        let current = current()?.to_string();
        if tags.contains(&current) {
            return Ok(());
        }
        let message = "it has changed since: read it again, and send what is still wanted with the \
                       ETag of that answer";
        let error = ApiError::new(ErrorCode::PreconditionFailed, message);
        Err(error
            .details(json!({"etag": format!("\"{current}\"")}))
            .into())
    }

    /// As [`Seen::check`], of a list.
    pub(super) fn check_list(
        &self,
        ops: &[NewOp],
        file: &TenantFile,
        list: &ListId,
    ) -> Result<(), Stop> {
        self.check(ops, || list_tag(file.connection(), list))
    }

    /// As [`Seen::check`], of an item.
    pub(super) fn check_item(
        &self,
        ops: &[NewOp],
        file: &TenantFile,
        item: &ItemRef,
    ) -> Result<(), Stop> {
        self.check(ops, || item_tag(file.connection(), item))
    }
}

/// A plan's refusal. `details.reason` has the plan's own code.
pub(super) fn refused(error: PlanError<StoreError>) -> ApiError {
    let (reason, message) = (error.code(), error.to_string());
    let with_field = |field: &'static str, message: String| {
        ApiError::invalid_field(field, message).details(json!({"field": field, "reason": reason}))
    };
    let absent = |message: &str| {
        ApiError::new(ErrorCode::NotFound, message).details(json!({"reason": reason}))
    };
    match error {
        PlanError::ListUnknown { .. } => absent("there is no such list: see /api/lists"),
        PlanError::ListRemoved { .. } => absent("the list was deleted: restore it first"),
        PlanError::ItemUnknown { .. } => absent("there is no such item in the list"),
        PlanError::ItemRemoved { .. } => absent("the item was removed: restore it first"),
        PlanError::ItemElsewhere { .. } => absent("the item is in another list"),
        PlanError::ListExists { .. } => with_field("list_id", message),
        PlanError::ItemExists { .. } => with_field("item_id", message),
        PlanError::BesideItself { side, .. } => with_field(side, message),
        PlanError::Text(TextError::TooLong { .. }) | PlanError::Payload(_) => {
            ApiError::new(ErrorCode::PayloadTooLarge, message).details(json!({"reason": reason}))
        }
        PlanError::Text(TextError::Blank { kind } | TextError::Control { kind }) => {
            with_field(field_of(kind), message)
        }
        PlanError::View(error) => ApiError::internal(error),
    }
}

fn field_of(kind: TextKind) -> &'static str {
    match kind {
        TextKind::Title => "title",
        TextKind::Text => "text",
        TextKind::Note => "note",
    }
}

/// The item was moved to another list.
fn elsewhere(found: &ShownItem) -> ApiError {
    let home = &found.item.home;
    ApiError::new(
        ErrorCode::NotFound,
        format!("the item was moved: it is in list {home} now"),
    )
    .details(json!({"reason": "item_in_other_list", "list_id": home}))
}
