//! Lists of which the log has forgotten that they were deleted.

use serde_json::Value;

use crate::list::exported;
use crate::machine::Machine;
use crate::served::Server;

/// Each list of this kind: its title, and how many items it has.
fn listed(machine: &Machine, kind: &str) -> Vec<(String, u64)> {
    let shown = machine.run(&["list", "show", "--all", "--json"]);
    let shown = shown.done().json();
    let count = |list: &Value| {
        let title = list["title"].as_str().unwrap().to_owned();
        (title, list["items"].as_u64().unwrap())
    };
    shown[kind].as_array().unwrap().iter().map(count).collect()
}

#[test]
fn who_has_deleted_lists_alone_is_told_how_to_see_them() {
    let machine = Machine::new();
    let show = |machine: &Machine| machine.run(&["list", "show"]).done();
    show(&machine).says("`syncline list new TITLE` makes one");
    machine.run(&["list", "new", "Trip"]).done();
    machine.run(&["list", "delete", "Trip"]).done();
    show(&machine).says("`syncline list show --all`");
}

#[test]
fn an_item_that_comes_late_to_a_collected_list_is_shown_with_all_and_comes_back_by_restore() {
    let server = Server::start();
    let (ada, bob) = (server.member("ada"), server.member("bob"));
    let run = |machine: &Machine, words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        machine.run(&words).done()
    };
    let list = run(&ada, "list new Trip").stdout.trim().to_owned();
    run(&ada, "list add Trip tent");
    run(&bob, "sync");
    run(&bob, "config set endpoint http://127.0.0.1:9");
    run(&bob, "list add Trip stove").says("queued");

    run(&ada, "list delete Trip --with-items");
    run(&ada, "list new Other");
    run(&ada, "sync");
    run(server.machine(), "admin expire --data srv --idle 0s");
    let compact = "admin compact --data srv --retention 0s --json";
    let compacted = run(server.machine(), compact).json();
    let gone = &compacted["tenants"][0];
    assert!(gone["collected"].as_u64().unwrap() > 0, "{gone}");
    let fresh = server.member("eve");
    run(&fresh, "sync");
    assert!(listed(&fresh, "removed").is_empty());

    run(&bob, &format!("config set endpoint {}", server.url));
    run(&bob, "sync");
    run(&fresh, "sync");
    for machine in [&bob, &fresh] {
        assert_eq!(listed(machine, "lists"), [("Other".to_owned(), 0)]);
        assert_eq!(listed(machine, "removed"), [(list.clone(), 1)]);
    }
    run(&fresh, &format!("list restore {list}"));
    run(&bob, "sync");
    for machine in [&bob, &fresh] {
        assert!(listed(machine, "removed").is_empty());
        assert_eq!(exported(machine, &list), "[ ] stove\n");
    }
    let quarantined = run(&bob, "sync status --json").json();
    assert_eq!(quarantined["quarantined"], 0, "{quarantined}");
}

#[test]
fn what_is_stamped_anew_on_its_way_is_told_as_synced() {
    let server = Server::start();
    let (ada, bob) = (server.member("ada"), server.member("bob"));
    let run = |machine: &Machine, words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        machine.run(&words).done()
    };
    run(&ada, "list new Trip");
    run(&ada, "list new Old");
    // Something was refused before, of this list too, and waits for its user.
    for list in ["Old", "Trip"] {
        ada.run_with(
            &[("SYNCLINE_SYNC_ENABLED", "false")],
            &["list", "add", list, "tent"],
        )
        .done();
    }
    server.log_in(&ada, "ben");
    run(&ada, "sync").says("refused");
    run(&bob, "sync");
    for n in 0..4 {
        run(&bob, &format!("list add Trip tmp{n}"));
        run(&bob, &format!("list remove Trip tmp{n}"));
    }
    run(&bob, "list new Other");
    run(server.machine(), "admin expire --data srv --idle 0s");
    run(server.machine(), "admin compact --data srv --retention 0s");
    run(&ada, "list add Trip stove").says("synced: ");
    let status = run(&ada, "sync status --json").json();
    assert_eq!(status["pending"], 0, "{status}");
    assert_eq!(exported(&ada, "Trip"), "[ ] stove\n");
}
