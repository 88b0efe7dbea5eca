//! A server whose data is gone, and of which there is no backup.

use crate::list::exported;
use crate::machine::Machine;
use crate::record::Served;
use crate::session::{NATIVE, transcripts};

const OFF: [(&str, &str); 1] = [("SYNCLINE_SYNC_ENABLED", "false")];

/// All that a machine shows of what it holds.
fn everything(machine: &Machine) -> String {
    let ask = |words: &[&str]| machine.run(words).done().stdout;
    let lists = ["Trip", "Home"].map(|list| ask(&["list", "export", list, "--format", "json"]));
    let removed = ask(&["list", "show", "Trip", "--all"]);
    let threads = ask(&["thread", "list", "--json"]);
    let entries = machine.entries("plan");
    let sessions = ask(&["session", "list", "--json"]);
    let session = ask(&["session", "show", NATIVE, "--json"]);
    // Without the role of who asks.
    let records = ["id", "name", "age"].map(|field| machine.field("contacts", field));
    format!("{lists:?}\n{removed}\n{threads}\n{entries:?}\n{sessions}\n{session}\n{records:?}")
}

fn sync(machines: &[&Machine]) {
    for machine in machines {
        machine.run(&["sync", "now"]).done();
    }
}

#[test]
fn a_lost_server_without_a_backup_has_all_again_from_its_replicas() {
    let mut served = Served::start();
    let (ada, bob) = (served.member("ada"), served.member("bob"));
    ada.run(&["list", "new", "Trip"]).done();
    ada.run_on("tent\nmap\nstove\n", &["list", "add", "Trip", "-"])
        .done();
    ada.run(&["thread", "new", "plan", "one"]).done();
    ada.create("contacts", &["name=Grace", "age=40"]);
    let place = transcripts();
    bob.run(&["import", "claude-code", place.to_str().unwrap()])
        .done();
    bob.run(&["list", "new", "Home"]).done();
    sync(&[&bob, &ada, &bob]);
    // What one has made another has changed.
    bob.run(&["list", "check", "Trip", "tent"]).done();
    bob.run(&["list", "remove", "Trip", "map"]).done();
    bob.run(&["list", "move", "Trip", "stove", "--to", "Home"])
        .done();
    bob.run(&["thread", "push", "plan", "two"]).done();
    bob.create("contacts", &["name=Ada", "age=36"]);
    ada.run(&["session", "link", NATIVE, "plan"]).done();
    sync(&[&bob, &ada, &bob]);
    let before = everything(&ada);
    assert_eq!(before, everything(&bob));

    served.lose();
    ada.run_with(&OFF, &["list", "add", "Trip", "rope"]).done();
    bob.run_with(&OFF, &["thread", "push", "plan", "three"])
        .done();
    served.be_owner("ada");
    served.log_in_with(&ada, "ada", "admin");
    served.log_in(&bob, "bob");
    // Who may not bring the records back has them again once somebody has.
    sync(&[&bob, &ada, &bob, &ada]);
    for machine in [&ada, &bob] {
        assert_eq!(exported(machine, "Trip"), "[x] tent\n[ ] rope\n");
        assert_eq!(exported(machine, "Home"), "[ ] stove\n");
        assert_eq!(machine.contents("plan"), ["one", "two", "three"]);
        assert_eq!(machine.field("contacts", "name"), ["Ada", "Grace"]);
        let told = machine.run(&["sync", "status", "--json"]).done().json();
        assert_eq!(told["quarantined"], 0, "{told}");
    }
    let after = everything(&ada);
    assert_eq!(after, everything(&bob));
    // What the server holds is what a machine has that comes to it now.
    let late = served.member("late");
    sync(&[&late]);
    assert_eq!(after, everything(&late));
}

#[test]
fn records_that_nobody_could_bring_back_are_offered_again_by_who_can_now() {
    let mut served = Served::start();
    let ada = served.member("ada");
    let grace = ada.create("contacts", &["name=Grace", "age=40"]);
    ada.record("contacts", &["update", &grace, "--set", "age=41"])
        .done();
    ada.create("contacts", &["name=Ada", "age=36"]);
    served.lose();
    served.log_in(&ada, "ada");
    sync(&[&ada]);
    let refused = ada.run(&["sync", "quarantine", "list"]).done();
    assert!(
        refused.stdout.contains("have an owner of the tenant sync"),
        "{refused:#?}"
    );
    served.be_owner("ada");
    ada.run(&["sync", "quarantine", "retry", "--all"]);
    sync(&[&ada]);
    assert_eq!(ada.field("contacts", "name"), ["Ada", "Grace"]);
    assert_eq!(ada.field("contacts", "age"), [36, 41]);
}
