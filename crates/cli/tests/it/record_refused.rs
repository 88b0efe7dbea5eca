//! What to do about records that can't be written here.

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

#[test]
fn who_writes_to_a_cache_is_told_where_it_is_written() {
    let host = machine();
    let cache = DOCUMENT.replace("{ local_first: true }", "{ mode: cache, ttl: 5m }");
    assert_ne!(cache, DOCUMENT);
    write_document(&host, &cache);
    let served = Served::on(host);
    let ada = served.member("ada");
    ada.record("contacts", &["create", "--set", "name=Ada"])
        .failed(1, "read_only")
        .says("nothing was written")
        .says("write it by the server's own paths");
}
