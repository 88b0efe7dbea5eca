//! One record, shown.

use super::target::Target;
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::tenant::{ShownRow, is_within};

pub(super) async fn get(call: &Call, target: Target) -> Result<Answer, ApiError> {
    let absent = ApiError::not_found(&target.entity().singular);
    let backend = target.backend().clone();
    let found = backend.look(move |view| {
        let (entity, id) = (target.entity(), target.id()?);
        let record = view.record(entity, id)?;
        let Some(record) = record.filter(|record| is_within(entity, record, target.fields()))
        else {
            return Ok(None);
        };
        Ok(view.seen(entity, record)?)
    });
    let row = ShownRow::from(found.await?.ok_or(absent)?);
    let answer = Answer::json(row.values())?.tagged(row.version());
    Ok(answer.unless_known(&call.headers))
}
