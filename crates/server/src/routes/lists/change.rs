//! Making, changing, deleting and restoring lists.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use syncline_model::ListId;
use syncline_model::list::{Command, Spot};
use syncline_store::TenantFile;
use syncline_store::lists::{self as stored, list_overview, list_tag};
use uuid::Uuid;

use super::json::overview_json;
use super::named::Named;
use super::repeat::Repeat;
use super::spot::SentSpot;
use super::target::{Seen, known_list, list_beside, list_of_path, planned, present_list};
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::random::new_uuid;
use crate::routes::decide::{Stop, decide, decide_as, idempotency_key, look};
use crate::tenant::NewOp;

/// The names of lists that follow from an `Idempotency-Key`.
const NAMES: Uuid = Uuid::from_u128(0x6f0d_9a3e_51c4_4b7a_9e62_3d1f_8c20_b5a7);

#[derive(Deserialize, Serialize)]
struct CreateRequest {
    title: String,
    list_id: Option<ListId>,
    #[serde(flatten)]
    spot: SentSpot,
}

#[derive(Deserialize, Serialize)]
struct UpdateRequest {
    title: Option<String>,
    #[serde(flatten)]
    spot: SentSpot,
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let request: CreateRequest = call.json()?;
    request.spot.check()?;
    let key = idempotency_key(&call)?.filter(|_| request.list_id.is_none());
    let named = key.map(|key| Named::new(&NAMES, &key, &request));
    let named = named.transpose()?;
    let list = request.list_id.clone().unwrap_or_else(|| {
        let id = named
            .as_ref()
            .map_or_else(|| new_uuid().to_string(), Named::id);
        ListId::new(id).expect("digits in groups are an id")
    });
    let judge = move |file: &TenantFile| {
        // What was made of this key before is not made again, whatever became of it.
        if let Some(named) = &named {
            let begun = stored::list_ids_begun(file.connection(), named.begin())?;
            if let Some(made) = named.made(begun)? {
                let made = ListId::new(made).map_err(ApiError::internal)?;
                return Ok((Vec::new(), made));
            }
        }
        let spot = request.spot.find(|side, id| list_beside(file, side, id))?;
        let command = Command::NewList {
            list: list.clone(),
            title: request.title.clone(),
            spot: spot.unwrap_or(Spot::End),
        };
        Ok((planned(file, &[command])?, list.clone()))
    };
    let (made, _) = decide(&call, judge).await?;
    Ok(shown(&call, made).await?.status(StatusCode::CREATED))
}

pub(super) async fn update(call: Call) -> Result<Answer, ApiError> {
    let request: UpdateRequest = call.json()?;
    request.spot.check()?;
    if request.title.is_none() && !request.spot.is_said() {
        let message = "must have title, before, after or position";
        return Err(ApiError::invalid_field("body", message));
    }
    let repeat = Repeat::of(&call, "update", &request)?;
    changed(&call, repeat, move |file, list| {
        present_list(file, list)?;
        let mut commands = Vec::new();
        if let Some(title) = &request.title {
            commands.push(Command::RenameList {
                list: list.clone(),
                title: title.clone(),
            });
        }
        if let Some(spot) = request.spot.find(|side, id| list_beside(file, side, id))? {
            let list = list.clone();
            commands.push(Command::ReorderList { list, spot });
        }
        planned(file, &commands)
    })
    .await
}

pub(super) async fn delete(call: Call) -> Result<Answer, ApiError> {
    let repeat = Repeat::of(&call, "delete", &())?;
    changed(&call, repeat, |file, list| {
        let list = list.clone();
        planned(file, &[Command::RemoveList { list }])
    })
    .await
}

pub(super) async fn restore(call: Call) -> Result<Answer, ApiError> {
    let repeat = Repeat::of(&call, "restore", &())?;
    changed(&call, repeat, |file, list| {
        let list = known_list(file, list)?.list;
        planned(file, &[Command::RestoreList { list, former: None }])
    })
    .await
}

/// Writes what `judge` makes of the list in the path, if it is as the request has seen it and no earlier
/// one has.
async fn changed(
    call: &Call,
    repeat: Repeat,
    judge: impl Fn(&TenantFile, &ListId) -> Result<Vec<NewOp>, Stop> + Send + 'static,
) -> Result<Answer, ApiError> {
    let (list, seen) = (list_of_path(call)?, Seen::of(call)?);
    let id = list.clone();
    decide_as(call, repeat.actor(), move |file| {
        if repeat.written(file)?.is_some() {
            return Ok((Vec::new(), ()));
        }
        let ops = judge(file, &list)?;
        seen.check_list(&ops, file, &list)?;
        Ok((ops, ()))
    })
    .await?;
    shown(call, id).await
}

/// The list as it is by now.
async fn shown(call: &Call, id: ListId) -> Result<Answer, ApiError> {
    let (overview, tag) = look(call, move |file| {
        let overview = list_overview(file.connection(), &id)?;
        let overview = overview.ok_or_else(|| ApiError::not_found("list"))?;
        Ok((overview, list_tag(file.connection(), &id)?))
    })
    .await?;
    Ok(Answer::json(&overview_json(&overview))?.tagged(tag))
}
