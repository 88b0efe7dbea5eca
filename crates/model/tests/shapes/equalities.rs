//! What an index on one column may go by.

use super::table::read;

fn equality(text: &str) -> Option<(usize, Vec<String>)> {
    let filter = read(text, &["p"]).unwrap_or_else(|error| panic!("{text}: {error}"));
    let found = filter.equality();
    found.map(|found| (found.column, found.values.clone()))
}

#[test]
fn a_column_that_must_equal_constants_is_found() {
    let one = |column, value: &str| Some((column, vec![value.to_owned()]));
    assert_eq!(equality("title = 'a'"), one(6, "a"));
    assert_eq!(equality("'a' = title AND whole > 1"), one(6, "a"));
    assert_eq!(equality("title = $1"), one(6, "p"));
    assert_eq!(equality("big = 3"), None, "a number that is widened");
    assert_eq!(equality("whole = '007'"), one(2, "7"));
    assert_eq!(equality("done = 't'"), one(7, "true"));
    let two = Some((6, vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(equality("title IN ('a', 'b')"), two);
    assert_eq!(equality("title = ANY ('{a,b}')"), two);
}

#[test]
fn what_does_not_follow_from_equality_is_not() {
    for text in [
        "title = 'a' OR whole = 1",
        "title <> 'a'",
        "NOT title = 'a'",
        "exact = 1.50",
        "title = lower(title)",
        "at = '2026-01-01'",
        "title NOT IN ('a')",
        "title = ALL ('{a}')",
    ] {
        assert_eq!(equality(text), None, "{text}");
    }
}
