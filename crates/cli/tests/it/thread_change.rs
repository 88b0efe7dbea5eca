use serde_json::{Value, json};

use crate::machine::{Answer, Machine};

#[test]
fn a_thread_is_renamed_moved_and_put_away() {
    let machine = Machine::new();
    let run = |arguments: &[&str]| -> Answer { machine.run(arguments).done() };
    run(&["thread", "new", "plan", "x"]);
    run(&["thread", "new", "plan", "y", "-p", "other"]);
    let renamed = run(&["thread", "rename", "plan", "Der Plan", "--json"]).json();
    assert_eq!(
        (&renamed["name"], &renamed["key"]),
        (&json!("Der Plan"), &json!("plan"))
    );
    let moved = run(&["thread", "move", "plan", "other", "--json"]).json();
    assert_eq!(
        (&moved["project"], &moved["key"]),
        (&json!("other"), &json!("plan-2"))
    );
    let archived = run(&["thread", "archive", "other/plan-2", "--json"]).json();
    assert_eq!(archived["status"], "archived");
    run(&["thread", "push", "other/plan-2", "an entry wakes nothing"]);
    let listed = run(&["thread", "list", "--status", "archived", "--json"]).json();
    assert_eq!(listed["total"], 1);
    let again = run(&["thread", "archive", "other/plan-2", "--json"]).json();
    assert_eq!(again["state"], "unchanged");
    let back = run(&["thread", "unarchive", "other/plan-2", "--json"]).json();
    assert_eq!(back["status"], "active");
}

#[test]
fn a_delete_asks_first_and_the_key_is_free_again() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "plan", "old"]).done();
    machine
        .run_on("y\n", &["thread", "delete", "plan"])
        .failed(2, "not_confirmed")
        .says("syncline thread delete default/plan --yes");
    let deleted = machine
        .run(&["thread", "delete", "plan", "--yes", "--json"])
        .done()
        .json();
    assert_eq!(deleted["deleted"], true);
    machine
        .run(&["thread", "read", "plan"])
        .failed(1, "thread_unknown");
    let made = machine
        .run(&["thread", "new", "plan", "new", "--json"])
        .done()
        .json();
    assert_ne!(made["thread_id"], deleted["thread_id"]);
    assert_eq!(machine.contents("plan"), ["new"]);
}

#[test]
fn tags_and_links_are_put_on_and_taken_off() {
    let machine = Machine::new();
    let run = |arguments: &[&str]| -> Value {
        let arguments = [&["thread"], arguments, &["--json"]].concat();
        machine.run(&arguments).done().json()
    };
    let entry = run(&["new", "a", "x"])["entry_id"]
        .as_str()
        .unwrap()
        .to_owned();
    run(&["new", "b", "y"]);
    run(&["tag", "a", "api", "db"]);
    let tagged = run(&["tag", "a", "seen", "--entry", &entry]);
    assert_eq!(tagged["entry_id"], entry.as_str());
    run(&["tag", "a", "db", "--remove"]);
    let listed = run(&["list", "--tag", "api"]);
    assert_eq!(listed["threads"][0]["tags"], json!(["api"]));
    assert_eq!(run(&["list", "--tag", "db"])["total"], 0);
    assert_eq!(run(&["list", "--tag", "seen"])["total"], 1);
    let linked = run(&["link", "a", "b", "--note", "see also"]);
    assert_eq!(
        (&linked["note"], &linked["present"]),
        (&json!("see also"), &json!(true))
    );
    machine
        .run(&["thread", "link", "a", "a"])
        .failed(2, "invalid_field");
    machine
        .run(&["thread", "link", "a", "nowhere"])
        .failed(1, "thread_unknown");
    let no_entry = machine.run(&["thread", "tag", "a", "x", "--entry", "ffff"]);
    no_entry.failed(1, "entry_unknown");
}

#[test]
fn a_link_to_an_ambiguous_name_goes_nowhere_else() {
    let machine = Machine::new();
    let run = |arguments: &[&str]| machine.run(arguments);
    run(&["thread", "new", "from", "-p", "work"]).done();
    for first in ["Design", "Other"] {
        run(&["thread", "new", first, "-p", "work"]).done();
    }
    run(&["thread", "rename", "other", "Design", "-p", "work"]).done();
    run(&["thread", "new", "Design"]).done();
    run(&["thread", "link", "from", "Design", "-p", "work"]).failed(1, "thread_ambiguous");
    run(&["thread", "link", "from", "default/design", "-p", "work"])
        .done()
        .says("work/from -> default/design");
}
