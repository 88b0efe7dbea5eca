//! The query strings of `pull`, `stream` and `bootstrap`.

use std::borrow::Cow;
use std::fmt::Write as _;

use syncline_model::planted::{Defect, is_planted};
use syncline_model::{ClientId, Cursor, Epoch, Mark, ServerSeq};

use crate::decode::{DecodeError, EPOCH, Field, MARK, PLACE};
use crate::limits::SERVER_SEQ_MAX;
use crate::parse_cursor_text;

/// What `GET /sync/pull` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullQuery {
    /// Who asks; none: the place is not noted.
    pub client_id: Option<ClientId>,
    /// The place after which the page begins: this replica's cursor, with its mark.
    pub since: ServerSeq,
    /// None: not checked.
    pub mark: Option<Mark>,
    /// Ops of the page at most.
    pub limit: Option<usize>,
    /// None: not checked.
    pub epoch: Option<Epoch>,
    /// The floor that the first page of a fetch from place 0 named.
    pub floor: Option<ServerSeq>,
    /// What the pages before this one named as their sight; none: not checked.
    pub sight: Option<String>,
}

/// What `GET /sync/stream` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamQuery {
    pub client_id: Option<ClientId>,
    pub since: ServerSeq,
    pub mark: Option<Mark>,
    pub epoch: Option<Epoch>,
    pub sight: Option<String>,
}

/// What `GET /sync/bootstrap` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BootstrapQuery {
    pub client_id: Option<ClientId>,
}

impl PullQuery {
    /// Reads a query string, without its question mark. Parameters that are not known are passed
    /// over; an empty one counts as absent.
    pub fn parse(query: &str) -> Result<Self, DecodeError> {
        let mut parameters = Parameters::default();
        parameters.read(query)?;
        Ok(Self {
            client_id: parameters.client_id()?,
            since: parameters.since()?,
            mark: parameters.mark()?,
            limit: parameters.limit()?,
            epoch: parameters.epoch()?,
            floor: parameters.floor()?,
            sight: parameters.sight(),
        })
    }

    /// Writes the query string.
    pub fn encode(&self) -> String {
        let mut out = String::new();
        put(&mut out, "clientId", self.client_id.as_ref());
        put(&mut out, "since", Some(self.since));
        put(&mut out, "mark", self.mark);
        put(&mut out, "limit", self.limit);
        put(&mut out, "epoch", self.epoch);
        put(&mut out, "floor", self.floor);
        put(&mut out, "sight", self.sight.as_ref());
        out
    }
}

impl StreamQuery {
    /// Reads a query string and the header `Last-Event-ID`, which a browser sends when it takes a
    /// stream up again, and which stands in place of `since` and `mark`.
    pub fn parse(query: &str, last_event_id: Option<&str>) -> Result<Self, DecodeError> {
        let mut parameters = Parameters::default();
        parameters.read(query)?;
        let (since, mark) = match last_event_id.filter(|id| !id.is_empty()) {
            None => (parameters.since()?, parameters.mark()?),
            Some(id) => {
                let cursor = parse_cursor_text(id).map_err(|_| DecodeError::Field {
                    field: "Last-Event-ID",
                    expected: "the id of an event of this stream",
                })?;
                (cursor.server_seq, Some(cursor.mark))
            }
        };
        let (client_id, epoch) = (parameters.client_id()?, parameters.epoch()?);
        Ok(Self {
            client_id,
            since,
            mark,
            epoch,
            sight: parameters.sight(),
        })
    }

    /// Writes the query string.
    pub fn encode(&self) -> String {
        let mut out = String::new();
        put(&mut out, "clientId", self.client_id.as_ref());
        put(&mut out, "since", Some(self.since));
        put(&mut out, "mark", self.mark);
        put(&mut out, "epoch", self.epoch);
        put(&mut out, "sight", self.sight.as_ref());
        out
    }
}

impl BootstrapQuery {
    pub fn parse(query: &str) -> Result<Self, DecodeError> {
        let mut parameters = Parameters::default();
        parameters.read(query)?;
        Ok(Self {
            client_id: parameters.client_id()?,
        })
    }

    pub fn encode(&self) -> String {
        let mut out = String::new();
        put(&mut out, "clientId", self.client_id.as_ref());
        out
    }
}

impl PullQuery {
    /// The query of a replica that stands at `cursor`.
    pub fn at(cursor: Cursor) -> Self {
        let is_known = cursor != Cursor::ORIGIN && !is_planted(Defect::CursorMovedByPush);
        let mark = is_known.then_some(cursor.mark);
        Self {
            since: cursor.server_seq,
            mark,
            ..Self::default()
        }
    }
}

impl StreamQuery {
    /// The query of a replica that stands at `cursor`.
    pub fn at(cursor: Cursor) -> Self {
        let PullQuery { since, mark, .. } = PullQuery::at(cursor);
        Self {
            since,
            mark,
            ..Self::default()
        }
    }
}

/// The known parameters, as text.
#[derive(Debug)]
struct Parameters<'a> {
    client_id: Field<Cow<'a, str>>,
    since: Field<Cow<'a, str>>,
    mark: Field<Cow<'a, str>>,
    limit: Field<Cow<'a, str>>,
    epoch: Field<Cow<'a, str>>,
    floor: Field<Cow<'a, str>>,
    sight: Field<Cow<'a, str>>,
}

impl Default for Parameters<'_> {
    fn default() -> Self {
        Self {
            client_id: Field::new("clientId"),
            since: Field::new("since"),
            mark: Field::new("mark"),
            limit: Field::new("limit"),
            epoch: Field::new("epoch"),
            floor: Field::new("floor"),
            sight: Field::new("sight"),
        }
    }
}

impl<'a> Parameters<'a> {
    fn read(&mut self, query: &'a str) -> Result<(), DecodeError> {
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let field = match &*unescape(name)? {
                "clientId" => &mut self.client_id,
                "since" => &mut self.since,
                "mark" => &mut self.mark,
                "limit" => &mut self.limit,
                "epoch" => &mut self.epoch,
                "floor" => &mut self.floor,
                "sight" => &mut self.sight,
                _ => continue,
            };
            let value = unescape(value)?;
            if !value.is_empty() {
                field.set(value)?;
            }
        }
        Ok(())
    }

    fn client_id(&self) -> Result<Option<ClientId>, DecodeError> {
        parsed(
            &self.client_id,
            "clientId",
            "1 to 256 bytes without control characters",
        )
    }

    fn since(&self) -> Result<ServerSeq, DecodeError> {
        Ok(place(&self.since, "since")?.unwrap_or_default())
    }

    fn mark(&self) -> Result<Option<Mark>, DecodeError> {
        parsed(&self.mark, "mark", MARK)
    }

    fn limit(&self) -> Result<Option<usize>, DecodeError> {
        let expected = "a whole number from 1";
        let limit: Option<u64> = number(&self.limit, "limit", expected)?;
        match limit {
            Some(0) => Err(DecodeError::Field {
                field: "limit",
                expected,
            }),
            Some(limit) => Ok(Some(usize::try_from(limit).unwrap_or(usize::MAX))),
            None => Ok(None),
        }
    }

    fn epoch(&self) -> Result<Option<Epoch>, DecodeError> {
        parsed(&self.epoch, "epoch", EPOCH)
    }

    fn sight(&self) -> Option<String> {
        self.sight.get().map(|text| text.clone().into_owned())
    }

    fn floor(&self) -> Result<Option<ServerSeq>, DecodeError> {
        place(&self.floor, "floor")
    }
}

fn parsed<T: std::str::FromStr>(
    value: &Field<Cow<'_, str>>,
    field: &'static str,
    expected: &'static str,
) -> Result<Option<T>, DecodeError> {
    let Some(text) = value.get() else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| DecodeError::Field { field, expected })
}

fn number(
    value: &Field<Cow<'_, str>>,
    field: &'static str,
    expected: &'static str,
) -> Result<Option<u64>, DecodeError> {
    let digits = |text: &Cow<'_, str>| text.bytes().all(|byte| byte.is_ascii_digit());
    if value.get().is_some_and(|text| !digits(text)) {
        return Err(DecodeError::Field { field, expected });
    }
    parsed(value, field, expected)
}

fn place(
    value: &Field<Cow<'_, str>>,
    field: &'static str,
) -> Result<Option<ServerSeq>, DecodeError> {
    let place = number(value, field, PLACE)?;
    if place.is_some_and(|place| place > SERVER_SEQ_MAX) {
        return Err(DecodeError::Field {
            field,
            expected: PLACE,
        });
    }
    Ok(place.map(ServerSeq))
}

/// Takes `%41` and `+` out of a part of a query.
fn unescape(text: &str) -> Result<Cow<'_, str>, DecodeError> {
    const BAD: DecodeError = DecodeError::Field {
        field: "query",
        expected: "percent-encoded UTF-8",
    };
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Ok(Cow::Borrowed(text));
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit().ok_or(BAD)?, digit().ok_or(BAD)?);
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    String::from_utf8(plain).map(Cow::Owned).map_err(|_| BAD)
}

/// Appends `name=value`, if there is one.
fn put(out: &mut String, name: &str, value: Option<impl std::fmt::Display>) {
    let Some(value) = value else { return };
    if !out.is_empty() {
        out.push('&');
    }
    out.push_str(name);
    out.push('=');
    for byte in value.to_string().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
