use serde_json::json;
use syncline_model::limits::{ITEM_NOTE_CHARS_MAX, ITEM_TEXT_CHARS_MAX, TITLE_CHARS_MAX};

use crate::list::{exported, item_id, machine_with};
use crate::machine::Machine;
use crate::served::Server;
use crate::wire::Wire;

/// Words that stand for others.
const LONG: &str = "LONG";
const LONG_TITLE: &str = "LONG_TITLE";
const ID_IN_B: &str = "ID_IN_B";

const CASES: &[(&[&str], i32, &str)] = &[
    (&["add", "a", ""], 2, "text_empty"),
    (&["add", "a", " \n "], 2, "text_empty"),
    (&["add", "a", LONG], 2, "text_too_long"),
    (&["add", "a", "bell\u{7}"], 2, "text_control_character"),
    (
        &["add", "a", "x", "--note", "\u{1b}[2J"],
        2,
        "text_control_character",
    ),
    (&["add", "a", "x", "--before", "nowhere"], 1, "item_unknown"),
    (&["add", "c", "x"], 1, "list_unknown"),
    (&["new", ""], 2, "text_empty"),
    (&["new", "two\nlines"], 2, "text_control_character"),
    (&["new", LONG_TITLE], 2, "text_too_long"),
    (&["rename", "a", " "], 2, "text_empty"),
    (&["rename", "a", LONG_TITLE], 2, "text_too_long"),
    (&["edit", "a", "1", ""], 2, "text_empty"),
    (&["edit", "a", "1", LONG], 2, "text_too_long"),
    (&["note", "a", "1", LONG], 2, "text_too_long"),
    (&["check", "a", "1", "nowhere"], 1, "item_unknown"),
    (&["check", "a", ""], 1, "item_unknown"),
    (&["check", "a", ID_IN_B], 1, "item_in_other_list"),
    (&["check", "a", "elsewhere"], 1, "item_in_other_list"),
    (
        &["move", "a", "1", "--before", "1"],
        2,
        "move_beside_itself",
    ),
    (&["move", "a", "1", "--after", "1"], 2, "move_beside_itself"),
    (
        &["move", "a", "1", "--before", "elsewhere"],
        1,
        "item_in_other_list",
    ),
    (
        &["move", "a", "1", "--to", "b", "--after", "2"],
        1,
        "item_in_other_list",
    ),
    (&["move", "a", "1", "--to", "nowhere"], 1, "list_unknown"),
    (&["move", "a", "1"], 2, "usage"),
    (
        &["move", "a", "1", "--before", "2", "--after", "2"],
        2,
        "usage",
    ),
    (&["reorder", "a", "--before", "a"], 2, "move_beside_itself"),
    (&["reorder", "a"], 2, "usage"),
    (&["restore", "nowhere"], 1, "list_unknown"),
    (&["show", "nowhere"], 1, "list_unknown"),
    (&["export", "nowhere"], 1, "list_unknown"),
    (&["export", "--format", "text"], 2, "usage"),
    (&["check", "a"], 2, "usage"),
];

#[test]
fn the_longest_texts_are_taken() {
    let machine = Machine::new();
    let [title, text, note] = [TITLE_CHARS_MAX, ITEM_TEXT_CHARS_MAX, ITEM_NOTE_CHARS_MAX]
        .map(|characters| "x".repeat(characters));
    machine.run(&["list", "new", &title]).done();
    machine.run(&["list", "add", &title, &text]).done();
    let item = item_id(&machine, &title, &text);
    machine.run(&["list", "note", &title, &item, &note]).done();
    let shown = machine
        .run(&["list", "show", &title, "--json"])
        .done()
        .json();
    assert_eq!(shown["title"], title);
    assert_eq!(
        (&shown["items"][0]["text"], &shown["items"][0]["note"]),
        (&json!(text), &json!(note))
    );
}

#[test]
fn what_can_not_be_done_has_a_code_and_changes_nothing() {
    let machine = machine_with("a", &["1", "2"]);
    machine.run(&["list", "new", "b"]).done();
    machine.run(&["list", "add", "b", "elsewhere"]).done();
    let before = everything(&machine);
    let long = "x".repeat(ITEM_TEXT_CHARS_MAX + 1);
    let id_in_b = item_id(&machine, "b", "elsewhere");
    for (words, code, error) in CASES {
        let words = words.iter().map(|word| match *word {
            LONG => long.as_str(),
            LONG_TITLE => &long[..=TITLE_CHARS_MAX],
            ID_IN_B => id_in_b.as_str(),
            word => word,
        });
        let arguments: Vec<&str> = ["list"].into_iter().chain(words).collect();
        let answer = machine.run(&arguments).failed(*code, error);
        if *error != "usage" {
            assert!(answer.stderr.contains("fix: "), "{answer:#?}");
        }
    }
    assert_eq!(everything(&machine), before);
    machine.run(&["list", "undo"]).done().says("elsewhere");
}

fn everything(machine: &Machine) -> String {
    let all = machine.run(&["list", "show", "--all", "--json"]).done();
    format!(
        "{}{}{}",
        all.stdout,
        exported(machine, "a"),
        exported(machine, "b")
    )
}

#[test]
fn a_title_of_two_lists_names_none() {
    let machine = machine_with("plan", &["mine"]);
    let second = machine.run(&["list", "new", "plan"]).done();
    let id = second.stdout.trim().to_owned();
    second.says("name this one by its id");
    let answer = machine.run(&["list", "add", "plan", "x"]);
    answer
        .failed(1, "list_ambiguous")
        .says(&format!("maybe: {id}"));
    machine.run(&["list", "add", &id, "x"]).done();
    assert_eq!(exported(&machine, &id), "[ ] x\n");
    machine.run(&["list", "delete", &id]).done();
    assert_eq!(exported(&machine, "plan"), "[ ] mine\n");
    machine
        .run(&["list", "show", &id])
        .failed(1, "list_removed")
        .says(&format!("syncline list restore {id}"));
}

#[test]
fn an_item_that_could_be_several_is_none() {
    let machine = machine_with("a", &["call", "call"]);
    machine
        .run(&["list", "check", "a", "call"])
        .failed(1, "item_ambiguous")
        .says("maybe: ");
    let id = item_id(&machine, "a", "call");
    let add = ["list", "add", "a", &id[32..]];
    machine.run(&add).done();
    // Fewer characters are no id, and these are now that of one item and the text of another.
    for text in [&id[33..], &id[32..]] {
        assert_eq!(machine.run(&["list", "check", "a", text]).code, Some(1));
    }
    machine.run(&["list", "check", "a", &id[31..]]).done();
    let ticked = format!("[x] call\n[ ] call\n[ ] {}\n", &id[32..]);
    assert_eq!(exported(&machine, "a"), ticked);
}

#[test]
fn an_id_that_items_of_several_lists_have_is_that_of_the_lists_own_and_their_lists_tell_others_apart()
 {
    let machine = Machine::new();
    let list = |id: &str| {
        let item = json!({"id": "item", "text": format!("of {id}"), "done": false});
        json!({"listId": id, "title": id, "items": [item]})
    };
    let schema = "net.aggregat4.tasklist.snapshot@v1";
    let lists = ["a", "b", "c"].map(list);
    let snapshot = json!({"schema": schema, "data": {"lists": lists}}).to_string();
    machine.run_on(&snapshot, &["list", "import", "-"]).done();
    for from in ["b", "c"] {
        machine
            .run(&["list", "move", from, "item", "--to", "a"])
            .done();
    }
    machine.run(&["list", "check", "a", "c/item"]).done();
    assert_eq!(exported(&machine, "a"), "[ ] of a\n[ ] of b\n[x] of c\n");
    machine.run(&["list", "remove", "a", "item"]).done();
    assert_eq!(exported(&machine, "a"), "[ ] of b\n[x] of c\n");
    machine
        .run(&["list", "check", "a", "item"])
        .failed(1, "item_ambiguous")
        .says("maybe: b/item (of b)")
        .says("maybe: c/item (of c)");
}

#[test]
fn stored_text_can_not_drive_the_terminal_and_takes_the_lines_it_needs() {
    let machine = machine_with("a", &["one"]);
    machine
        .run(&["list", "edit", "a", "one", "first\nsecond"])
        .done();
    machine
        .run(&["list", "note", "a", "first\nsecond", "why\n\nbecause"])
        .done();
    let id = item_id(&machine, "a", "first\nsecond");
    let text = machine.run(&["list", "show", "a"]).done().stdout;
    let short = &id[32..];
    assert_eq!(
        text,
        format!(
            "a  0 of 1 done, 1 pending\n{short}  [ ] first\n          second\n          why\n\n          because\n"
        )
    );
}

#[test]
fn what_is_to_stand_beside_itself_is_named_with_what_to_type() {
    let machine = machine_with("my list", &["milk"]);
    machine
        .run(&["list", "move", "my list", "milk", "--after", "milk"])
        .failed(2, "move_beside_itself")
        .says("\"milk\" can't be placed beside itself")
        .says("syncline list show 'my list', and name another place");
    machine
        .run(&["list", "reorder", "my list", "--before", "my list"])
        .failed(2, "move_beside_itself")
        .says("\"my list\" can't be placed beside itself");
}

#[test]
fn a_step_that_can_not_be_taken_back_any_more_says_what_to_type() {
    let server = Server::start();
    let (ann, ben) = (server.member("ann"), server.member("ben"));
    ann.run(&["list", "new", "shop"]).done();
    ann.run(&["list", "add", "shop", "milk"]).done();
    ann.run(&["list", "edit", "shop", "milk", "oat milk"])
        .done();
    ann.run(&["sync"]).done();
    ben.run(&["sync"]).done();
    ben.run(&["list", "remove", "shop", "oat milk"]).done();
    ben.run(&["sync"]).done();
    ann.run(&["sync"]).done();
    ann.run(&["list", "undo"])
        .failed(1, "step_impossible")
        .says("this step has left the history")
        .says("syncline list undo, for the step before it");
}

#[test]
fn a_step_of_a_list_that_is_gone_names_no_command_that_fails() {
    let server = Server::start();
    let ann = server.member("ann");
    ann.run(&["list", "new", "shop"]).done();
    ann.run(&["list", "rename", "shop", "food"]).done();
    let admin = [
        "token", "create", "--data", "srv", "--tenant", "acme", "--user", "ann", "--right", "admin",
    ];
    let token = server.machine().run(&admin).done().stdout;
    ann.run_on(&token, &["login", &server.url]).done();
    ann.run(&["sync", "reset", "--confirm", "acme"]).done();
    ann.run(&["sync"]).done();
    ann.run(&["list", "undo"])
        .failed(1, "step_impossible")
        .says("fix:   syncline list show, to see how it is by now");
}

#[test]
fn an_export_makes_no_directory_and_goes_into_a_pipe() {
    let machine = machine_with("food", &["milk"]);
    let export = |file: &str| machine.run(&["list", "export", "food", "-f", "text", "-o", file]);
    export("not/there/x")
        .failed(1, "export_failed")
        .says("mkdir -p not/there");
    assert!(!machine.work_dir().join("not").exists());
    export(".")
        .failed(1, "export_failed")
        .says("it is a directory")
        .says("--output DIRECTORY/FILE");
    #[cfg(target_os = "linux")]
    export("/dev/full")
        .failed(1, "export_failed")
        .says("it may have taken a part of the text")
        .says("name another file with --output FILE");
    assert_eq!(export("/dev/stdout").done().stdout, "[ ] milk\n");
}

#[test]
fn a_list_whose_title_looks_like_a_flag_is_named_by_its_id() {
    let machine = Machine::new();
    let made = machine
        .run(&["list", "new", "--json", "--", "-x"])
        .done()
        .json();
    let id = made["list_id"].as_str().unwrap();
    machine
        .run(&["list", "check", id, "milk"])
        .failed(1, "item_unknown")
        .says(&format!("syncline list show {id}"));
}

#[test]
fn an_undone_import_that_comes_again_says_what_brings_it_back() {
    let machine = Machine::new();
    machine.run(&["list", "new", "food"]).done();
    let import = || machine.run_on("- [ ] milk\n", &["list", "import", "-", "--into", "food"]);
    import().done();
    machine.run(&["list", "undo"]).done();
    import()
        .done()
        .says("1 removed here since")
        .says("syncline list restore food ITEM")
        .says("syncline list redo");
    machine.run(&["list", "redo"]).done();
    let export = machine.run(&["list", "export", "food"]).done();
    assert_eq!(export.stdout, "# food\n\n- [ ] milk\n");
}

#[test]
fn what_others_have_called_a_list_does_not_drive_the_terminal_of_who_writes_to_it() {
    let server = Server::start();
    let (ada, token) = (server.member("ada"), server.token("mal"));
    let list = ada.run(&["list", "new", "plan"]).done().stdout;
    let op = json!({"scope": "list", "resourceId": list.trim(), "actor": "mal", "clock": u32::MAX,
        "payload": {"type": "renameList", "payload": {"title": "\u{1b}[31mred"}}});
    let body = json!({"clientId": "mal", "ops": [op]}).to_string();
    let mut wire = Wire::connect(server.address(), &token).unwrap();
    let pushed = wire.post("/sync/push", body.as_bytes()).unwrap();
    assert_eq!(pushed.status, 200);
    ada.run(&["sync"]).done();
    let added = ada.run(&["list", "add", list.trim(), "milk"]).done();
    let told = added.says("\u{fffd}[31mred").stderr;
    assert!(!told.contains('\u{1b}'), "{told:?}");
}
