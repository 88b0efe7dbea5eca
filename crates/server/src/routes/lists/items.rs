//! Making, changing, moving, removing and restoring items.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use syncline_model::list::{Command, ItemRef, NewItem, Spot};
use syncline_model::{ItemId, ListId};
use syncline_store::TenantFile;
use syncline_store::lists::{self, item_in, item_tag};

use super::json::item_json;
use super::repeat::Repeat;
use super::spot::SentSpot;
use super::target::{
    Seen, item_beside, item_of_path, known_item, list_of_path, planned, present_item, present_list,
    refuse_shown,
};
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::routes::decide::{Stop, decide_as, look};
use crate::tenant::NewOp;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CreateRequest {
    text: String,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    note: String,
    item_id: Option<ItemId>,
    #[serde(flatten)]
    spot: SentSpot,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct UpdateRequest {
    text: Option<String>,
    done: Option<bool>,
    note: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct MoveRequest {
    to: Option<ListId>,
    #[serde(flatten)]
    spot: SentSpot,
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let request: CreateRequest = call.json()?;
    request.spot.check()?;
    let (list, seen) = (list_of_path(&call)?, Seen::of(&call)?);
    let repeat = Repeat::of(&call, "create", &request)?;
    let id = request
        .item_id
        .unwrap_or_else(|| ItemId::new(repeat.new_id()).expect("digits in groups are an id"));
    let made = ItemRef {
        list: list.clone(),
        item: id.clone(),
    };
    let new = NewItem {
        item: id,
        text: request.text,
        done: request.done,
        note: request.note,
    };
    let (made, _) = decide_as(&call, repeat.actor(), move |file| {
        // What was made of this key before is not made again, whatever became of it.
        if let Some(made) = repeat.item_written(file, &made.item)? {
            return Ok((Vec::new(), made));
        }
        present_list(file, &list)?;
        refuse_shown(file, &list, &made.item)?;
        let spot = request
            .spot
            .find(|side, id| item_beside(file, &list, side, id))?;
        let command = Command::Add {
            list: list.clone(),
            items: vec![new.clone()],
            spot: spot.unwrap_or(Spot::End),
        };
        let ops = planned(file, &[command])?;
        seen.check_list(&ops, file, &list)?;
        Ok((ops, made.clone()))
    })
    .await?;
    Ok(shown(&call, made).await?.status(StatusCode::CREATED))
}

pub(super) async fn update(call: Call) -> Result<Answer, ApiError> {
    let request: UpdateRequest = call.json()?;
    if request.text.is_none() && request.done.is_none() && request.note.is_none() {
        return Err(ApiError::invalid_field(
            "body",
            "must have text, done or note",
        ));
    }
    let repeat = Repeat::of(&call, "update", &request)?;
    changed(&call, repeat, move |file, list, id| {
        let item = present_item(file, list, id)?.item.item;
        let mut commands = Vec::new();
        if let Some(text) = request.text.clone() {
            let item = item.clone();
            commands.push(Command::Edit { item, text });
        }
        if let Some(note) = request.note.clone() {
            let item = item.clone();
            commands.push(Command::Note { item, note });
        }
        match request.done {
            Some(true) => commands.push(Command::Check { item: item.clone() }),
            Some(false) => commands.push(Command::Uncheck { item: item.clone() }),
            None => {}
        }
        Ok((planned(file, &commands)?, item))
    })
    .await
}

pub(super) async fn move_to(call: Call) -> Result<Answer, ApiError> {
    let request: MoveRequest = call.json()?;
    request.spot.check()?;
    if request.to.is_none() && !request.spot.is_said() {
        let message = "must have to, before, after or position";
        return Err(ApiError::invalid_field("body", message));
    }
    let repeat = Repeat::of(&call, "move", &request)?;
    changed(&call, repeat, move |file, list, id| {
        let to = request.to.as_ref().unwrap_or(list);
        let found = match present_item(file, list, id) {
            // The move of a repeated request has been done.
            Err(stop) => match item_in(file.connection(), list, id)? {
                Some(found) if found.item.present && found.item.home == *to => found,
                _ => return Err(stop),
            },
            Ok(found) => found,
        };
        let item = found.item.item;
        let spot = request
            .spot
            .find(|side, id| item_beside(file, to, side, id))?;
        let command = Command::Move {
            item: item.clone(),
            to: to.clone(),
            spot: match spot {
                Some(spot) => spot,
                // Which list is all that is said, and it is there: any place will do.
                None if found.item.home == *to => return Ok((Vec::new(), item)),
                None => Spot::End,
            },
        };
        Ok((planned(file, &[command])?, item))
    })
    .await
}

pub(super) async fn delete(call: Call) -> Result<Answer, ApiError> {
    let repeat = Repeat::of(&call, "delete", &())?;
    changed(&call, repeat, |file, list, id| {
        let item = known_item(file, list, id)?.item.item;
        let remove = Command::Remove { item: item.clone() };
        Ok((planned(file, &[remove])?, item))
    })
    .await
}

pub(super) async fn restore(call: Call) -> Result<Answer, ApiError> {
    let repeat = Repeat::of(&call, "restore", &())?;
    changed(&call, repeat, |file, list, id| {
        let item = known_item(file, list, id)?.item.item;
        let restore = Command::Restore {
            item: item.clone(),
            former: None,
        };
        Ok((planned(file, &[restore])?, item))
    })
    .await
}

/// Writes what `judge` makes of the item in the path, if it is as the request has seen it and no earlier
/// one has.
async fn changed(
    call: &Call,
    repeat: Repeat,
    judge: impl Fn(&TenantFile, &ListId, &ItemId) -> Result<(Vec<NewOp>, ItemRef), Stop>
    + Send
    + 'static,
) -> Result<Answer, ApiError> {
    let (list, id, seen) = (list_of_path(call)?, item_of_path(call)?, Seen::of(call)?);
    let (item, _) = decide_as(call, repeat.actor(), move |file| {
        if let Some(item) = repeat.item_written(file, &id)? {
            return Ok((Vec::new(), item));
        }
        let (ops, item) = judge(file, &list, &id)?;
        seen.check_item(&ops, file, &item)?;
        Ok((ops, item))
    })
    .await?;
    shown(call, item).await
}

/// The item as it is by now, though it be removed.
async fn shown(call: &Call, item: ItemRef) -> Result<Answer, ApiError> {
    let (answer, tag) = look(call, move |file| {
        let found = lists::item(file.connection(), &item)?;
        let found = found.ok_or_else(|| ApiError::not_found("item"))?;
        Ok((item_json(&found), item_tag(file.connection(), &item)?))
    })
    .await?;
    Ok(Answer::json(&answer)?.tagged(tag))
}
