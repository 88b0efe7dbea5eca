//! What a server says that its records are: as good as the document that it was read from, which a server does
//! not keep.

use serde::Deserialize;
use serde_json::Value;
use syncline_model::schema::{Schema, SchemaFault};

/// Why what a server says is no schema to write a client from.
#[derive(Debug, thiserror::Error)]
pub enum ServedFault {
    #[error("no document was put in place there")]
    Missing,
    #[error("its tenants have several schemas")]
    Several,
    #[error("it is of another version")]
    Unreadable(#[source] serde_json::Error),
    #[error("it can't be used")]
    Invalid(#[source] SchemaFault),
}

#[derive(Deserialize)]
struct Standing {
    schema: Option<Schema>,
}

/// The schema in an answer of `/api/schema`, or in what `syncline schema show --json` prints. None: the text is
/// neither, and is to be read as a document.
pub fn served(text: &str) -> Option<Result<Schema, ServedFault>> {
    let answer: Value = serde_json::from_str(text).ok()?;
    let all = match (answer.get("openapi"), answer.get("tenants")) {
        (Some(_), _) => return None,
        (None, Some(tenants)) => tenants.as_array()?.clone(),
        (None, None) => {
            answer.get("schema")?;
            vec![answer]
        }
    };
    Some(only(all))
}

fn only(answers: Vec<Value>) -> Result<Schema, ServedFault> {
    let mut found: Option<Schema> = None;
    for answer in answers {
        let standing: Standing = serde_json::from_value(answer).map_err(ServedFault::Unreadable)?;
        match (&found, standing.schema) {
            (Some(known), Some(schema)) if *known != schema => return Err(ServedFault::Several),
            (None, Some(schema)) => found = Some(schema),
            (Some(_), Some(_)) | (_, None) => {}
        }
    }
    let schema = found.ok_or(ServedFault::Missing)?;
    schema.check().map_err(ServedFault::Invalid)?;
    Ok(schema)
}
