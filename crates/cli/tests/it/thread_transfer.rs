use std::path::Path;

use serde_json::{Value, json};

use crate::machine::Machine;

fn excerpt() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/threads.jsonl");
    std::fs::read_to_string(path).unwrap()
}

fn write_excerpt(machine: &Machine) -> String {
    let path = machine.work_dir().join("in.jsonl");
    std::fs::write(&path, excerpt()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Lines as values, in the order of `timestamp` and content.
fn lines(text: &str) -> Vec<Value> {
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    lines.sort_by_key(ToString::to_string);
    lines
}

#[test]
fn what_was_imported_is_exported_alike_and_imported_once() {
    let machine = Machine::new();
    let file = write_excerpt(&machine);
    let first = machine
        .run(&["thread", "import", &file, "--json"])
        .done()
        .json();
    assert_eq!(first["threads_new"], 3);
    assert_eq!(first["entries_new"], 18);
    assert_eq!(first["problems"], json!([]));
    let again = machine
        .run(&["thread", "import", &file, "--json"])
        .done()
        .json();
    assert_eq!(
        (&again["entries_new"], &again["entries_known"]),
        (&json!(0), &json!(18))
    );
    let exported = machine.run(&["thread", "export"]).done();
    assert_eq!(lines(&exported.stdout), lines(&excerpt()));
    let out = machine.work_dir().join("out.jsonl");
    let named = [
        "thread",
        "export",
        "d280e0314cfd",
        "-o",
        out.to_str().unwrap(),
    ];
    machine
        .run(&named)
        .done()
        .says("exported 6 entries of 1 thread\n");
    assert_eq!(std::fs::read_to_string(&out).unwrap().lines().count(), 6);
}

#[test]
fn standard_input_is_imported_too() {
    let machine = Machine::new();
    let imported = machine
        .run_on(&excerpt(), &["thread", "import", "-", "--json"])
        .done();
    assert_eq!(imported.json()["entries_new"], 18);
}

#[test]
fn what_cannot_be_imported_is_named_and_the_rest_is_imported() {
    let machine = Machine::new();
    let path = machine.work_dir().join("in.jsonl");
    let good = excerpt();
    std::fs::write(&path, format!("not json\n{good}{{\"thread\":\"x\"}}\n")).unwrap();
    let answer = machine.run(&["thread", "import", path.to_str().unwrap(), "--json"]);
    assert_eq!(answer.code, Some(1));
    let imported = answer.json();
    assert_eq!(imported["entries_new"], 18);
    assert_eq!(imported["problems"][0]["place"], "line 1");
    assert_eq!(imported["problems"].as_array().unwrap().len(), 2);
    answer
        .says("import_incomplete")
        .says("everything else is imported");
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let machine = Machine::new();
    machine
        .run(&["thread", "import", "nowhere.jsonl"])
        .failed(1, "file_unreadable")
        .says("nowhere.jsonl");
    machine
        .run(&["thread", "export", "-o", "no/such/dir/x"])
        .failed(1, "export_failed");
}

/// The whole of the real input, where it lies beside the repository.
#[test]
fn a_thousand_entries_survive_the_round_trip() {
    let shared = std::env::var_os("SYNCLINE_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        Into::into,
    );
    let file = shared.join("threads.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!(
            "{} is not here: the excerpt alone is tested",
            file.display()
        );
        return;
    };
    let machine = Machine::new();
    let import = ["thread", "import", file.to_str().unwrap(), "--json"];
    let imported = machine.run(&import).done().json();
    assert_eq!(imported["entries_new"], text.lines().count());
    let exported = machine.run(&["thread", "export", "--all-projects"]).done();
    assert_eq!(lines(&exported.stdout), lines(&text));
}
