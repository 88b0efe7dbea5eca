//! What redaction takes out of real work sessions, against the list of what a person has judged.
//!
//! The sessions are those that the developers of the public repository `entireio/cli` (MIT licence,
//! © 2026 Entire Inc.) published with their code. One of Claude Code's transcripts is among the fixtures;
//! the others, and the entries of threads, are read where they are beside the repository. Nothing of a
//! secret is here: a redaction is told by where it is, and by its rule. The example `judge_redaction`
//! shows each with what is around it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::RawValue;
use syncline_capture::redact::Redactor;

/// Where a redaction is: the file's name, the line, the pointer to the string; and its rule.
type Place = (&'static str, usize, &'static str, &'static str);

/// What was taken out rightly: secrets, or what nothing can tell from them, as their writers made them up.
const SECRETS: &[Place] = &[
    ("threads.jsonl", 451, "/content", "password"),
    // The start of a session token, behind its name.
    ("threads.jsonl", 451, "/content", "secret"),
    ("threads.jsonl", 451, "/content", "url-password"),
    ("threads.jsonl", 457, "/content", "private-key"),
    ("threads.jsonl", 457, "/content", "secret"),
];

/// What was taken out wrongly.
const FALSE: &[Place] = &[];

/// Of so many message parts, one redaction may be false.
const PARTS_PER_FALSE: usize = 1000;

/// What was read, and what was taken out of it.
#[derive(Default)]
struct Seen {
    files: BTreeSet<String>,
    parts: usize,
    places: BTreeSet<(String, usize, String, String)>,
}

/// The files to read: those of the repository, and those beside it where they are there.
fn files() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut roots = vec![here.join("tests/fixtures/claude-code")];
    let beside = here.join("../../../shared/data");
    match beside.join("transcripts").is_dir() {
        true => {
            println!("the transcripts beside the repository are read");
            roots.extend([beside.join("transcripts"), beside.join("threads.jsonl")]);
        }
        false => println!("only the committed transcript is read"),
    }
    let is_lines = |path: &Path| path.extension().is_some_and(|end| end == "jsonl");
    let walked = roots.iter().flat_map(|root| match root.is_file() {
        true => vec![root.clone()],
        false => syncline_capture::walk::walk(root, is_lines).files,
    });
    walked.collect()
}

impl Seen {
    fn read(&mut self, path: &Path, redactor: &Redactor) {
        let name = path.file_name().unwrap().to_str().unwrap();
        self.files.insert(name.to_owned());
        for (line, number) in std::fs::read_to_string(path).unwrap().lines().zip(1..) {
            let raw: &RawValue = serde_json::from_str(line).unwrap();
            for finding in redactor.redact_raw(raw).findings {
                let pointer = finding.pointer.unwrap();
                let place = (name.to_owned(), number, pointer, finding.rule.into_owned());
                self.places.insert(place);
            }
            // A tool's input is also shown and searched as one text.
            let value: Value = serde_json::from_str(line).unwrap();
            let content = &value["message"]["content"];
            let parts = content.as_array().map_or(&[][..], Vec::as_slice);
            self.parts += parts.len() + usize::from(content.is_string());
            for part in parts.iter().filter(|part| !part["input"].is_null()) {
                for finding in redactor.redact_text(&part["input"].to_string()).findings {
                    let rule = finding.rule.into_owned();
                    let place = (name.to_owned(), number, "input".to_owned(), rule);
                    self.places.insert(place);
                }
            }
        }
    }
}

#[test]
fn nothing_is_taken_out_of_real_sessions_but_what_was_judged() {
    let redactor = Redactor::standard();
    let mut seen = Seen::default();
    for path in files() {
        seen.read(&path, &redactor);
    }
    let judged = SECRETS.iter().chain(FALSE);
    let judged = judged.filter(|place| seen.files.contains(place.0));
    let places = judged.map(|(file, line, pointer, rule)| {
        let [file, pointer, rule] = [file, pointer, rule].map(|text| (*text).to_owned());
        (file, *line, pointer, rule)
    });
    let places: BTreeSet<_> = places.collect();
    println!("{} parts, {} redactions", seen.parts, seen.places.len());
    let strange: Vec<_> = seen.places.difference(&places).collect();
    assert!(strange.is_empty(), "nobody has judged {strange:#?}");
    let missed: Vec<_> = places.difference(&seen.places).collect();
    assert!(missed.is_empty(), "no longer taken out: {missed:#?}");
    assert!(
        FALSE.len() * PARTS_PER_FALSE <= seen.parts,
        "{} false ones of {} parts",
        FALSE.len(),
        seen.parts
    );
}
