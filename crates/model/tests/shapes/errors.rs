//! What is no filter is told with its place.

use super::table::read;

const ERRORS: &[(&str, &str)] = &[
    ("1 x 1", "At location 17: syntax error at or near \"x\""),
    ("", "At location 15: syntax error at end of input"),
    ("whole =", "At location 22: syntax error at end of input"),
    (
        "whole = 1 = 1",
        "At location 25: syntax error at or near \"=\"",
    ),
    (
        "whole = 1;",
        "At location 24: syntax error at or near \";\"",
    ),
    ("missing = 1", "At location 15: unknown reference missing"),
    (
        "other.whole = 1",
        "At location 15: unknown reference other.whole",
    ),
    (
        "whole",
        "At location 15: WHERE clause must return a boolean",
    ),
    (
        "whole = title",
        "At location 21: operator does not exist: integer = text",
    ),
    (
        "whole = 'abc'",
        "At location 23: invalid input syntax for type integer: \"abc\"",
    ),
    (
        "whole = 1 OR title",
        "At location 28: argument of OR must be type boolean, not type text",
    ),
    (
        "id IN (SELECT 1)",
        "At location 22: subqueries are not supported in shapes",
    ),
    (
        "EXISTS (SELECT 1)",
        "At location 15: subqueries are not supported in shapes",
    ),
    (
        "data ->> 'a' = '1'",
        "At location 20: operator ->> is not supported in shapes",
    ),
    (
        "title ~ 'x'",
        "At location 21: operator ~ is not supported in shapes",
    ),
    (
        "now() > at",
        "At location 15: function now() does not exist, or shapes don't know it",
    ),
    (
        "count(*) > 1",
        "At location 15: aggregates are not supported in shapes",
    ),
    (
        "whole = $1",
        "At location 23: parameter $1 was not provided",
    ),
    (
        "title = 'open",
        "At location 23: unterminated quoted string",
    ),
    (
        "whole::nonsense = 1",
        "At location 22: type \"nonsense\" does not exist, or shapes don't know it",
    ),
    ("1 / 0 = 1", "At location 17: division by zero"),
    (
        "12abc = 1",
        "At location 15: trailing junk after numeric literal at or near \"12a\"",
    ),
    (
        "done::uuid = id",
        "At location 19: cannot cast type boolean to uuid",
    ),
    (
        "(1, 2) = (1, 2, 3)",
        "At location 22: unequal number of entries in row expressions",
    ),
    (
        "tîtle = 1 x",
        "At location 25: syntax error at or near \"x\"",
    ),
];

#[test]
fn errors_name_their_place_and_what_is_wrong() {
    for (text, expected) in ERRORS {
        let error = read(text, &[]).expect_err(text);
        assert_eq!(error.to_string(), *expected, "{text}");
    }
}

#[test]
fn what_nests_without_end_is_refused_and_not_followed() {
    let deep = [
        "(".repeat(10_000),
        "NOT ".repeat(10_000),
        "- ".repeat(10_000),
    ];
    let chains = [
        format!("1{} = 1", " + 1".repeat(10_000)),
        format!("title = ''{}", " || ''".repeat(10_000)),
        format!("{}1{}", "ARRAY[".repeat(9_000), "]".repeat(9_000)),
        format!("whole{} = 1", "::int4".repeat(9_000)),
    ];
    for text in deep.iter().chain(&chains) {
        assert!(read(text, &[]).is_err(), "{}", &text[..20]);
    }
    let long = format!("whole = 1{}", " OR whole = 1".repeat(4_000));
    assert!(read(&long, &[]).is_ok());
    let longer = format!("whole = 1{}", " OR whole = 1".repeat(9_000));
    assert!(
        read(&longer, &[])
            .unwrap_err()
            .message
            .contains("longer than")
    );
}
