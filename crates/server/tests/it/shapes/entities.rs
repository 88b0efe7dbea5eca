//! An application's entities as tables of shapes: types, roles, and schemas that change.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use serde_json::{Value, json};
use syncline_model::schema::Role;
use syncline_model::{TenantId, UserId};
use syncline_store::control::{Member, Rights};

use super::{Follower, Shapes, column, shapes};
use crate::support::now;

/// Gives each op of a test a clock of its own.
static CLOCK: AtomicU64 = AtomicU64::new(1);

impl Shapes {
    async fn offer(&self, scope: &str, resource: &str, payload: Value) {
        let admin = self.server.token("acme", Rights::Admin);
        let op = json!({"scope": scope, "resourceId": resource, "actor": "app",
            "clock": CLOCK.fetch_add(1, SeqCst), "payload": payload});
        let pushed = self.server.post(
            "/sync/push",
            &admin,
            json!({"clientId": "app", "ops": [op]}),
        );
        let pushed = pushed.await.expect(200);
        assert_eq!(pushed["results"][0]["status"], "accepted", "{pushed}");
    }

    pub(super) async fn write(&self, entity: &str, id: &str, action: &str, values: Value) {
        let write = json!({"entity": entity, "id": id, "action": action, "values": values});
        let payload = json!({"writes": [write], "mode": "confirmed"});
        self.offer("record", &format!("{entity}/{id}"), payload)
            .await;
    }

    pub(super) async fn schema(&self, entities: Value) {
        self.offer("schema", "schema", json!({"entities": entities}))
            .await;
    }

    pub(super) fn role(&self, role: Role) {
        let member = Member {
            tenant: TenantId::new("acme").unwrap(),
            user: UserId::new("ada").unwrap(),
            role,
            changed_at: now(),
        };
        self.server.control().put_member(&member).unwrap();
    }
}

pub(super) fn field(name: &str, kind: &str) -> Value {
    json!({"name": name, "kind": kind})
}

pub(super) fn invoices(more: &[Value]) -> Value {
    let mut fields = vec![
        field("id", "text"),
        field("Amount", "decimal"),
        field("paid", "boolean"),
        field("count", "int64"),
        field("due", "timestamp"),
        field("tags", "json"),
        field("secret", "text"),
    ];
    fields.extend_from_slice(more);
    json!([{"name": "invoices", "singular": "invoice", "key": "id", "fields": fields,
        "mode": {"kind": "optimistic"},
        "access": {"field_groups": {"private": ["secret"]},
            "role_permissions": {"owner": ["private"]},
            "read_permissions": {"owner": ["private"], "editor": [], "viewer": []}}}])
}

pub(super) async fn with_invoices() -> Shapes {
    let s = shapes().await;
    s.role(Role::Owner);
    s.schema(invoices(&[])).await;
    let values = json!({"id": "1", "Amount": "12.50", "paid": false, "count": 3,
        "due": "2026-03-01T12:30:00Z", "tags": ["a", {"b": 1}], "secret": "canary"});
    s.write("invoices", "1", "create", values).await;
    s
}

#[tokio::test]
async fn values_have_the_types_of_their_fields() {
    let s = with_invoices().await;
    let first = s.ask("table=invoices&offset=-1").await;
    let body = first.expect(200);
    let expected = json!({"id": "1", "Amount": "12.50", "paid": "false", "count": "3",
        "due": "2026-03-01 12:30:00+00", "tags": "[\"a\", {\"b\": 1}]", "secret": "canary"});
    assert_eq!(body[0]["value"], expected);
    let schema: Value = serde_json::from_str(first.header("electric-schema")).unwrap();
    for (name, kind) in [
        ("Amount", "numeric"),
        ("paid", "bool"),
        ("count", "int8"),
        ("due", "timestamptz"),
        ("tags", "jsonb"),
    ] {
        assert_eq!(schema[name]["type"], kind);
    }
    for (condition, holds) in [
        ("%22Amount%22%20=%2012.5", true),
        ("NOT%20paid%20AND%20due%20%3E%20%272026-01-01%27", true),
        ("count%20%3E%203", false),
    ] {
        let follower = s.follow(&format!("table=invoices&where={condition}")).await;
        assert_eq!(follower.rows().len(), usize::from(holds), "{condition}");
    }
    let mut follower = s.follow("table=invoices").await;
    s.write("invoices", "1", "update", json!({"paid": true}))
        .await;
    let change = follower.catch_up().await;
    assert_eq!(change[0]["value"], json!({"id": "1", "paid": "true"}));
    s.write("invoices", "1", "delete", json!({})).await;
    assert_eq!(
        follower.catch_up().await[0]["headers"]["operation"],
        "delete"
    );
}

#[tokio::test]
async fn a_column_that_a_role_may_not_read_never_leaves() {
    let s = with_invoices().await;
    let owner = s.follow("table=invoices").await;
    assert_eq!(column(&owner, "secret"), ["canary"]);
    let next = owner.next();
    s.role(Role::Editor);
    let told = s.ask(&next).await;
    told.expect(409);
    assert!(!told.text.contains("canary"));
    let mut editor: Follower<'_> = s.follow("table=invoices").await;
    s.role(Role::Owner);
    s.write("invoices", "1", "update", json!({"secret": "canary two"}))
        .await;
    s.role(Role::Editor);
    assert!(
        editor.catch_up().await.is_empty(),
        "a change of it is no change to them"
    );
    assert_eq!(column(&editor, "secret"), ["null"]);
    for query in [
        "table=invoices&offset=-1&replica=full",
        "table=invoices&offset=-1&columns=id,secret",
        "table=invoices&offset=-1&where=secret%20LIKE%20%27c%25%27",
        "table=invoices&offset=now&log=changes_only&subset__where=secret%20=%20%27canary%27",
        "table=invoices&offset=now&log=changes_only&subset__order_by=secret",
        "table=invoices&offset=now&log=changes_only&subset__where=true",
    ] {
        let reply = s.ask(query).await;
        assert!(!reply.text.contains("canary"), "{query}: {}", reply.text);
        assert!(
            !reply.header("electric-schema").contains("secret"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_schema_that_only_adds_leaves_shapes_as_they_are() {
    let s = with_invoices().await;
    let mut follower = s.follow("table=invoices&columns=id,count").await;
    s.schema(invoices(&[field("note", "text")])).await;
    s.write(
        "invoices",
        "1",
        "update",
        json!({"count": 4, "note": "new"}),
    )
    .await;
    let change = follower.catch_up().await;
    assert_eq!(change[0]["value"], json!({"id": "1", "count": "4"}));
    let whole = s.follow("table=invoices").await;
    assert_eq!(column(&whole, "note"), ["new"]);
}

#[tokio::test]
async fn a_shape_that_names_no_columns_begins_anew_with_another_one_of_its_table() {
    let s = with_invoices().await;
    let (all, some) = ("table=invoices", "table=invoices&columns=id,count");
    let (all, some) = (s.follow(all).await, s.follow(some).await);
    s.schema(invoices(&[field("note", "text")])).await;
    s.ask(&all.next()).await.expect(409);
    s.ask(&some.next()).await.expect(200);
}

#[tokio::test]
async fn an_entity_hides_the_view_of_its_name_while_it_is_there() {
    let s = shapes().await;
    s.thread("one", "p").await;
    let view = s.follow("table=threads").await;
    assert_eq!(column(&view, "name"), ["one"]);
    let entity = json!([{"name": "threads", "singular": "thread", "key": "id",
        "fields": [field("id", "text")], "mode": {"kind": "confirmed"}}]);
    s.schema(entity).await;
    s.ask(&view.next()).await.expect(409);
    s.write("threads", "t", "create", json!({})).await;
    let records = s.follow("table=threads").await;
    assert_eq!(column(&records, "id"), ["t"]);
}

#[tokio::test]
async fn the_role_on_each_row_is_told_to_who_asks_for_it() {
    let s = with_invoices().await;
    let plain = s.follow("table=invoices").await;
    assert_eq!(column(&plain, "_role"), ["null"], "nobody asked for it");
    let first = s
        .ask("table=invoices&columns=id,paid,_role&offset=-1")
        .await;
    let body = first.expect(200);
    let expected = json!({"id": "1", "paid": "false", "_role": "owner"});
    assert_eq!(body[0]["value"], expected);
    let schema: Value = serde_json::from_str(first.header("electric-schema")).unwrap();
    assert_eq!(schema["_role"]["type"], "text");
    let mut follower = s.follow("table=invoices&columns=id,paid,_role").await;
    s.write("invoices", "1", "update", json!({"paid": true}))
        .await;
    let change = follower.catch_up().await;
    assert_eq!(change[0]["value"], json!({"id": "1", "paid": "true"}));
    // Another role is another shape: the old one's reader begins anew.
    s.role(Role::Viewer);
    s.ask(&follower.next()).await.expect(409);
    let viewer = s.follow("table=invoices&columns=id,paid,_role").await;
    assert_eq!(column(&viewer, "_role"), ["viewer"]);
}

#[tokio::test]
async fn a_membership_gives_its_rows_their_role() {
    let s = shapes().await;
    let entity = |name: &str, fields: Value, access: Value| {
        json!({"name": name, "singular": name, "key": "id", "fields": fields,
            "mode": {"kind": "optimistic"}, "access": access})
    };
    let via = json!({"entity": "members", "entity_field": "account_id", "field": "id",
        "user_field": "user_id", "role_field": "role"});
    let members = ["id", "account_id", "user_id", "role"].map(|name| field(name, "text"));
    let accounts = [field("id", "text"), field("name", "text")];
    s.schema(json!([
        entity("members", json!(members), json!({})),
        entity("accounts", json!(accounts), json!({"role_via": via})),
    ]))
    .await;
    for id in ["1", "2"] {
        let values = json!({"account_id": id, "user_id": "ada", "role": "owner"});
        s.write("members", &format!("m{id}"), "create", values)
            .await;
        s.write("accounts", id, "create", json!({"name": "shared"}))
            .await;
    }
    s.write("members", "m2", "update", json!({"role": "viewer"}))
        .await;
    let follower = s.follow("table=accounts&columns=id,_role").await;
    assert_eq!(column(&follower, "_role"), ["owner", "viewer"]);
    let next = follower.next();
    s.write("members", "m2", "update", json!({"role": "editor"}))
        .await;
    s.ask(&next).await.expect(409);
    let follower = s.follow("table=accounts&columns=id,_role").await;
    assert_eq!(column(&follower, "_role"), ["owner", "editor"]);
}
