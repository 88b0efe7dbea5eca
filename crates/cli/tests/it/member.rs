//! Who is viewer, editor or owner.

use serde_json::json;

use crate::serve_schema::{Backend, machine};

#[test]
fn a_role_counts_at_once_while_the_server_runs() {
    let machine = machine();
    let server = Backend::start(&machine, &["--listen", "127.0.0.1:0", "--auth", "token"]);
    let create = ["token", "create", "--data", "srv", "--user", "ada"];
    let token = machine.run(&create).done().stdout;
    let make = |name: &str, more: serde_json::Value| {
        let mut body = json!({"name": name});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        server
            .ask(token.trim(), "POST", "/api/contacts", &body)
            .status
    };
    assert_eq!(make("one", json!({})), 201, "who has no role is an editor");
    assert_eq!(make("two", json!({"salary": 1})), 403);
    let member = |words: &[&str]| machine.run(&[&["member"], words, &["--data", "srv"]].concat());
    member(&["add", "ada", "--role", "viewer"])
        .done()
        .says("ada is viewer");
    assert_eq!(make("three", json!({})), 403);
    member(&["role", "ada", "owner"]).done();
    assert_eq!(make("four", json!({"salary": 1})), 201);
    member(&["remove", "ada"]).done().says("token revoke");
    assert_eq!(make("five", json!({"salary": 1})), 403);
    assert_eq!(make("six", json!({})), 201);
}

#[test]
fn members_are_of_one_tenant_each_and_listed() {
    let machine = machine();
    let member = |words: &[&str]| machine.run(&[&["member"], words, &["--data", "srv"]].concat());
    member(&["list"]).failed(1, "data_missing");
    member(&["add", "ada", "--role", "owner", "--tenant", "acme"]).done();
    member(&["add", "ada"]).done();
    let listed = member(&["list", "--json"]).done().json();
    let roles: Vec<_> = listed["members"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&roles[0]["tenant"], &roles[0]["role"]),
        (&json!("acme"), &json!("owner"))
    );
    assert_eq!(
        (&roles[1]["tenant"], &roles[1]["role"]),
        (&json!("default"), &json!("editor"))
    );
    let again = member(&["add", "ada", "--role", "viewer"]);
    again
        .failed(1, "member_exists")
        .says("syncline member role ada viewer --tenant default --data srv");
    member(&["role", "bob", "viewer"])
        .failed(1, "member_unknown")
        .says("syncline member add bob viewer --tenant default --data srv")
        .says("syncline member list --tenant default --data srv");
    member(&["remove", "bob"]).failed(1, "member_unknown");
    // The role is said alike by both.
    member(&["add", "bob", "viewer"]).done();
    member(&["role", "bob", "--role", "owner"])
        .done()
        .says("bob is owner");
    member(&["role", "bob"])
        .failed(2, "usage")
        .says("viewer, editor, owner");
    member(&["role", "bob", "owner", "--role", "viewer"]).failed(2, "usage");
    member(&["remove", "bob"]).done();
    member(&["add", "bob", "--role", "chief"]).failed(2, "usage");
    member(&["remove", "ada", "--tenant", "acme"]).done();
    let listed = member(&["list", "--tenant", "acme", "--json"])
        .done()
        .json();
    assert_eq!(listed["members"], json!([]));
}
