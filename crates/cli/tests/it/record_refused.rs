//! What to do about records that can't be written here.

use crate::machine::Machine;
use crate::record::Served;
use crate::serve_schema::{DOCUMENT, machine, write_document};

#[test]
fn who_lacks_a_membership_is_sent_to_an_owner_and_not_for_a_role_in_the_tenant() {
    let host = machine();
    write_document(&host, include_str!("../data/accounts.yaml"));
    let served = Served::on(host);
    let ada = served.member("ada");
    let made = ada.record("accounts", &["create", "--id", "a", "--set", "name=first"]);
    let made = made.failed(1, "forbidden");
    let made = made.says("ask an owner for a record of memberships whose role lets you");
    assert!(!made.stderr.contains("member role"), "{made:#?}");
}

/// A machine that knows contacts as a cache of this `ttl`.
fn reader_of_cache(ttl: &str) -> (Served, Machine) {
    let host = machine();
    let mode = format!("{{ mode: cache, ttl: {ttl} }}");
    let cache = DOCUMENT.replace("{ local_first: true }", &mode);
    assert_ne!(cache, DOCUMENT);
    write_document(&host, &cache);
    let served = Served::on(host);
    let ada = served.member("ada");
    (served, ada)
}

#[test]
fn who_writes_to_a_cache_is_told_where_it_is_written() {
    let (_served, ada) = reader_of_cache("5m");
    ada.record("contacts", &["create", "--set", "name=Ada"])
        .failed(1, "read_only")
        .says("nothing was written")
        .says("write it by the server's own paths");
}

#[test]
fn who_reads_a_cache_is_told_how_old_it_is() {
    let (_served, ada) = reader_of_cache("365d");
    let listed = ada.record("contacts", &["list"]).done();
    let listed = listed.says("contacts are as of ");
    assert!(!listed.stderr.contains("stale"), "{listed:#?}");
    let age = ada.record("contacts", &["list", "--json"]).done().json()["age"].clone();
    assert_eq!(age["is_stale"], false, "{age}");
    assert!(
        age["age_seconds"].is_u64() && age["synced_at"].is_string(),
        "{age}"
    );
    // What is no cache is shown as it is.
    let listed = ada.record("invoices", &["list"]).done();
    assert!(!listed.stderr.contains("as of"), "{listed:#?}");
    let listed = ada.record("invoices", &["list", "--json"]).done().json();
    assert!(listed.get("age").is_none(), "{listed}");
}
