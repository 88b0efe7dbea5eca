//! What of an observation is not in the rows yet: whoever reads a transcript again writes no more.

use super::fold::{REMOVED, is_tombstone, part_cells, part_key, part_text};
use super::merge::Merged;
use super::precedence::{Precedence, Rank, is_alone};
use super::stamps::{Fields, Stamps};
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
/// What weighs less than what is known is none: a stale copy of a transcript changes nothing back. What is
/// decided is news until it stands as decided, though an agent has told the same.
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
                // What one place of a transcript has taken back is not told again by what came up to it. Of what
                // has no place the last counts: a text may have been emptied, and written anew.
                let is_taken = old[4] == REMOVED.into()
                    && rank > Precedence::Unknown.rank()
                    && old[STAMP.start] == Value::Integer(rank);
                says_it || is_taken || old[STAMP.start] > Value::Integer(rank)
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
        let cells = &row[key.len()..];
        let changes: Vec<_> = changes.iter().zip(cells).collect();
        let is_news = |_, change: &Change<Value>, cell: &Value| says_else(cell, change);
        Ok(news_among(&stamps(&row), self.rank, &changes, is_news))
    }
}

fn says_else(cell: &Value, change: &Change<Value>) -> bool {
    match change {
        Change::Keep => false,
        Change::Clear => *cell != Value::Null,
        Change::Set(value) => cell != value,
    }
}

/// Which of a row's fields are to be said: those of which a patch says something else, and doesn't weigh less. With
/// any of these also what it says alike and weighs more: a value that has come back since stands over all that
/// another copy tells of the time between. What is told alone, or was decided, is said until it stands as such.
fn news_among(
    stamps: &Stamps,
    rank: Rank,
    changes: &[(&Change<Value>, &Value)],
    is_news: impl Fn(usize, &Change<Value>, &Value) -> bool,
) -> Vec<bool> {
    let (above, below) = (stamps.above(rank), stamps.below(rank));
    let open = match is_alone(rank) {
        true => !(stamps.at(rank) | above),
        false => 0,
    };
    let holds = |fields: Fields, place: usize| fields >> place & 1 == 1;
    let mut news: Vec<bool> = Vec::with_capacity(changes.len());
    for (place, (change, cell)) in changes.iter().enumerate() {
        let is_open = holds(open, place) && !change.is_keep();
        news.push(is_open || !holds(above, place) && is_news(place, change, cell));
    }
    if news.contains(&true) {
        for (place, (change, cell)) in changes.iter().enumerate() {
            let says_it = matches!(change, Change::Set(said) if said == *cell);
            news[place] |= says_it && holds(below, place);
        }
    }
    news
}

fn session_news<'a>(
    known: &Row,
    mut patch: SessionPatch<'a>,
    rank: Rank,
) -> Option<SessionPatch<'a>> {
    let (_, changes) = patch.clone().into_cells();
    let changes: Vec<_> = changes.iter().zip(&known[1..]).collect();
    let place_of = |name| place(&SESSIONS, name) - 1;
    let (agent, updated_at) = (place_of("agent"), place_of("updated_at"));
    let stamps = stamps(known);
    // How far what was told of these goes, nobody has said: the time alone tells a stale copy.
    let unweighed = stamps.below(1);
    let ends_earlier =
        |(change, cell): (&Change<Value>, &Value)| matches!(change, Change::Set(at) if at < cell);
    let is_stale = rank < Rank::MAX && ends_earlier(changes[updated_at]);
    let news = news_among(&stamps, rank, &changes, |place, change, cell| {
        let is_unweighed = unweighed >> place & 1 == 1;
        // Nobody's is no news of a session that is somebody's, and gives way to any.
        let is_nobody = |cell: &Value| place == agent && *cell == words::NOBODY.into();
        let is_told = *cell != Value::Null && !is_nobody(cell);
        let says_less = matches!(change, Change::Set(said) if is_nobody(said));
        let is_earlier = is_stale && (place == updated_at || is_unweighed);
        says_else(cell, change) && !(is_told && (says_less || is_earlier))
    });
    patch.retain(|place| news[place]);
    (!patch.is_empty()).then_some(patch)
}
