//! Making, changing, deleting and restoring lists.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use syncline_model::ListId;
use syncline_model::list::{Command, Spot};
use syncline_store::TenantFile;
use syncline_store::lists::{list_overview, list_tag};

use super::json::overview_json;
use super::repeat::Repeat;
use super::spot::SentSpot;
use super::target::{Seen, known_list, list_beside, list_of_path, planned, present_list};
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::routes::decide::{Stop, decide_as, look};
use crate::tenant::NewOp;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CreateRequest {
    title: String,
    list_id: Option<ListId>,
    #[serde(flatten)]
    spot: SentSpot,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct UpdateRequest {
    title: Option<String>,
    #[serde(flatten)]
    spot: SentSpot,
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let request: CreateRequest = call.json()?;
    request.spot.check()?;
    let repeat = Repeat::of(&call, "create", &request)?;
    let list = request
        .list_id
        .clone()
        .unwrap_or_else(|| ListId::new(repeat.new_id()).expect("digits in groups are an id"));
    let made = list.clone();
    decide_as(&call, repeat.actor(), move |file| {
        // What was made of this key before is not made again, whatever became of it.
        if repeat.written(file)?.is_some() {
            return Ok((Vec::new(), ()));
        }
        let spot = request.spot.find(|side, id| list_beside(file, side, id))?;
        let command = Command::NewList {
            list: list.clone(),
            title: request.title.clone(),
            spot: spot.unwrap_or(Spot::End),
        };
        Ok((planned(file, &[command])?, ()))
    })
    .await?;
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
