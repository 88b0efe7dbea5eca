use serde_json::json;

use crate::machine::Machine;

#[test]
fn the_last_entries_are_read_unless_all_are_asked_for() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "t"]).done();
    for number in 0..22 {
        machine
            .run(&["thread", "push", "t", &number.to_string()])
            .done();
    }
    let count = |arguments: &[&str]| {
        let arguments = [&["thread", "read", "t", "--json"], arguments].concat();
        machine.run(&arguments).done().json()["entries"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(
        (count(&[]), count(&["-n", "3"]), count(&["--all"])),
        (20, 3, 22)
    );
    machine
        .run(&["thread", "read", "t"])
        .done()
        .says("--all shows them");
    machine
        .run(&["thread", "read", "t", "--all", "-n", "3"])
        .failed(2, "usage");
}

#[test]
fn a_list_is_of_the_chosen_project_and_goes_on_page_by_page() {
    let machine = Machine::new();
    for (name, project) in [("one", "a"), ("two", "a"), ("three", "b")] {
        machine
            .run(&["thread", "new", name, "x", "-p", project])
            .done();
    }
    let list = |arguments: &[&str]| {
        let arguments = [&["thread", "list", "--json"], arguments].concat();
        machine.run(&arguments).done().json()
    };
    assert_eq!(list(&[])["total"], 3);
    assert_eq!(list(&["-p", "a"])["total"], 2);
    std::fs::write(machine.work_dir().join("syncline.toml"), "project = \"b\"").unwrap();
    assert_eq!(list(&[])["threads"][0]["key"], "three");
    let first = list(&["--all-projects", "-n", "2"]);
    let rest = list(&["--all-projects", "--after", first["next"].as_str().unwrap()]);
    assert_eq!(rest["threads"][0]["key"], "one");
    assert_eq!(rest["next"], json!(null));
    machine
        .run(&["thread", "list", "--after", "x"])
        .failed(2, "usage");
}

#[test]
fn an_overview_counts_what_is_in_each_project() {
    let machine = Machine::new();
    machine
        .run(&["thread", "new", "one", "x", "-p", "a", "--author", "ada"])
        .done();
    machine.run(&["thread", "new", "two", "-p", "b"]).done();
    machine.run(&["thread", "archive", "two"]).done();
    machine.run(&["thread", "tag", "one", "api"]).done();
    let overview = machine.run(&["thread", "overview", "--json"]).done().json();
    assert_eq!(overview["projects"].as_array().unwrap().len(), 2);
    let a = machine
        .run(&["thread", "overview", "a", "--json"])
        .done()
        .json();
    let a = &a["projects"][0];
    assert_eq!(
        json!([
            a["threads"],
            a["active"],
            a["entries"],
            a["authors"],
            a["tags"]
        ]),
        json!([1, 1, 1, ["ada"], [{"tag": "api", "threads": 1}]])
    );
    assert_eq!(a["recent_threads"][0]["key"], "one");
    let text = machine.run(&["thread", "overview", "b"]).done().stdout;
    assert!(
        text.starts_with("b\n  1 thread (0 active, 1 archived"),
        "{text}"
    );
}
