//! What of an observation is not in the rows yet: whoever reads a transcript again writes no more.

use super::fold::{is_tombstone, part_cells, part_key, part_text};
use super::merge::Merged;
use super::tables::{PARTS, SESSIONS, USAGE, place};
use super::{Change, Piece, SessionId, SessionPatch, snapshot, words};
use crate::{Row, Table, Value};

/// What of a patch is news, as a piece of the kind named.
macro_rules! merged_news {
    ($finder:ident, $kind:ident, $patch:ident) => {{
        let mut patch = $patch;
        let (below, changes) = patch.clone().into_cells();
        let news = $finder.fields(Merged::$kind, below, changes)?;
        patch.retain(|place| news[place]);
        (!patch.is_empty()).then_some(Piece::$kind(patch))
    }};
}

/// What of a piece is news beside the rows that `row` finds; none if all of it is known, or if the
/// session was deleted.
///
/// What tells of the session as it was before what is known, by `updated_at`, is news only where
/// nothing is known: a stale copy of a transcript changes nothing back.
pub fn news_of<'a, E>(
    row: &mut impl FnMut(&'static Table, &[Value]) -> Result<Option<Row>, E>,
    session: SessionId,
    piece: Piece<'a>,
) -> Result<Option<Piece<'a>>, E> {
    let session = Value::from(session.to_string());
    let known = row(&SESSIONS, std::slice::from_ref(&session))?;
    let Some(known) = known else {
        return Ok(Some(piece));
    };
    if is_tombstone(&known) {
        return Ok(None);
    }
    let mut finder = Finder { row, session };
    Ok(match piece {
        Piece::Session(patch) => session_news(&known, *patch).map(|p| Piece::Session(Box::new(p))),
        Piece::Message(patch) => merged_news!(finder, Message, patch),
        Piece::Tool(patch) => merged_news!(finder, Tool, patch),
        Piece::Error(patch) => merged_news!(finder, Error, patch),
        Piece::Compaction(patch) => merged_news!(finder, Compaction, patch),
        Piece::Link(patch) => merged_news!(finder, Link, patch),
        Piece::Part(part) => {
            let old = (finder.row)(&PARTS, &part_key(&finder.session, &part))?;
            let known = old.is_some_and(|old| {
                old[4..9] == part_cells(&part) && old[11] == part_text(part.clone())
            });
            (!known).then_some(Piece::Part(part))
        }
        Piece::Usage(usage) => {
            let key = snapshot::usage_key(&finder.session, &usage);
            let old = (finder.row)(&USAGE, &key)?;
            let cells = snapshot::cells(usage.clone());
            let new = key.into_iter().chain(cells).collect();
            snapshot::greater(old, new).map(|_| Piece::Usage(usage))
        }
    })
}

struct Finder<'f, F> {
    row: &'f mut F,
    session: Value,
}

impl<F> Finder<'_, F> {
    /// Which fields of a patch say something else than the row.
    fn fields<E>(
        &mut self,
        kind: Merged,
        below: Vec<Value>,
        changes: Vec<Change<Value>>,
    ) -> Result<Vec<bool>, E>
    where
        F: FnMut(&'static Table, &[Value]) -> Result<Option<Row>, E>,
    {
        let key: Vec<Value> = std::iter::once(self.session.clone()).chain(below).collect();
        let row = (self.row)(kind.table(), &key)?;
        let news = changes
            .iter()
            .enumerate()
            .map(|(place, change)| match &row {
                Some(row) => says_else(&row[key.len() + place], change),
                None => true,
            });
        Ok(news.collect())
    }
}

fn says_else(cell: &Value, change: &Change<Value>) -> bool {
    match change {
        Change::Keep => false,
        Change::Clear => *cell != Value::Null,
        Change::Set(value) => cell != value,
    }
}

fn session_news<'a>(known: &Row, mut patch: SessionPatch<'a>) -> Option<SessionPatch<'a>> {
    let (_, changes) = patch.clone().into_cells();
    let updated_at = place(&SESSIONS, "updated_at");
    let is_stale = match &changes[updated_at - 1] {
        Change::Set(at) => *at < known[updated_at],
        Change::Keep | Change::Clear => false,
    };
    // Nobody's is no news of a session that is somebody's, and gives way to any.
    let agent = place(&SESSIONS, "agent") - 1;
    let is_nobody = |place: usize, cell: &Value| place == agent && *cell == words::NOBODY.into();
    patch.retain(|place| {
        let cell = &known[place + 1];
        let is_told = *cell != Value::Null && !is_nobody(place, cell);
        let says_less = matches!(&changes[place], Change::Set(said) if is_nobody(place, said));
        says_else(cell, &changes[place]) && !(is_told && (is_stale || says_less))
    });
    (!patch.is_empty()).then_some(patch)
}
