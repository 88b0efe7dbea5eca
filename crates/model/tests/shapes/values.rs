//! What filters are of a row, as Postgres says.

use super::table::{truth, truth_of_title, truth_with};

/// Each is true.
const TRUE: &[&str] = &[
    "true",
    "'t'",
    "whole = 42",
    "whole != 41 AND NOT whole < 1",
    "2 + 3 * 4 = 14 AND (2 + 3) * 4 = 20",
    "-2 ^ 2 = 4",
    "7 / 2 = 3 AND -7 / 2 = -3 AND -7 % 3 = -1",
    "7.0 / 2 = 3.5",
    "big = 9007199254740993",
    "big::float8 = 9007199254740992",
    "double = 2.5 AND double > 2 AND double::int = 2 AND 3.5::float8::int = 4",
    "exact = 12.5 AND exact::text = '12.50' AND exact::int = 13",
    "|/ 16 = 4 AND @ -5 = 5 AND 6 & 3 = 2 AND (6 | 3) = 7 AND (6 # 3) = 5 AND ~ 1 = -2",
    "title LIKE 'Write%' AND title NOT LIKE 'write%' AND title ILIKE '%LANGUAGE'",
    "title ~~ '%the%' AND title !~~ 'x' AND title ~~* 'w%' AND title !~~* 'v%'",
    "'a_b' LIKE 'a\\_b' AND 'axb' NOT LIKE 'a\\_b'",
    "lower(title) = 'write the language' AND upper('ß') = 'ß'",
    "title || '!' = 'Write the language!' AND 'n' || 1 = 'n1'",
    "concat('a', NULL, 1, true) = 'a1t'",
    "tasks.whole = 42 AND public.tasks.whole = 42 AND \"Mixed Case\" = 'x'",
    "done AND done IS TRUE AND done IS NOT FALSE AND no_truth IS UNKNOWN",
    "nothing IS NULL AND nothing ISNULL AND title NOTNULL",
    "nothing IS NOT DISTINCT FROM NULL AND title IS DISTINCT FROM NULL",
    "whole BETWEEN 40 AND 45 AND whole NOT BETWEEN 1 AND 2",
    "whole BETWEEN SYMMETRIC 45 AND 40 AND NOT whole BETWEEN 45 AND 40",
    "whole IN (1, 42) AND title NOT IN ('a', 'b')",
    "whole = ANY ('{1,42}') AND whole <> ALL (ARRAY[1, 2]) AND title LIKE ANY (ARRAY['W%'])",
    "numbers @> '{1,2}' AND ARRAY[1] <@ numbers AND numbers && '{3,9}'",
    "numbers[1] = 1 AND numbers[2:3] = '{2,3}' AND numbers[9] IS NULL",
    "words[2] = 'dark blue' AND array_length(words, 1) = 2 AND cardinality(numbers) = 4",
    "array_append(words, 'x') = '{red,\"dark blue\",x}' AND array_prepend('x', words) @> '{x}'",
    "array_position(words, 'red') = 1 AND array_to_string(numbers, ',') = '1,2,3'",
    "words || 'x'::text = ARRAY['red', 'dark blue', 'x'] AND array_ndims(words) = 1",
    "array_remove(words, 'red') = '{dark blue}' AND words < '{zed}'",
    "(whole, title) = (42, 'Write the language') AND (whole, small) > (42, 6)",
    "coalesce(nothing, 'x') = 'x' AND greatest(1, 3, 2) = 3 AND least(4, NULL, 2) = 2",
    "id = '9F0D4C1E-35F8-4F7B-A0AA-2C1FDC8CBD9B' AND id::text LIKE '9f0d%'",
    "day = '2026-03-01' AND day > '2026-02-28' AND day - 1 = '2026-02-28'",
    "day - date '2026-01-01' = 59 AND day + interval '1 month' = timestamp '2026-04-01'",
    "date '2024-01-31' + interval '1 month' = '2024-02-29'",
    "at = '2026-03-01T13:30:00+01:00' AND at > day AND at::date = day",
    "at AT TIME ZONE 'UTC' = local AND timezone('UTC', local) = at",
    "local - timestamp '2026-02-28 12:00' = interval '1 day 30 minutes'",
    "span = interval '26 hours' AND span > '1 day' AND justify_hours(interval '26 hours') = span",
    "clock + interval '12 hours' = '00:30:00' AND clock - time '12:00' = '30 minutes'",
    "interval '1 month' = interval '30 days' AND span::text = 'P1DT2H'",
    "'NaN'::float8 = 'NaN'::float8 AND 'NaN'::float8 > 'Infinity'::float8",
    "true::int = 1 AND 1::bool AND 'yes'::bool AND '{1,2}'::int[] = ARRAY[1, 2]",
    "1.10 = 1.1 AND 0.1 + 0.2 = 0.3 AND 1e3 = 1000",
    "title = E'Write the language' AND 'it''s' = E'it\\'s' /* a comment */ -- another",
    "CAST(whole AS text) = '42' AND '12.345'::numeric(5, 2) = 12.35",
];

/// Each is null, and so no row is in the shape.
const NULL: &[&str] = &[
    "NULL",
    "nothing = nothing",
    "nothing = 'x' OR no_truth",
    "NOT no_truth",
    "no_truth AND true",
    "no_number IN (1, 2)",
    "whole NOT IN (1, NULL)",
    "whole = ANY ('{1,NULL}')",
    "no_number BETWEEN 1 AND 2",
    "(whole, nothing) = (42, 'x')",
    "nothing LIKE '%'",
    "1 / (whole - 42) = 1",
    "title::int = 1",
    "2147483647 + small = 1",
];

/// Each is false.
const FALSE: &[&str] = &[
    "no_truth AND false",
    "nothing IS NOT NULL",
    "whole NOT IN (42, NULL)",
    "(whole, nothing) = (41, 'x')",
    "numbers @> '{NULL}'::int[]",
    "no_truth IS TRUE",
    "'' = title",
];

#[test]
fn filters_are_what_postgres_says() {
    for text in TRUE {
        assert_eq!(truth(text), Some(true), "{text}");
    }
    for text in FALSE {
        assert_eq!(truth(text), Some(false), "{text}");
    }
    for text in NULL {
        assert_eq!(truth(text), None, "{text}");
    }
}

#[test]
fn parameters_take_the_type_of_where_they_stand() {
    assert_eq!(truth_with("whole = $1", &["42"]), Some(true));
    assert_eq!(
        truth_with("whole = $1::int AND title = $2", &["42", "'; --"]),
        Some(false)
    );
    assert_eq!(truth_with("title = $1 OR $2", &["x", "true"]), Some(true));
    assert_eq!(truth_with("words @> $1", &["{red}"]), Some(true));
}

#[test]
fn what_a_filter_makes_of_a_row_is_bounded() {
    let mut filters = vec!["title || title LIKE '%'".to_owned()];
    for part in ["title", "title || ''", "title::varchar"] {
        filters.push(format!("concat({}) LIKE '%'", [part; 100].join(",")));
    }
    // Each on its own is small; all are held at once.
    let long = ["title"; 30].join(" || ");
    filters.push(format!("({long}, {long}, {long}) = ('', '', '')"));
    filters.push(format!(
        "array_to_string(ARRAY[{}], title) = ''",
        ["'x'"; 100].join(",")
    ));
    let replaced = format!(
        "array_replace(ARRAY[{}], 'x', title)",
        ["'x'"; 100].join(",")
    );
    filters.push(format!("array_length({replaced}, 1) = 100"));
    filters.push(format!("title LIKE '%{}b%'", "a".repeat(5_000)));
    let found: Vec<_> = filters
        .iter()
        .map(|filter| truth_of_title(filter))
        .collect();
    assert_eq!(found[0], Some(true));
    assert_eq!(found[1..], [None; 7]);
}
