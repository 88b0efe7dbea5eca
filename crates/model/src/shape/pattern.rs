//! `LIKE`: `%` is any text, `_` any character, a backslash takes the next one as it is.

use super::error::Fault;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Any,
    One,
    Char(char),
}

/// Whether the pattern is the text's. Linear in both but for their product at worst.
pub(super) fn is_like(text: &str, pattern: &str) -> Result<bool, Fault> {
    let parts = parts(pattern)?;
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut part) = (0, 0);
    // Where the last `%` stands, and what it has taken so far.
    let mut last: Option<(usize, usize)> = None;
    while at < text.len() {
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
