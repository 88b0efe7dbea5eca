//! Readers who see more or less than before, whatever columns they name.

use serde_json::{Value, json};
use syncline_model::schema::Role;

use super::entities::{field, invoices, with_invoices};
use super::{Shapes, column, shapes};
use crate::support::PATIENCE;

/// A tenant whose accounts are seen by who has a membership in them. There is one, and nobody in it.
async fn with_an_account() -> Shapes {
    let s = shapes().await;
    let entity = |name: &str, fields: Value, access: Value| {
        json!({"name": name, "singular": name, "key": "id", "fields": fields,
            "mode": {"kind": "optimistic"}, "access": access})
    };
    let via = json!({"entity": "members", "entity_field": "account_id", "field": "id",
        "user_field": "user_id", "role_field": "role"});
    let texts = |names: &[&str]| {
        names
            .iter()
            .map(|name| field(name, "text"))
            .collect::<Value>()
    };
    let members = texts(&["id", "account_id", "user_id", "role"]);
    let accounts = texts(&["id", "name", "secret"]);
    let access = json!({"role_via": via, "field_groups": {"private": ["secret"]},
        "read_permissions": {"owner": ["private"], "editor": [], "viewer": []}});
    s.schema(json!([
        entity("members", members, json!({})),
        entity("accounts", accounts, access)
    ]))
    .await;
    s.join("a", "owner").await;
    s.write(
        "accounts",
        "a",
        "create",
        json!({"name": "shared", "secret": "canary"}),
    )
    .await;
    s.leave("a").await;
    s
}

impl Shapes {
    async fn join(&self, account: &str, role: &str) {
        let values = json!({"account_id": account, "user_id": "ada", "role": role});
        self.write("members", account, "create", values).await;
    }

    async fn leave(&self, account: &str) {
        self.write("members", account, "delete", json!({})).await;
    }
}

#[tokio::test]
async fn who_has_no_membership_has_an_empty_shape_whatever_they_name() {
    let s = with_an_account().await;
    for query in [
        "table=accounts",
        "table=accounts&columns=id,name,secret,_role",
        "table=accounts&where=secret%20=%20'canary'",
        "table=accounts&columns=id,name&where=name%20=%20'shared'&replica=full",
    ] {
        let nobody = s.follow(query).await;
        assert_eq!(nobody.rows().len(), 0, "{query}");
        let subset = "offset=now&log=changes_only&subset__where=secret%20=%20'canary'";
        let subset = s.ask(&format!("{query}&{subset}")).await;
        assert_eq!(subset.expect(200)["data"], json!([]), "{query}");
        // What is written meanwhile is not theirs either.
        s.join("a", "owner").await;
        s.write("accounts", "a", "update", json!({"name": "shared"}))
            .await;
        s.ask(&nobody.next()).await.expect(409);
        let member = s.follow(query).await;
        assert_eq!(column(&member, "id"), ["a"], "{query}");
        s.leave("a").await;
        s.ask(&member.next()).await.expect(409);
        assert_eq!(s.follow(query).await.rows().len(), 0, "{query}");
    }
}

#[tokio::test]
async fn who_loses_their_last_membership_while_they_wait_is_told_to_begin_anew() {
    let s = with_an_account().await;
    for query in [
        "table=accounts&columns=id,name,_role",
        "table=accounts&where=secret%20=%20'canary'",
    ] {
        s.join("a", "owner").await;
        let member = s.follow(query).await;
        assert_eq!(member.rows().len(), 1);
        let live = format!("{}&live=true", member.next());
        let both = async { tokio::join!(s.ask(&live), s.leave("a")) };
        let (told, ()) = tokio::time::timeout(PATIENCE / 2, both).await.unwrap();
        told.expect(409);
        assert_eq!(s.follow(query).await.rows().len(), 0);
    }
}

/// Public clients don't take a handle that a 409 has ended for them, and ask until they get another.
#[tokio::test]
async fn who_was_told_to_let_go_of_a_handle_is_not_given_it_again() {
    let s = with_an_account().await;
    let query = "table=accounts";
    let nobody = s.follow(query).await;
    s.join("a", "owner").await;
    s.ask(&nobody.next()).await.expect(409);
    s.leave("a").await;
    assert_eq!(s.follow(query).await.handle, nobody.handle);
    let again = format!("{query}&offset=-1&expired_handle={}", nobody.handle);
    let again = async || {
        let reply = s.ask(&again).await;
        reply.expect(200);
        reply.header("electric-handle").to_owned()
    };
    let handle = again().await;
    assert_ne!(handle, nobody.handle);
    // It is made once, and is the one for all from now on; who reads the other goes on.
    assert_eq!(again().await, handle);
    assert_eq!(s.follow(query).await.handle, handle);
    s.ask(&nobody.next()).await.expect(200);
}

#[tokio::test]
async fn a_handle_of_who_saw_more_is_told_so_before_its_request_is_judged() {
    let s = with_invoices().await;
    let named = s.follow("table=invoices&columns=id,secret").await;
    let found = s.follow("table=invoices&where=secret%20=%20'canary'").await;
    assert_eq!(column(&found, "secret"), ["canary"]);
    s.role(Role::Editor);
    for owner in [&named, &found] {
        for live in ["", "&live=true"] {
            let told = s.ask(&format!("{}{live}", owner.next())).await;
            let body = told.expect(409);
            assert_eq!(body[0]["headers"]["control"], "must-refetch");
        }
    }
    // Anew, they are told what is wrong with it.
    let anew = s
        .ask("table=invoices&where=secret%20=%20'canary'&offset=-1")
        .await;
    let errors = &anew.expect(400)["errors"];
    assert!(
        errors["where"][0].as_str().unwrap().contains("secret"),
        "{errors}"
    );
}

#[tokio::test]
async fn a_hidden_column_that_is_named_is_left_out_of_the_rows() {
    let s = with_invoices().await;
    s.role(Role::Editor);
    let query = "table=invoices&columns=id,count,secret,_role";
    let mut editor = s.follow(query).await;
    let expected = json!({"id": "1", "count": "3", "_role": "editor"});
    assert_eq!(editor.rows().values().collect::<Vec<_>>(), [&expected]);
    let full = s.follow(&format!("{query}&replica=full")).await;
    let next = full.next();
    // What becomes of it is nothing to them, by itself and beside another change.
    for values in [
        json!({"secret": "canary two"}),
        json!({"secret": "canary", "count": 4}),
    ] {
        s.role(Role::Owner);
        s.write("invoices", "1", "update", values).await;
        s.role(Role::Editor);
    }
    let told = editor.catch_up().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["value"], json!({"id": "1", "count": "4"}));
    for query in [
        next,
        format!("{query}&offset=-1&replica=full"),
        format!("{query}&offset=-1&queryable_columns=id,count,secret"),
        format!("{query}&offset=now&log=changes_only&subset__where=true"),
    ] {
        let reply = s.ask(&query).await;
        reply.expect(200);
        assert!(!reply.text.contains("canary"), "{query}: {}", reply.text);
        assert!(
            !reply.header("electric-schema").contains("secret"),
            "{query}"
        );
    }
    let subset = "offset=now&log=changes_only&queryable_columns=id,count,secret";
    for query in [
        "offset=-1&where=secret%20=%20'canary'".to_owned(),
        format!("{subset}&subset__where=secret%20=%20'canary'"),
        format!("{subset}&subset__order_by=secret&subset__limit=1"),
        "offset=-1&columns=id,unknown".to_owned(),
    ] {
        s.ask(&format!("table=invoices&{query}")).await.expect(400);
    }
    s.role(Role::Owner);
    let owner = s.follow(query).await;
    assert_eq!(column(&owner, "secret"), ["canary"]);
}

#[tokio::test]
async fn who_waits_for_all_columns_begins_anew_at_once_with_one_that_is_added() {
    let s = with_invoices().await;
    let (all, some) = ("table=invoices", "table=invoices&columns=id,count");
    let (all, some) = (s.follow(all).await, s.follow(some).await);
    let (poll, stream) = (
        format!("{}&live=true", all.next()),
        format!("{}&live=true&live_sse=true", all.next()),
    );
    let named = format!("{}&live=true", some.next());
    let changed = async {
        s.schema(invoices(&[field("note", "text")])).await;
        s.write("invoices", "1", "update", json!({"count": 4}))
            .await;
    };
    let together = async { tokio::join!(s.ask(&poll), s.ask(&stream), s.ask(&named), changed) };
    let (poll, stream, named, ()) = tokio::time::timeout(PATIENCE / 2, together).await.unwrap();
    poll.expect(409);
    assert!(
        !stream.text.contains("\"count\""),
        "it ends: {}",
        stream.text
    );
    assert_eq!(
        named.expect(200)[0]["value"],
        json!({"id": "1", "count": "4"})
    );
    let anew = s.follow("table=invoices").await;
    assert_ne!(anew.handle, all.handle);
    assert_eq!(column(&anew, "note"), ["null"]);
}
