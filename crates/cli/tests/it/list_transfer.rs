use std::path::Path;

use serde_json::{Value, json};

use crate::list::{exported, machine_with, shown};
use crate::machine::Machine;
use crate::served::Server;

/// A checklist as people keep them.
fn checklist() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/checklist.md");
    std::fs::read_to_string(path).unwrap()
}

fn import(machine: &Machine, text: &str, into: &str) -> Value {
    let import = ["list", "import", "-", "--into", into, "--json"];
    let imported = machine.run_on(text, &import).done().json();
    assert_eq!(imported["lists"].as_array().unwrap().len(), 1);
    imported
}

fn counts(imported: &Value) -> [&Value; 3] {
    ["items_new", "items_changed", "items_known"].map(|count| &imported["lists"][0][count])
}

fn markdown(machine: &Machine, list: &str) -> String {
    machine.run(&["list", "export", list]).done().stdout
}

#[test]
fn a_checklist_is_imported_once_and_exported_as_it_was() {
    let machine = machine_with("move", &[]);
    let first = import(&machine, &checklist(), "move");
    assert_eq!(counts(&first), [&json!(24), &json!(0), &json!(0)]);
    let left_out: Vec<&Value> = first["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["line"])
        .collect();
    assert_eq!(left_out, [3, 24, 35]);
    let again = import(&machine, &checklist(), "move");
    assert_eq!(counts(&again), [&json!(0), &json!(0), &json!(24)]);
    assert_eq!(again["state"], "unchanged");
    let written = markdown(&machine, "move");
    let of_file = checklist();
    let items = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains("- ["));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(items(&written)[..13], items(&of_file)[..13]);
    let back = import(&machine, &written, "move");
    assert_eq!(back["state"], "unchanged");
    assert_eq!(back["left_out"], json!([]));
    let fresh = machine_with("move", &[]);
    import(&fresh, &written, "move");
    assert_eq!(markdown(&fresh, "move"), written);
    machine.run(&["list", "undo"]).done().says("import in move");
    assert_eq!(exported(&machine, "move"), "");
}

#[test]
fn a_changed_checklist_ticks_and_adds_and_keeps_the_rest() {
    let machine = machine_with("a", &["by hand"]);
    import(&machine, "- [ ] one\n- [x] two\n", "a");
    let changed = import(&machine, "- [x] one\n- [ ] between\n- [ ] two\n", "a");
    assert_eq!(counts(&changed), [&json!(1), &json!(1), &json!(1)]);
    assert_eq!(
        exported(&machine, "a"),
        "[ ] by hand\n[x] one\n[ ] between\n[x] two\n"
    );
}

#[test]
fn a_snapshot_makes_its_lists_with_their_ids() {
    let machine = machine_with("a", &["1", "  2"]);
    machine
        .run(&["list", "note", "a", "1", "note\nof 1"])
        .done();
    machine.run(&["list", "new", "b"]).done();
    let snapshot = machine.run(&["list", "export"]).done().stdout;
    let other = Machine::new();
    let imported = other.run_on(&snapshot, &["list", "import", "-"]);
    imported.done().says("a: 2 new, 0 changed, 0 known");
    let plain = |machine: &Machine| {
        let list = shown(machine, "a");
        (list["list_id"].clone(), list["items"].clone())
    };
    assert_eq!(plain(&machine), plain(&other));
    let again = other.run_on(&snapshot, &["list", "import", "-", "--json"]);
    assert_eq!(again.done().json()["state"], "unchanged");
    // What was written since the snapshot is not lost to it.
    other.run(&["list", "edit", "a", "1", "one"]).done();
    let edited = plain(&other);
    let back = other.run_on(&snapshot, &["list", "import", "-", "--json"]);
    assert_eq!(back.done().json()["state"], "unchanged");
    assert_eq!(plain(&other), edited);
}

#[test]
fn a_snapshot_of_which_one_list_cannot_be_made_changes_nothing() {
    let machine = Machine::new();
    let list = |id: &str, title: &str| json!({"listId": id, "title": title, "items": []});
    let import = |lists: Value| {
        let schema = "net.aggregat4.tasklist.snapshot@v1";
        let snapshot = json!({"schema": schema, "data": {"lists": lists}}).to_string();
        machine.run_on(&snapshot, &["list", "import", "-"])
    };
    for (second, code, error) in [
        (list("2", ""), 2, "text_empty"),
        (list("2", "bell\u{7}"), 2, "text_control_character"),
        (list("1", "again"), 1, "file_invalid"),
    ] {
        import(json!([list("1", "first"), second]))
            .failed(code, error)
            .says("state: nothing was changed");
        let lists = machine.run(&["list", "show", "--json"]).done().json();
        assert_eq!(lists, json!({"lists": []}));
    }
    import(json!([list("1", "first"), list("2", "second")])).done();
}

#[test]
fn a_file_that_is_no_checklist_changes_nothing() {
    let machine = machine_with("a", &["1"]);
    let dir = machine.work_dir();
    std::fs::write(dir.join("binary"), [0xff, 0xfe, 0]).unwrap();
    let snapshot = machine
        .run(&["list", "export", "a", "-f", "json"])
        .done()
        .stdout;
    let files = [
        ("empty", String::new(), 1, "file_invalid"),
        (
            "prose",
            "no list here\n- nor here\n".to_owned(),
            1,
            "file_invalid",
        ),
        ("newer", snapshot.replace("@v1", "@v2"), 1, "format_newer"),
        (
            "foreign",
            snapshot.replace("aggregat4", "else"),
            1,
            "file_invalid",
        ),
        (
            "truncated",
            snapshot[..snapshot.len() / 2].to_owned(),
            1,
            "file_invalid",
        ),
        (
            "listless",
            snapshot[..snapshot.find(r#""lists": ["#).unwrap()].to_owned() + r#""lists": []}}"#,
            1,
            "file_invalid",
        ),
        ("untyped", snapshot.replace("false", "0"), 1, "file_invalid"),
    ];
    for (name, text, code, error) in files {
        std::fs::write(dir.join(name), text).unwrap();
        let answer = machine.run(&["list", "import", name, "--into", "a"]);
        answer.failed(code, error).says("fix: ");
    }
    machine
        .run(&["list", "import", "listless"])
        .failed(1, "file_invalid")
        .says("the snapshot holds no list");
    let import = |file: &str, into: &str| machine.run(&["list", "import", file, "--into", into]);
    import("binary", "a").failed(1, "file_invalid");
    import("nowhere", "a").failed(1, "file_unreadable");
    std::fs::write(dir.join("good.md"), "# T\n- [ ] 2\n").unwrap();
    import("good.md", "nowhere").failed(1, "list_unknown");
    machine
        .run(&["list", "import", "good.md"])
        .failed(2, "usage")
        .says("syncline list new T && syncline list import good.md --into T");
    assert_eq!(exported(&machine, "a"), "[ ] 1\n");
}

#[test]
fn an_item_that_can_be_none_is_named_by_its_line_and_nothing_of_the_file_imported() {
    let machine = machine_with("a", &[]);
    let import = ["list", "import", "-", "--into", "a"];
    let answer = machine.run_on("- [ ] fine\n- [ ]\n- [ ] bell\u{7}\n", &import);
    assert_eq!((answer.code, &answer.stdout[..]), (Some(1), ""));
    answer
        .says("line 3 can't be an item: text has a control character")
        .says("error[item_invalid]: 1 item of the file can't be imported")
        .says("nothing was changed");
    assert_eq!(exported(&machine, "a"), "");
}

#[test]
fn a_list_with_a_blank_item_is_imported_as_it_was_exported() {
    let machine = machine_with("other", &[]);
    let items = json!([
        {"id": "a", "text": "", "done": true},
        {"id": "b", "text": "milk", "done": false},
    ]);
    let list = json!({"listId": "1", "title": "plans", "items": items});
    let schema = "net.aggregat4.tasklist.snapshot@v1";
    let snapshot = json!({"schema": schema, "data": {"lists": [list]}}).to_string();
    let import = ["list", "import", "-"];
    let made = machine.run_on(&snapshot, &import).done();
    made.says("plans: 2 new, 0 changed, 0 known");
    let json = ["list", "export", "plans", "--format", "json"];
    let json = machine.run(&json).done().stdout;
    let again = machine.run_on(&json, &["list", "import", "-", "--json"]);
    assert_eq!(again.done().json()["state"], "unchanged");

    let written = markdown(&machine, "plans");
    assert_eq!(written, "# plans\n\n- [x]\n- [ ] milk\n");
    let back = self::import(&machine, &written, "plans");
    assert_eq!(
        (&back["state"], &back["left_out"]),
        (&json!("unchanged"), &json!([]))
    );
    // Where no such item is, nobody has written one.
    let into = ["list", "import", "-", "--into", "other"];
    machine
        .run_on(&written, &into)
        .done()
        .says("other: 1 new, 0 changed, 0 known")
        .says("line 3 has no text, and is left out");
    assert_eq!(exported(&machine, "other"), "[ ] milk\n");
}

/// What three people do to one list while they are apart; the texts of items are their names.
const EDITS: [&[&[&str]]; 3] = [
    &[
        &[
            "check",
            "clinic",
            "Measure the door (the rack is 60 cm wide)",
        ],
        &["edit", "clinic", "Coffee", "Coffee and cake"],
        &["add", "clinic", "Lift?", "--after", "Last backup"],
        &[
            "move",
            "clinic",
            "Stop the mail",
            "--after",
            "Stop the database",
        ],
        &["note", "clinic", "Carry it over 🛒", "Two people"],
        &["remove", "clinic", "the doctors"],
        &["undo"],
    ],
    &[
        &["check", "clinic", "Coffee"],
        &["uncheck", "clinic", "Order the rack, 24 units"],
        &["move", "clinic", "Stop the mail", "--before", "Backups"],
        &["remove", "clinic", "Order two power strips"],
        &["add", "clinic", "Trolley", "--after", "Last backup"],
        &["new", "Later"],
        &[
            "move",
            "clinic",
            "put one copy into the bank",
            "--to",
            "Later",
        ],
    ],
    &[
        &[
            "edit",
            "clinic",
            "Order two power strips",
            "Order three power strips",
        ],
        &["check", "clinic", "put one copy into the bank"],
        &["note", "clinic", "Coffee", "black"],
        &["rename", "clinic", "Clinic move"],
        &["delete", "Clinic move"],
        &["restore", "Clinic move"],
        &["remove", "clinic move", "the doctors"],
    ],
];

#[test]
fn replicas_edited_apart_export_the_same_bytes() {
    let server = Server::start();
    let machines = [
        server.member("ada"),
        server.member("ben"),
        server.member("cleo"),
    ];
    machines[0].run(&["list", "new", "clinic"]).done();
    import(&machines[0], &checklist(), "clinic");
    for machine in &machines {
        machine.run(&["sync", "now"]).done();
    }
    let offline = [("SYNCLINE_SYNC_ENABLED", "false")];
    for (machine, edits) in machines.iter().zip(EDITS) {
        for edit in edits {
            machine
                .run_with(&offline, &[&["list"], *edit].concat())
                .done();
        }
    }
    // The last to sync has nothing to tell the others, once the first two have heard of it.
    for machine in machines.iter().chain(&machines) {
        machine.run(&["sync", "now"]).done();
    }
    let exports = machines.each_ref().map(|machine| {
        let lists = ["Clinic move", "Later"];
        let snapshot = machine.run(&["list", "export"]).done().stdout;
        (
            lists.map(|list| (markdown(machine, list), shown(machine, list))),
            snapshot,
        )
    });
    assert_eq!(exports[0], exports[1]);
    assert_eq!(exports[0], exports[2]);
    let [clinic, later] = exports[0].0.clone().map(|(markdown, _)| markdown);
    for expected in [
        "- [x] Measure the door",
        "- [ ] Order the rack",
        "- [x] Coffee and cake\n\n  black\n",
        "- [ ] Lift?",
        "- [ ] Trolley",
        "- [ ] Carry it over 🛒\n\n  Two people\n",
    ] {
        assert!(clinic.contains(expected), "{expected}: {clinic}");
    }
    assert!(!clinic.contains("the doctors"), "{clinic}");
    assert!(!clinic.contains("power strips"), "{clinic}");
    assert_eq!(clinic.matches("Stop the mail").count(), 1, "{clinic}");
    assert_eq!(later, "# Later\n\n  - [x] put one copy into the bank\n");
    assert_eq!(exports[0].0[0].1["items"][0]["state"], "acknowledged");
}

#[test]
fn a_snapshot_of_several_lists_is_one_change_that_one_undo_takes_back() {
    let machine = machine_with("a", &["1"]);
    machine.run(&["list", "new", "b"]).done();
    machine.run(&["list", "add", "b", "2"]).done();
    machine.run(&["list", "new", "c"]).done();
    let snapshot = machine.run(&["list", "export"]).done().stdout;
    let other = Machine::new();
    other.run_on(&snapshot, &["list", "import", "-"]).done();
    let titles = |machine: &Machine| {
        let lists = machine.run(&["list", "show", "--json"]).done().json();
        let lists = lists["lists"].as_array().unwrap().clone();
        lists
            .iter()
            .map(|list| list["title"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(titles(&other), ["a", "b", "c"]);
    let undone = other.run(&["list", "undo"]).done();
    undone.says("undone: import in 3 lists: 2 items");
    assert!(titles(&other).is_empty());
    other.run(&["list", "redo"]).done();
    assert_eq!(titles(&other), ["a", "b", "c"]);
    assert_eq!(exported(&other, "b"), "[ ] 2\n");
}

#[test]
fn items_of_one_id_come_back_from_a_snapshot() {
    let snapshot = |id: &str, items: &[&str]| {
        let items = items
            .iter()
            .map(|id| json!({"id": id, "text": format!("item {id}"), "done": false}));
        let items: Vec<Value> = items.collect();
        let schema = "net.aggregat4.tasklist.snapshot@v1";
        let lists = json!([{"listId": id, "title": id, "items": items}]);
        json!({"schema": schema, "data": {"lists": lists}}).to_string()
    };
    let machine = Machine::new();
    machine
        .run_on(&snapshot("a", &["1", "2"]), &["list", "import", "-"])
        .done();
    machine
        .run_on(&snapshot("b", &["1"]), &["list", "import", "-"])
        .done();
    machine.run(&["list", "edit", "b", "1", "from b"]).done();
    machine
        .run(&["list", "move", "b", "from b", "--to", "a"])
        .done();
    let written = machine
        .run(&["list", "export", "a", "--format", "json"])
        .done()
        .stdout;
    let again = machine
        .run_on(&written, &["list", "import", "-", "--json"])
        .done()
        .json();
    assert_eq!(again["state"], "unchanged");
    let fresh = Machine::new();
    fresh.run_on(&written, &["list", "import", "-"]).done();
    assert_eq!(exported(&fresh, "a"), exported(&machine, "a"));
    assert_eq!(
        exported(&fresh, "a"),
        "[ ] item 1\n[ ] item 2\n[ ] from b\n"
    );
}
