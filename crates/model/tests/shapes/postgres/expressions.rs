//! Random conditions whose types fit.

use super::chance::Chance;

/// A type of values that are made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Whole,
    Double,
    Exact,
    Text,
    Bool,
    Uuid,
    Day,
    Clock,
    At,
    Local,
    Span,
    Wholes,
    Words,
}

/// The types whose values have an order, and equal each other.
const ORDERED: [Of; 11] = [
    Of::Whole,
    Of::Double,
    Of::Exact,
    Of::Text,
    Of::Bool,
    Of::Uuid,
    Of::Day,
    Of::Clock,
    Of::At,
    Of::Local,
    Of::Span,
];

impl Of {
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Whole => &["small", "whole", "big"],
            Self::Double => &["double"],
            Self::Exact => &["exact"],
            Self::Text => &["title", "note"],
            Self::Bool => &["done"],
            Self::Uuid => &["ref"],
            Self::Day => &["day"],
            Self::Clock => &["clock"],
            Self::At => &["at"],
            Self::Local => &["local"],
            Self::Span => &["span"],
            Self::Wholes => &["wholes"],
            Self::Words => &["words"],
        }
    }

    fn literals(self) -> &'static [&'static str] {
        match self {
            Self::Whole => &["0", "1", "2", "7", "-5", "42", "NULL::int4", "'3'::int8"],
            Self::Double => &[
                "0::float8",
                "'2.5'::float8",
                "'-0.125'::float8",
                "NULL::float8",
            ],
            Self::Exact => &["12.5", "-0.10", "3.0", "NULL::numeric", "'0.1'::numeric"],
            Self::Text => &[
                "'milk'",
                "'50%'",
                "''",
                "'it''s'",
                "NULL::text",
                "'x'::text",
                "'STRASSE'",
            ],
            Self::Bool => &["true", "false", "NULL::bool"],
            Self::Uuid => &["'9F0D4C1E-35f8-4f7b-a0aa-2c1fdc8cbd9b'::uuid", "NULL::uuid"],
            Self::Day => &["'2026-03-01'::date", "'2024-02-29'::date", "NULL::date"],
            Self::Clock => &["'12:30'::time", "'00:00:01'::time", "NULL::time"],
            Self::At => &["'2026-03-01 13:30:00+01'::timestamptz", "NULL::timestamptz"],
            Self::Local => &["'2026-03-01 12:30:00'::timestamp", "NULL::timestamp"],
            Self::Span => &[
                "'1 day 2 hours'::interval",
                "'PT90M'::interval",
                "NULL::interval",
            ],
            Self::Wholes => &[
                "'{1,2}'::int4[]",
                "ARRAY[2, 7]",
                "NULL::int4[]",
                "'{}'::int4[]",
            ],
            Self::Words => &["'{milk}'::text[]", "ARRAY['a', 'x']", "NULL::text[]"],
        }
    }
}

fn value(chance: &mut Chance, of: Of, depth: usize) -> String {
    if depth == 0 || chance.below(3) == 0 {
        let from = if chance.below(3) > 0 {
            of.columns()
        } else {
            of.literals()
        };
        return chance.one(from).to_owned();
    }
    let depth = depth - 1;
    if !matches!(of, Of::Wholes | Of::Words) && chance.below(5) == 0 {
        let (one, other) = (value(chance, of, depth), value(chance, of, depth));
        let function = chance.one(&["coalesce", "greatest", "least"]);
        return format!("{function}({one}, {other})");
    }
    match of {
        Of::Whole => whole(chance, depth),
        Of::Double => double(chance, depth),
        Of::Exact => match chance.below(4) {
            0 => format!(
                "({} - {})",
                value(chance, of, depth),
                value(chance, of, depth)
            ),
            1 => format!(
                "({} * {})",
                value(chance, of, depth),
                value(chance, of, depth)
            ),
            2 => format!("({})::numeric", value(chance, Of::Whole, depth)),
            _ => format!(
                "({} + {})",
                value(chance, of, depth),
                value(chance, of, depth)
            ),
        },
        Of::Text => text(chance, depth),
        Of::Bool => format!("({})", condition(chance, depth)),
        Of::Uuid => value(chance, of, depth),
        Of::Day | Of::Clock | Of::At | Of::Local | Of::Span => moment(chance, of, depth),
        Of::Wholes | Of::Words => match chance.below(3) {
            0 => format!("({})[1:2]", value(chance, of, depth)),
            _ => format!(
                "({} || {})",
                value(chance, of, depth),
                value(chance, of, depth)
            ),
        },
    }
}

fn moment(chance: &mut Chance, of: Of, depth: usize) -> String {
    match of {
        Of::Day => match chance.below(3) {
            0 => format!("({} - {})", value(chance, of, depth), chance.below(40)),
            1 => format!("({} + {})", value(chance, of, depth), chance.below(40)),
            _ => format!("({})::date", value(chance, Of::Local, depth)),
        },
        Of::Clock => format!(
            "({} + {})",
            value(chance, of, depth),
            value(chance, Of::Span, 0)
        ),
        Of::At => match chance.below(3) {
            0 => format!("({} AT TIME ZONE 'UTC')", value(chance, Of::Local, depth)),
            1 => format!(
                "({} - {})",
                value(chance, of, depth),
                value(chance, Of::Span, depth)
            ),
            _ => format!(
                "({} + {})",
                value(chance, of, depth),
                value(chance, Of::Span, depth)
            ),
        },
        Of::Local => match chance.below(3) {
            0 => format!("({} AT TIME ZONE 'UTC')", value(chance, Of::At, depth)),
            1 => format!("({})::timestamp", value(chance, Of::Day, depth)),
            _ => format!(
                "({} + {})",
                value(chance, of, depth),
                value(chance, Of::Span, depth)
            ),
        },
        Of::Span => match chance.below(4) {
            0 => format!("({} * {})", value(chance, of, depth), chance.below(4)),
            1 => format!("justify_hours({})", value(chance, of, depth)),
            2 => format!(
                "({} - {})",
                value(chance, Of::Local, depth),
                value(chance, Of::Local, depth)
            ),
            _ => format!(
                "({} + {})",
                value(chance, of, depth),
                value(chance, of, depth)
            ),
        },
        _ => value(chance, of, 0),
    }
}

fn whole(chance: &mut Chance, depth: usize) -> String {
    let [one, other] = [0; 2].map(|_| value(chance, Of::Whole, depth));
    match chance.below(9) {
        0 => format!("({one} / {})", chance.below(5) + 1),
        1 => format!("(- {one})"),
        2 => format!("(~ {one})"),
        3 => format!("(@ {one})"),
        4 => format!("array_length({}, 1)", value(chance, Of::Words, depth)),
        5 => format!(
            "({})[{}]",
            value(chance, Of::Wholes, depth),
            chance.below(4)
        ),
        6 => format!("({})::int4", value(chance, Of::Exact, depth)),
        7 => format!("({one} {} {other})", chance.one(&["&", "|", "#"])),
        _ => format!("({one} {} {other})", chance.one(&["+", "-", "*"])),
    }
}

fn double(chance: &mut Chance, depth: usize) -> String {
    let (one, other) = (
        value(chance, Of::Double, depth),
        value(chance, Of::Double, depth),
    );
    match chance.below(6) {
        0 => format!("({one} / {})", chance.below(5) + 1),
        1 => format!("({} ^ 2)", value(chance, Of::Whole, 0)),
        2 => format!("(|/ (@ {one}))"),
        3 => format!("({})::float8", value(chance, Of::Whole, depth)),
        _ => format!("({one} {} {other})", chance.one(&["+", "-", "*"])),
    }
}

fn text(chance: &mut Chance, depth: usize) -> String {
    let (one, other) = (
        value(chance, Of::Text, depth),
        value(chance, Of::Text, depth),
    );
    match chance.below(7) {
        0 => format!("lower({one})"),
        1 => format!("upper({one})"),
        2 => format!("concat({one}, {other})"),
        3 => {
            let from = [
                Of::Whole,
                Of::Bool,
                Of::Day,
                Of::Exact,
                Of::Double,
                Of::Local,
                Of::Span,
                Of::Uuid,
            ];
            let of = from[chance.below(from.len())];
            format!("({})::text", value(chance, of, depth))
        }
        4 => format!("({})[1]", value(chance, Of::Words, depth)),
        _ => format!("({one} || {other})"),
    }
}

/// A condition.
pub(super) fn condition(chance: &mut Chance, depth: usize) -> String {
    if depth > 0 && chance.below(3) == 0 {
        let (one, other) = (condition(chance, depth - 1), condition(chance, depth - 1));
        let truth = chance.one(&[
            "TRUE",
            "NOT TRUE",
            "FALSE",
            "NOT FALSE",
            "UNKNOWN",
            "NOT UNKNOWN",
        ]);
        return match chance.below(5) {
            0 => format!("NOT ({one})"),
            1 => format!("(({one}) IS {truth})"),
            2 => format!("({one} OR {other})"),
            _ => format!("({one} AND {other})"),
        };
    }
    let of = ORDERED[chance.below(ORDERED.len())];
    let operator = chance.one(&["=", "<>", "<", "<=", ">", ">="]);
    let [one, other, third] = [0; 3].map(|_| value(chance, of, depth));
    match chance.below(12) {
        0..=2 => format!("({one} {operator} {other})"),
        3 => format!("({one} IS {}NULL)", chance.one(&["", "NOT "])),
        4 => format!(
            "({one} IS {}DISTINCT FROM {other})",
            chance.one(&["", "NOT "])
        ),
        5 => {
            let between = chance.one(&["BETWEEN", "NOT BETWEEN", "BETWEEN SYMMETRIC"]);
            format!("({one} {between} {other} AND {third})")
        }
        6 => format!("({one} {}IN ({other}, {third}))", chance.one(&["", "NOT "])),
        7 | 8 => pattern(chance, depth),
        9 => arrays(chance, depth),
        10 => {
            let (low, high) = (value(chance, Of::Whole, 0), value(chance, Of::Whole, 0));
            format!("(ROW({one}, {low}) {operator} ROW({other}, {high}))")
        }
        _ => {
            let quantifier = chance.one(&["= ANY", "<> ALL", "< ANY", ">= ALL"]);
            let array = value(chance, Of::Wholes, depth);
            format!(
                "({} {quantifier} ({array}))",
                value(chance, Of::Whole, depth)
            )
        }
    }
}

fn pattern(chance: &mut Chance, depth: usize) -> String {
    let operators = [
        "LIKE",
        "ILIKE",
        "NOT LIKE",
        "NOT ILIKE",
        "~~",
        "~~*",
        "!~~",
        "!~~*",
    ];
    let patterns = [
        "'m%'", "'%i%'", "'_i%'", "'50\\%'", "'%'", "''", "'MILK%'", "'a\\_b'", "'%ß%'", "NULL",
        "note",
    ];
    let operator = chance.one(&operators);
    format!(
        "({} {operator} {})",
        value(chance, Of::Text, depth),
        chance.one(&patterns)
    )
}

fn arrays(chance: &mut Chance, depth: usize) -> String {
    let of = if chance.below(2) == 0 {
        Of::Wholes
    } else {
        Of::Words
    };
    let operator = chance.one(&["@>", "<@", "&&", "=", "<>"]);
    format!(
        "({} {operator} {})",
        value(chance, of, depth),
        value(chance, of, depth)
    )
}
