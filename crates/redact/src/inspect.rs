//! A text looked at as it is, and where something may hide, with escapes undone and pieces joined.

use std::ops::Range;

use super::Hit;
use super::Kind;
use super::names;
use super::scan::STANDARD;
use super::seam::{Rest, Strength};
use super::values;
use super::view::{Joint, View};
use super::words::is_wordy;

/// Escapes within escapes are undone so often: JSON in JSON in a log.
const LAYERS_MAX: usize = 4;
/// A part grows to the next blank by so much, so that it cuts nothing in two.
const EDGE_BYTES_MAX: usize = 2048;

/// Everything found, in no order, overlapping.
pub(super) fn hits(text: &[u8]) -> Vec<Hit<'static>> {
    let mut scan = STANDARD.scan(text);
    for part in parts(text, &mut scan.suspects) {
        inspect(text, part, &mut scan.hits);
    }
    scan.hits
}

/// The suspicious parts, apart and in order, grown to blanks.
fn parts(text: &[u8], suspects: &mut [Range<usize>]) -> Vec<Range<usize>> {
    suspects.sort_by_key(|part| part.start);
    let mut parts: Vec<Range<usize>> = Vec::new();
    for part in suspects.iter() {
        let before = &text[part.start.saturating_sub(EDGE_BYTES_MAX)..part.start];
        let blank = before.iter().rposition(u8::is_ascii_whitespace);
        let start = part.start - before.len() + blank.unwrap_or(0);
        let after = &text[part.end..text.len().min(part.end + EDGE_BYTES_MAX)];
        let blank = after.iter().position(u8::is_ascii_whitespace);
        let end = part.end + blank.unwrap_or(after.len());
        match parts.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => parts.push(start..end),
        }
    }
    parts
}

fn inspect(text: &[u8], part: Range<usize>, hits: &mut Vec<Hit<'static>>) {
    let start = part.start;
    let mut view = View::plain(text, part);
    for layer in 0..LAYERS_MAX {
        if layer > 0 {
            add(&view, start, hits);
        }
        if let Some(joined) = view.joined() {
            add(&joined, start, hits);
        }
        match view.decoded() {
            Some(decoded) => view = decoded,
            None => return,
        }
    }
    add(&view, start, hits);
}

/// Adds what is found in a view of a part that begins at `start`.
fn add(view: &View, start: usize, hits: &mut Vec<Hit<'static>>) {
    for hit in STANDARD.pass(&view.bytes).hits {
        // Nobody knows what stood before a part's first byte.
        if hit.range.start == 0 && start > 0 {
            continue;
        }
        if let Some(end) = held_end(view, &hit) {
            hits.push(Hit {
                range: view.origin(&(hit.range.start..end)),
                ..hit
            });
        }
    }
}

/// How far the pieces that a hit joins belong together; nothing if its first two don't.
///
/// Without a seam the first pieces may be a secret already, and what follows another line.
fn held_end(view: &View, hit: &Hit<'_>) -> Option<usize> {
    let first = view
        .seams
        .partition_point(|joint| joint.at <= hit.range.start);
    let mut before = Before {
        length: 0,
        chained: false,
    };
    let mut from = hit.range.start;
    for (joint, next) in view.seams[first..].iter().zip(first + 1..) {
        if joint.at >= hit.range.end {
            break;
        }
        before.length = joint.at - from;
        let end = view.seams.get(next).map_or(hit.range.end, |next| next.at);
        let end = end.min(hit.range.end);
        if !holds(view, hit, joint, end, &before) {
            return before.chained.then_some(joint.at);
        }
        before.chained = true;
        from = joint.at;
    }
    Some(hit.range.end)
}

/// What came before a seam.
#[derive(Debug)]
struct Before {
    /// The length of the piece before.
    length: usize,
    /// Whether that piece was joined to one before it.
    chained: bool,
}

/// Whether the piece from a seam to `end` belongs to what is before it.
fn holds(view: &View, hit: &Hit<'_>, joint: &Joint, end: usize, before: &Before) -> bool {
    let piece = &view.bytes[joint.at..end];
    let alone = joint.seam.rest == Rest::Nothing;
    // The last line of a block is the shortest.
    let last = before.chained && alone && piece.len() <= before.length;
    match (joint.seam.strength, hit.kind) {
        (Strength::Marked, _) | (_, Kind::PrivateKey) => true,
        (_, Kind::Url) if is_whole_url(view, hit, joint.at) => true,
        (_, Kind::Assigned) if is_whole_key(view, hit) => true,
        (strength, Kind::Token | Kind::Own) => {
            let wide = alone && strength == Strength::Wide;
            last || wide || is_drawn(piece) || !stands_alone(view, hit, joint.at)
        }
        (Strength::Wide, _) => alone || is_drawn(piece),
        (Strength::Bare, _) => last || alone && !is_wordy(piece) && piece.len() >= 4,
    }
}

/// Whether a piece looks drawn at random: short ones sound like words by chance, but no word goes on
/// behind a digit.
fn is_drawn(piece: &[u8]) -> bool {
    let goes_on = |pair: &[u8]| pair[0].is_ascii_digit() && pair[1].is_ascii_alphabetic();
    !is_wordy(piece) || piece.windows(2).any(goes_on)
}

/// Whether a URL's password goes on behind a seam for sure, as its host follows; a port would be digits.
fn is_whole_url(view: &View, hit: &Hit<'_>, seam: usize) -> bool {
    let head = &view.bytes[hit.range.start..seam];
    view.bytes.get(hit.range.end) == Some(&b'@') && !head.iter().all(u8::is_ascii_digit)
}

/// Whether the pieces make a key of the very length that its issuer gives what goes by the name before it.
fn is_whole_key(view: &View, hit: &Hit<'_>) -> bool {
    let name = names::last(&view.bytes[..hit.range.start]);
    values::is_issued(&view.bytes[name], &view.bytes[hit.range.clone()])
}

/// Whether the part of a hit before a seam is a secret by itself.
fn stands_alone(view: &View, hit: &Hit<'_>, seam: usize) -> bool {
    STANDARD
        .pass(&view.bytes[hit.range.start..seam])
        .hits
        .iter()
        .any(|short| short.rule == hit.rule && short.range.start == 0)
}
