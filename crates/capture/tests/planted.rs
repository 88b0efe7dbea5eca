//! Planted secrets: made as their issuers document them, put into transcripts, looked for after.
//!
//! The generator is written from the issuers' documents alone, and without a look at the rules. That none
//! of what is found here reaches a disk or a wire is shown with the whole program, by a test of the
//! command line.

use syncline_capture::redact::Redactor;

use crate::list::{kinds, plants, traces};

#[path = "planted/list.rs"]
mod list;

#[test]
fn at_least_99_of_100_planted_secrets_leave_no_trace() {
    let redactor = Redactor::standard();
    let list = plants(20_260_109);
    assert!(kinds() >= 40);
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
