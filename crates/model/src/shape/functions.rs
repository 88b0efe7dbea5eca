//! What functions do with values, and how values become those of another type.

pub(super) mod arrays;
pub(super) mod convert;
pub(super) mod moments;

use super::datum::Datum;
use super::error::Fault;

pub(super) fn lower(values: &[Datum]) -> Result<Datum, Fault> {
    match &values[0] {
        Datum::Text(text) => Ok(Datum::Text(text.to_lowercase())),
        _ => Err(Fault::Mismatch),
    }
}

pub(super) fn upper(values: &[Datum]) -> Result<Datum, Fault> {
    match &values[0] {
        // Letter by letter: Postgres leaves a letter alone that becomes several.
        Datum::Text(text) => Ok(Datum::Text(text.chars().map(upper_letter).collect())),
        _ => Err(Fault::Mismatch),
    }
}

fn upper_letter(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => letter,
    }
}

/// The texts one after the other; nulls are empty.
pub(super) fn concat(values: &[Datum]) -> Result<Datum, Fault> {
    let mut all = String::new();
    for value in values {
        match value {
            Datum::Text(text) => all.push_str(text),
            Datum::Bool(value) => all.push(if *value { 't' } else { 'f' }),
            Datum::Null => {}
            _ => return Err(Fault::Mismatch),
        }
    }
    Ok(Datum::Text(all))
}
