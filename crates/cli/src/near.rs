//! Names that somebody may have meant who has written another.

/// Names told where none is near.
const TOLD_MAX: usize = 10;

/// The names near `text`, nearest first; where none is, the first few of all.
pub(crate) fn near<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let all: Vec<&str> = names.into_iter().collect();
    let reach = 1 + text.chars().count() / 3;
    let mut near: Vec<(usize, &str)> = all
        .iter()
        .map(|name| (distance(text, name), *name))
        .filter(|(distance, _)| *distance <= reach)
        .collect();
    near.sort();
    if near.is_empty() {
        return all.into_iter().take(TOLD_MAX).collect();
    }
    near.into_iter().map(|(_, name)| name).collect()
}

/// Letters to be put in, taken out or changed, whatever their case.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (n, against) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *against);
            diagonal = row[n + 1];
            row[n + 1] = changed.min(diagonal + 1).min(row[n] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_comes_before_what_is_not() {
        let names = ["contacts", "contracts", "invoices"];
        assert_eq!(near("contact", names), ["contacts", "contracts"]);
        assert_eq!(near("Contcats", names), ["contacts", "contracts"]);
        assert_eq!(near("zebra", names), names);
    }
}
