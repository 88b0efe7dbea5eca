//! Cursors: as JSON, and as the text `serverSeq-mark` that names an event of the stream.

use syncline_model::{Cursor, Mark, ServerSeq};

use crate::decode::{DecodeError, Field, MARK, parsed, place};
use crate::json::{Reader, Writer};
use crate::limits::SERVER_SEQ_MAX;

/// A text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a place in the log, a hyphen and 32 lower-case hexadecimal digits")]
pub struct CursorTextError;

/// The cursor as the id of an event: `17-8a3f…`.
pub fn cursor_text(cursor: &Cursor) -> String {
    format!("{}-{}", cursor.server_seq, cursor.mark)
}

/// Reads what [`cursor_text`] wrote: the value of `Last-Event-ID`.
pub fn parse_cursor_text(text: &str) -> Result<Cursor, CursorTextError> {
    let (place, mark) = text.split_once('-').ok_or(CursorTextError)?;
    let digits = !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_digit());
    let place: u64 = if digits {
        place.parse().map_err(|_| CursorTextError)?
    } else {
        return Err(CursorTextError);
    };
    let mark: Mark = mark.parse().map_err(|_| CursorTextError)?;
    if place > SERVER_SEQ_MAX {
        return Err(CursorTextError);
    }
    Ok(Cursor {
        server_seq: ServerSeq(place),
        mark,
    })
}

pub(crate) fn write_cursor(out: &mut Writer, cursor: &Cursor) {
    out.raw("{\"serverSeq\":").number(cursor.server_seq.get());
    out.raw(",\"mark\":").quoted(cursor.mark).raw("}");
}

/// Reads `{"serverSeq":…,"mark":…}`; null is none.
pub(crate) fn read_cursor(
    reader: &mut Reader<'_>,
    field: &'static str,
) -> Result<Option<Cursor>, DecodeError> {
    if !reader.at_byte(b'{') {
        let expected = "an object with `serverSeq` and `mark`";
        return match reader.value()? {
            token if token.is_null() => Ok(None),
            _ => Err(DecodeError::Field { field, expected }),
        };
    }
    let (mut server_seq, mut mark) = (Field::new("serverSeq"), Field::new("mark"));
    reader.object::<DecodeError>(|reader, name| {
        let token = reader.value()?;
        match &*name {
            "serverSeq" => server_seq.set(place(token, "serverSeq")?),
            "mark" => mark.set(parsed(token, "mark", MARK)?),
            _ => Ok(()),
        }
    })?;
    Ok(Some(Cursor {
        server_seq: server_seq.required()?,
        mark: mark.required()?,
    }))
}
