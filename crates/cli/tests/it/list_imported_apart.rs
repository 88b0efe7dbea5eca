//! One file that several people import, each without knowing of the others.

use serde_json::json;

use crate::list::exported;
use crate::machine::Machine;
use crate::served::Server;

const CHECKLIST: &str = "- [ ] alpha\n- [ ] beta\n- [ ] gamma\n";

/// Ada and Ben, of whom Ben has written more than Ada to the list that both know.
fn ada_and_ben(server: &Server) -> [Machine; 2] {
    let [ada, ben] = ["ada", "ben"].map(|user| server.member(user));
    ada.run(&["list", "new", "Rome"]).done();
    sync(&ben);
    for title in ["R1", "R2", "R3"] {
        ben.run(&["list", "rename", "Rome", title]).done();
        ben.run(&["list", "rename", title, "Rome"]).done();
    }
    [ada, ben]
}

fn sync(machine: &Machine) {
    machine.run(&["sync", "now"]).done();
}

/// Runs commands of `list` whose texts are told by words, without a server.
fn apart(machine: &Machine, commands: &[&[&str]]) {
    let offline = [("SYNCLINE_SYNC_ENABLED", "false")];
    for command in commands {
        let command = [&["list"], *command].concat();
        machine.run_with(&offline, &command).done();
    }
}

fn import_apart(machine: &Machine, file: &str, into: &[&str]) {
    std::fs::write(machine.work_dir().join("file"), file).unwrap();
    apart(machine, &[&[&["import", "file"], into].concat()]);
}

/// What both see once each has heard of the other.
fn together(machines: &[Machine; 2], list: &str) -> String {
    for machine in machines.iter().chain(machines) {
        sync(machine);
    }
    let seen = machines.each_ref().map(|machine| exported(machine, list));
    assert_eq!(seen[0], seen[1]);
    seen[0].clone()
}

#[test]
fn a_checklist_imported_by_another_too_undoes_nothing_that_was_changed_in_it() {
    let server = Server::start();
    let machines = ada_and_ben(&server);
    let [ada, ben] = &machines;
    let into = ["--into", "Rome"];
    import_apart(ada, CHECKLIST, &into);
    apart(
        ada,
        &[
            &["check", "Rome", "alpha"],
            &["edit", "Rome", "beta", "beta edited"],
            &["add", "Rome", "between", "--after", "alpha"],
            &["remove", "Rome", "gamma"],
        ],
    );
    import_apart(ben, CHECKLIST, &into);
    assert_eq!(exported(ben, "Rome"), "[ ] alpha\n[ ] beta\n[ ] gamma\n");
    let expected = "[x] alpha\n[ ] between\n[ ] beta edited\n";
    assert_eq!(together(&machines, "Rome"), expected);
    // It is known now, and what was removed stays so, also for who did it.
    for machine in &machines {
        import_apart(machine, CHECKLIST, &into);
    }
    assert_eq!(together(&machines, "Rome"), expected);
}

#[test]
fn a_checklist_that_is_ticked_in_one_copy_is_ticked_whoever_imports_the_other() {
    let server = Server::start();
    let machines = ada_and_ben(&server);
    import_apart(
        &machines[0],
        "- [x] alpha\n- [ ] beta\n",
        &["--into", "Rome"],
    );
    import_apart(
        &machines[1],
        "- [ ] alpha\n- [ ] beta\n",
        &["--into", "Rome"],
    );
    assert_eq!(together(&machines, "Rome"), "[x] alpha\n[ ] beta\n");
}

#[test]
fn who_undoes_an_import_removes_what_it_made() {
    let server = Server::start();
    let machines = ada_and_ben(&server);
    let [_, ben] = &machines;
    for machine in &machines {
        import_apart(machine, CHECKLIST, &["--into", "Rome"]);
    }
    together(&machines, "Rome");
    ben.run(&["list", "undo"]).done().says("import in Rome");
    assert_eq!(together(&machines, "Rome"), "");
    ben.run(&["list", "redo"]).done();
    let expected = "[ ] alpha\n[ ] beta\n[ ] gamma\n";
    assert_eq!(together(&machines, "Rome"), expected);
}

#[test]
fn a_snapshot_imported_by_another_too_undoes_neither_titles_nor_removals() {
    let server = Server::start();
    let machines = ada_and_ben(&server);
    let [ada, ben] = &machines;
    let list = |id: &str| {
        let items = json!([{"id": "m", "text": "milk", "done": false}]);
        json!({"listId": id, "title": id, "items": items})
    };
    let schema = "net.aggregat4.tasklist.snapshot@v1";
    let lists = json!([list("food"), list("gone")]);
    let snapshot = json!({"schema": schema, "data": {"lists": lists}}).to_string();
    import_apart(ada, &snapshot, &[]);
    apart(
        ada,
        &[
            &["rename", "food", "Groceries"],
            &["check", "Groceries", "milk"],
            &["delete", "gone"],
        ],
    );
    import_apart(ben, &snapshot, &[]);
    assert_eq!(together(&machines, "Groceries"), "[x] milk\n");
    for machine in &machines {
        let lists = machine.run(&["list", "show", "--json"]).done().json();
        let lists = lists["lists"].as_array().unwrap().iter();
        let titles: Vec<_> = lists.map(|list| list["title"].clone()).collect();
        assert_eq!(titles, ["Rome", "Groceries"]);
    }
}
