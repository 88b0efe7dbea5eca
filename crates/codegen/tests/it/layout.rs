//! How what is written is laid out: as a person would leave it, so that its differences are read line by line.

use std::fs;

use syncline_codegen::client::{File, Local, generate};
use syncline_codegen::resolve;

use crate::fixtures;
use crate::typescript::{invoices, package, whole};

/// What is wrong with a text's layout, by line.
fn faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines: Vec<&str> = text.split('\n').collect();
    for (at, line) in lines.iter().enumerate() {
        let mut tell = |fault: &str| faults.push(format!("{}: {fault}: {line:?}", at + 1));
        let before = at.checked_sub(1).map_or("", |before| lines[before]);
        if line.trim_end() != *line {
            tell("ends in blanks");
        }
        if line.contains(['\t', '\r']) {
            tell("holds a tab or a carriage return");
        }
        if line.is_empty() && before.is_empty() {
            tell("is a second empty line, or the first of all");
        }
        let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
        // The lines of a block comment stand one further in.
        let is_comment = line.trim_start().starts_with('*');
        if !line.is_empty() && !indent(line).is_multiple_of(2) && !is_comment {
            tell("is not indented by twos");
        }
        // One deeper than what opens it.
        let opens = before.ends_with(['{', '(', '[']) && !before.trim_start().starts_with("--");
        if opens && indent(line) > indent(before) + 4 {
            tell("is indented by more than its line before opens");
        }
        if before.is_empty() && line.trim_start().starts_with('}') {
            tell("closes behind an empty line");
        }
        if line.trim_end_matches([')', ';', ',']).ends_with("{ }")
            || line.contains(" ,")
            || line.contains("( ")
        {
            tell("has a blank that nobody would type");
        }
    }
    if !text.ends_with('\n') || text.ends_with("\n\n") {
        faults.push("does not end in one line end".to_owned());
    }
    faults
}

#[test]
fn what_is_written_is_laid_out_as_by_hand() {
    let sample = fs::read_to_string(package().join("test/openapi.yaml")).unwrap();
    let texts = fixtures::all().into_iter().map(|fixture| fixture.text);
    let mut told = Vec::new();
    for text in texts.chain([sample, invoices()]) {
        let schema = resolve(&text).schema;
        for local in [Local::Pglite, Local::Memory] {
            for File { path, text } in generate(&schema, &whole(local)).unwrap() {
                told.extend(
                    faults(&text)
                        .into_iter()
                        .map(|fault| format!("{path}:{fault}")),
                );
            }
        }
    }
    told.sort_unstable();
    told.dedup();
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn a_text_that_no_person_would_leave_so_is_told() {
    assert_eq!(faults("a {\n  b\n}\n"), [""; 0]);
    let bad = [
        "a \n",
        "\ta\n",
        "a\r\n",
        "a\n\n\nb\n",
        "\na\n",
        "   a\n",
        "a {\n      b\n}\n",
        "a {\n  b\n\n}\n",
        "a(b , c)\n",
        "a\n\n",
        "a",
    ];
    for text in bad {
        assert!(!faults(text).is_empty(), "{text:?}");
    }
}
