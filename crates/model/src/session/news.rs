//! What of an observation is not in the rows yet: whoever reads a transcript again writes no more.

use super::fold::{is_tombstone, part_cells, part_key, part_text};
use super::merge::Merged;
use super::precedence::{Precedence, Rank};
use super::tables::{PARTS, SESSIONS, STAMP, USAGE, place, stamps};
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
/// What weighs less than what is known is none: a stale copy of a transcript changes nothing back.
pub fn news_of<'a, E>(
    row: &mut impl FnMut(&'static Table, &[Value]) -> Result<Option<Row>, E>,
    session: SessionId,
    piece: Piece<'a>,
    precedence: Precedence,
) -> Result<Option<Piece<'a>>, E> {
    let session = Value::from(session.to_string());
    let known = row(&SESSIONS, std::slice::from_ref(&session))?;
    let Some(known) = known else {
        return Ok(Some(piece));
    };
    if is_tombstone(&known) {
        return Ok(None);
    }
    let rank = precedence.rank();
    let mut finder = Finder { row, session, rank };
    Ok(match piece {
        Piece::Session(patch) => {
            session_news(&known, *patch, rank).map(|p| Piece::Session(Box::new(p)))
        }
        Piece::Message(patch) => merged_news!(finder, Message, patch),
        Piece::Tool(patch) => merged_news!(finder, Tool, patch),
        Piece::Error(patch) => merged_news!(finder, Error, patch),
        Piece::Compaction(patch) => merged_news!(finder, Compaction, patch),
        Piece::Link(patch) => merged_news!(finder, Link, patch),
        Piece::Part(part) => {
            let old = (finder.row)(&PARTS, &part_key(&finder.session, &part))?;
            let known = old.is_some_and(|old| {
                let says_it =
                    old[4..9] == part_cells(&part) && old.last() == Some(&part_text(part.clone()));
                says_it || old[STAMP.start] > Value::Integer(rank)
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
    rank: Rank,
}

impl<F> Finder<'_, F> {
    /// Which fields of a patch say something else than the row, and don't weigh less.
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
        let Some(row) = row else {
            return Ok(vec![true; changes.len()]);
        };
        let above = stamps(&row).above(self.rank);
        let changes = changes.iter().zip(&row[key.len()..]).enumerate();
        let news = changes
            .map(|(place, (change, cell))| above >> place & 1 == 0 && says_else(cell, change));
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

fn session_news<'a>(
    known: &Row,
    mut patch: SessionPatch<'a>,
    rank: Rank,
) -> Option<SessionPatch<'a>> {
    let (_, changes) = patch.clone().into_cells();
    let above = stamps(known).above(rank);
    let updated_at = place(&SESSIONS, "updated_at") - 1;
    let is_earlier = |place: usize, change: &Change<Value>| match change {
        Change::Set(at) => place == updated_at && rank < Rank::MAX && *at < known[place + 1],
        Change::Keep | Change::Clear => false,
    };
    // Nobody's is no news of a session that is somebody's, and gives way to any.
    let agent = place(&SESSIONS, "agent") - 1;
    let is_nobody = |place: usize, cell: &Value| place == agent && *cell == words::NOBODY.into();
    patch.retain(|place| {
        let cell = &known[place + 1];
        let is_told = *cell != Value::Null && !is_nobody(place, cell);
        let says_less = matches!(&changes[place], Change::Set(said) if is_nobody(place, said));
        let is_news = says_else(cell, &changes[place]) && !is_earlier(place, &changes[place]);
        is_news && above >> place & 1 == 0 && !(is_told && says_less)
    });
    (!patch.is_empty()).then_some(patch)
}
