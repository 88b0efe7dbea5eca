//! `POST /sync/reset`: an empty log in a new epoch.

use syncline_model::{Cursor, Epoch};

use crate::cursor::write_cursor;
use crate::decode::{DecodeError, Field, utf8};
use crate::json::{Reader, Writer};

/// What a client sends, beside `If-Match: "<epoch>"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetRequest {
    /// The tenant's name, so that nobody resets one for another.
    pub confirm: String,
}

impl ResetRequest {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw("{\"confirm\":").string(&self.confirm).raw("}");
        out.finish()
    }

    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut confirm = Field::new("confirm");
        let mut reader = Reader::new(utf8(body)?);
        reader.object::<DecodeError>(|reader, name| {
            let token = reader.value()?;
            if name != "confirm" {
                return Ok(());
            }
            let text = token.as_str();
            confirm.set(text.ok_or(DecodeError::Field {
                field: "confirm",
                expected: "the tenant's name",
            })?)
        })?;
        reader.end()?;
        Ok(Self {
            confirm: confirm.required()?.into_owned(),
        })
    }
}

/// The new epoch, and where its log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetAnswer {
    pub epoch: Epoch,
    pub cursor: Cursor,
}

impl ResetAnswer {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw("{\"epoch\":").quoted(self.epoch);
        out.raw(",\"serverSeq\":")
            .number(self.cursor.server_seq.get())
            .raw(",\"cursor\":");
        write_cursor(&mut out, &self.cursor);
        out.raw("}");
        out.finish()
    }
}

/// Reads the value of `If-Match` as the epoch that it names; none where it names none, and then it
/// matches no log.
pub fn parse_if_match(value: &str) -> Option<Epoch> {
    value
        .trim()
        .strip_prefix('"')?
        .strip_suffix('"')?
        .parse()
        .ok()
}
