//! A text looked at as it is, and where something may hide, with escapes undone and pieces joined.

use std::ops::Range;

use super::Hit;
use super::Kind;
use super::scan::STANDARD;
use super::seam::{Rest, Strength};
use super::view::View;
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
        if (hit.range.start == 0 && start > 0) || !holds(view, &hit) {
            continue;
        }
        hits.push(Hit {
            range: view.origin(&hit.range),
            ..hit
        });
    }
}

/// Whether the pieces that a hit joins belong together.
///
/// Without their seam the first pieces may be a secret already, and what follows another line.
fn holds(view: &View, hit: &Hit<'_>) -> bool {
    let first = view
        .seams
        .partition_point(|joint| joint.at <= hit.range.start);
    view.seams[first..]
        .iter()
        .take_while(|joint| joint.at < hit.range.end)
        .all(|joint| {
            let next = view.seams.partition_point(|other| other.at <= joint.at);
            let end = view
                .seams
                .get(next)
                .map_or(hit.range.end, |next| next.at.min(hit.range.end));
            let piece = &view.bytes[joint.at..end];
            let alone = joint.seam.rest == Rest::Nothing;
            match (joint.seam.strength, hit.kind) {
                (Strength::Marked, _) | (_, Kind::PrivateKey) => true,
                (Strength::Wide, _) => alone || !is_wordy(piece),
                (Strength::Bare, Kind::Token | Kind::Own) => {
                    !is_wordy(piece) || !stands_alone(view, hit, joint.at)
                }
                (Strength::Bare, _) => alone && !is_wordy(piece) && piece.len() >= 4,
            }
        })
}

/// Whether the part of a hit before a seam is a secret by itself.
fn stands_alone(view: &View, hit: &Hit<'_>, seam: usize) -> bool {
    STANDARD
        .pass(&view.bytes[hit.range.start..seam])
        .hits
        .iter()
        .any(|short| short.rule == hit.rule && short.range.start == 0)
}
