//! Conditions on the entity's columns, and what else a shape of them is.

use super::asked::ASKED;
use super::chance::Chance;
use super::expressions;

/// A condition, with what `$1` stands for in it.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) text: String,
    pub(super) parameter: Option<&'static str>,
}

impl Condition {
    /// As Postgres is asked.
    pub(super) fn sql(&self) -> String {
        match self.parameter {
            None => self.text.clone(),
            Some(value) => self.text.replace("$1", &format!("'{value}'")),
        }
    }
}

/// Conditions to choose from.
const POOL: usize = 6_000;

/// So many conditions, among them one with each operator and function that may be asked.
pub(super) fn conditions(chance: &mut Chance, count: usize) -> Vec<Condition> {
    let pool: Vec<_> = (0..POOL).map(|_| condition(chance)).collect();
    let mut chosen: Vec<Condition> = Vec::new();
    for word in ASKED {
        let asks = |condition: &&Condition| condition.text.contains(word);
        if chosen.iter().any(|condition| asks(&condition)) {
            continue;
        }
        let found = pool.iter().find(asks);
        chosen.push(
            found
                .unwrap_or_else(|| panic!("{word:?} is in none"))
                .clone(),
        );
    }
    assert!(chosen.len() <= count, "{} conditions ask all", chosen.len());
    let more = count - chosen.len();
    chosen.extend(pool.into_iter().take(more));
    chosen
}

fn condition(chance: &mut Chance) -> Condition {
    let text = expressions::condition(chance, 2);
    let mut text = renamed(chance, &text);
    if chance.below(4) == 0 {
        let column = chance.one(&["extra", "tags", "extra_set", "tags_set", "state"]);
        let joined = chance.one(&["AND", "OR"]);
        let negated = chance.one(&["", "NOT "]);
        text = format!("({text} {joined} ({column} IS {negated}NULL))");
    }
    let mut parameter = None;
    if chance.below(4) == 0 {
        parameter = Some(chance.one(&["milk", "50%", ""]));
        let joined = chance.one(&["title = $1 OR", "note IS DISTINCT FROM $1 AND"]);
        text = format!("({joined} {text})");
    }
    Condition { text, parameter }
}

/// The condition on this table's columns: where it lacks one of a type, of what such a value is made of here.
fn renamed(chance: &mut Chance, text: &str) -> String {
    let mut renamed = String::new();
    let mut word = String::new();
    let mut in_literal = false;
    for char in text.chars().chain([' ']) {
        if !in_literal && (char.is_alphanumeric() || char == '_') {
            word.push(char);
            continue;
        }
        renamed.push_str(&named(chance, &std::mem::take(&mut word)));
        in_literal ^= char == '\'';
        renamed.push(char);
    }
    renamed.pop();
    renamed
}

fn named(chance: &mut Chance, word: &str) -> String {
    let either = |chance: &mut Chance| match chance.below(2) {
        0 => word.to_owned(),
        _ => format!("{word}_set"),
    };
    match word {
        "local" => "(at AT TIME ZONE 'UTC')".to_owned(),
        "span" => "(at - '2026-01-01 00:00:00+00'::timestamptz)".to_owned(),
        "wholes" => "ARRAY[whole, small]".to_owned(),
        "words" => "ARRAY[title, note]".to_owned(),
        "note" => chance.one(&["note", "state", "state_set"]).to_owned(),
        "big" | "double" | "exact" | "done" | "ref" | "day" | "clock" | "at" => either(chance),
        _ => word.to_owned(),
    }
}
