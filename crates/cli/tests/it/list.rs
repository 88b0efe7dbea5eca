use serde_json::{Value, json};

use crate::machine::{Answer, Machine};

/// A machine with a list, and items in it.
pub(crate) fn machine_with(title: &str, items: &[&str]) -> Machine {
    let machine = Machine::new();
    machine.run(&["list", "new", title]).done();
    if !items.is_empty() {
        let add = ["list", "add", title, "-"];
        machine.run_on(&items.join("\n"), &add).done();
    }
    machine
}

/// What `list show --json` tells.
pub(crate) fn shown(machine: &Machine, list: &str) -> Value {
    machine.run(&["list", "show", list, "--json"]).done().json()
}

/// The list as plain text.
pub(crate) fn exported(machine: &Machine, list: &str) -> String {
    let export = ["list", "export", list, "--format", "text"];
    machine.run(&export).done().stdout
}

pub(crate) fn item_id(machine: &Machine, list: &str, text: &str) -> String {
    let list = shown(machine, list);
    let items = list["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["text"] == text).unwrap();
    item["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_list_is_made_filled_and_shown_in_order() {
    let machine = Machine::new();
    let run = |arguments: &[&str]| -> Answer { machine.run(arguments).done() };
    let list = run(&["list", "new", "Groceries"]).stdout.trim().to_owned();
    run(&["list", "add", "Groceries", "milk"]);
    run(&["list", "add", &list, "bread", "--before", "milk"]);
    let note = ["--note", "the good one", "--after", "bread"];
    let added = machine.run(&[&["list", "add", "Groceries", "tea", "--json"][..], &note].concat());
    let added = added.done().json();
    assert_eq!(added["items"][0]["text"], "tea");
    assert_eq!(
        (&added["list_id"], &added["state"]),
        (&json!(list), &json!("pending"))
    );
    let shown = shown(&machine, "groceries");
    assert_eq!(shown["list_id"], list.as_str());
    assert_eq!(shown["title"], "Groceries");
    let items = shown["items"].as_array().unwrap();
    let texts: Vec<&Value> = items.iter().map(|item| &item["text"]).collect();
    assert_eq!(texts, ["bread", "tea", "milk"]);
    assert_eq!(items[1]["id"], added["items"][0]["id"]);
    let told = json!({
        "id": items[1]["id"], "text": "tea", "done": false, "note": "the good one",
        "state": "pending",
    });
    assert_eq!(items[1], told);
    assert_eq!(shown.as_object().unwrap().len(), 3);
}

#[test]
fn items_are_ticked_edited_and_removed_by_short_ids_and_texts() {
    let machine = machine_with("work", &["one", "two", "  three"]);
    let one = item_id(&machine, "work", "one");
    let run = |arguments: &[&str]| {
        let arguments = [&["list"], arguments].concat();
        machine.run(&arguments).done()
    };
    run(&["check", "work", &one[28..], "three"]).says("work: checked 2 items");
    assert_eq!(
        exported(&machine, "work"),
        "[x] one\n[ ] two\n  [x] three\n"
    );
    run(&["uncheck", "work", "three"]);
    run(&["edit", "work", &one, "number one"]).says("work: edited [x] number one");
    run(&["note", "work", "two", "first line\nsecond"]);
    run(&["remove", "work", "three"]);
    assert_eq!(
        exported(&machine, "work"),
        "[x] number one\n[ ] two\n  first line\n  second\n"
    );
    let again = run(&["check", "work", &one, "--json"]).json();
    assert_eq!(again["state"], "unchanged");
    let noted = machine.run_on("", &["list", "note", "work", "two", "-"]);
    noted.done();
    assert_eq!(exported(&machine, "work"), "[x] number one\n[ ] two\n");
}

#[test]
fn an_item_is_moved_within_its_list_and_to_another() {
    let machine = machine_with("a", &["1", "2", "3"]);
    machine.run(&["list", "new", "b"]).done();
    machine.run(&["list", "add", "b", "x"]).done();
    let id = item_id(&machine, "a", "3");
    let mv = |arguments: &[&str]| {
        let arguments = [&["list", "move"], arguments].concat();
        machine.run(&arguments).done()
    };
    mv(&["a", "3", "--before", "1"]);
    mv(&["a", "1", "--after", "2"]);
    assert_eq!(exported(&machine, "a"), "[ ] 3\n[ ] 2\n[ ] 1\n");
    mv(&["a", "3", "--to", "b", "--before", "x"]);
    mv(&["a", "2", "--to", "b"]);
    assert_eq!(exported(&machine, "a"), "[ ] 1\n");
    assert_eq!(exported(&machine, "b"), "[ ] 3\n[ ] x\n[ ] 2\n");
    assert_eq!(item_id(&machine, "b", "3"), id);
    machine.run(&["list", "check", "b", &id]).done();
    assert_eq!(exported(&machine, "b"), "[x] 3\n[ ] x\n[ ] 2\n");
}

#[test]
fn lists_are_renamed_reordered_deleted_and_restored_whole() {
    let machine = machine_with("a", &["1", "2"]);
    let run = |arguments: &[&str]| {
        let arguments = [&["list"], arguments].concat();
        machine.run(&arguments).done()
    };
    run(&["new", "b"]);
    run(&["rename", "a", "Alpha"]).says("a is now Alpha");
    run(&["reorder", "b", "--before", "alpha"]);
    let lists = run(&["show", "--json"]).json();
    let of = |lists: &Value| -> Vec<Value> {
        let lists = lists["lists"].as_array().unwrap();
        lists.iter().map(|list| list["title"].clone()).collect()
    };
    assert_eq!(of(&lists), ["b", "Alpha"]);
    assert_eq!(lists["lists"][1]["items"], 2);
    run(&["delete", "Alpha"]).says("`syncline list undo` brings it back");
    assert_eq!(of(&run(&["show", "--json"]).json()), ["b"]);
    let all = run(&["show", "--all", "--json"]).json();
    assert_eq!(all["removed"][0]["title"], "Alpha");
    run(&["restore", "Alpha"]);
    assert_eq!(exported(&machine, "Alpha"), "[ ] 1\n[ ] 2\n");
    run(&["restore", "Alpha"]).says("unchanged");
}

#[test]
fn a_list_is_deleted_with_its_items_also_when_it_was_deleted_before_and_undone_as_one() {
    let machine = machine_with("a", &["1", "2"]);
    let run = |arguments: &[&str]| {
        let arguments = [&["list"], arguments].concat();
        machine.run(&arguments).done()
    };
    run(&["delete", "a", "--with-items"]).says("deleted a with 2 items");
    run(&["restore", "a"]);
    assert_eq!(exported(&machine, "a"), "");
    run(&["undo"]);
    run(&["undo"]).says("undone: remove list in a: 2 items");
    assert_eq!(exported(&machine, "a"), "[ ] 1\n[ ] 2\n");

    run(&["delete", "a"]);
    run(&["delete", "a", "--with-items"]).says("deleted a with 2 items");
    run(&["delete", "a", "--with-items"]).says("unchanged");
    run(&["restore", "a"]);
    assert_eq!(exported(&machine, "a"), "");
}

#[test]
fn a_removed_item_is_shown_on_request_and_restored() {
    let machine = machine_with("a", &["1", "2", "3"]);
    machine.run(&["list", "check", "a", "2"]).done();
    machine.run(&["list", "remove", "a", "2"]).done();
    let all = machine
        .run(&["list", "show", "a", "--all", "--json"])
        .done();
    let id = all.json()["removed"][0]["id"].as_str().unwrap().to_owned();
    machine.run(&["list", "restore", "a", &id[30..]]).done();
    assert_eq!(exported(&machine, "a"), "[ ] 1\n[x] 2\n[ ] 3\n");
    let unknown = machine.run(&["list", "restore", "a", &id[..3]]);
    unknown
        .failed(1, "item_unknown")
        .says("syncline list show a --all");
}

#[test]
fn every_change_is_undone_and_done_again_by_other_processes() {
    let machine = machine_with("a", &["1", "2"]);
    machine.run(&["list", "new", "b"]).done();
    let mut states = vec![exported(&machine, "a")];
    let changes: &[&[&str]] = &[
        &["add", "a", "3"],
        &["check", "a", "1", "2"],
        &["edit", "a", "3", "three"],
        &["note", "a", "three", "n"],
        &["move", "a", "three", "--before", "1"],
        &["remove", "a", "1"],
        &["move", "a", "2", "--to", "b"],
    ];
    for change in changes {
        machine.run(&[&["list"], *change].concat()).done();
        states.push(exported(&machine, "a"));
    }
    for state in states.iter().rev().skip(1) {
        machine.run(&["list", "undo"]).done().says("undone: ");
        assert_eq!(exported(&machine, "a"), *state);
    }
    for state in &states[1..] {
        machine.run(&["list", "redo"]).done().says("done again: ");
        assert_eq!(exported(&machine, "a"), *state);
    }
    machine.run(&["list", "redo"]).failed(1, "nothing_to_redo");
    machine.run(&["list", "delete", "a"]).done();
    let undone = machine.run(&["list", "undo", "--json"]).done().json();
    assert_eq!(
        (&undone["kind"], &undone["title"]),
        (&json!("remove_list"), &json!("a"))
    );
    assert_eq!(exported(&machine, "a"), *states.last().unwrap());
    Machine::new()
        .run(&["list", "undo"])
        .failed(1, "nothing_to_undo");
}

#[test]
fn processes_that_write_at_once_lose_nothing() {
    let machine = machine_with("a", &[]);
    let adders = ["x", "y", "z"].map(|name| {
        let lines: Vec<String> = (0..5).map(|n| format!("{name}{n}")).collect();
        lines.into_iter().map(|line| {
            let add = ["list", "add", "a", &line];
            machine.command(&add).spawn().unwrap()
        })
    });
    // As many at once as there are names.
    let mut running: Vec<_> = adders.into_iter().flatten().collect();
    for child in &mut running {
        assert!(child.wait().unwrap().success());
    }
    let mut texts: Vec<String> = exported(&machine, "a").lines().map(str::to_owned).collect();
    texts.sort_unstable();
    let all = ["x", "y", "z"].map(|name| (0..5).map(move |n| format!("[ ] {name}{n}")));
    let all: Vec<String> = all.into_iter().flatten().collect();
    assert_eq!(texts, all);
}

#[test]
fn an_undo_names_the_list_that_shows_the_item() {
    let machine = machine_with("a", &["milk"]);
    let b = machine.run(&["list", "new", "b"]).done().stdout;
    machine
        .run(&["list", "move", "a", "milk", "--to", "b"])
        .done();
    machine.run(&["list", "check", "b", "milk"]).done();
    let undone = machine.run(&["list", "undo", "--json"]).done().json();
    assert_eq!(
        (&undone["title"], &undone["list_id"]),
        (&json!("b"), &json!(b.trim()))
    );
    machine
        .run(&["list", "redo"])
        .done()
        .says("check in b: milk");
    machine
        .run(&["list", "undo"])
        .done()
        .says("undone: check in b: milk");
    machine
        .run(&["list", "undo"])
        .done()
        .says("undone: move in a: milk");
}

#[test]
fn a_deleted_list_hides_no_list_of_its_letters_and_is_told_by_them() {
    let machine = machine_with("milk", &["1"]);
    machine.run(&["list", "delete", "milk"]).done();
    let add = ["list", "add", "MILK", "2"];
    machine
        .run(&add)
        .failed(1, "list_removed")
        .says("list \"milk\" was deleted");
    machine
        .run(&["list", "restore", "Milk"])
        .done()
        .says("restored milk");
    machine.run(&["list", "delete", "milk"]).done();
    machine.run(&["list", "new", "Milk"]).done();
    machine.run(&add).done();
    machine.run(&["list", "add", "milk", "3"]).done();
    assert_eq!(exported(&machine, "Milk"), "[ ] 2\n[ ] 3\n");
    machine.run(&["list", "restore", "milk"]).done();
    assert_eq!(exported(&machine, "milk"), "[ ] 1\n");
}
