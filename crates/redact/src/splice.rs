//! Hits put in order, and markers put in their places.

use std::ops::Range;

use super::{Finding, Hit, marker};

/// Hits in order, those that overlap made one, and none inside a character.
pub(super) fn merged<'r>(text: &str, mut hits: Vec<Hit<'r>>) -> Vec<Hit<'r>> {
    hits.sort_by_key(|hit| (hit.range.start, hit.range.end));
    let mut merged: Vec<Hit<'r>> = Vec::new();
    for mut hit in hits {
        while !text.is_char_boundary(hit.range.start) {
            hit.range.start -= 1;
        }
        while !text.is_char_boundary(hit.range.end) {
            hit.range.end += 1;
        }
        match merged.last_mut() {
            Some(last) if hit.range.start < last.range.end => {
                last.range.end = last.range.end.max(hit.range.end);
                if hit.kind < last.kind {
                    (last.kind, last.rule) = (hit.kind, hit.rule);
                }
            }
            _ if hit.range.is_empty() => {}
            _ => merged.push(hit),
        }
    }
    merged
}

/// What of the hits is not of a marker that stands in the text already.
pub(super) fn apart_from<'r>(markers: &[Range<usize>], hits: Vec<Hit<'r>>) -> Vec<Hit<'r>> {
    if markers.is_empty() {
        return hits;
    }
    let mut apart = Vec::new();
    for hit in hits {
        let mut start = hit.range.start;
        let first = markers.partition_point(|marker| marker.end <= start);
        for marker in &markers[first..] {
            if marker.start >= hit.range.end {
                break;
            }
            if start < marker.start {
                apart.push(Hit {
                    range: start..marker.start,
                    ..hit.clone()
                });
            }
            start = start.max(marker.end);
        }
        if start < hit.range.end {
            apart.push(Hit {
                range: start..hit.range.end,
                ..hit
            });
        }
    }
    apart
}

/// The text with the hits replaced, and all findings where they now stand.
pub(super) fn replaced(text: &str, hits: &[Hit<'_>], before: &[Finding]) -> (String, Vec<Finding>) {
    let mut clean = String::with_capacity(text.len());
    let mut findings = Vec::with_capacity(before.len() + hits.len());
    let mut before = before.iter().peekable();
    let mut copied = 0;
    for hit in hits {
        while let Some(finding) = before.next_if(|finding| finding.range.start < hit.range.start) {
            findings.push(finding.moved(copied, clean.len()));
        }
        clean.push_str(&text[copied..hit.range.start]);
        let start = clean.len();
        clean.push_str(&marker(hit.rule));
        findings.push(Finding::new(hit.rule, hit.kind, start..clean.len()));
        copied = hit.range.end;
    }
    findings.extend(before.map(|finding| finding.moved(copied, clean.len())));
    clean.push_str(&text[copied..]);
    (clean, findings)
}
