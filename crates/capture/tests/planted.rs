//! Planted secrets: made as their issuers document them, put into transcripts, looked for after.
//!
//! The generator is written from the issuers' documents alone, and without a look at the rules. It
//! puts the secrets together when it runs, so that no scanner takes this repository for a leak.

use syncline_capture::redact::Redactor;

use crate::random::Random;

#[path = "planted/carriers.rs"]
mod carriers;
#[path = "planted/clouds.rs"]
mod clouds;
#[path = "planted/disguises.rs"]
mod disguises;
#[path = "planted/forges.rs"]
mod forges;
#[path = "planted/generic.rs"]
mod generic;
#[path = "planted/kinds.rs"]
mod kinds;
#[path = "planted/random.rs"]
mod random;
#[path = "planted/services.rs"]
mod services;
#[path = "planted/tools.rs"]
mod tools;
#[path = "planted/traces.rs"]
mod traces;

/// How many secrets are planted.
const PLANTED: usize = 500;

/// What was planted, and where.
struct Plant {
    kind: &'static str,
    place: String,
    body: String,
    text: String,
}

/// The list that `start` tells: every kind in turn, every third of them disguised.
fn plants(start: u64) -> Vec<Plant> {
    let kinds = kinds::all();
    let mut random = Random::new(start);
    let mut list = Vec::new();
    for turn in 0..PLANTED {
        let kind = kinds[turn % kinds.len()];
        let secret = (kind.make)(&mut random);
        let (place, text) = if turn % 3 == 0 {
            let (name, text) = disguises::disguise(kind, &secret, turn / 3, &mut random);
            (format!("disguised: {name}"), text)
        } else {
            let (name, text) = carriers::carry(kind, &secret.value(), &mut random);
            (format!("plain: {name}"), text)
        };
        list.push(Plant {
            kind: kind.name,
            place,
            body: secret.body,
            text,
        });
    }
    list
}

#[test]
fn at_least_99_of_100_planted_secrets_leave_no_trace() {
    let redactor = Redactor::standard();
    let list = plants(20_260_109);
    assert!(kinds::all().len() >= 40);
    let mut missed = Vec::new();
    for plant in &list {
        let kept = traces::of(&plant.body, &plant.text);
        assert!(
            kept.is_some(),
            "{} is not planted in {}",
            plant.kind,
            plant.text
        );
        let redacted = redactor.redact_text(&plant.text);
        if let Some(trace) = traces::of(&plant.body, &redacted.text) {
            missed.push(format!(
                "{} ({}) left {trace}\n{}",
                plant.kind, plant.place, redacted.text
            ));
        }
    }
    let found = list.len() - missed.len();
    println!("{found} of {} found", list.len());
    assert!(
        found * 100 >= list.len() * 99,
        "{found} found; missed:\n{}",
        missed.join("\n---\n")
    );
}
