//! The list of planted secrets, each in the text that it stands in.
//!
//! It is put together when it is asked for, so that no scanner takes this repository for a leak.

use self::random::Random;

mod carriers;
mod clouds;
mod disguises;
mod forges;
mod generic;
mod kinds;
mod random;
mod services;
mod tools;
pub(crate) mod traces;

/// How many secrets are planted.
const PLANTED: usize = 500;

/// What was planted, and where.
pub(crate) struct Plant {
    pub(crate) kind: &'static str,
    pub(crate) place: String,
    pub(crate) body: String,
    pub(crate) text: String,
}

/// How many kinds there are.
pub(crate) fn kinds() -> usize {
    kinds::all().len()
}

/// The list that `start` tells: every kind in turn, every third of them disguised.
pub(crate) fn plants(start: u64) -> Vec<Plant> {
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
