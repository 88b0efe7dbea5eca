//! Records that a replica has in sight by a membership.

use serde_json::json;

use crate::record::Served;
use crate::serve_schema::{machine, write_document};

const DOCUMENT: &str = include_str!("../data/accounts.yaml");

#[test]
fn a_history_tells_what_came_into_sight_for_what_it_is_and_nothing_of_what_is_out_of_it() {
    let host = machine();
    write_document(&host, DOCUMENT);
    let served = Served::on(host);
    let (ada, ben) = (served.member("ada"), served.member("ben"));
    let join = |id: &str, user: &str| {
        let user = format!("user_id={user}");
        let sets = [
            "--set",
            &user,
            "--set",
            "account_id=a",
            "--set",
            "role=owner",
        ];
        let words = [&["create", "--id", id][..], &sets].concat();
        ada.record("memberships", &words).done();
    };
    join("m1", "ada");
    let made = ["create", "--id", "a", "--set", "name=first", "--wait", "60"];
    ada.record("accounts", &made).done();
    let changed = ["update", "a", "--set", "name=second", "--wait", "60"];
    ada.record("accounts", &changed).done();
    let own = ada
        .record("accounts", &["history", "a", "--json"])
        .done()
        .json();
    assert_eq!(own["history"][0]["values"]["name"], "first", "{own}");
    join("m2", "ben");
    ben.run(&["sync"]).done();
    let seen = ben
        .record("accounts", &["history", "a", "--json"])
        .done()
        .json();
    let made = &seen["history"][0];
    assert_eq!(
        (&made["restricted"], &made["values"]["name"]),
        (&json!(true), &json!("second")),
        "{seen}"
    );
    let told = ben.record("accounts", &["history", "a"]).done().stdout;
    assert!(
        told.contains("ada create, as it was when it came into sight here\n"),
        "{told}"
    );
    ada.record("memberships", &["delete", "m2"]).done();
    ben.run(&["sync"]).done();
    ben.record("accounts", &["history", "a"])
        .failed(1, "not_found");
}
