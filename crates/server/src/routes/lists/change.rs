//! Making, changing, deleting and restoring lists.

use axum::http::StatusCode;
use serde::Deserialize;
use syncline_model::ListId;
use syncline_model::list::{Command, Spot};
use syncline_store::TenantFile;
use syncline_store::lists::{self as stored, list_overview, list_tag};
use uuid::Uuid;

use super::json::overview_json;
use super::spot::SentSpot;
use super::target::{Seen, known_list, list_beside, list_of_path, planned, present_list};
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::random::new_uuid;
use crate::routes::decide::{Stop, decide, idempotency_key, look};
use crate::tenant::NewOp;

/// The names of lists that follow from an `Idempotency-Key`.
const NAMES: Uuid = Uuid::from_u128(0x6f0d_9a3e_51c4_4b7a_9e62_3d1f_8c20_b5a7);

#[derive(Deserialize)]
struct CreateRequest {
    title: String,
    list_id: Option<ListId>,
    #[serde(flatten)]
    spot: SentSpot,
}

#[derive(Deserialize)]
struct UpdateRequest {
    title: Option<String>,
    #[serde(flatten)]
    spot: SentSpot,
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let request: CreateRequest = call.json()?;
    request.spot.check()?;
    let key = idempotency_key(&call)?;
    // What was made of this key before is not made again, whatever became of it.
    let repeatable = request.list_id.is_none() && key.is_some();
    let list = request.list_id.unwrap_or_else(|| {
        let id = key.map_or_else(new_uuid, |key| Uuid::new_v5(&NAMES, key.as_bytes()));
        ListId::new(id.to_string()).expect("a UUID is an id")
    });
    let id = list.clone();
    let judge = move |file: &TenantFile| {
        if repeatable && stored::list(file.connection(), &list)?.is_some() {
            return Ok((Vec::new(), ()));
        }
        let spot = request.spot.find(|side, id| list_beside(file, side, id))?;
        let command = Command::NewList {
            list: list.clone(),
            title: request.title.clone(),
            spot: spot.unwrap_or(Spot::End),
        };
        Ok((planned(file, &[command])?, ()))
    };
    decide(&call, judge).await?;
    Ok(shown(&call, id).await?.status(StatusCode::CREATED))
}

pub(super) async fn update(call: Call) -> Result<Answer, ApiError> {
    let request: UpdateRequest = call.json()?;
    request.spot.check()?;
    if request.title.is_none() && !request.spot.is_said() {
        let message = "must have title, before, after or position";
        return Err(ApiError::invalid_field("body", message));
    }
    changed(&call, move |file, list| {
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
    changed(&call, |file, list| {
        let list = list.clone();
        planned(file, &[Command::RemoveList { list }])
    })
    .await
}

pub(super) async fn restore(call: Call) -> Result<Answer, ApiError> {
    changed(&call, |file, list| {
        let list = known_list(file, list)?.list;
        planned(file, &[Command::RestoreList { list, former: None }])
    })
    .await
}

/// Writes what `judge` makes of the list in the path, if it is as the request has seen it.
async fn changed(
    call: &Call,
    judge: impl Fn(&TenantFile, &ListId) -> Result<Vec<NewOp>, Stop> + Send + 'static,
) -> Result<Answer, ApiError> {
    let (list, seen) = (list_of_path(call)?, Seen::of(call)?);
    let id = list.clone();
    decide(call, move |file| {
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
