//! Refused changes of lists, and what their user decides about them.

use serde_json::{Value, json};

use crate::list::exported;
use crate::machine::Machine;
use crate::served::Server;

const OFF: [(&str, &str); 1] = [("SYNCLINE_SYNC_ENABLED", "false")];

/// A list `Trip` with a tent that two have, and an edit of it that the server refuses one of them.
fn refused_edit(server: &Server) -> (Machine, Machine) {
    let (ada, cy) = (server.member("ada"), server.member("cy"));
    ada.run(&["list", "new", "Trip"]).done();
    ada.run(&["list", "add", "Trip", "tent"]).done();
    cy.run(&["sync"]).done();
    // Stamped by ada's actor, and offered by ben: the server takes it from ada alone.
    ada.run_with(&OFF, &["list", "edit", "Trip", "tent", "tent, blue"])
        .done();
    server.log_in(&ada, "ben");
    ada.run(&["sync"]).done().says("1 change refused");
    (ada, cy)
}

fn quarantine(machine: &Machine, words: &[&str]) -> crate::machine::Answer {
    machine.run(&[&["sync", "quarantine"], words].concat())
}

fn held(machine: &Machine) -> Vec<Value> {
    let held = quarantine(machine, &["list", "--json"]).done().json();
    held["quarantine"].as_array().unwrap().clone()
}

#[test]
fn a_retry_tells_what_others_have_written_since_and_goes_over_it_only_when_told_to() {
    let server = Server::start();
    let (ada, cy) = refused_edit(&server);
    let list = quarantine(&ada, &["list"]).done().stdout;
    let change = r#"change "tent" in Trip: text "tent, blue""#;
    assert!(list.contains(change), "{list}");
    assert_eq!(held(&ada)[0]["change"], change);
    cy.run(&["list", "edit", "Trip", "tent", "tent, for two"])
        .done();
    cy.run(&["list", "edit", "Trip", "tent, for two", "tent, for three"])
        .done();
    ada.run(&["sync"]).done();
    let id = held(&ada)[0]["id"].to_string();
    let told = quarantine(&ada, &["retry", "--all"]).failed(1, "outdone");
    told.says(&format!(
        r#"{id}: text: mine "tent, blue", theirs "tent, for three""#
    ))
    .says(&format!("syncline sync quarantine retry {id} --over"));
    let told = quarantine(&ada, &["retry", &id, "--json"]);
    let conflicts = json!({"text": {"mine": "tent, blue", "theirs": "tent, for three"}});
    assert_eq!(told.json()["outdone"][0]["conflicts"], conflicts);
    assert_eq!(held(&ada).len(), 1);
    assert_eq!(exported(&ada, "Trip"), "[ ] tent, for three\n");
    quarantine(&ada, &["retry", &id, "--over"])
        .done()
        .says("1 change was accepted");
    cy.run(&["sync"]).done();
    for machine in [&ada, &cy] {
        assert_eq!(exported(machine, "Trip"), "[ ] tent, blue\n");
    }
    assert!(held(&ada).is_empty());
}

#[test]
fn a_retry_tells_of_every_change_that_it_leaves() {
    let server = Server::start();
    let (ada, cy) = (server.member("ada"), server.member("cy"));
    ada.run(&["list", "new", "Trip"]).done();
    ada.run(&["list", "add", "Trip", "tent"]).done();
    ada.run(&["list", "add", "Trip", "map"]).done();
    ada.run(&["thread", "new", "budget", "first"]).done();
    cy.run(&["sync"]).done();
    for words in [
        ["list", "edit", "Trip", "tent", "tent, blue"].as_slice(),
        &["list", "edit", "Trip", "map", "map, old"],
        &["thread", "push", "budget", "second"],
    ] {
        ada.run_with(&OFF, words).done();
    }
    server.log_in(&ada, "ben");
    ada.run(&["sync"]).done().says("3 changes refused");
    for item in ["tent", "map"] {
        for text in ["new", "newer"] {
            let text = format!("{item}, {text}");
            let from = if text.ends_with("newer") {
                format!("{item}, new")
            } else {
                item.to_owned()
            };
            cy.run(&["list", "edit", "Trip", &from, &text]).done();
        }
    }
    cy.run(&["thread", "delete", "budget", "--yes"]).done();
    let told = quarantine(&ada, &["retry", "--all"]).failed(1, "outdone");
    let ids: Vec<_> = held(&ada).iter().map(|op| op["id"].to_string()).collect();
    let [tent, map, entry] = ids.as_slice() else {
        panic!("{ids:?}")
    };
    told.says(
        "2 changes would write over what others have written since, and 1 can't be offered again",
    )
    .says(&format!("{entry}: what it belongs to was deleted"))
    .says(&format!("retry {tent} {map} --over"))
    .says(&format!("quarantine show {entry}"))
    .says(&format!("drop {tent} {map} {entry}"));
    let told = quarantine(&ada, &["retry", "--all", "--json"]).json();
    assert_eq!(told["outdone"].as_array().unwrap().len(), 2);
    assert_eq!(told["deleted"].as_array().unwrap().len(), 1);
    let over = ["retry", entry, "--over"];
    quarantine(&ada, &over).failed(1, "deleted");
    let twice = ["retry", tent, tent, "--over"];
    quarantine(&ada, &twice).done();
}

#[test]
fn a_retry_is_judged_by_what_others_have_written_until_then_as_far_as_it_can_be_had() {
    const JUDGED_BY_LESS: &str = "judged by what has come here so far";
    let server = Server::start();
    let (ada, cy) = refused_edit(&server);
    cy.run(&["list", "edit", "Trip", "tent", "tent, for two"])
        .done();
    cy.run(&["list", "edit", "Trip", "tent, for two", "tent, for three"])
        .done();
    // Nothing of ada's has asked the server since.
    let told = quarantine(&ada, &["retry", "--all"]).failed(1, "outdone");
    assert!(!told.stderr.contains(JUDGED_BY_LESS), "{told:#?}");
    told.says(r#"text: mine "tent, blue", theirs "tent, for three""#);
    assert_eq!(exported(&ada, "Trip"), "[ ] tent, for three\n");
    cy.run(&["list", "edit", "Trip", "tent, for three", "tent, for four"])
        .done();
    let told = ada.run_with(&OFF, &["sync", "quarantine", "retry", "--all"]);
    told.says(JUDGED_BY_LESS)
        .says(r#"theirs "tent, for three""#);
    cy.run(&["list", "edit", "Trip", "tent, for four", "tent, blue"])
        .done();
    let told = quarantine(&ada, &["retry", "--all", "--json"]).done();
    assert_eq!(told.json()["left"].as_array().unwrap().len(), 1);
    assert!(held(&ada).is_empty());
}

#[test]
fn what_another_machine_has_offered_again_is_not_told_as_there_already() {
    let server = Server::start();
    let (ada, _cy) = refused_edit(&server);
    let id = held(&ada)[0]["id"].to_string();
    let twin = Machine::new();
    let homes = format!(
        "cp -a '{}/.' '{}'",
        ada.home().display(),
        twin.home().display()
    );
    twin.shell(&homes).done();
    quarantine(&twin, &["retry", &id])
        .done()
        .says("1 change was accepted");
    let told = quarantine(&ada, &["retry", &id, "--json"]).done();
    let told = told.says("1 of them left the quarantine meanwhile").json();
    assert_eq!((&told["left"], &told["there"]), (&json!([1]), &json!([])));
    assert!(held(&ada).is_empty());
    assert_eq!(exported(&ada, "Trip"), "[ ] tent, blue\n");
}

/// What was refused again has come into the quarantine after what was written later.
#[test]
fn changes_are_offered_again_in_the_order_of_their_writing() {
    let server = Server::start();
    let ada = server.member("ada");
    ada.run(&["list", "new", "Trip"]).done();
    for words in [
        ["list", "add", "Trip", "tent"].as_slice(),
        &["list", "edit", "Trip", "tent", "tent, blue"],
    ] {
        ada.run_with(&OFF, words).done();
    }
    server.log_in(&ada, "ben");
    ada.run(&["sync"]).done().says("2 changes refused");
    // From now on the actor is ben's.
    ada.run(&["list", "new", "Work"]).done();
    let first = held(&ada)[0]["id"].to_string();
    ada.run_with(&OFF, &["sync", "quarantine", "retry", &first])
        .done();
    server.log_in(&ada, "ada");
    ada.run(&["sync"]).done();
    let held = held(&ada);
    assert_eq!(held.len(), 2, "{held:?}");
    let told = quarantine(&ada, &["retry", "--all", "--json"])
        .done()
        .json();
    assert_eq!(told["retried"], json!([held[1]["id"], held[0]["id"]]));
    assert_eq!(exported(&ada, "Trip"), "[ ] tent, blue\n");
}

#[test]
fn a_long_title_is_cut_where_a_refused_change_is_told() {
    let server = Server::start();
    let ada = server.member("ada");
    ada.run(&["list", "new", "Trip"]).done();
    let title = "long ".repeat(40);
    ada.run_with(&OFF, &["list", "rename", "Trip", title.trim()])
        .done();
    server.log_in(&ada, "ben");
    ada.run(&["sync"]).done();
    let held = held(&ada);
    assert!(!held.is_empty());
    for held in held {
        let change = held["change"].as_str().unwrap();
        assert!(change.starts_with("rename Trip to \"long long"), "{change}");
        assert!(change.ends_with("…\"") && change.len() < 100, "{change}");
    }
}
