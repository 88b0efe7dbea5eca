//! Three machines that read the same sessions, with a network that repeats and reorders what it
//! carries, against an oracle that shares nothing with the fold.

use syncline_model::Op;

use super::chance::Chance;
use super::memory::{Memory, kept, patch};
use super::oracle::{counted, counts, shown, told};

const ACTORS: [&str; 3] = ["a", "b", "c"];

/// A field with a value of chance: absent, null or one of few.
fn field(chance: &mut Chance, name: &str, values: &[&str]) -> Option<String> {
    match chance.below(6) {
        0..=2 => None,
        3 => Some(format!(r#""{name}":null"#)),
        _ => Some(format!(r#""{name}":{}"#, chance.pick(values))),
    }
}

fn piece(key: String, fields: impl IntoIterator<Item = Option<String>>) -> String {
    let fields = fields.into_iter().flatten();
    let all: Vec<String> = std::iter::once(key)
        .filter(|k| !k.is_empty())
        .chain(fields)
        .collect();
    format!("{{{}}}", all.join(","))
}

fn list(chance: &mut Chance, name: &str, make: impl Fn(&mut Chance) -> String) -> Option<String> {
    let pieces: Vec<String> = (0..chance.below(3)).map(|_| make(chance)).collect();
    (!pieces.is_empty()).then(|| format!(r#""{name}":[{}]"#, pieces.join(",")))
}

fn id(chance: &mut Chance) -> String {
    format!(r#""id":"{}""#, chance.pick(&["1", "2", "3"]))
}

const WORDS: [&str; 3] = [r#""x""#, r#""y""#, r#""z""#];
const FLAGS: [&str; 2] = ["true", "false"];
const NUMBERS: [&str; 3] = ["1", "2", "3"];
const TIMES: [&str; 2] = [
    r#""1970-01-01T00:00:01.000Z""#,
    r#""1970-01-01T00:00:02.000Z""#,
];

fn message(chance: &mut Chance) -> String {
    let roles = [r#""user""#, r#""assistant""#, r#""system""#];
    let fields = [
        field(chance, "role", &roles),
        field(chance, "model", &WORDS),
        field(chance, "durationMs", &NUMBERS),
        field(chance, "order", &NUMBERS),
        chance_of(chance, 4, |c| field(c, "kind", &WORDS)),
        chance_of(chance, 4, |c| field(c, "rewound", &FLAGS)),
        chance_of(chance, 4, |c| field(c, "copiedFrom", &WORDS)),
    ];
    piece(id(chance), fields)
}

fn chance_of(
    chance: &mut Chance,
    one_of: usize,
    make: impl Fn(&mut Chance) -> Option<String>,
) -> Option<String> {
    match chance.below(one_of) {
        0 => make(chance),
        _ => None,
    }
}

fn tool(chance: &mut Chance) -> String {
    let fields = [
        field(chance, "name", &WORDS),
        field(chance, "success", &FLAGS),
        field(chance, "error", &WORDS),
        field(chance, "messageId", &WORDS),
        field(chance, "completedAt", &TIMES),
        chance_of(chance, 4, |c| field(c, "at", &TIMES)),
        chance_of(chance, 4, |c| field(c, "order", &NUMBERS)),
        chance_of(chance, 4, |c| field(c, "copiedFrom", &WORDS)),
    ];
    piece(id(chance), fields)
}

fn part(chance: &mut Chance, number: usize) -> String {
    let owner = chance
        .pick(&["", r#""messageId":"1","#, r#""toolId":"1","#])
        .to_string();
    let id = match owner.contains("toolId") {
        true => r#""id":"tool_output""#.to_owned(),
        false => id(chance),
    };
    let order = 500 * chance.below(5);
    format!(r#"{{{owner}{id},"kind":"text","order":{order},"text":"said {number}"}}"#)
}

fn usage(chance: &mut Chance) -> String {
    let (id, order) = (id(chance), chance.below(4));
    let (input, output) = (chance.below(9), chance.below(9));
    let copied = if chance.below(8) == 0 {
        r#","copied":true"#
    } else {
        ""
    };
    format!(r#"{{{id},"order":{order},"input":{input},"output":{output}{copied}}}"#)
}

/// Where an op has what it says from.
fn weight(chance: &mut Chance) -> Option<String> {
    match chance.below(6) {
        0 => None,
        1 => Some(r#""decided":true"#.to_owned()),
        order => Some(format!(r#""upTo":{order}"#)),
    }
}

fn make(chance: &mut Chance, actor: &str, clock: u64, number: usize) -> Op {
    let session = [
        field(chance, "title", &WORDS),
        field(chance, "gitBranch", &WORDS),
        field(chance, "model", &WORDS),
        field(chance, "reportedInputTokens", &NUMBERS),
    ];
    let session = match chance.below(2) {
        0 => Some(format!(r#""session":{}"#, piece(String::new(), session))),
        _ => None,
    };
    let kind = |chance: &mut Chance| chance.pick(&WORDS).to_owned();
    let lists = [
        weight(chance),
        session,
        list(chance, "messages", message),
        list(chance, "tools", tool),
        list(chance, "parts", |chance| part(chance, number)),
        list(chance, "usage", usage),
        list(chance, "errors", |chance| {
            let fields = [
                field(chance, "message", &WORDS),
                field(chance, "kind", &WORDS),
            ];
            piece(id(chance), fields)
        }),
        list(chance, "compactions", |chance| {
            let fields = [
                field(chance, "summary", &WORDS),
                field(chance, "tokensBefore", &NUMBERS),
            ];
            piece(id(chance), fields)
        }),
        list(chance, "links", |chance| {
            let key = format!(r#""kind":{},"target":"t""#, kind(chance));
            piece(
                key,
                [
                    field(chance, "note", &WORDS),
                    field(chance, "present", &FLAGS),
                ],
            )
        }),
    ];
    let lists: Vec<String> = lists.into_iter().flatten().collect();
    patch(actor, clock, &format!("{{{}}}", lists.join(",")))
}

/// What three machines write, each knowing some of what the others wrote.
fn run(seed: u64) -> Vec<Op> {
    let mut chance = Chance(seed);
    let mut clocks = [0; 3];
    let mut ops = Vec::new();
    for number in 0..24 {
        let who = chance.below(3);
        if chance.below(3) == 0 {
            clocks[who] = *clocks.iter().max().expect("three clocks");
        }
        clocks[who] += 1;
        ops.push(make(&mut chance, ACTORS[who], clocks[who], number));
    }
    ops
}

fn check(seed: u64) {
    let ops = run(seed);
    let known = told(&ops);
    let mut chance = Chance(!seed);
    let first = Memory::of(&ops);
    for _ in 0..3 {
        let mut order = [ops.clone(), ops.clone()].concat();
        chance.shuffle(&mut order);
        let view = Memory::of(&order);
        assert_eq!(shown(&view, &known), known, "seed {seed}");
        assert_eq!(counted(&view), counts(&known), "seed {seed}: counts");
        assert_eq!(view, first, "seed {seed}: another order");
    }
    // fold(log) = fold(compacted log), with the same appended to both.
    let (log, tail) = ops.split_at(chance.below(ops.len()));
    let (mut whole, mut compacted) = (Memory::of(log), Memory::of(&kept(log)));
    assert_eq!(compacted, whole, "seed {seed}: without covered ops");
    for op in tail {
        whole.fold(op);
        compacted.fold(op);
    }
    assert_eq!(compacted, whole, "seed {seed}: what came later");
}

/// Worlds with every test run.
const WORLDS: u64 = 300;

#[test]
fn all_machines_show_what_the_oracle_tells() {
    (0..WORLDS).for_each(check);
}

#[test]
fn much_of_what_was_written_is_covered() {
    let logs = (0..50).map(run);
    let (all, kept) = logs.fold((0, 0), |(all, still), log| {
        (all + log.len(), still + kept(&log).len())
    });
    assert!(kept < all * 9 / 10, "{kept} of {all}");
}

/// Seeds within which a planted defect must be found.
#[cfg(feature = "planted")]
const SEEDS_MAX: u64 = 50;

#[cfg(feature = "planted")]
#[test]
fn every_planted_defect_is_found() {
    use std::panic::catch_unwind;

    use syncline_model::planted::{Defect, plant};

    std::panic::set_hook(Box::new(|_| ()));
    let missed: Vec<_> = Defect::OF_SESSIONS
        .into_iter()
        .filter(|defect| {
            plant(Some(*defect));
            let found = (0..SEEDS_MAX).find(|seed| catch_unwind(|| check(*seed)).is_err());
            println!("{defect:?}: {found:?}");
            plant(None);
            // It is the defect that was found.
            found.is_none_or(|seed| catch_unwind(|| check(seed)).is_err())
        })
        .collect();
    drop(std::panic::take_hook());
    assert!(missed.is_empty(), "never found: {missed:?}");
}
