//! `LIKE`: `%` is any text, `_` any character, a backslash takes the next one as it is.

use super::error::Fault;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Any,
    One,
    Char(char),
}

/// Times that a text may be gone through for a pattern: only one that is made for it takes more.
const TRIES_MAX: usize = 16;
/// Steps that are always taken, so that short texts are tried to the end.
const STEPS_MIN: usize = 1 << 20;

/// Whether the pattern is the text's. Linear in both but for their product at worst, which is a fault.
pub(super) fn is_like(text: &str, pattern: &str) -> Result<bool, Fault> {
    let parts = parts(pattern)?;
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut part) = (0, 0);
    // Where the last `%` stands, and what it has taken so far.
    let mut last: Option<(usize, usize)> = None;
    let mut steps = 0;
    let steps_max = STEPS_MIN.max(text.len().saturating_mul(TRIES_MAX));
    while at < text.len() {
        steps += 1;
        if steps > steps_max {
            return Err(Fault::TooLarge);
        }
        match parts.get(part) {
            Some(Part::Any) => {
                last = Some((part, at));
                part += 1;
                continue;
            }
            Some(Part::One) => {
                at += 1;
                part += 1;
                continue;
            }
            Some(Part::Char(char)) if *char == text[at] => {
                at += 1;
                part += 1;
                continue;
            }
            Some(Part::Char(_)) | None => {}
        }
        let Some((any, taken)) = last else {
            return Ok(false);
        };
        last = Some((any, taken + 1));
        (at, part) = (taken + 1, any + 1);
    }
    Ok(parts[part..].iter().all(|part| *part == Part::Any))
}

fn parts(pattern: &str) -> Result<Vec<Part>, Fault> {
    let mut chars = pattern.chars();
    let mut parts = Vec::new();
    while let Some(char) = chars.next() {
        parts.push(match char {
            '%' => Part::Any,
            '_' => Part::One,
            '\\' => Part::Char(chars.next().ok_or(Fault::Mismatch)?),
            other => Part::Char(other),
        });
    }
    Ok(parts)
}
